//! Unpacks a release archive into a staging folder, and never outside it.
//!
//! 1. The format is detected by the archive's first bytes: zstd or gzip around a tar, or a zip.
//! 2. Each entry's name is checked before anything is written: nothing absolute, no `..`, no name with a
//!    special meaning to the system, no two names that are equal on a case-insensitive file system.
//! 3. Folders and files are created one path component at a time, never through a link; files are 0644 or 0755.
//! 4. Links are created last. A symbolic link must resolve to a path inside the folder, also through other links; a hard
//!    link must name a file of the same archive. Devices, pipes and sparse files are refused.
//! 5. Written bytes are counted against [`UnpackLimits`], whatever the archive declares. A file that does not fit the free
//!    space is not started, and the free space for the rest is checked throughout.
//!
//! An archive that is still being downloaded is unpacked as it arrives ([`follow`]); one that the user named is hashed and
//! unpacked from the same bytes ([`unpack_verified`]). In both cases the folder may be used only after the checksum
//! matched. [`publish`] then moves it to its destination in one rename, so that the destination holds the whole archive or
//! nothing.

mod extractor;
mod follow;
mod format;
mod names;
mod read_ahead;
mod tarball;
mod types;
mod verified;
mod zipfile;

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::platform::files::{self, HeldFile};
use crate::platform::regular;
pub use follow::{Following, follow};
pub use format::Format;
pub use names::NameProblem;
pub use types::{UnpackError, UnpackLimits, UnpackProgress, Unpacked, UnpackedFile};
pub use verified::{copied_bytes, unpack_verified};

/// Moves a finished staging folder to its destination, in one rename if that is free. An earlier folder there is renamed
/// first, and renamed back if the move fails. Waits while another program, such as a virus scanner, has a new file open, and
/// reports it when that takes long.
///
/// # Errors
/// When one of them cannot be renamed.
pub fn publish(staging: &Path, target: &Path, waits: &mut dyn FnMut(&HeldFile)) -> Result<(), UnpackError> {
    let old = beside(target, "replaced");
    remove_tree(&old)?;
    let had_old = match files::rename_reporting(target, &old, waits) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(UnpackError::write(target, error)),
    };
    if let Err(error) = files::rename_reporting(staging, target, waits) {
        if had_old && let Err(error) = files::rename(&old, target) {
            tracing::error!(%error, old = %old.display(), "the replaced folder could not be moved back");
        }
        return Err(UnpackError::write(target, error));
    }
    files::sync_folder_of(target);
    remove_tree(&old)
}

/// The staging folder next to `target` (`.NAME.SUFFIX`); leftovers of an interrupted run are removed by the next.
pub fn beside(target: &Path, suffix: &str) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    target.with_file_name(format!(".{name}.{suffix}"))
}

fn remove_tree(path: &Path) -> Result<(), UnpackError> {
    files::remove_folder(path).map_err(|error| UnpackError::write(path, error.source))
}

/// Opens an archive: the file at its start, its length in bytes, and its format.
fn open(archive: &Path) -> Result<(File, u64, Option<Format>), UnpackError> {
    let read_error = |source| UnpackError::Read { path: archive.to_owned(), source };
    let mut file = regular::open(archive).map_err(read_error)?;
    let bytes_total = file.metadata().map_err(read_error)?.len();
    let mut magic = [0; 4];
    let known = read_ahead::fill(&mut file, &mut magic).map_err(read_error)?;
    file.seek(SeekFrom::Start(0)).map_err(read_error)?;
    Ok((file, bytes_total, Format::of(&magic[..known])))
}

#[cfg(test)]
mod tests;
