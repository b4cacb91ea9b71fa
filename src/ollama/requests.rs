//! Requests to the engine.

use serde::Serialize;

use crate::models::ModelTag;

/// Body of `/api/create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateRequest {
    /// Name of the new model.
    pub model: ModelTag,
    /// The base model.
    pub from: ModelTag,
    /// Parameters. Numbers only: the engine accepts strings but then fails to load the model.
    pub parameters: CreateParameters,
}

/// Value of `num_gpu` with which the engine chooses the number of layers.
pub const AUTOMATIC: i64 = -1;

/// Parameters of a model; always all of them are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CreateParameters {
    /// Context in tokens.
    pub num_ctx: u32,
    /// Layers on the GPU; 0 for CPU only, or [`AUTOMATIC`].
    pub num_gpu: i64,
    /// Batch size of prompt processing in tokens.
    pub num_batch: u32,
}

/// Body of `/api/generate`. `shift` is not set: it is a runner option, so a value other than the default would reload
/// the model for this request and again for the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GenerateRequest {
    /// The model.
    pub model: ModelTag,
    /// The prompt.
    pub prompt: String,
    /// Whether the prompt is used without the model's template.
    pub raw: bool,
    /// Whether a prompt longer than the context is truncated. Always false.
    pub truncate: bool,
    /// Sampling options only; runner options would reload the model.
    pub options: GenerateOptions,
}

/// Options of one response.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GenerateOptions {
    /// Maximum number of generated tokens.
    pub num_predict: u32,
    /// Seed of the sampler.
    pub seed: u32,
    /// Temperature; 0 always selects the most likely token.
    pub temperature: f64,
}
