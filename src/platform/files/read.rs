//! Reads files in pieces, for checksums of any size.

use std::io::{self, Read};
use std::path::Path;

use crate::checksum::Sha256;
use crate::platform::regular;

/// Largest piece that is read at once, in bytes.
const PIECE_BYTES: usize = 1 << 20;

/// Reads an open file to its end, in pieces of at most 1 MiB.
///
/// # Errors
/// A read error, converted by `failed`, or the first error that `piece` returns.
pub fn read_pieces<E>(
    mut file: impl Read,
    failed: impl Fn(io::Error) -> E,
    mut piece: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => piece(&buffer[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Reads a whole regular file in pieces of at most 1 MiB.
///
/// # Errors
/// If the file cannot be read; [`io::ErrorKind::Interrupted`] as soon as `stop` returns true.
pub fn read_through(path: &Path, stop: &dyn Fn() -> bool, mut piece: impl FnMut(&[u8])) -> io::Result<()> {
    read_pieces(
        regular::open(path)?,
        |error| error,
        |bytes| {
            if stop() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            piece(bytes);
            Ok(())
        },
    )
}

/// SHA-256 of a whole regular file.
///
/// # Errors
/// Those of [`read_through`].
pub fn sha256(path: &Path, stop: &dyn Fn() -> bool) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::default();
    read_through(path, stop, |piece| sha2::Digest::update(&mut hasher, piece))?;
    Ok(hasher.into())
}
