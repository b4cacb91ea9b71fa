//! Reads the headers of a model file on this computer, in one piece or in parts (`…-00001-of-00003.gguf`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::Digest as _;

use crate::checksum::Sha256;
use crate::models::gguf::{Header, HeaderError, SplitError};
use crate::models::{LocalFilePart, LocalModelFile, Model, ModelName, ModelTag, NotAModel};
use crate::platform::regular;
use crate::untrusted::UntrustedText;

/// Digits of the checksum in a tag.
const TAG_DIGITS: usize = 12;
/// Upper limit of parts; larger models have some dozens.
const MAX_PARTS: u64 = 999;

/// Why a file cannot be used as a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// There is no such file.
    #[error("there is no file {path}")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It could not be opened or read.
    #[error("cannot read {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is not a complete GGUF file.
    #[error("{path}: {source}")]
    Header {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: HeaderError,
    },
    /// A GGUF file, but not of a language model that can be used.
    #[error("{path}: {source}")]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: NotAModel,
    },
    /// The file ends before its last tensor.
    #[error("{path} has {found_bytes} of {wanted_bytes} bytes")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its size.
        found_bytes: u64,
        /// The size that its header describes.
        wanted_bytes: u64,
    },
    /// One part of a model, whose name does not say which.
    #[error("{path} is one of {of} parts, and its name does not say which")]
    PartName {
        /// The file.
        path: PathBuf,
        /// Number of parts.
        of: u64,
    },
    /// A part of the model is missing.
    #[error("{path} is missing, one of {of} parts")]
    PartMissing {
        /// Where it should be.
        path: PathBuf,
        /// Number of parts.
        of: u64,
    },
    /// The parts do not belong together.
    #[error("{path}: {source}")]
    Parts {
        /// The first part.
        path: PathBuf,
        /// The reason.
        source: SplitError,
    },
}

impl ModelFileError {
    /// Whether the file, or a part of it, is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::PartMissing { .. })
    }
}

/// The model in a file, to be estimated. Its name is the path.
///
/// # Errors
/// If the file, or one of its parts, cannot be read, is incomplete, or is not a language model.
pub fn read_model_file(path: &Path) -> Result<Model, ModelFileError> {
    let read = ReadFile::of(path)?;
    let name = ModelName::Other(UntrustedText::path(path));
    read.model(name)
}

/// The model in a file, to be installed. Its name is a tag for this file in its current state.
///
/// # Errors
/// As [`read_model_file`].
pub fn read_model_file_to_install(path: &Path) -> Result<Model, ModelFileError> {
    let read = ReadFile::of(path)?;
    let name = ModelName::Tag(read.tag());
    read.model(name)
}

/// The headers of all parts of a model.
struct ReadFile {
    header: Header,
    local: LocalModelFile,
    /// Tells the file in its current state from others: of its headers, sizes and times.
    fingerprint: Sha256,
}

impl ReadFile {
    fn of(path: &Path) -> Result<Self, ModelFileError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut fingerprint = sha2::Sha256::new();
        let (first, part) = read_part(&path, &mut fingerprint)?;
        let count = first.unsigned("split.count").unwrap_or(1);
        if count <= 1 {
            let local = LocalModelFile { parts: vec![part], has_chat_template: first.has_chat_template() };
            return Ok(Self { header: first, local, fingerprint: fingerprint.into() });
        }
        let paths = part_paths(&path, count)
            .ok_or_else(|| ModelFileError::PartName { path: path.clone(), of: count })?;
        let mut fingerprint = sha2::Sha256::new();
        let (mut headers, mut parts) = (Vec::new(), Vec::new());
        for path in &paths {
            let (header, part) = read_part(path, &mut fingerprint).map_err(|error| match error {
                ModelFileError::Missing { path } => ModelFileError::PartMissing { path, of: count },
                other => other,
            })?;
            headers.push(header);
            parts.push(part);
        }
        let has_chat_template = headers.first().is_some_and(Header::has_chat_template);
        let first = paths.into_iter().next().unwrap_or(path);
        let header =
            Header::of_parts(headers).map_err(|source| ModelFileError::Parts { path: first, source })?;
        Ok(Self {
            header,
            local: LocalModelFile { parts, has_chat_template },
            fingerprint: fingerprint.into(),
        })
    }

    fn tag(&self) -> ModelTag {
        let name = self.local.path().file_stem().unwrap_or_default();
        let name = name.to_string_lossy();
        let name = match split_suffix(&format!("{name}.gguf")) {
            Some(_) if self.local.parts.len() > 1 => {
                name.get(..name.len().saturating_sub(SUFFIX)).unwrap_or(&name)
            }
            _ => &name,
        };
        let digits = self.fingerprint.to_string();
        ModelTag::of_file(name, digits.get(..TAG_DIGITS).unwrap_or(&digits))
    }

    fn model(self, name: ModelName) -> Result<Model, ModelFileError> {
        let bytes = self.local.parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.bytes));
        let path = self.local.path().to_owned();
        let model = Model::from_gguf(&self.header, name, bytes)
            .map_err(|source| ModelFileError::NotAModel { path, source })?;
        let title = if model.title.is_empty() || model.title.as_str() == model.name.as_str() {
            UntrustedText::path(Path::new(self.local.path().file_name().unwrap_or_default()))
        } else {
            model.title.clone()
        };
        Ok(Model { title, local: Some(self.local), ..model })
    }
}

