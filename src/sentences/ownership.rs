//! Sentences about files and folders that are not trusted.

use crate::platform::ownership::OwnershipError;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl OwnershipError {
    /// Which path, its owner, and how to fix it.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Foreign { path, owner, user } if user.id == 0 => {
                say!(
                    text,
                    "ownership-foreign-root",
                    path = UntrustedText::path(path),
                    owner = UntrustedText::new(&owner.to_string())
                )
            }
            Self::Foreign { path, owner, user } => say!(
                text,
                "ownership-foreign",
                path = UntrustedText::path(path),
                owner = UntrustedText::new(&owner.to_string()),
                user = UntrustedText::new(&user.to_string())
            ),
            Self::Writable { path } => {
                say!(text, "ownership-writable", path = UntrustedText::path(path))
            }
            Self::WritableAbove { path } => {
                say!(text, "ownership-writable-above", path = UntrustedText::path(path))
            }
            Self::Link { path } => say!(text, "ownership-link", path = UntrustedText::path(path)),
            Self::Kind { path } => say!(text, "ownership-kind", path = UntrustedText::path(path)),
            Self::File(error) => error.explain(text),
        }
    }
}
