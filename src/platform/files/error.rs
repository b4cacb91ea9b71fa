//! Errors of file operations, with their operation and path.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::cause::FileCause;

/// An operation on a file or folder failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {path}: {source}")]
pub struct FileError {
    /// What was attempted.
    pub operation: FileOperation,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system's error means.
    pub cause: FileCause,
    /// The system's error.
    #[source]
    pub source: io::Error,
}

/// A file operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// Reading a file or its metadata.
    Read,
    /// Writing or syncing a file.
    Write,
    /// Creating a folder or link.
    Create,
    /// Renaming it.
    Rename,
    /// Removing it.
    Remove,
}

impl fmt::Display for FileOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Rename => "rename",
            Self::Remove => "remove",
        })
    }
}

/// Adds operation and path to a system error, for `map_err`.
fn failed(operation: FileOperation, path: &Path) -> impl Fn(io::Error) -> FileError {
    move |source| {
        let cause = FileCause::of(&source, path);
        FileError { operation, path: path.to_owned(), cause, source }
    }
}

/// Reading this path failed. For `map_err`.
pub fn reading(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Read, path)
}

/// Writing this path failed. For `map_err`.
pub fn writing(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Write, path)
}

/// Creating this path failed. For `map_err`.
pub fn creating(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Create, path)
}

/// Renaming this path failed. For `map_err`.
pub fn renaming(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Rename, path)
}

/// Removing this path failed. For `map_err`.
pub fn removing(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Remove, path)
}

/// Ignores that something to remove does not exist.
pub(super) fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
