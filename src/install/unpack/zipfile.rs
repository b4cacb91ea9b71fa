//! Unpacks zips. The central directory and the local headers must agree, or two readers would see different archives.

use std::io::{BufReader, Read, Seek};

use zip::ZipArchive;

use super::UnpackError;
use super::extractor::Extractor;
use super::names::NameProblem;

/// Longest target of a link, in bytes.
const MAX_TARGET_BYTES: u64 = 4096;

/// Unpacks a zip.
///
/// # Errors
/// When the archive is damaged, an entry is refused or cannot be written, or the user cancels.
pub fn unpack(archive: impl Read + Seek, extractor: &mut Extractor<'_>) -> Result<(), UnpackError> {
    let source = BufReader::with_capacity(256 << 10, extractor.counted(archive));
    let mut archive = ZipArchive::new(source).map_err(|e| extractor.damaged(e))?;
    archive.validate_header_consistency().map_err(|e| extractor.damaged(e))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|e| extractor.damaged(e))?;
        // Windows' own tools write backslashes as separators, against the specification.
        let name: Vec<u8> =
            entry.name_raw().iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
        if entry.encrypted() {
            return Err(extractor.refuse(&name, NameProblem::Encrypted));
        }
        let mode = entry.unix_mode();
        if mode.is_some_and(is_special) {
            return Err(extractor.refuse(&name, NameProblem::Special));
        }
        let is_folder = entry.is_dir() || name.ends_with(b"/");
        let Some(path) = extractor.accept_entry(&name, is_folder)? else { continue };
        if is_folder {
            extractor.folder(&path)?;
        } else if entry.is_symlink() {
            let mut target = Vec::new();
            entry.take(MAX_TARGET_BYTES).read_to_end(&mut target).map_err(|e| extractor.damaged(e))?;
            extractor.symbolic_link(&path, &target)?;
        } else {
            let declared = entry.size();
            extractor.file(&path, mode.is_some_and(|mode| mode & 0o111 != 0), declared, &mut entry)?;
        }
    }
    Ok(())
}

/// Whether the mode's type bits mark a device, pipe or socket, that is anything but none, file, folder or link.
fn is_special(mode: u32) -> bool {
    !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000 | 0o120_000)
}
