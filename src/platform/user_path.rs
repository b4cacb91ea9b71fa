//! The user's `PATH` in the registry of Windows (`HKCU\Environment`): a list of folders between semicolons.
//!
//! Its type is kept: `REG_EXPAND_SZ` where it has variables. Entries of others are neither reordered nor rewritten.

/// The list with a folder at its end; `None` if it is in it already.
pub fn with_folder(list: &str, folder: &str) -> Option<String> {
    if has_folder(list, folder) {
        return None;
    }
    let separator = if list.is_empty() || list.ends_with(';') { "" } else { ";" };
    Some(format!("{list}{separator}{folder}"))
}

/// The list without a folder; `None` if it is not in it.
pub fn without_folder(list: &str, folder: &str) -> Option<String> {
    if !has_folder(list, folder) {
        return None;
    }
    let kept: Vec<&str> = list.split(';').filter(|entry| !is_same(entry, folder)).collect();
    Some(kept.join(";"))
}

/// Whether a folder is in a list, in any case and with or without a backslash at its end.
pub fn has_folder(list: &str, folder: &str) -> bool {
    list.split(';').any(|entry| is_same(entry, folder))
}

fn is_same(entry: &str, folder: &str) -> bool {
    let plain = |path: &str| path.trim().trim_matches('"').trim_end_matches(['\\', '/']).to_lowercase();
    !entry.trim().is_empty() && plain(entry) == plain(folder)
}

#[cfg(windows)]
pub use system::{add, contains, remove};

#[cfg(windows)]
mod system {
    use std::io;
    use std::path::Path;

    use windows_registry::{CURRENT_USER, Type};

    use super::{has_folder, with_folder, without_folder};
    use crate::platform::files::{FileError, writing};

    const KEY: &str = "Environment";
    const NAME: &str = "Path";

    /// Whether a folder is in the user's `PATH`.
    pub fn contains(folder: &Path) -> bool {
        value().ok().flatten().is_some_and(|(list, _)| has_folder(&list, &folder.display().to_string()))
    }

    /// Adds a folder to the user's `PATH` and tells running programs.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn add(folder: &Path) -> Result<(), FileError> {
        edit(folder, |list, folder| with_folder(list, folder))
    }

    /// Removes a folder from the user's `PATH` and tells running programs.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn remove(folder: &Path) -> Result<(), FileError> {
        edit(folder, |list, folder| without_folder(list, folder))
    }

    fn edit(folder: &Path, change: impl Fn(&str, &str) -> Option<String>) -> Result<(), FileError> {
        let (list, kind) = value().map_err(refused)?.unwrap_or((String::new(), Type::ExpandString));
        let Some(changed) = change(&list, &folder.display().to_string()) else { return Ok(()) };
        let open = CURRENT_USER.options().read().write().create().open(KEY);
        let written = open.and_then(|key| match kind {
            // There was no value before.
            _ if changed.is_empty() => key.remove_value(NAME),
            Type::String => key.set_string(NAME, &changed),
            _ => key.set_expand_string(NAME, &changed),
        });
        written.map_err(|error| refused(io::Error::other(error.to_string())))?;
        crate::platform::windows::tell_environment_changed();
        Ok(())
    }

    fn refused(error: io::Error) -> FileError {
        writing(Path::new(r"HKEY_CURRENT_USER\Environment"))(error)
    }

    /// The unexpanded value and its registry type; `None` if the value does not exist.
    ///
    /// # Errors
    /// When it is no text: it must not be replaced then.
    fn value() -> io::Result<Option<(String, Type)>> {
        let Ok(key) = CURRENT_USER.open(KEY) else { return Ok(None) };
        if key.get_type(NAME).is_err() {
            return Ok(None);
        }
        let value = key.get_value(NAME).map_err(|error| io::Error::other(error.to_string()))?;
        if !matches!(value.ty(), Type::String | Type::ExpandString) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let wide = value.as_wide();
        let wide = wide.split(|unit| *unit == 0).next().unwrap_or_default();
        let list = String::from_utf16(wide).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Some((list, value.ty())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const OURS: &str = r"C:\Users\Ana\.acolyte\bin";

    #[test]
    fn a_folder_is_added_once_and_nothing_else_is_rewritten() {
        let list = r"%USERPROFILE%\go\bin;C:\Tools;;";
        let with = with_folder(list, OURS).unwrap();
        assert_eq!(with, r"%USERPROFILE%\go\bin;C:\Tools;;C:\Users\Ana\.acolyte\bin");
        for known in [with.clone(), r"c:\users\ana\.acolyte\BIN\;x".to_owned(), format!("x;\"{OURS}\"")] {
            assert_eq!(with_folder(&known, OURS), None, "{known}");
        }
        assert_eq!(with_folder("", OURS).unwrap(), OURS);
        assert_eq!(with_folder(r"C:\a", OURS).unwrap(), format!(r"C:\a;{OURS}"));
    }

    #[test]
    fn removing_it_restores_the_list() {
        for list in [r"C:\Tools;D:\x", "", r"%PATH2%"] {
            let with = with_folder(list, OURS).unwrap();
            assert_eq!(without_folder(&with, OURS).unwrap(), list);
        }
        let moved = format!(r"C:\a;{OURS};C:\b");
        assert_eq!(without_folder(&moved, OURS).unwrap(), r"C:\a;C:\b");
        assert_eq!(without_folder(r"C:\a;C:\Users\Ana\.acolyte\binary", OURS), None);
    }
}
