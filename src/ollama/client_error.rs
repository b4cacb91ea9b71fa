//! Why a call to the engine failed.

use crate::ollama::failure::EngineFailure;
use crate::platform::listening::PortOwner;
use crate::untrusted::UntrustedText;

/// Why a call to the engine failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The HTTP client could not be created.
    #[error("cannot set up an HTTP client: {0}")]
    Setup(String),
    /// The server cannot be reached.
    #[error("the engine on port {port} does not answer {path}: {cause}")]
    Unreachable {
        /// The port.
        port: u16,
        /// The API path.
        path: &'static str,
        /// The system's error.
        cause: UntrustedText,
    },
    /// Another program listens on the port of our server. Its answer is not used.
    #[error("port {port} belongs to {by:?} and not to the server")]
    Stranger {
        /// The port.
        port: u16,
        /// Who listens there.
        by: PortOwner,
    },
    /// Our server does not listen on its port.
    #[error("no server of ours listens on port {port}")]
    NotListening {
        /// The port.
        port: u16,
    },
    /// No data within the timeout.
    #[error("the engine has been silent for {seconds} s while answering {path}")]
    Silent {
        /// The API path.
        path: &'static str,
        /// The timeout.
        seconds: u64,
    },
    /// The server refused.
    #[error("the engine answers {path} with {status}: {message}")]
    Refused {
        /// The API path.
        path: &'static str,
        /// HTTP status; 200 if the error was sent in the stream.
        status: u16,
        /// The server's message.
        message: UntrustedText,
        /// What it means.
        failure: EngineFailure,
    },
    /// The stream ended without its final line.
    #[error("the engine's answer to {path} ended too early")]
    EndedEarly {
        /// The API path.
        path: &'static str,
    },
    /// The response is not valid.
    #[error("the engine's answer to {path} cannot be read: {cause}")]
    Unreadable {
        /// The API path.
        path: &'static str,
        /// What is wrong with it.
        cause: UntrustedText,
    },
}

impl ClientError {
    /// A refusal, classified by its unescaped message.
    pub(super) fn refused(path: &'static str, status: u16, message: &str) -> Self {
        Self::Refused { path, status, message: message.into(), failure: EngineFailure::of(message) }
    }

    /// The classified failure; `None` if the engine did not respond.
    pub fn failure(&self) -> Option<EngineFailure> {
        match self {
            Self::Refused { failure, .. } => Some(*failure),
            Self::EndedEarly { .. } | Self::Silent { .. } => Some(EngineFailure::Transient),
            _ => None,
        }
    }

    /// The server's message, if it sent one.
    pub fn server_message(&self) -> Option<&str> {
        match self {
            Self::Refused { message, .. } => Some(message),
            _ => None,
        }
    }
}

/// An error with all its causes; reqwest's own text is too general.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}
