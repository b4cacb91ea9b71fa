//! Unpacks an archive that the user named and verifies it, in the same pass if the format allows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::Digest as _;

use super::extractor::Extractor;
use super::{Format, Limits, UnpackError, UnpackProgress, Unpacked, open, tarball, zipfile};
use crate::checksum::Sha256;
use crate::control::Control;
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
    limits: Limits,
    progress: &dyn Fn(UnpackProgress),
    control: &Control,
) -> Result<Unpacked, UnpackError> {
    let read_error = |source| UnpackError::Read { path: archive.to_owned(), source };
    let (file, bytes_total, known) = open(archive)?;
    let expect = |hash: Sha256| match hash == sha256 {
        true => Ok(()),
        false => Err(UnpackError::WrongHash { path: archive.to_owned(), expected: sha256, actual: hash }),
    };
    let streamed = match known {
        Some(Format::Zip) | None => None,
        Some(format) => Some(format),
    };
    let Some(format) = streamed else {
        // A zip is read from its end, so it is hashed first. So is an unknown format, to report its checksum.
        let hash = files::sha256(archive, &|| control.is_cancelled());
        control.check()?;
        expect(hash.map_err(read_error)?)?;
        if known != Some(Format::Zip) {
            return Err(UnpackError::UnknownFormat { path: archive.to_owned() });
        }
        let mut extractor = Extractor::new(archive, staging, limits, bytes_total, progress, control)?;
        zipfile::unpack(file, &mut extractor)?;
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
