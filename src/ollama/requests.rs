//! What the engine is asked, as types.

use serde::Serialize;

use crate::models::ModelTag;

/// What `/api/create` is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateRequest {
    /// The name to create.
    pub model: ModelTag,
    /// The model it is made from.
    pub from: ModelTag,
    /// Numbers only: the engine takes texts in silence and fails when it loads.
    pub parameters: CreateParameters,
}

/// As the number of layers: the engine chooses.
pub const AUTOMATIC: i64 = -1;

/// The parameters we set, always all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CreateParameters {
    /// Tokens of context.
    pub num_ctx: u32,
    /// Layers on the GPU; 0 is pure CPU, [`AUTOMATIC`] leaves them to the engine.
    pub num_gpu: i64,
    /// Prompt tokens handled at once.
    pub num_batch: u32,
}

/// What `/api/generate` is asked. `shift` is left alone on purpose: it is an option of the runner, and any other value
/// than the default reloads the whole model, for this request and again for the next one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GenerateRequest {
    /// The model.
    pub model: ModelTag,
    /// The prompt.
    pub prompt: String,
    /// Whether the prompt goes in as it is, without the model's template.
    pub raw: bool,
    /// Whether a prompt longer than the context may be cut. We never let it.
    pub truncate: bool,
    /// Sampling only; an option of the runner would reload the model.
    pub options: GenerateOptions,
}

/// Options of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GenerateOptions {
    /// Tokens to write at most.
    pub num_predict: u32,
    /// Seed of the sampler.
    pub seed: u32,
    /// 0 takes the likeliest token each time.
    pub temperature: f64,
}
