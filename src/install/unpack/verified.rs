//! Unpacks an archive that the user named from the same bytes that are hashed.
//!
//! Another user may be able to replace or edit the archive at any moment, so every byte of it is read once. A tar is
//! unpacked from the bytes that are hashed. A zip needs random access: it is copied into an unnamed temporary file, hashed
//! on the way, and the copy is unpacked.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use sha2::Digest as _;

use super::extractor::Extractor;
use super::{Format, UnpackError, UnpackLimits, UnpackProgress, Unpacked, open, tarball, zipfile};
use crate::checksum::Sha256;
use crate::control::Control;
use crate::install::disk_watch::{DiskShortage, DiskWatch};
use crate::platform::files;

/// Unpacks an archive into a folder, which is created if missing, and verifies its SHA-256. The folder may already hold
/// another part of the same release; files of the same name are replaced. After an error it holds part of the archive:
/// discard it.
///
/// Blocks. Waits while the control is paused; stops within one buffer after cancellation.
///
/// # Errors
/// See [`UnpackError`]: a hostile or damaged archive, a full disk, or cancellation. [`UnpackError::WrongHash`] takes
/// precedence over any other problem of the archive.
pub fn unpack_verified(
    archive: &Path,
    sha256: Sha256,
    staging: &Path,
    limits: UnpackLimits,
    progress: &dyn Fn(UnpackProgress),
    control: &Control,
) -> Result<Unpacked, UnpackError> {
    let read_error = |source| UnpackError::Read { path: archive.to_owned(), source };
    let (file, bytes_total, known) = open(archive)?;
    let expect = |actual: Sha256| match actual == sha256 {
        true => Ok(()),
        false => Err(UnpackError::WrongHash { path: archive.to_owned(), expected: sha256, actual }),
    };
    let streamed = match known {
        Some(Format::Zip) | None => None,
        Some(format) => Some(format),
    };
    let Some(format) = streamed else {
        if known != Some(Format::Zip) {
            // Hashed anyway, to report its checksum.
            expect(hash(archive, file, control, |_| Ok(()))?)?;
            return Err(UnpackError::UnknownFormat { path: archive.to_owned() });
        }
        let folder = staging.parent().unwrap_or(staging);
        let need_bytes = bytes_total.saturating_add(limits.expected_bytes);
        if let Some(DiskShortage { need_bytes, free_bytes }) = DiskWatch::new(folder).shortage(need_bytes) {
            return Err(UnpackError::DiskShort { path: folder.to_owned(), need_bytes, free_bytes });
        }
        files::create_folders(folder).map_err(|error| UnpackError::write(&error.path, error.source))?;
        let write_error = |error| UnpackError::write(folder, error);
        let mut copy = tempfile::tempfile_in(folder).map_err(write_error)?;
        expect(hash(archive, file, control, |piece| copy.write_all(piece).map_err(write_error))?)?;
        let mut extractor = Extractor::new(archive, staging, limits, bytes_total, progress, control)?;
        zipfile::unpack(copy, &mut extractor)?;
        return extractor.finish();
    };
    let mut hashing = Hashing { inner: file, hash: sha2::Sha256::new() };
    let mut extractor = Extractor::new(archive, staging, limits, bytes_total, progress, control)?;
    let outcome =
        tarball::unpack_here(&mut hashing, format, &mut extractor).and_then(|()| extractor.finish());
    if let Err(error @ UnpackError::Cancelled(_)) = outcome {
        return Err(error);
    }
    let mut rest = vec![0; 1 << 20];
    while hashing.read(&mut rest).map_err(read_error)? > 0 {
        control.check()?;
    }
    expect(hashing.hash.into())?;
    outcome
}

/// Bytes of the copy that [`unpack_verified`] makes of an archive: the length of a zip, 0 for other formats. 0 as well if it
/// cannot be read, which unpacking reports.
pub fn copied_bytes(archive: &Path) -> u64 {
    match open(archive) {
        Ok((_, bytes_total, Some(Format::Zip))) => bytes_total,
        _ => 0,
    }
}

/// Reads a file once to its end and returns its checksum; passes each chunk to `to`.
fn hash(
    archive: &Path,
    file: File,
    control: &Control,
    mut copy: impl FnMut(&[u8]) -> Result<(), UnpackError>,
) -> Result<Sha256, UnpackError> {
    let mut hasher = sha2::Sha256::new();
    let failed = |source| UnpackError::Read { path: archive.to_owned(), source };
    files::read_pieces(file, failed, |piece| {
        control.until_resumed_blocking()?;
        hasher.update(piece);
        copy(piece)
    })?;
    Ok(hasher.into())
}

/// A reader that hashes what passes through.
struct Hashing {
    inner: File,
    hash: sha2::Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}
