//! The lock of a home: only one program changes it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::platform::files::{self, FileCause, FileError, creating, writing};
use crate::platform::process::{self, ProcessIdentity};

/// Largest file of a holder; ours has some 50 bytes.
const MAX_HOLDER_BYTES: u64 = 4096;

/// Held while a home is changed; released when dropped, or when the process ends.
#[derive(Debug)]
pub enum Lock {
    /// A lock of the system.
    OfSystem(File),
    /// A file that names the holder, where the file system has no locks. It counts while that process runs, and keeps out
    /// programs of this computer only.
    ByName(PathBuf),
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
                Ok(()) if same_file(&file, path) => return Ok(Self::OfSystem(file)),
                // The holder has removed the file, as an uninstall does at its end: lock the new one.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Busy { home: home.to_owned() }),
                Err(TryLockError::Error(error)) if FileCause::of(&error, path).is_missing_support() => {
                    return Self::take_by_name(&path.with_extension("holder"), home);
                }
                Err(TryLockError::Error(error)) => return Err(writing(path)(error).into()),
            }
        }
    }

    fn take_by_name(path: &Path, home: &Path) -> Result<Self, LockError> {
        let us = process::identify(std::process::id());
        let ours = serde_json::to_vec(&us).unwrap_or_default();
        // Twice: the file of a process that has ended is removed first.
        for _ in 0..2 {
            match files::create_new(path) {
                Ok(mut file) => {
                    file.write_all(&ours).map_err(writing(path))?;
                    return Ok(Self::ByName(path.to_owned()));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if holder(path).is_some_and(process::is_alive) {
                        break;
                    }
                    files::remove_file(path)?;
                }
                Err(error) => return Err(creating(path)(error).into()),
            }
        }
        Err(LockError::Busy { home: home.to_owned() })
    }
}

/// The process that a holder's file names; `None` for a file that a process left unfinished.
fn holder(path: &Path) -> Option<ProcessIdentity> {
    let file = files::open_own(OpenOptions::new().read(true), path).ok()?;
    serde_json::from_reader(file.take(MAX_HOLDER_BYTES)).ok()
}

impl Drop for Lock {
    fn drop(&mut self) {
        match self {
            // Closing the file is not enough: a child may have inherited the handle.
            Self::OfSystem(file) => {
                let _closed_anyway = file.unlock();
            }
            Self::ByName(path) => {
                if let Err(error) = files::remove_file(path) {
                    tracing::warn!(%error, "the lock's file remains until the next installation");
                }
            }
        }
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

    #[test]
    fn without_locks_a_file_names_the_holder_while_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock.holder");
        let first = Lock::take_by_name(&path, folder.path()).unwrap();
        assert!(matches!(Lock::take_by_name(&path, folder.path()), Err(LockError::Busy { .. })));
        drop(first);
        assert!(!path.exists());
        let ended = ProcessIdentity { pid: std::process::id(), started_at_s: 1 };
        for left in [serde_json::to_vec(&ended).unwrap(), b"{".to_vec(), Vec::new()] {
            std::fs::write(&path, left).unwrap();
            drop(Lock::take_by_name(&path, folder.path()).unwrap());
        }
    }
}
