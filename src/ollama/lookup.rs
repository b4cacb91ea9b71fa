//! Finds the model that the user entered: a tag of the catalogue, a GGUF file, or a registry reference.
//!
//! A bare name is searched only in the catalogue, so that a typo is reported at once and no request is sent to a host
//! that the user did not name. A reference with host or namespace is looked up in its registry.

use std::path::Path;
use std::sync::Arc;

use crate::models::{Catalogue, Model, ModelTag, ModelTagError};
use crate::ollama::http::HttpOptions;
use crate::ollama::model_file::{ModelFileError, read_model_file, read_model_file_to_install};
use crate::ollama::registry::{RegistryError, fetch_model};
use crate::untrusted::UntrustedText;

/// Why a model was not found.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// Neither a known tag, nor a file, nor a reference.
    #[error("{reference} is not in the catalogue, not a file and not a registry reference")]
    Unknown {
        /// As entered.
        reference: UntrustedText,
    },
    /// An invalid registry reference.
    #[error(transparent)]
    Tag(#[from] ModelTagError),
    /// The registry does not have it, or does not respond.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The file cannot be used as a model.
    #[error(transparent)]
    File(#[from] ModelFileError),
}

/// Finds a model by the user's input. Blocks during a registry query. `insecure` allows plain http for it.
///
/// # Errors
/// If there is none, or it cannot be read.
pub fn lookup(reference: &str, insecure: bool, http: &HttpOptions) -> Result<Arc<Model>, LookupError> {
    let reference = reference.trim();
    if let Some(model) = Catalogue::built_in().find(reference) {
        return Ok(model);
    }
    if is_file(reference) {
        return Ok(Arc::new(read_model_file(Path::new(reference))?));
    }
    if reference.contains('/') {
        return Ok(Arc::new(fetch_model(&ModelTag::parse(reference)?, insecure, http)?));
    }
    Err(LookupError::Unknown { reference: reference.into() })
}

/// Like [`lookup`], but with the figures of the file that the model's registry serves now, also for a model of the catalogue.
/// A name that the catalogue does not have is looked up in Ollama's registry.
///
/// # Errors
/// Those of [`lookup`]; also if the registry of a known model does not respond.
pub fn lookup_published(
    reference: &str,
    insecure: bool,
    http: &HttpOptions,
) -> Result<Arc<Model>, LookupError> {
    let known = Catalogue::built_in().find(reference);
    if known.is_none() && is_file(reference.trim()) {
        return lookup(reference, insecure, http);
    }
    let published = fetch_model(&ModelTag::parse(reference)?, insecure, http)?;
    Ok(Arc::new(match known {
        Some(known) => published.with_facts_of(&known),
        None => published,
    }))
}

/// Like [`lookup`], for an installation: the model has a tag, under which the engine will keep it.
///
/// # Errors
/// Those of [`lookup`], and for a catalogue name that is not a tag.
pub fn lookup_to_install(
    reference: &str,
    insecure: bool,
    http: &HttpOptions,
) -> Result<Arc<Model>, LookupError> {
    let is_known = Catalogue::built_in().find(reference).is_some();
    if !is_known && is_file(reference.trim()) {
        return file_to_install(Path::new(reference.trim()));
    }
    if reference.contains('/') {
        // Before its registry is asked.
        ModelTag::parse(reference.trim())?.require_storable()?;
    }
    let model = lookup(reference, insecure, http)?;
    if model.tag().is_none() {
        ModelTag::parse(reference)?;
    }
    Ok(model)
}

/// The model in a file on this computer, for an installation.
///
/// # Errors
/// [`LookupError::File`].
pub fn file_to_install(path: &Path) -> Result<Arc<Model>, LookupError> {
    Ok(Arc::new(read_model_file_to_install(path)?))
}

/// Whether the user means a file on disk.
fn is_file(reference: &str) -> bool {
    let is_gguf =
        Path::new(reference).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
    is_gguf || Path::new(reference).is_file()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::models::ModelName;
    use crate::text::{Language, Text};

    #[test]
    fn catalogue_tags_are_found_and_unknown_names_send_no_request() {
        let model = lookup(" qwen2.5-coder:7b ", false, &HttpOptions::default()).unwrap();
        assert_eq!(model.name, ModelName::Tag(ModelTag::parse("qwen2.5-coder:7b").unwrap()));
        let error = lookup("acme-unheard-of:7b", false, &HttpOptions::default()).unwrap_err();
        assert!(matches!(error, LookupError::Unknown { .. }), "{error}");
        assert!(error.explain(Text::new(Language::English)).contains("qwen2.5-coder:7b"));
    }

    #[test]
    fn a_file_that_is_not_a_model_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.gguf");
        let look = || lookup(path.to_str().unwrap(), false, &HttpOptions::default()).unwrap_err();
        assert!(matches!(look(), LookupError::File(ModelFileError::Missing { .. })));
        for (content, kind) in [(&b"not a model"[..], "GGUF"), (&b"GGUF\x03\0\0\0"[..], "early")] {
            std::fs::write(&path, content).unwrap();
            let said = look().explain(Text::new(Language::English));
            assert!(said.contains("notes.gguf") && said.contains(kind), "{said}");
        }
    }

    #[test]
    fn what_is_installed_has_a_tag() {
        let error = lookup_to_install("models/my.gguf", false, &HttpOptions::default()).unwrap_err();
        assert!(matches!(error, LookupError::File(ModelFileError::Missing { .. })), "{error}");
        assert!(lookup_to_install("qwen2.5-coder:7b", false, &HttpOptions::default()).is_ok());
        let prose = "Llama-2-7B Q4_0";
        assert_eq!(lookup(prose, false, &HttpOptions::default()).unwrap().tag(), None, "estimated only");
        let error = lookup_to_install(prose, false, &HttpOptions::default()).unwrap_err();
        assert!(matches!(error, LookupError::Tag(_)), "{error}");
    }

    #[test]
    fn an_invalid_reference_is_an_error() {
        assert!(matches!(
            lookup("a/b/c/d/e/f:g h", false, &HttpOptions::default()),
            Err(LookupError::Tag(_))
        ));
    }
}
