//! Creates folders that are private to the user (0700), and removes files and folders.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{FileError, creating, ignore_missing, reading, removing};
use super::held::while_held;

#[cfg(unix)]
fn private_folder() -> std::fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// Windows: a user's folders are private by default.
#[cfg(not(unix))]
fn private_folder() -> std::fs::DirBuilder {
    std::fs::DirBuilder::new()
}

/// Creates one folder, private to the user.
///
/// # Errors
/// If the system refuses, or the name exists.
pub fn create_folder(path: &Path) -> io::Result<()> {
    private_folder().create(path)
}

/// Creates a folder with all its parents. Returns the created ones, outermost first.
///
/// # Errors
/// If the system refuses.
pub fn create_folders(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let missing = missing_folders(path);
    for folder in &missing {
        match create_folder(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(creating(folder)(error)),
        }
    }
    if path.is_dir() { Ok(missing) } else { Err(creating(path)(io::ErrorKind::NotADirectory.into())) }
}

/// Of a folder and its parents, those that do not exist, outermost first. A link that leads to nothing exists.
pub fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = path
        .ancestors()
        .take_while(|folder| !folder.exists() && !folder.is_symlink())
        .map(Path::to_owned)
        .collect();
    missing.retain(|folder| !folder.as_os_str().is_empty());
    missing.reverse();
    missing
}

/// Removes a file; no effect if it does not exist. Waits while another program has it open.
///
/// # Errors
/// If the system refuses.
pub(super) fn remove_file_io(path: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "retried here")]
    while_held(path, || ignore_missing(std::fs::remove_file(path)))
}

/// Removes a file; no effect if it does not exist. Waits while another program has it open.
///
/// # Errors
/// If the system refuses.
pub fn remove_file(path: &Path) -> Result<(), FileError> {
    remove_file_io(path).map_err(removing(path))
}

/// Removes a folder and its contents; no effect if it does not exist. Links are removed, not followed. Waits while another
/// program has one of its files open.
///
/// # Errors
/// If the system refuses.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    #[expect(clippy::disallowed_methods, reason = "retried here")]
    let removed = while_held(path, || ignore_missing(std::fs::remove_dir_all(path)));
    removed.map_err(removing(path))
}

/// Removes an empty folder, or a link in its place but not the link's target. No effect on anything else.
///
/// # Errors
/// If the system refuses. A folder that is not empty is no error.
pub fn remove_folder_or_link(path: &Path) -> Result<(), FileError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => remove_link(path).map_err(removing(path)),
        Ok(found) if found.is_dir() => remove_folder_if_empty(path).map(drop),
        Ok(_) => Ok(()),
        Err(error) => ignore_missing(Err(error)).map_err(reading(path)),
    }
}

/// Windows distinguishes links to folders from links to files.
fn remove_link(path: &Path) -> io::Result<()> {
    if cfg!(windows) && std::fs::remove_dir(path).is_ok() {
        return Ok(());
    }
    remove_file_io(path)
}

/// Removes an empty folder, and never a link in its place. Returns whether the folder no longer exists.
///
/// # Errors
/// If the system refuses. A folder that is not empty, and a link, are no errors.
pub fn remove_folder_if_empty(path: &Path) -> Result<bool, FileError> {
    // Unix refuses with an error of its own, and Windows would remove the link.
    if path.is_symlink() {
        return Ok(false);
    }
    // Of a folder that a terminal stands in, Windows says that and not that it has files.
    if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(false);
    }
    match while_held(path, || ignore_missing(std::fs::remove_dir(path))) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        Err(error) => Err(removing(path)(error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_new_folders_are_returned_as_created() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("a/b"));
        assert_eq!(create_folders(&b).unwrap(), [a.clone(), b.clone()]);
        assert_eq!(create_folders(&b).unwrap(), Vec::<PathBuf>::new());
        std::fs::write(b.join("file"), "x").unwrap();
        assert!(!remove_folder_if_empty(&b).unwrap());
        assert!(create_folders(&b.join("file")).is_err(), "a file is no folder");
        remove_folder(&a).unwrap();
        assert!(remove_folder_if_empty(&a).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_a_folder_is_no_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::create_dir(&target).unwrap();
        for to in [&target, &folder.path().join("missing")] {
            std::os::unix::fs::symlink(to, &link).unwrap();
            assert!(!remove_folder_if_empty(&link).unwrap());
            assert!(link.is_symlink() && target.is_dir());
            remove_folder_or_link(&link).unwrap();
            assert!(!link.is_symlink() && target.is_dir());
        }
    }
}
