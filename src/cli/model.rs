//! The model that `--model` names.

use std::sync::Arc;

use crate::cli::args::NetworkArgs;
use crate::cli::{Failure, Session};
use crate::models::Model;
use crate::ollama::http::HttpOptions;
use crate::ollama::lookup::{LookupError, lookup, lookup_to_install};

/// Finds a model to estimate: see [`lookup`].
///
/// # Errors
/// When it is unknown (wrong usage), or cannot be read or looked up.
pub fn resolve(
    reference: &str,
    insecure: bool,
    network: &NetworkArgs,
    session: &Session,
) -> Result<Arc<Model>, Failure> {
    lookup(reference, insecure, &http_options(network, session)?).map_err(|error| failure(&error, session))
}

/// Finds a model to install: see [`lookup_to_install`].
///
/// # Errors
/// As [`resolve`], and for a file, which the engine cannot pull.
pub fn resolve_to_install(
    reference: &str,
    insecure: bool,
    network: &NetworkArgs,
    session: &Session,
) -> Result<Arc<Model>, Failure> {
    lookup_to_install(reference, insecure, &http_options(network, session)?)
        .map_err(|error| failure(&error, session))
}

/// The HTTP options that the network options describe.
///
/// # Errors
/// When the proxy's address is not a valid URL: wrong usage.
pub fn http_options(network: &NetworkArgs, session: &Session) -> Result<HttpOptions, Failure> {
    network.http().map_err(|error| Failure::usage(error.explain(session.text)))
}

fn failure(error: &LookupError, session: &Session) -> Failure {
    let said = error.explain(session.text);
    match error {
        LookupError::Unknown { .. } | LookupError::Tag(_) | LookupError::OnlyAFile { .. } => {
            Failure::usage(said)
        }
        _ => Failure::failed(said),
    }
}
