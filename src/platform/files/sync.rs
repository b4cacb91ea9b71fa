//! Makes files and folders survive a power failure.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::error::{FileError, writing};
use crate::platform::regular;

/// Syncs an open file to the disk, so that it survives a power failure. File systems that cannot are left as they are.
///
/// # Errors
/// If the sync fails; part of the file may then be lost.
pub fn sync(file: &File) -> io::Result<()> {
    where_supported(file.sync_all())
}

/// As [`sync`], without what is not needed to read the contents again.
///
/// # Errors
/// Those of [`sync`].
pub fn sync_data(file: &File) -> io::Result<()> {
    where_supported(file.sync_data())
}

fn where_supported(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

/// Syncs a file to the disk, so that it survives a power failure.
///
/// # Errors
/// If the sync fails; part of the file may then be lost.
pub fn sync_file(path: &Path) -> Result<(), FileError> {
    // Windows can only sync files that are open for writing.
    let file = if cfg!(windows) {
        OpenOptions::new().read(true).write(true).open(path)
    } else {
        regular::open(path)
    };
    sync(&file.map_err(writing(path))?).map_err(writing(path))
}

/// Syncs a folder's entries, so that they survive a power failure. No effect on systems that cannot sync folders.
pub fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::debug!(%error, path = %folder.display(), "folder not synced");
    }
}

/// Syncs the folder that contains this path; see [`sync_folder`].
pub fn sync_folder_of(path: &Path) {
    if let Some(folder) = path.parent() {
        sync_folder(folder);
    }
}
