//! The failure of a command: an exit code and a message.

use crate::install::InstallError;
use crate::text::Text;

/// Why a command failed, in the user's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Exit code: 2 for wrong usage, 1 for the rest.
    pub exit_code: u8,
    /// What happened and what to do. May have several lines. Empty when it was printed already.
    pub message: String,
}

impl Failure {
    /// Wrong usage: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit_code: 2, message: message.into() }
    }

    /// Failure of an installation, its management or its removal: exit code 1.
    pub fn of_install(error: impl Into<InstallError>, text: Text) -> Self {
        Self::failed(error.into().explain(text))
    }

    /// Any other failure: exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit_code: 1, message: message.into() }
    }
}
