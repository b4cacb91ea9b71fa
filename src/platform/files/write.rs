//! Atomic writes: a temporary file next to the target, synced, then renamed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::create::create_anew;
use super::error::{FileError, renaming, writing};
use super::sync::sync_folder_of;

/// Replaces a file atomically: a reader sees the old contents or the new ones, never a part.
///
/// # Errors
/// If writing or renaming fails. The old file is then unchanged and the temporary file removed.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    replace(path, contents, File::sync_all)?;
    sync_folder_of(path);
    Ok(())
}

/// Like [`write_whole`], but without syncing: after a power failure the file may be lost.
///
/// # Errors
/// Those of [`write_whole`].
pub fn write_whole_unsynced(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    replace(path, contents, |_| Ok(()))
}

/// Path of the temporary file that [`write_whole`] uses.
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn replace(path: &Path, contents: &[u8], sync: fn(&File) -> io::Result<()>) -> Result<(), FileError> {
    let beside = temporary(path);
    let write = || -> io::Result<()> {
        let mut file = create_anew(&beside)?;
        file.write_all(contents)?;
        sync(&file)
    };
    let written = write()
        .map_err(writing(&beside))
        .and_then(|()| std::fs::rename(&beside, path).map_err(renaming(path)));
    if written.is_err() {
        // The first error is the relevant one.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::platform::files::{create_new, open_to_append};
    use crate::platform::regular;

    #[test]
    fn a_file_is_replaced_whole_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.yaml");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (path, foreign) = (folder.path().join("request.json"), folder.path().join("foreign"));
        let is_untouched = || std::fs::read(&foreign).unwrap() == b"foreign";
        std::fs::write(&foreign, "foreign").unwrap();
        symlink(&foreign, temporary(&path)).unwrap();
        write_whole(&path, b"ours").unwrap();
        assert!(is_untouched() && std::fs::read(&path).unwrap() == b"ours");
        assert!(!temporary(&path).is_symlink(), "the link is gone");

        let link = folder.path().join("link");
        symlink(&foreign, &link).unwrap();
        write_whole(&link, b"ours").unwrap();
        assert!(is_untouched() && !link.is_symlink(), "the link is replaced");
        std::fs::remove_file(&link).unwrap();
        for target in [&foreign, &folder.path().join("missing")] {
            symlink(target, &link).unwrap();
            assert!(open_to_append(&link).is_err() && create_new(&link).is_err());
            assert!(regular::open_no_link(&link).is_err());
            create_anew(&link).unwrap();
            std::fs::remove_file(&link).unwrap();
        }
        assert!(is_untouched() && !folder.path().join("missing").exists());
    }
}
