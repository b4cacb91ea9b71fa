//! Limits, progress, result and errors of unpacking.

use std::io;
use std::path::{Path, PathBuf};

use super::names::NameProblem;
use crate::checksum::Sha256;
use crate::control::Cancelled;
use crate::platform::files::{FileError, writing};
use crate::untrusted::UntrustedText;

/// Limits on the contents of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Entries of any kind.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Unpacked size if known, else 0. Free space for it is checked throughout.
    pub expected_bytes: u64,
}

impl Default for UnpackLimits {
    /// Several times what a release of the engine holds (about 60 entries, up to 6 GB).
    fn default() -> Self {
        Self { entries: 20_000, bytes: 32 * crate::GIB, expected_bytes: 0 }
    }
}

/// Progress of unpacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackProgress {
    /// Bytes read from the archive.
    pub bytes_done: u64,
    /// Size of the archive in bytes.
    pub bytes_total: u64,
    /// Bytes written.
    pub unpacked_bytes: u64,
}

/// An unpacked file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpackedFile {
    /// Its path, relative to the folder.
    pub path: PathBuf,
    /// CRC-32 of its contents, to detect later damage; `None` for links.
    pub crc32: Option<u32>,
}

/// The result of unpacking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files and links, in the archive's order.
    pub files: Vec<UnpackedFile>,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The user cancelled it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The archive cannot be opened or read.
    #[error("cannot read {path}")]
    Read {
        /// The archive.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not in a format of release archives.
    #[error("{path} is neither a .tar.zst, a .tgz nor a .zip archive")]
    UnknownFormat {
        /// The archive.
        path: PathBuf,
    },
    /// The archive is truncated or inconsistent.
    #[error("the archive {path} is damaged: {problem}")]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        problem: UntrustedText,
    },
    /// An entry that no release archive contains.
    #[error("the archive contains \"{entry}\", which {problem}")]
    Hostile {
        /// Its name in the archive.
        entry: UntrustedText,
        /// What is wrong with it.
        problem: NameProblem,
    },
    /// The contents exceed the limits.
    #[error("the archive contains more than {} entries or {} bytes", .limits.entries, .limits.bytes)]
    TooLarge {
        /// The limit.
        limits: UnpackLimits,
    },
    /// The checksum does not match.
    #[error("the SHA-256 of {path} is {actual}, expected {expected}")]
    WrongHash {
        /// The archive.
        path: PathBuf,
        /// Expected checksum.
        expected: Sha256,
        /// Actual checksum.
        actual: Sha256,
    },
    /// The disk is full.
    #[error("no space left for {path}")]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// The disk has less free space than the rest of the archive needs.
    #[error("{path}: {need_bytes} bytes are still to be unpacked, {free_bytes} are free")]
    DiskShort {
        /// The folder.
        path: PathBuf,
        /// Bytes still to be written.
        need_bytes: u64,
        /// Bytes that are free.
        free_bytes: u64,
    },
    /// A file or folder cannot be written.
    #[error(transparent)]
    Write(FileError),
}

impl UnpackError {
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull => Self::DiskFull { path: path.to_owned() },
            _ => Self::Write(writing(path)(source)),
        }
    }
}
