//! What can go wrong with one mirror, and whether retrying can help.

use std::time::Duration;

use reqwest::Url;

use crate::checksum::Sha256;
use crate::ollama::resolver::LeadsHere;
use crate::untrusted::UntrustedText;

/// Why a mirror did not deliver the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferProblem {
    /// The connection failed or broke.
    #[error("no connection: {0}")]
    Connection(UntrustedText),
    /// The server's certificate is not trusted.
    #[error("the server's certificate is not trusted: {0}")]
    Certificate(UntrustedText),
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
    /// Classifies a failed request or a broken body.
    pub fn of(error: &reqwest::Error) -> Self {
        if let Some(LeadsHere { host }) = LeadsHere::in_causes_of(error) {
            return Self::ThisComputer(host.into());
        }
        let innermost = crate::ollama::http::innermost(error).into();
        if is_about_certificates(error) { Self::Certificate(innermost) } else { Self::Connection(innermost) }
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
            Self::Certificate(_)
            | Self::Insecure(_)
            | Self::ThisComputer(_)
            | Self::Redirects
            | Self::Length { .. }
            | Self::CheckSum { .. } => false,
        }
    }
}

/// Looks for a TLS error in the chain of causes. An I/O error hides what it wraps from `source`.
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ollama::http::{HttpOptions, client};
    use crate::testing::{Reply, TestServer};

    #[test]
    fn an_untrusted_certificate_is_distinguished_from_a_broken_connection() {
        let server = TestServer::start_encrypted(|_| Reply::body("hello"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = client(&HttpOptions::default(), []).unwrap();
        let error = runtime.block_on(client.get(server.url("/")).send()).unwrap_err();
        let problem = TransferProblem::of(&error);
        let is_certificate =
            matches!(&problem, TransferProblem::Certificate(cause) if cause.contains("UnknownIssuer"));
        assert!(is_certificate, "{problem:?}");
    }
}
