//! Which model a person means: a tag of the catalogue, a file, or a reference to a registry.

use std::sync::Arc;

use crate::cli::{Failure, Session};
use crate::models::{Catalogue, Model};
use crate::say;

/// Finds a model by what a person typed.
///
/// # Errors
/// When it is none that is known, or it cannot be read.
pub fn resolve(reference: &str, _insecure: bool, session: &Session) -> Result<Arc<Model>, Failure> {
    Catalogue::built_in().find(reference).ok_or_else(|| {
        Failure::usage(say!(
            session.text,
            "cli-unknown-model",
            tag = reference,
            known = known_tags().join(", ")
        ))
    })
}

fn known_tags() -> Vec<&'static str> {
    Catalogue::built_in().models.iter().map(|model| model.tag.as_str()).collect()
}
