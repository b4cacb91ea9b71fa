//! Adds a line to a profile file of a shell and takes it out again, byte for byte.
//!
//! The file is the user's: a link to it is followed where nobody else can change where it leads, its permissions stay, and
//! it is replaced atomically. One that others can change, or that has a second name (a hard link), is left alone.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::files::{self, FileError, reading, writing};
use super::ownership::{self, OwnershipError};
use super::regular::{self, NotRegular};

/// Larger than any profile file.
const MAX_BYTES: u64 = 1 << 20;

/// The profile file with the line, and what was added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineAdded {
    /// The new contents.
    pub contents: Vec<u8>,
    /// The bytes that were added: the line with its line breaks.
    pub added: String,
}

/// Adds a line at the end; `None` if it is there already.
pub fn with_line(contents: &[u8], line: &str) -> Option<LineAdded> {
    if has_line(contents, line) {
        return None;
    }
    let begins = if contents.is_empty() || contents.ends_with(b"\n") { "" } else { "\n" };
    let added = format!("{begins}{line}\n");
    Some(LineAdded { contents: [contents, added.as_bytes()].concat(), added })
}

/// Takes out what [`with_line`] added; `None` if the line is not there. What was written before and after it stays.
pub fn without_line(contents: &[u8], added: &str) -> Option<Vec<u8>> {
    let line = added.trim_matches('\n');
    let lines: Vec<&[u8]> = contents.split_inclusive(|byte| *byte == b'\n').collect();
    let at = lines.iter().rposition(|found| found.strip_suffix(b"\n").unwrap_or(found) == line.as_bytes())?;
    let mut before = lines[..at].concat();
    let after = lines[at + 1..].concat();
    // The line break that was missing at the end of the file, unless something needs it now.
    if added.starts_with('\n') && after.is_empty() {
        before = before.strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or(before);
    }
    Some([before, after].concat())
}

/// Whether a line is there.
pub fn has_line(contents: &[u8], line: &str) -> bool {
    contents.split(|byte| *byte == b'\n').any(|found| found == line.as_bytes())
}

/// Reads a profile file; empty if it does not exist.
///
/// # Errors
/// When it cannot be read, or others can change or replace it.
pub fn read(path: &Path) -> Result<Vec<u8>, OwnershipError> {
    let path = ownership::resolve(path)?;
    let file = match regular::open_no_link(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(reading(&path))?,
    };
    ownership::require_own_open_file(&file, &path)?;
    require_one_name(&file, &path)?;
    Ok(regular::read_open(file, MAX_BYTES).map_err(reading(&path))?)
}

/// Replaces the contents of a profile file, which may be missing. Its permissions stay.
///
/// # Errors
/// Those of [`read`], and when it cannot be written. It is unchanged then.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), OwnershipError> {
    // Refuses what must not be replaced.
    read(path)?;
    let path = ownership::resolve(path)?;
    let permissions = std::fs::symlink_metadata(&path).ok().map(|found| found.permissions());
    let replace = || -> io::Result<()> {
        let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
        let mut file = tempfile::Builder::new().prefix(".acolyte-").tempfile_in(folder)?;
        file.write_all(contents)?;
        if let Some(permissions) = permissions {
            file.as_file().set_permissions(permissions)?;
        }
        files::sync(file.as_file())?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    replace().map_err(writing(&path))?;
    files::sync_folder_of(&path);
    Ok(())
}

/// Takes a line out of a profile file. One that was created for it is removed if nothing else is in it.
///
/// # Errors
/// Those of [`write`].
pub fn remove_line(path: &Path, added: &str, created: bool) -> Result<(), OwnershipError> {
    let Some(contents) = without_line(&read(path)?, added) else { return Ok(()) };
    if contents.is_empty() && created {
        let path = ownership::resolve(path)?;
        return Ok(files::remove_file(&path)?);
    }
    write(path, &contents)
}

/// The file that is edited: where a link leads.
pub fn target(path: &Path) -> PathBuf {
    ownership::resolve(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(unix)]
fn require_one_name(file: &std::fs::File, path: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::MetadataExt as _;
    if file.metadata().map_err(reading(path))?.nlink() > 1 {
        return Err(writing(path)(io::Error::new(io::ErrorKind::InvalidInput, NotRegular)));
    }
    Ok(())
}

#[cfg(not(unix))]
fn require_one_name(_file: &std::fs::File, path: &Path) -> Result<(), FileError> {
    let _ = (path, NotRegular, writing(path));
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = ". '/home/ana/.acolyte/env'";

    #[test]
    fn a_line_is_added_once() {
        let first = with_line(b"export A=1", LINE).unwrap();
        assert_eq!(first.contents, b"export A=1\n. '/home/ana/.acolyte/env'\n");
        assert_eq!(with_line(&first.contents, LINE), None);
        assert_eq!(with_line(b"", LINE).unwrap().added, format!("{LINE}\n"));
    }

    #[test]
    fn what_the_user_wrote_since_stays() {
        let added = with_line(b"before", LINE).unwrap();
        let edited = [added.contents.as_slice(), b"after\n"].concat();
        assert_eq!(without_line(&edited, &added.added).unwrap(), b"before\nafter\n");
        assert_eq!(without_line(b"before\n", &added.added), None, "the user took it out");
        let similar = format!("{LINE} # mine\n");
        assert_eq!(without_line(similar.as_bytes(), &added.added), None);
    }

    proptest! {
        #[test]
        fn adding_and_removing_changes_no_byte(contents in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(added) = with_line(&contents, LINE) {
                prop_assert_eq!(without_line(&added.contents, &added.added), Some(contents));
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_of_the_users_files_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("dotfiles-bashrc"), folder.path().join(".bashrc"));
        std::fs::write(&file, "a\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let added = with_line(&read(&link).unwrap(), LINE).unwrap();
        write(&link, &added.contents).unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read(&file).unwrap(), added.contents);
        remove_line(&link, &added.added, false).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"a\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_change_or_that_has_two_names_is_left_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (file, second) = (folder.path().join(".profile"), folder.path().join("second"));
        std::fs::write(&file, "a\n").unwrap();
        std::fs::hard_link(&file, &second).unwrap();
        assert!(write(&file, b"b").is_err());
        std::fs::remove_file(&second).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(write(&file, b"b"), Err(OwnershipError::Writable { .. })));
        assert_eq!(std::fs::read(&file).unwrap(), b"a\n");
    }

    #[test]
    fn a_file_that_was_created_for_the_line_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".profile");
        let added = with_line(&read(&file).unwrap(), LINE).unwrap();
        write(&file, &added.contents).unwrap();
        remove_line(&file, &added.added, true).unwrap();
        assert!(!file.exists());
        remove_line(&file, &added.added, true).unwrap();
        write(&file, &[added.contents.as_slice(), b"mine\n"].concat()).unwrap();
        remove_line(&file, &added.added, true).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"mine\n");
    }
}
