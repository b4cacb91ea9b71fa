//! Sentences about model files that cannot be used.

use std::path::Path;

use crate::models::NotAModel;
use crate::models::gguf::{HeaderDamage, HeaderError, MAX_HEADER_BYTES, SplitError, TensorProblem};
use crate::ollama::model_file::ModelFileError;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl ModelFileError {
    /// What is wrong with the file, and what to do.
    pub fn explain(&self, text: Text) -> String {
        let not_a_model = |path: &Path, why: String| {
            say!(text, "cli-model-not-gguf", path = UntrustedText::path(path), why = why)
        };
        match self {
            Self::Missing { path } => say!(text, "model-file-gone", path = UntrustedText::path(path)),
            Self::Open { path, source } => {
                let why = UntrustedText::from(source.to_string());
                say!(text, "cli-model-unreadable", path = UntrustedText::path(path), why = why)
            }
            Self::Header { path, source } => not_a_model(path, source.explain(text)),
            Self::NotAModel { path, source } => not_a_model(path, source.explain(text)),
            Self::Truncated { path, found_bytes, wanted_bytes } => say!(
                text,
                "model-file-truncated",
                path = UntrustedText::path(path),
                found = text.file_size(*found_bytes),
                wanted = text.file_size(*wanted_bytes),
                missing = text.count(wanted_bytes.saturating_sub(*found_bytes))
            ),
            Self::PartName { path, of } => {
                say!(text, "model-file-part-name", path = UntrustedText::path(path), of = text.count(*of))
            }
            Self::PartMissing { path, of } => {
                say!(text, "model-file-part-missing", path = UntrustedText::path(path), of = text.count(*of))
            }
            Self::Parts { path, source } => {
                say!(text, "model-file-parts", path = UntrustedText::path(path), why = source.explain(text))
            }
        }
    }
}

impl SplitError {
    fn explain(&self, text: Text) -> String {
        match self {
            Self::OtherPart { part, of } => {
                say!(text, "model-file-other-part", part = part.to_string(), of = of.to_string())
            }
            Self::TensorCount { found, wanted } => {
                say!(
                    text,
                    "model-file-tensor-count",
                    found = text.count(*found),
                    wanted = text.count(*wanted)
                )
            }
            Self::Tensor { name } => say!(text, "model-file-parts-tensor", name = shown(name)),
        }
    }
}

impl HeaderError {
    /// Why the header cannot be used.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Incomplete { read_bytes } => {
                say!(text, "model-file-incomplete", bytes = text.count(*read_bytes))
            }
            Self::Read(source) => {
                say!(text, "model-file-unreadable", cause = UntrustedText::from(source.to_string()))
            }
            Self::NotGguf => say!(text, "model-file-not-gguf"),
            Self::BigEndian => say!(text, "model-file-big-endian"),
            Self::Version(version) => say!(text, "model-file-version", version = version.to_string()),
            Self::TooMuch => say!(text, "model-file-too-much"),
            Self::TooLong => say!(text, "model-file-too-long", most = text.file_size(MAX_HEADER_BYTES)),
            Self::Damaged(damage) => say!(text, "model-file-damaged", problem = damage.explain(text)),
        }
    }
}

impl HeaderDamage {
    fn explain(&self, text: Text) -> String {
        match self {
            Self::TooManyTensors(count) => {
                say!(text, "model-file-too-many-tensors", count = text.count(*count))
            }
            Self::TooManyEntries(count) => {
                say!(text, "model-file-too-many-entries", count = text.count(*count))
            }
            Self::NameTooLong => say!(text, "model-file-name-too-long"),
            Self::ValueType(kind) => say!(text, "model-file-value-type", kind = kind.to_string()),
            Self::DeepArrays => say!(text, "model-file-deep-arrays"),
            Self::Tensor { name, problem } => {
                say!(text, "model-file-tensor", name = shown(name), problem = problem.explain(text))
            }
        }
    }
}

impl TensorProblem {
    fn explain(self, text: Text) -> String {
        match self {
            Self::Twice => say!(text, "model-file-tensor-twice"),
            Self::Dimensions(count) => say!(text, "model-file-tensor-dimensions", count = count.to_string()),
            Self::Length(length) => say!(text, "model-file-tensor-length", length = text.count(length)),
            Self::Type(kind) => say!(text, "model-file-tensor-type", kind = kind.to_string()),
            Self::Row(kind) => say!(text, "model-file-tensor-row", kind = kind.name()),
        }
    }
}

impl NotAModel {
    /// Why the file is not a model that can be used.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Missing(key) => say!(text, "model-file-missing", key = shown(key)),
            Self::NoTokenEmbedding => say!(text, "model-file-no-embedding"),
            Self::Impossible { key, value } => {
                say!(text, "model-file-impossible", key = shown(key), value = text.count(*value))
            }
            Self::Encoder => say!(text, "model-file-encoder"),
            Self::Adapter => say!(text, "model-file-adapter"),
            Self::ImportanceMatrix => say!(text, "model-file-importance-matrix"),
            Self::OtherKind(kind) => say!(text, "model-file-other-kind", kind = shown(kind)),
            Self::Split(parts) => say!(text, "model-file-split", parts = text.count(*parts)),
            Self::LargerThanItsFile { tensor_bytes, file_bytes } => say!(
                text,
                "model-file-larger",
                tensors = text.file_size(*tensor_bytes),
                file = text.file_size(*file_bytes)
            ),
        }
    }
}

/// A name from a file, which may be long and contain control characters.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn a_name_from_a_file_cannot_control_the_terminal() {
        let name = format!("\u{1b}[2J{}", "x".repeat(1000));
        let damage = HeaderDamage::Tensor { name: name.into(), problem: TensorProblem::Dimensions(5) };
        for language in Language::ALL {
            let said = HeaderError::Damaged(damage.clone()).explain(Text::new(language));
            assert!(said.contains("5") && said.len() < 400 && !said.contains('\u{1b}'), "{said}");
        }
    }
}
