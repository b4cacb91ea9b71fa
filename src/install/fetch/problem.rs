//! What can go wrong with one address, and what that means for trying again.

use std::time::Duration;

use reqwest::Url;

use crate::checksum::Sha256;

/// Why an address did not deliver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No connection, or it broke.
    #[error("no connection: {0}")]
    Connection(String),
    /// The server's certificate is not trusted.
    #[error("the server cannot prove who it is: {0}")]
    Certificate(String),
    /// Nothing came for so long.
    #[error("nothing came for {0:?}")]
    Stalled(Duration),
    /// It ended before the end.
    #[error("the connection ended early")]
    CutShort,
    /// The server refused.
    #[error("the server answered {status}")]
    Status {
        /// HTTP status.
        status: u16,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Plain http to somewhere else than this computer or a named mirror.
    #[error("it leads to {0}, which is not encrypted")]
    Insecure(Url),
    /// A redirect without an end or without a destination.
    #[error("its redirects lead nowhere")]
    Redirects,
    /// The file has another length than it must have.
    #[error("the file there has {actual} bytes instead of {expected}")]
    Length {
        /// Bytes it must have.
        expected: u64,
        /// Bytes the server says it has.
        actual: u64,
    },
    /// An answer to a range that does not fit the question, or a coding nobody asked for.
    #[error("the server answered something else than was asked: {0}")]
    Nonsense(String),
    /// The server sends the whole file, whatever range is asked for.
    #[error("the server ignores ranges")]
    RangesIgnored {
        /// Whether it is surely the file that was begun.
        same_file: bool,
    },
    /// The server's file is another one than when it was begun.
    #[error("the file on the server has changed")]
    Changed,
    /// Everything came and is not what it must be.
    #[error("the check sum is {actual} instead of {expected}")]
    CheckSum {
        /// SHA-256 it must have, in hexadecimal.
        expected: Sha256,
        /// SHA-256 it has.
        actual: Sha256,
    },
}

impl Problem {
    /// Of a failed request or a broken body.
    pub fn of(error: &reqwest::Error) -> Self {
        let innermost = crate::ollama::http::innermost(error);
        if is_about_certificates(error) { Self::Certificate(innermost) } else { Self::Connection(innermost) }
    }

    /// Whether the same address may do better in a moment.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_)
            | Self::Stalled(_)
            | Self::CutShort
            | Self::Changed
            | Self::RangesIgnored { .. }
            | Self::Nonsense(_) => true,
            // Request timeout, too many requests, and the server's own troubles.
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Certificate(_)
            | Self::Insecure(_)
            | Self::Redirects
            | Self::Length { .. }
            | Self::CheckSum { .. } => false,
        }
    }
}

/// Looks for the TLS library's word in the chain of causes. An I/O error hides what it wraps from `source`.
fn is_about_certificates(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}
