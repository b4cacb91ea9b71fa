//! The model that `--model` names.

use std::sync::Arc;

use crate::cli::{Failure, Session};
use crate::models::Model;
use crate::ollama::lookup::{LookupError, lookup};

/// Finds a model by what a person typed: see [`lookup`].
///
/// # Errors
/// When there is none (wrong usage), or it cannot be read or asked for.
pub fn resolve(reference: &str, insecure: bool, session: &Session) -> Result<Arc<Model>, Failure> {
    lookup(reference, insecure).map_err(|error| {
        let said = error.explain(session.text);
        match error {
            LookupError::Unknown { .. } | LookupError::Reference(_) => Failure::usage(said),
            _ => Failure::failed(said),
        }
    })
}
