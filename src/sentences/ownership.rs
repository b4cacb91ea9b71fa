//! Why a file or folder is not trusted, in words.

use crate::platform::ownership::OwnershipError;
use crate::say;
use crate::text::Text;

impl OwnershipError {
    /// Which path, whose it is, and how to mend it.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Foreign { path, owner, user } if user.id == 0 => {
                say!(
                    text,
                    "ownership-foreign-root",
                    path = path.display().to_string(),
                    owner = owner.to_string()
                )
            }
            Self::Foreign { path, owner, user } => say!(
                text,
                "ownership-foreign",
                path = path.display().to_string(),
                owner = owner.to_string(),
                user = user.to_string()
            ),
            Self::Writable { path } => {
                say!(text, "ownership-writable", path = path.display().to_string())
            }
            Self::WritableAbove { path } => {
                say!(text, "ownership-writable-above", path = path.display().to_string())
            }
            Self::Link { path } => say!(text, "ownership-link", path = path.display().to_string()),
            Self::Kind { path } => say!(text, "ownership-kind", path = path.display().to_string()),
            Self::File(error) => error.explain(text),
        }
    }
}
