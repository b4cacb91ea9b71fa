//! What was kept of this program on the computer, and what was left alone.

use std::path::PathBuf;

use serde::Serialize;

use crate::checksum::Sha256;
use crate::install::keep::ProgramKind;
use crate::platform::files::FileError;
use crate::platform::ownership::OwnershipError;

/// What is kept now.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Kept {
    /// Version of the programs.
    pub version: String,
    /// The programs that were copied.
    pub programs: Vec<KeptProgram>,
    /// The twin, if it is not beside the program that runs: it was not copied.
    pub missing: Option<ProgramKind>,
    /// Whether a copy of the missing twin is kept from before.
    pub missing_is_kept: bool,
    /// The menu entry.
    pub menu_entry: Option<PathBuf>,
    /// Profile files of shells that have our line.
    pub profile_files: Vec<PathBuf>,
    /// Completions and manual pages.
    pub generated: Vec<PathBuf>,
    /// What was left alone.
    #[serde(serialize_with = "paths_only")]
    pub skipped: Vec<SkippedPlace>,
}

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptProgram {
    /// Which program.
    pub kind: ProgramKind,
    /// The copy.
    pub path: PathBuf,
    /// Its SHA-256, verified.
    pub sha256: Sha256,
}

/// A file that was left alone.
#[derive(Debug, Clone)]
pub struct SkippedPlace {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub cause: std::sync::Arc<SkipCause>,
}

/// Why a file was left alone.
#[derive(Debug, thiserror::Error)]
pub enum SkipCause {
    /// It is another home's, another program's or the user's.
    #[error("it is not ours")]
    Foreign,
    /// Others can change or replace it, or it cannot be read or written.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// The home's path cannot be written into such a file.
    #[error("the home's path cannot be written into it")]
    Unrepresentable,
    /// Our terminal program does not print it.
    #[error("the terminal program does not print it: {message}")]
    NotPrinted {
        /// What happened.
        message: crate::untrusted::UntrustedText,
    },
}

impl From<FileError> for SkipCause {
    fn from(error: FileError) -> Self {
        Self::Ownership(error.into())
    }
}

fn paths_only<S: serde::Serializer>(skipped: &[SkippedPlace], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(skipped.iter().map(|skipped| &skipped.path))
}
