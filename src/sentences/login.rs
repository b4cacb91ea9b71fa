//! Sentences about failures of login entries.

use crate::platform::login::LoginError;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl LoginError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::NoFolder => say!(text, "login-no-folder"),
            Self::Unrepresentable { value } => {
                say!(text, "login-unrepresentable", value = UntrustedText::new(value))
            }
            Self::File(error) => error.explain(text),
            Self::Ownership(error) => error.explain(text),
            Self::Refused { command, message } => {
                say!(
                    text,
                    "login-refused",
                    command = UntrustedText::new(command),
                    problem = UntrustedText::new(message)
                )
            }
        }
    }
}
