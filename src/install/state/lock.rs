//! The lock of a home: only one program changes it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::platform::files::{self, FileError, writing};

/// Held while a home is changed; released when dropped, or by the system when the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why the lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another program holds it.
    #[error("another installer is working in {home}")]
    Busy {
        /// The home.
        home: PathBuf,
    },
    /// What the system said.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Lock {
    /// Takes the lock of a home without waiting. The lock's folder must exist.
    ///
    /// # Errors
    /// When another program holds it, or the file cannot be opened.
    pub fn take(path: &Path, home: &Path) -> Result<Self, LockError> {
        loop {
            let mut options = OpenOptions::new();
            let options = files::private(options.create(true).truncate(false).write(true));
            let file = files::open_own(options, path).map_err(writing(path))?;
            match file.try_lock() {
                Ok(()) if same_file(&file, path) => return Ok(Self { file }),
                // The holder has removed the file, as an uninstall does at its end: lock the new one.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Busy { home: home.to_owned() }),
                Err(TryLockError::Error(error)) => return Err(writing(path)(error).into()),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child may have inherited the handle.
        let _closed_anyway = self.file.unlock();
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: &std::fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), std::fs::symlink_metadata(path)), (Ok(a), Ok(b)) if identity(&a) == identity(&b))
}

/// On Windows an open file cannot be removed, so a file at the path is the same.
#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_gets_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path, folder.path()).unwrap();
        assert!(matches!(Lock::take(&path, folder.path()), Err(LockError::Busy { .. })));
        drop(first);
        let again = Lock::take(&path, folder.path()).unwrap();
        std::fs::remove_file(&path).unwrap();
        drop(again);
        Lock::take(&path, folder.path()).unwrap();
    }
}
