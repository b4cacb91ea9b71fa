//! Reads the code signatures of programs for macOS: "Code Signing" in Apple's open source (`cs_blobs.h`, `loader.h`).

use sha2::{Digest as _, Sha256};

/// A signature without a certificate.
pub const AD_HOC: u32 = 0x2;
/// The hardened runtime, which Apple requires for notarisation.
pub const RUNTIME: u32 = 0x1_0000;
/// Slots of what is hashed beside the code.
pub const INFO_PLIST: usize = 1;
/// See [`INFO_PLIST`].
pub const RESOURCES: usize = 3;

/// The signature of a program for one processor.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeDirectory {
    pub identifier: String,
    pub flags: u32,
    /// SHA-256 of what is beside the code, by slot; zeros for what there is not.
    slots: Vec<Vec<u8>>,
}

impl CodeDirectory {
    /// SHA-256 of a slot.
    pub fn slot(&self, slot: usize) -> Option<&[u8]> {
        self.slots.get(slot - 1).map(Vec::as_slice)
    }
}

fn number(bytes: &[u8], at: usize, is_big_endian: bool) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if is_big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) } as usize)
}

/// The programs in a universal file, one per processor.
pub fn slices(file: &[u8]) -> Option<Vec<&[u8]>> {
    let big = |at| number(file, at, true);
    if big(0)? != 0xcafe_babe {
        return None;
    }
    (0..big(4)?)
        .map(|index| {
            let entry = 8 + 20 * index;
            let (offset, size) = (big(entry + 8)?, big(entry + 12)?);
            file.get(offset..offset + size)
        })
        .collect()
}

/// Reads the signature of a program for one processor, and compares each page with its hash.
///
/// # Errors
/// When there is none, or the program was changed after it was signed.
pub fn verified(program: &[u8]) -> Result<CodeDirectory, String> {
    let (offset, size) = signature(program).ok_or("it has no signature")?;
    let blob = program.get(offset..offset + size).ok_or("the signature is cut off")?;
    let directory = code_directory(blob).ok_or("the signature has no code directory")?;
    let big = |at| number(directory, at, true).ok_or("the code directory is cut off");
    let (hashes, identifier) = (big(16)?, big(20)?);
    let (special, pages, limit) = (big(24)?, big(28)?, big(32)?);
    let [hash_size, hash_type, _, page_shift] = directory[36..40] else { return Err("cut off".to_owned()) };
    if (hash_size, hash_type) != (32, 2) {
        return Err(format!("its hashes are not SHA-256: {hash_type}"));
    }
    let page = 1_usize << page_shift;
    let hash = |at: usize| directory.get(at..at + 32).ok_or("a hash is missing");
    for index in 0..pages {
        let code =
            program.get(index * page..limit.min((index + 1) * page)).ok_or("the program is cut off")?;
        if Sha256::digest(code)[..] != *hash(hashes + 32 * index)? {
            return Err(format!("page {index} was changed"));
        }
    }
    if pages != limit.div_ceil(page) || limit != offset {
        return Err("a part of the program is not signed".to_owned());
    }
    let slots =
        (1..=special).map(|slot| Ok(hash(hashes - 32 * slot)?.to_vec())).collect::<Result<_, &str>>()?;
    let name = directory[identifier..].split(|byte| *byte == 0).next().unwrap_or_default();
    let identifier = String::from_utf8_lossy(name).into_owned();
    Ok(CodeDirectory { identifier, flags: big(12)? as u32, slots })
}

/// Where the signature is: the load command `LC_CODE_SIGNATURE`.
fn signature(program: &[u8]) -> Option<(usize, usize)> {
    const LC_CODE_SIGNATURE: usize = 0x1d;
    let little = |at| number(program, at, false);
    if little(0)? != 0xfeed_facf {
        return None;
    }
    let mut at = 32;
    for _ in 0..little(16)? {
        if little(at)? == LC_CODE_SIGNATURE {
            return Some((little(at + 8)?, little(at + 12)?));
        }
        at += little(at + 4)?;
    }
    None
}

/// The code directory in a signature.
fn code_directory(blob: &[u8]) -> Option<&[u8]> {
    let big = |at| number(blob, at, true);
    if big(0)? != 0xfade_0cc0 {
        return None;
    }
    (0..big(8)?).find_map(|index| {
        let offset = big(12 + 8 * index + 4)?;
        (big(offset)? == 0xfade_0c02).then(|| blob.get(offset..offset + big(offset + 4)?))?
    })
}
