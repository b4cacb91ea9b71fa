//! Errors of the engine, its releases, registries and model tags in words.

use crate::models::ModelTagError;
use crate::ollama::registry::RegistryError;
use crate::say;
use crate::text::Text;

impl ModelTagError {
    /// What is wrong and what to write.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Empty => say!(text, "reference-empty"),
            Self::TooManyParts { tag } => {
                say!(text, "reference-too-many-parts", reference = tag.as_str())
            }
            Self::Part { tag, part, .. } => {
                say!(text, "reference-part", reference = tag.as_str(), part = part.as_str())
            }
        }
    }
}

impl RegistryError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Http(error) => error.explain(text),
            Self::Unreachable { host, problem, encrypted: true } => {
                say!(text, "registry-unreachable-encrypted", host = host.as_str(), problem = problem.as_str())
            }
            Self::Unreachable { host, problem, .. } => {
                say!(text, "registry-unreachable", host = host.as_str(), problem = problem.as_str())
            }
            Self::NotFound { tag } => {
                say!(text, "registry-not-found", host = tag.host(), reference = tag.to_string())
            }
            Self::Refused { tag } => {
                say!(text, "registry-refused", host = tag.host(), reference = tag.to_string())
            }
            Self::Status { host, status } => {
                say!(text, "registry-status", host = host.as_str(), status = status.to_string())
            }
            Self::Insecure { host, address } => {
                say!(text, "registry-insecure", host = host.as_str(), address = address.as_str())
            }
            Self::Unusable { tag, problem } => say!(
                text,
                "registry-unusable",
                host = tag.host(),
                reference = tag.to_string(),
                problem = problem.as_str()
            ),
        }
    }
}
