//! The model that `--model` names.

use std::sync::Arc;

use crate::cli::args::{NetworkArgs, SourceArgs};
use crate::cli::{Failure, Session};
use crate::install::{SavedRequest, model_of_saved_file};
use crate::models::Model;
use crate::ollama::http::{CaFile, HttpOptions};
use crate::ollama::lookup::{LookupError, file_to_install, lookup_to_install};

/// How a model is found by the user's input, with or without plain http for its registry.
type Find = fn(&str, bool, &HttpOptions) -> Result<Arc<Model>, LookupError>;

/// Finds a model with one of the functions of [`crate::ollama::lookup`].
///
/// # Errors
/// When it is unknown (wrong usage), or cannot be read or looked up.
pub fn resolve(
    find: Find,
    reference: &str,
    insecure: bool,
    network: &NetworkArgs,
    session: &Session,
) -> Result<Arc<Model>, Failure> {
    find(reference, insecure, &http_options(network, session)?).map_err(|error| failure(&error, session))
}

/// Finds a model to install: see [`lookup_to_install`].
///
/// # Errors
/// As [`resolve`].
fn resolve_to_install(
    reference: &str,
    insecure: bool,
    network: &NetworkArgs,
    session: &Session,
) -> Result<Arc<Model>, Failure> {
    resolve(lookup_to_install, reference, insecure, network, session)
}

/// Says which entries of the certificate file are not used.
///
/// # Errors
/// When the file cannot be read, or holds no certificate.
pub fn warn_of_skipped_certificates(network: &NetworkArgs, session: &Session) -> Result<(), Failure> {
    let Some(path) = &network.ca else { return Ok(()) };
    let read = CaFile::read(path).map_err(|error| Failure::failed(error.explain(session.text)))?;
    if let Some(warning) = read.warning(path, session.text) {
        session.tell(&warning);
    }
    Ok(())
}

/// The model that the options about the source name, to be installed: a file, or a reference. `resumed`: the request that the
/// options come from.
///
/// # Errors
/// When a file is no complete file of a language model; those of [`resolve`].
pub fn own_model(
    source: &SourceArgs,
    resumed: Option<&SavedRequest>,
    session: &Session,
) -> Result<Option<Arc<Model>>, Failure> {
    if let Some(path) = &source.model_file {
        let found = match resumed {
            Some(request) => model_of_saved_file(request, path),
            None => file_to_install(path),
        };
        return found.map(Some).map_err(|error| failure(&error, session));
    }
    let find = |reference: &String| {
        resolve_to_install(reference, source.insecure_registry, &source.network, session)
    };
    source.model.as_ref().map(find).transpose()
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
        LookupError::Unknown { .. } | LookupError::Tag(_) => Failure::usage(said),
        _ => Failure::failed(said),
    }
}
