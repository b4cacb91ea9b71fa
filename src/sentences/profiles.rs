//! Sentences about mistakes in a profiles file.

use crate::MIN_CONTEXT_TOKENS;
use crate::plan::{Mistake, ProfilesError};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl ProfilesError {
    /// What happened and what to do, in the user's language.
    pub fn explain(&self, text: Text) -> String {
        say!(
            text,
            "plan-profiles-mistake",
            path = UntrustedText::path(&self.path),
            line = self.line.to_string(),
            key = self.key.as_str(),
            mistake = self.mistake.explain(text)
        )
    }
}

impl Mistake {
    fn explain(&self, text: Text) -> String {
        match self {
            Self::UnknownKey => say!(text, "plan-mistake-unknown-key"),
            Self::MissingKey => say!(text, "plan-mistake-missing-key"),
            Self::Twice => say!(text, "plan-mistake-twice"),
            Self::Value { found, allowed } => {
                say!(text, "plan-mistake-value", found = found.as_str(), allowed = allowed.as_str())
            }
            Self::ContextTooSmall(tokens) => say!(
                text,
                "plan-mistake-context",
                tokens = text.count(u64::from(*tokens)),
                minimum = text.count(u64::from(MIN_CONTEXT_TOKENS))
            ),
            Self::TagForm(tag) => say!(text, "plan-mistake-tag-form", tag = tag.as_str()),
            Self::UnknownModel(tag) => say!(text, "plan-mistake-unknown-model", tag = tag.as_str()),
            Self::ContextNotSupported { wanted, supported } => say!(
                text,
                "plan-mistake-not-carried",
                wanted = text.count(u64::from(*wanted)),
                carried = text.count(u64::from(*supported))
            ),
            Self::Syntax(why) => say!(text, "plan-mistake-syntax", why = why.as_str()),
        }
    }
}
