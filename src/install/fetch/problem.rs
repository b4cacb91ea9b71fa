//! What can go wrong with one mirror, and whether retrying can help.

use std::time::Duration;

use reqwest::Url;

use crate::checksum::Sha256;
use crate::ollama::http::{self, NetworkObstacle};
use crate::ollama::resolver::LeadsHere;
use crate::untrusted::UntrustedText;

/// Why a mirror did not deliver the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferProblem {
    /// The connection failed or broke.
    #[error("no connection: {0}")]
    Connection(UntrustedText),
    /// Something else answered, or the connection is not accepted: a sign-in page, a proxy, a certificate.
    #[error(transparent)]
    Obstacle(#[from] NetworkObstacle),
    /// No data for this long.
    #[error("no data for {0:?}")]
    Stalled(Duration),
    /// The connection closed early.
    #[error("the connection ended early")]
    EndedEarly,
    /// The server answered with an error.
    #[error("the server answered {status}")]
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After`, if the server sent it.
        retry_after: Option<Duration>,
    },
    /// Plain http to a host other than this computer or a named mirror.
    #[error("it leads to {0}, which is not encrypted")]
    Insecure(Url),
    /// A name that it leads to, and that the user did not name, is one of this computer.
    #[error("it leads to {0}, which is an address of this computer")]
    ThisComputer(UntrustedText),
    /// Too many redirects, or one without a destination.
    #[error("too many redirects, or an invalid one")]
    Redirects,
    /// The file has the wrong size.
    #[error("the file there has {actual} bytes instead of {expected}")]
    Length {
        /// Expected bytes.
        expected: u64,
        /// Bytes the server states.
        actual: u64,
    },
    /// A response that does not match the request: another range, or an unrequested encoding.
    #[error("the response does not match the request: {0}")]
    InvalidResponse(UntrustedText),
    /// The server ignores ranges and sends the whole file.
    #[error("the server ignores ranges")]
    RangesIgnored {
        /// Whether the file is known to be that of the partial download.
        same_file: bool,
    },
    /// The server's file changed during the download.
    #[error("the file on the server has changed")]
    Changed,
    /// The file is complete and has the wrong checksum.
    #[error("the checksum is {actual} instead of {expected}")]
    CheckSum {
        /// Expected checksum.
        expected: Sha256,
        /// Actual checksum.
        actual: Sha256,
    },
}

impl TransferProblem {
    /// Classifies a broken body, or a request that failed without an obstacle ([`HttpClient::obstacle`]).
    ///
    /// [`HttpClient::obstacle`]: crate::ollama::http::HttpClient::obstacle
    pub fn of(error: &reqwest::Error) -> Self {
        match LeadsHere::in_causes_of(error) {
            Some(LeadsHere { host }) => Self::ThisComputer(host.into()),
            None => Self::Connection(http::innermost(error).into()),
        }
    }

    /// Whether retrying the same mirror can help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Connection(_)
            | Self::Stalled(_)
            | Self::EndedEarly
            | Self::Changed
            | Self::RangesIgnored { .. }
            | Self::InvalidResponse(_) => true,
            // Request timeout, too early, too many requests, and server errors.
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Obstacle(_)
            | Self::Insecure(_)
            | Self::ThisComputer(_)
            | Self::Redirects
            | Self::Length { .. }
            | Self::CheckSum { .. } => false,
        }
    }
}
