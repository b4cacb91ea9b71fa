//! What unpacking is given, reports and returns.

use std::io;
use std::path::{Path, PathBuf};

use super::names::NameProblem;
use crate::checksum::Sha256;
use crate::control::Cancelled;

/// The most that may come out of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of any kind.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Unpacked size if known, else 0. Free space for it is checked throughout.
    pub expected_bytes: u64,
}

impl Default for Limits {
    /// Several times what a release of the engine holds (about 60 entries, up to 6 GB).
    fn default() -> Self {
        Self { entries: 20_000, bytes: 32 * crate::GIB, expected_bytes: 0 }
    }
}

/// How far unpacking is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackProgress {
    /// Bytes of the archive that were read.
    pub bytes_done: u64,
    /// Bytes of the archive.
    pub bytes_total: u64,
    /// Bytes written.
    pub unpacked_bytes: u64,
}

/// A file or link that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpackedFile {
    /// Where it lies, relative to the folder.
    pub path: PathBuf,
    /// CRC-32 of what was written, by which damage is found later; `None` for links.
    pub crc32: Option<u32>,
}

/// What came out.
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
    /// The user stopped it.
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
    /// None of the formats that releases come in.
    #[error("{path} is neither a .tar.zst, a .tgz nor a .zip archive")]
    UnknownFormat {
        /// The archive.
        path: PathBuf,
    },
    /// The archive breaks off or contradicts itself.
    #[error("the archive {path} is damaged: {problem}")]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// An entry that no honest archive of a program holds.
    #[error("the archive holds \"{entry}\", which {problem}")]
    Hostile {
        /// Its host name.
        entry: String,
        /// What is wrong with it.
        problem: NameProblem,
    },
    /// More comes out than was allowed.
    #[error("the archive holds more than {} entries or {} bytes", .limits.entries, .limits.bytes)]
    TooLarge {
        /// What was allowed.
        limits: Limits,
    },
    /// It is not the archive it must be.
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
    /// The disk has less room than what is still to come out.
    #[error("{path}: {need_bytes} bytes are still to be unpacked, {free_bytes} are free")]
    DiskShort {
        /// The folder.
        path: PathBuf,
        /// Bytes that are still to come.
        need_bytes: u64,
        /// Bytes that are free.
        free_bytes: u64,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl UnpackError {
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Write { path, source },
        }
    }
}
