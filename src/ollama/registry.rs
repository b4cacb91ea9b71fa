//! What a registry tells about a model before it is pulled.
//!
//! 1. The manifest (`/v2/NAMESPACE/NAME/manifests/TAG`) names the layers with their sizes; the one of type
//!    `…image.model` is the GGUF file.
//! 2. Its beginning is fetched by range, through the redirects that registries answer with, until the header (metadata
//!    and the list of tensors) is complete. A registry that ignores ranges is read only as far as that.
//! 3. The header goes into the same estimator that the built-in catalogue feeds.
//!
//! Nothing that is learned here is trusted with more than an estimate: the engine checks every byte when it pulls.

mod remote;

use reqwest::Url;

use crate::models::gguf::{Header, HeaderError};
use crate::models::{Model, ModelName, ModelTag, NotAModel};
use crate::ollama::http::{self, HttpError, HttpOptions};
use crate::untrusted::UntrustedText;
pub use remote::Remote;

/// Why a model could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No client could be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The registry did not answer.
    #[error("no answer from {host}: {cause}")]
    Unreachable {
        /// Host of the registry.
        host: String,
        /// Why.
        cause: UnreachableCause,
        /// Whether it was asked with encryption and may be one that has none.
        encrypted: bool,
    },
    /// There is no such model.
    #[error("{host} has no {tag}", host = tag.host())]
    NotFound {
        /// The model.
        tag: ModelTag,
    },
    /// It is not for everybody.
    #[error("{host} does not give {tag} to everybody", host = tag.host())]
    Refused {
        /// The model.
        tag: ModelTag,
    },
    /// It needs a newer engine: the registry answers so (HTTP 412) to one that is too old for the model.
    #[error("{host} gives {tag} to newer versions of Ollama only", host = tag.host())]
    NewerEngineNeeded {
        /// The model.
        tag: ModelTag,
    },
    /// Some other answer than a good one.
    #[error("{host} answered {status}")]
    Status {
        /// Host of the registry.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// It leads to an address without encryption.
    #[error("{host} leads to {address}, which is not encrypted")]
    Insecure {
        /// Host of the registry.
        host: String,
        /// Where it leads.
        address: Url,
    },
    /// What it answered is no manifest, or one of something else than a GGUF model.
    #[error("{host} describes {tag} in a way that cannot be used: {problem}", host = tag.host())]
    Unusable {
        /// The model.
        tag: ModelTag,
        /// What is wrong with the answer.
        problem: Box<AnswerProblem>,
    },
}

/// Why a registry did not answer.
#[derive(Debug, thiserror::Error)]
pub enum UnreachableCause {
    /// Nothing arrived for this long.
    #[error("nothing arrived for {seconds} s")]
    Silent {
        /// The timeout.
        seconds: u64,
    },
    /// Something arrived, but the answer was not complete after this long.
    #[error("the answer was not complete after {seconds} s")]
    Slow {
        /// The timeout.
        seconds: u64,
    },
    /// The connection failed, in the system's words.
    #[error("{0}")]
    Connection(UntrustedText),
}

/// What is wrong with a registry's answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerProblem {
    /// The manifest lists no GGUF layer.
    #[error("it holds no GGUF model")]
    NoModelLayer,
    /// The manifest is larger than any.
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
    /// The header describes no language model.
    #[error(transparent)]
    NotAModel(#[from] NotAModel),
    /// A redirect without a valid location.
    #[error("a redirect leads nowhere")]
    Redirect,
    /// More redirects than are followed.
    #[error("there are too many redirects")]
    TooManyRedirects,
    /// The tag makes no valid URL.
    #[error("its URL is not valid: {0}")]
    Url(String),
}

/// Looks a model up. Blocks, on a runtime of its own: call it from a worker thread, not from asynchronous code.
///
/// `insecure` uses plain HTTP for the registry and for every redirect; `options` hold the proxy and certificates.
///
/// # Errors
/// See [`RegistryError`].
pub fn fetch_model(tag: &ModelTag, insecure: bool, options: &HttpOptions) -> Result<Model, RegistryError> {
    let remote = Remote::new(http::client(options)?, tag.clone(), insecure);
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

/// Whether these first bytes of a file are a whole header yet.
fn gguf_header(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    match Header::parse(bytes) {
        Ok(header) => Ok(Some(header)),
        Err(HeaderError::Incomplete { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
