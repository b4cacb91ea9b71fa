//! Looks up a model in its registry before it is pulled.
//!
//! 1. The manifest (`/v2/NAMESPACE/NAME/manifests/TAG`) names the layers with their sizes; the one of type
//!    `…image.model` is the GGUF file.
//! 2. Its beginning is fetched with range requests, following redirects, until the header (metadata and list of
//!    tensors) is complete. From a registry that ignores ranges, only that part of the response is read.
//! 3. The header is converted to a [`Model`], as for the built-in catalogue.
//!
//! The result is used for estimates only: the engine verifies every byte when it pulls.

mod remote;

use reqwest::Url;

use crate::models::gguf::{Header, HeaderError};
use crate::models::{Model, ModelName, ModelTag, NotAModel};
use crate::ollama::http::{self, HttpError, HttpOptions};
use crate::ollama::resolver::LeadsHere;
use crate::untrusted::UntrustedText;
pub use remote::Remote;

/// Why a model could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The HTTP client could not be created.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The registry did not answer.
    #[error("no answer from {host}: {cause}")]
    Unreachable {
        /// Host of the registry.
        host: String,
        /// Why.
        cause: UnreachableCause,
        /// Whether the request used https, so that a plain-http registry is a possible cause.
        encrypted: bool,
    },
    /// There is no such model.
    #[error("{host} has no {tag}", host = tag.host())]
    NotFound {
        /// The model.
        tag: ModelTag,
    },
    /// Access requires authentication.
    #[error("{host} does not give {tag} to everybody", host = tag.host())]
    Refused {
        /// The model.
        tag: ModelTag,
    },
    /// The model needs a newer engine (HTTP 412).
    #[error("{host} gives {tag} to newer versions of Ollama only", host = tag.host())]
    NewerEngineNeeded {
        /// The model.
        tag: ModelTag,
    },
    /// Any other HTTP error.
    #[error("{host} answered {status}")]
    Status {
        /// Host of the registry.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// A redirect to an unencrypted URL.
    #[error("{host} leads to {address}, which is not encrypted")]
    Insecure {
        /// Host of the registry.
        host: String,
        /// Target of the redirect.
        address: Url,
    },
    /// The response is not a manifest of a GGUF model.
    #[error("{host} describes {tag} in a way that cannot be used: {problem}", host = tag.host())]
    Unusable {
        /// The model.
        tag: ModelTag,
        /// What is wrong with the response.
        problem: Box<AnswerProblem>,
    },
}

/// Why a registry did not respond.
#[derive(Debug, thiserror::Error)]
pub enum UnreachableCause {
    /// No data within the timeout.
    #[error("nothing arrived for {seconds} s")]
    Silent {
        /// The timeout.
        seconds: u64,
    },
    /// The response was incomplete after the timeout.
    #[error("the answer was not complete after {seconds} s")]
    Slow {
        /// The timeout.
        seconds: u64,
    },
    /// A name that it leads to, and that the user did not name, is one of this computer.
    #[error("{host} is an address of this computer")]
    ThisComputer {
        /// The name.
        host: UntrustedText,
    },
    /// The connection failed, in the system's words.
    #[error("{0}")]
    Connection(UntrustedText),
}

impl UnreachableCause {
    /// Why a request failed.
    pub fn of(error: &reqwest::Error) -> Self {
        match LeadsHere::in_causes_of(error) {
            Some(LeadsHere { host }) => Self::ThisComputer { host: host.into() },
            None => Self::Connection(http::innermost(error).into()),
        }
    }
}

/// What is wrong with a registry's response.
#[derive(Debug, thiserror::Error)]
pub enum AnswerProblem {
    /// The manifest lists no GGUF layer.
    #[error("it holds no GGUF model")]
    NoModelLayer,
    /// The manifest exceeds the limit.
    #[error("the manifest is too large")]
    ManifestTooLarge,
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] serde_json::Error),
    /// The layer ends before its header does, or the header is too large.
    #[error("its header is incomplete")]
    HeaderIncomplete,
    /// The header is not valid.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The header does not describe a language model.
    #[error(transparent)]
    NotAModel(#[from] NotAModel),
    /// A redirect without a valid location.
    #[error("a redirect has no valid location")]
    Redirect,
    /// Too many redirects.
    #[error("there are too many redirects")]
    TooManyRedirects,
    /// The tag does not result in a valid URL.
    #[error("its URL is not valid: {0}")]
    Url(String),
}

/// Looks up a model. Blocks on its own runtime: call it from a worker thread, not from async code.
///
/// `insecure` uses plain http for the registry and allows it for every redirect.
///
/// # Errors
/// See [`RegistryError`].
pub fn fetch_model(tag: &ModelTag, insecure: bool, options: &HttpOptions) -> Result<Model, RegistryError> {
    let remote = Remote::new(http::client(options, tag.named_host())?, tag.clone(), insecure);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| remote.unreachable(UnreachableCause::Connection(error.to_string().into())))?;
    runtime.block_on(async {
        let manifest = remote.manifest().await?.manifest;
        let layer = manifest.model_layer().ok_or_else(|| remote.unusable(AnswerProblem::NoModelLayer))?;
        let header: Header = remote.header(layer, gguf_header).await?;
        let mut model = Model::from_gguf(&header, ModelName::Tag(tag.clone()), manifest.download_bytes())
            .map_err(|error| remote.unusable(error))?;
        model.image_encoder_bytes = model.image_encoder_bytes.saturating_add(manifest.image_encoder_bytes());
        Ok(model)
    })
}

/// Parses a header; `None` if it is incomplete.
fn gguf_header(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    match Header::parse(bytes) {
        Ok(header) => Ok(Some(header)),
        Err(HeaderError::Incomplete { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
