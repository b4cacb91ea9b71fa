//! Unpacks a release archive into a staging folder, and never outside it.
//!
//! 1. The format is told by the archive's first bytes: zstd or gzip around a tar, or a zip.
//! 2. Each entry's name is checked before anything is written: nothing absolute, no `..`, no name that the system
//!    would read as something else, no two names that are one on a system that ignores case.
//! 3. Folders and files are made by us, one path component at a time, never through a link; files are 0644 or 0755.
//! 4. Links come last. A symbolic link must lead to somewhere inside the folder, whatever other links it passes; a hard
//!    link must name a file of the same archive. Devices, pipes and sparse files are refused.
//! 5. What is written is counted against [`Limits`], whatever the archive declares. A file that the disk has no room for
//!    is not begun, and room for the rest is looked for while it goes on.
//!
//! An archive that is still coming is followed ([`follow`]), one that the user named is checked along the way
//! ([`unpack_verified`]); either way the folder is worth something only once the hash was the right one.
//! [`unpack_into`] puts a whole archive at its final place in one rename, so that the place holds all of it or nothing.

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
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::control::Control;
use crate::platform::files;
use extractor::Extractor;
pub use follow::{Following, follow};
pub use format::Format;
pub use names::NameProblem;
pub use types::{Limits, UnpackError, UnpackProgress, Unpacked, UnpackedFile};
pub use verified::unpack_verified;

/// Unpacks an archive into a folder, which is made if it is not there. The folder may already hold another part of the
/// same release; files of the same name are replaced. After an error it holds some of the archive: throw it away.
///
/// Blocks; while the control is paused it waits, and it stops within one buffer of being cancelled.
///
/// # Errors
/// See [`UnpackError`]: a hostile or damaged archive, a full disk, or cancellation.
pub fn unpack(
    archive: &Path,
    staging: &Path,
    limits: Limits,
    progress: &dyn Fn(UnpackProgress),
    control: &Control,
) -> Result<Unpacked, UnpackError> {
    let (file, bytes_total, format) = open(archive)?;
    let format = format.ok_or_else(|| UnpackError::UnknownFormat { path: archive.to_owned() })?;

    let mut extractor = Extractor::new(archive, staging, limits, bytes_total, progress, control)?;
    match format {
        Format::TarZst | Format::TarGz => tarball::unpack(file, format, &mut extractor)?,
        Format::Zip => zipfile::unpack(file, &mut extractor)?,
    }
    extractor.finish()
}

/// Unpacks an archive beside its final place and moves it there in one rename. What was at that place before is kept
/// until the new one is complete, then removed. After an error the place is as it was and the staging folder is gone.
///
/// # Errors
/// As [`unpack`], and when the finished folder cannot be moved.
pub fn unpack_into(
    archive: &Path,
    target: &Path,
    limits: Limits,
    progress: &dyn Fn(UnpackProgress),
    control: &Control,
) -> Result<Unpacked, UnpackError> {
    let staging = beside(target, "unpacking");
    remove_tree(&staging)?;
    let outcome = unpack(archive, &staging, limits, progress, control).and_then(|unpacked| {
        publish(&staging, target)?;
        Ok(unpacked)
    });
    if outcome.is_err()
        && let Err(error) = remove_tree(&staging)
    {
        tracing::warn!(%error, "the staging folder could not be removed; the next run removes it");
    }
    outcome
}

/// Moves a finished staging folder to its place, in one rename where nothing was there before. What was there is moved
/// aside first and moved back when the rename fails.
///
/// # Errors
/// When the system refuses to move one of them.
pub fn publish(staging: &Path, target: &Path) -> Result<(), UnpackError> {
    let old = beside(target, "replaced");
    remove_tree(&old)?;
    let had_old = match std::fs::rename(target, &old) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(UnpackError::write(target, error)),
    };
    if let Err(error) = std::fs::rename(staging, target) {
        if had_old && let Err(error) = std::fs::rename(&old, target) {
            tracing::error!(%error, old = %old.display(), "what was replaced could not be moved back");
        }
        return Err(UnpackError::write(target, error));
    }
    files::sync_folder_of(target);
    remove_tree(&old)
}

/// The folder beside `target` in which it is prepared (`.NAME.SUFFIX`); what an interrupted run left there is removed by
/// the next one.
pub fn beside(target: &Path, suffix: &str) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    target.with_file_name(format!(".{name}.{suffix}"))
}

fn remove_tree(path: &Path) -> Result<(), UnpackError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(UnpackError::write(path, error)),
        _ => Ok(()),
    }
}

/// An archive at its beginning, its length in bytes, and what it is by its first bytes.
fn open(archive: &Path) -> Result<(File, u64, Option<Format>), UnpackError> {
    let read_error = |source| UnpackError::Read { path: archive.to_owned(), source };
    let mut file = File::open(archive).map_err(read_error)?;
    let bytes_total = file.metadata().map_err(read_error)?.len();
    let mut magic = [0; 4];
    let known = read_up_to(&mut file, &mut magic).map_err(read_error)?;
    file.seek(SeekFrom::Start(0)).map_err(read_error)?;
    Ok((file, bytes_total, Format::of(&magic[..known])))
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
