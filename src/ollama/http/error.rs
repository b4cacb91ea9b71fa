//! Why an HTTP client could not be created.

use std::path::PathBuf;

use super::ca_problem::CaFileProblem;
use crate::untrusted::UntrustedText;

/// Why a client could not be created.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not a valid proxy URL.
    #[error("{proxy} is not the address of a proxy")]
    Proxy {
        /// As entered, without a possible password.
        proxy: UntrustedText,
    },
    /// The certificates could not be read.
    #[error("cannot read certificates from {path}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file contains no usable certificates.
    #[error("no certificates in {path}: {problem:?}")]
    NoCertificates {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: CaFileProblem,
    },
    /// The client could not be built.
    #[error("cannot create an HTTP client")]
    Build(#[source] reqwest::Error),
    /// TLS could not be initialised.
    #[error("cannot initialise TLS")]
    Tls(#[source] rustls::Error),
}
