//! The model that `--model` names.

use std::sync::Arc;

use crate::cli::{Failure, Session};
use crate::models::Model;
use crate::ollama::lookup::{LookupError, lookup, lookup_to_install};

/// Finds a model to estimate: see [`lookup`].
///
/// # Errors
/// When there is none (wrong usage), or it cannot be read or asked for.
pub fn resolve(reference: &str, insecure: bool, session: &Session) -> Result<Arc<Model>, Failure> {
    lookup(reference, insecure).map_err(|error| failure(&error, session))
}

/// Finds a model to install: see [`lookup_to_install`].
///
/// # Errors
/// As [`resolve`], and for a file, which the engine cannot pull.
pub fn resolve_to_install(reference: &str, insecure: bool, session: &Session) -> Result<Arc<Model>, Failure> {
    lookup_to_install(reference, insecure).map_err(|error| failure(&error, session))
}

fn failure(error: &LookupError, session: &Session) -> Failure {
    let said = error.explain(session.text);
    match error {
        LookupError::Unknown { .. } | LookupError::Reference(_) | LookupError::OnlyAFile { .. } => {
            Failure::usage(said)
        }
        _ => Failure::failed(said),
    }
}