/// The header of one file, which is complete.
fn read_part(path: &Path, fingerprint: &mut sha2::Sha256) -> Result<(Header, LocalFilePart), ModelFileError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => ModelFileError::Missing { path: path.to_owned() },
        _ => ModelFileError::Open { path: path.to_owned(), source },
    };
    let file = regular::open(path).map_err(failed)?;
    let part = part_of(path, &file).map_err(failed)?;
    let header = Header::read(Hashed { reader: BufReader::new(file), hasher: fingerprint })
        .map_err(|source| ModelFileError::Header { path: path.to_owned(), source })?;
    let wanted_bytes = header.file_bytes();
    if wanted_bytes > part.bytes {
        return Err(ModelFileError::Truncated {
            path: path.to_owned(),
            found_bytes: part.bytes,
            wanted_bytes,
        });
    }
    let since = part.modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    fingerprint.update(part.bytes.to_le_bytes());
    fingerprint.update(since.as_nanos().to_le_bytes());
    Ok((header, part))
}

/// An open file as it is now.
///
/// # Errors
/// If the system does not tell its size.
pub fn part_of(path: &Path, file: &File) -> std::io::Result<LocalFilePart> {
    let metadata = file.metadata()?;
    Ok(LocalFilePart { path: path.to_owned(), bytes: metadata.len(), modified: metadata.modified().ok() })
}

/// Bytes of `-00001-of-00003`.
const SUFFIX: usize = 15;
/// Bytes of the extension and its dot.
const EXTENSION: usize = 5;

/// Number and count in a file name that ends with `-00001-of-00003.gguf`.
fn split_suffix(name: &str) -> Option<(u64, u64)> {
    let extension = name.len().checked_sub(EXTENSION)?;
    let at = extension.checked_sub(SUFFIX)?;
    let is_gguf = name.get(extension..)?.eq_ignore_ascii_case(".gguf");
    let (number, count) = name.get(at..extension)?.strip_prefix('-')?.split_once("-of-")?;
    let digits =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (number, count) = (digits(number)?, digits(count)?);
    (is_gguf && number >= 1 && number <= count).then_some((number, count))
}

/// All parts of a model, given any of them; `None` if its name does not say which it is.
fn part_paths(path: &Path, count: u64) -> Option<Vec<PathBuf>> {
    let name = path.file_name()?;
    // Only the end of the name matters, which is ASCII.
    let named = split_suffix(&name.to_string_lossy())?;
    if named.1 != count || count > MAX_PARTS {
        return None;
    }
    let digits_at = name.len().checked_sub(EXTENSION + SUFFIX - 1)?;
    (1..=count)
        .map(|part| Some(path.with_file_name(with_digits(name, digits_at, &format!("{part:05}"))?)))
        .collect()
}

/// The name with these digits from byte `at` on.
#[cfg(unix)]
fn with_digits(name: &OsStr, at: usize, digits: &str) -> Option<OsString> {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    let mut bytes = name.as_bytes().to_vec();
    bytes.get_mut(at..at.checked_add(digits.len())?)?.copy_from_slice(digits.as_bytes());
    Some(OsString::from_vec(bytes))
}

/// The name with these digits from byte `at` on; `None` for a name that is not Unicode.
#[cfg(not(unix))]
fn with_digits(name: &OsStr, at: usize, digits: &str) -> Option<OsString> {
    let mut name = name.to_str()?.to_owned();
    name.replace_range(at..at.checked_add(digits.len())?, digits);
    Some(name.into())
}

/// Hashes what is read.
struct Hashed<'a, R> {
    reader: R,
    hasher: &'a mut sha2::Sha256,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_the_name_of_any_of_them() {
        assert_eq!(split_suffix("a-00002-of-00003.gguf"), Some((2, 3)));
        assert_eq!(split_suffix("-00001-of-00001.GGUF"), Some((1, 1)));
        for name in
            ["a.gguf", "a-2-of-3.gguf", "a-00004-of-00003.gguf", "a-00000-of-00003.gguf", "gguf", "ü.gguf"]
        {
            assert_eq!(split_suffix(name), None, "{name}");
        }
        let paths = part_paths(Path::new("/m/a-00002-of-00003.gguf"), 3).unwrap();
        assert_eq!(paths[0], Path::new("/m/a-00001-of-00003.gguf"));
        assert_eq!((paths.len(), paths[2].as_path()), (3, Path::new("/m/a-00003-of-00003.gguf")));
        assert_eq!(part_paths(Path::new("/m/a-00002-of-00003.gguf"), 4), None);
    }

    #[cfg(unix)]
    #[test]
    fn parts_whose_names_are_not_unicode_are_found() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = |number: u8| [b"/m/\xff-0000".as_slice(), &[number], b"-of-00002.gguf"].concat();
        let path = |number: u8| PathBuf::from(OsStr::from_bytes(&name(number)));
        assert_eq!(part_paths(&path(b'2'), 2).unwrap(), [path(b'1'), path(b'2')]);
    }
}
