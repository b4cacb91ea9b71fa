//! What a release says about its files: that its versions agree, its list of versions with the signature, the manifests
//! of package managers, and whether the list of its components is whole.
//!
//! All of it is made from the same facts: the version in `Cargo.toml`, the changelog, `installer/changes.yaml`, and the
//! checksums that `cargo xtask dist` wrote.

pub mod components;
pub mod list;
pub mod manifests;
pub mod packages;
pub mod versions;

use std::io;
use std::path::{Path, PathBuf};

use crate::plan::Form;

/// Why nothing is published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file says something else than it must.
    #[error("{}: {why}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The tag is not that of this version.
    #[error("the tag is {tag}; Cargo.toml has version {version}, whose tag is v{version}")]
    Tag {
        /// The tag.
        tag: String,
        /// The version in `Cargo.toml`.
        version: String,
    },
    /// A package is needed that the list of checksums does not have.
    #[error("SHA256SUMS has no {name} ({form:?})")]
    NoPackage {
        /// Its name.
        name: String,
        /// Its form.
        form: Form,
    },
    /// The address of the repository is not known.
    #[error(
        "the repository's address is not known: it is neither in Cargo.toml (`repository`) nor given (--repository OWNER/NAME)"
    )]
    NoRepository,
    /// The list could not be signed.
    #[error("the list is not signed: {0}")]
    Signature(String),
    /// A tool could not be asked.
    #[error("{program}: {why}")]
    Tool {
        /// The program.
        program: &'static str,
        /// What went wrong.
        why: String,
    },
}

/// Adds the path to an error of a file.
fn at(path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::File { path, source }
}

/// Reads a file of text.
///
/// # Errors
/// When that fails.
pub fn read(path: &Path) -> Result<String, PublishError> {
    std::fs::read_to_string(path).map_err(at(path))
}

/// Writes a file; its folder is created.
///
/// # Errors
/// When that fails.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), PublishError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(at(path))?;
    }
    std::fs::write(path, contents).map_err(at(path))
}

fn content(path: &Path, why: impl Into<String>) -> PublishError {
    PublishError::Content { path: path.to_owned(), why: why.into() }
}
