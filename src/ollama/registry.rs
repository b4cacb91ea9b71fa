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

use std::time::Duration;

use reqwest::Url;

use crate::control::{Cancelled, Control};
use crate::models::gguf::{Header, HeaderError};
use crate::models::{Model, ModelFile, ModelName, ModelSource, ModelTag, NotAModel, PredictionHeads};
use crate::ollama::http::{self, HttpError, HttpOptions, NetworkObstacle};
use crate::ollama::manifest::{LayerParameters, Manifest};
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
    /// Something else answered, or the connection is not accepted: a sign-in page, a proxy, a certificate.
    #[error(transparent)]
    Obstacle(Box<NetworkObstacle>),
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

/// How long reading a model's file may take.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Until the manifest is complete.
    pub manifest: Duration,
    /// Until the header is complete too. A large vocabulary makes it 16 MiB.
    pub whole: Duration,
}

impl ReadLimits {
    /// While the user waits for a page: 5 s for the manifest, 15 s in all.
    pub const WHILE_WAITING: Self = Self { manifest: Duration::from_secs(5), whole: Duration::from_secs(15) };
}

/// Looks up a model. Blocks on its own runtime: call it from a worker thread, not from async code.
///
/// `insecure` uses plain http for the registry and allows it for every redirect.
///
/// # Errors
/// See [`RegistryError`].
pub fn fetch_model(tag: &ModelTag, insecure: bool, options: &HttpOptions) -> Result<Model, RegistryError> {
    let remote = Remote::new(http::client(options, tag.named_host())?, tag.clone(), insecure);
    match blocking(&remote, read_model(&remote)) {
        Ok(model) => model,
        Err(error) => Err(error),
    }
}

/// Like [`fetch_model`], within these limits and until it is cancelled. Beyond a limit the registry counts as unreachable.
///
/// # Errors
/// [`Cancelled`]; inside it, see [`RegistryError`].
pub fn fetch_model_within(
    tag: &ModelTag,
    insecure: bool,
    options: &HttpOptions,
    limits: ReadLimits,
    control: &Control,
) -> Result<Result<Model, RegistryError>, Cancelled> {
    let client = match http::client(options, tag.named_host()) {
        Ok(client) => client,
        Err(error) => return Ok(Err(error.into())),
    };
    let remote = Remote::new(client, tag.clone(), insecure).with_manifest_timeout(limits.manifest);
    let read = remote.within(limits.whole, read_model(&remote));
    match blocking(&remote, control.or_cancelled(read)) {
        Ok(read) => read,
        Err(error) => Ok(Err(error)),
    }
}

/// Runs `work` on a runtime of its own. A name that is still being looked up when it ends is not waited for.
fn blocking<T>(remote: &Remote, work: impl Future<Output = T>) -> Result<T, RegistryError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| remote.unreachable(UnreachableCause::Connection(error.to_string().into())))?;
    let output = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(output)
}

async fn read_model(remote: &Remote) -> Result<Model, RegistryError> {
    let manifest = remote.manifest().await?.manifest;
    let layer = manifest.model_layer().ok_or_else(|| remote.unusable(AnswerProblem::NoModelLayer))?;
    let header: Header = remote.header(layer, gguf_header).await?;
    let parameters = match manifest.parameters_layer() {
        Some(layer) => LayerParameters::parse(&remote.small(layer, LayerParameters::MAX_BYTES).await?),
        None => LayerParameters::default(),
    };
    model_of(&header, &manifest, &parameters, ModelName::Tag(remote.tag().clone()), ModelSource::Registry)
        .map_err(|error| remote.unusable(error))
}

/// The model that a manifest, its parameters and the header of its weights describe.
///
/// # Errors
/// If the header is not that of a language model, or its figures are out of range.
pub fn model_of(
    header: &Header,
    manifest: &Manifest,
    parameters: &LayerParameters,
    name: ModelName,
    source: ModelSource,
) -> Result<Model, NotAModel> {
    let model = Model::from_gguf(header, name, manifest.download_bytes())?;
    let default_tokens = manifest.draft_tokens(parameters);
    let own_file = |weights_bytes| PredictionHeads { default_tokens, weights_bytes, kv_values: 0 };
    let heads = model.prediction_heads.map(|heads| PredictionHeads { default_tokens, ..heads });
    Ok(Model {
        image_encoder_bytes: model.image_encoder_bytes.saturating_add(manifest.image_encoder_bytes()),
        prediction_heads: manifest.draft_model_bytes().map(own_file).or(heads),
        file: ModelFile { source, sha256: manifest.model_layer().map(|layer| layer.sha256) },
        ..model
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
