//! Why an HTTP client could not be created.

use std::path::PathBuf;

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not a valid proxy URL.
    #[error("{proxy} is not the address of a proxy")]
    Proxy {
        /// As it was given, without what may be a password.
        proxy: String,
    },
    /// The certificates could not be read.
    #[error("cannot read certificates from {path}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no usable certificates.
    #[error("no PEM certificates in {path}")]
    NoCertificates {
        /// The file.
        path: PathBuf,
    },
    /// The client could not be built.
    #[error("no HTTP client can be made")]
    Build(#[source] reqwest::Error),
    /// Encryption could not be set up.
    #[error("no encryption can be set up")]
    Tls(#[source] rustls::Error),
}
