//! A path in a text field.

use std::path::{Path, PathBuf};

use crate::untrusted::UntrustedText;

/// The text of a field for a path. It begins with a path from outside in its safe form, which may not be what that path
/// is: bytes that are not Unicode and invisible characters are replaced. So the path is kept and used while the text is
/// unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedPath {
    /// What the field shows.
    text: String,
    /// The path that the text was made from.
    given: PathBuf,
}

impl From<&Path> for TypedPath {
    fn from(given: &Path) -> Self {
        Self { text: UntrustedText::path(given).into(), given: given.to_owned() }
    }
}

impl TypedPath {
    /// The path: the given one, or what was typed since.
    pub fn path(&self) -> PathBuf {
        if UntrustedText::path(&self.given) == self.text {
            self.given.clone()
        } else {
            PathBuf::from(self.text.trim())
        }
    }

    /// The given path, unless something else was typed since.
    pub fn given(&self) -> Option<&Path> {
        let is_given = !self.given.as_os_str().is_empty() && UntrustedText::path(&self.given) == self.text;
        is_given.then_some(self.given.as_path())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, for the field.
    pub fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether it is an absolute path.
    pub fn is_absolute(&self) -> bool {
        self.path().is_absolute()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_safely_and_used_as_it_was_given_until_it_is_changed() {
        let given = Path::new("/home/ana/\u{202e}models");
        let mut field = TypedPath::from(given);
        assert_eq!(field.text, r"/home/ana/\u{202e}models");
        assert_eq!(field.path(), given);
        *field.text_mut() = " /srv/models ".to_owned();
        assert_eq!(field.path(), Path::new("/srv/models"));
        field.text_mut().clear();
        assert!(field.is_empty() && !field.is_absolute());
        assert!(TypedPath::default().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_unicode_is_not_changed() {
        use std::os::unix::ffi::OsStrExt as _;
        let given = Path::new(std::ffi::OsStr::from_bytes(b"/home/\xff"));
        assert_eq!(TypedPath::from(given).path(), given);
    }
}
