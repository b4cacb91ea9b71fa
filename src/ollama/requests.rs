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

/// Parameters of a model. What is `None` is not set: the engine or the base model decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateParameters {
    /// Context in tokens.
    pub num_ctx: u32,
    /// Layers on the GPU; 0 for CPU only, or [`AUTOMATIC`].
    pub num_gpu: i64,
    /// Batch size of prompt processing in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_batch: Option<u32>,
    /// Threads on the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_thread: Option<u32>,
    /// Tokens that are drafted at once; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft_num_predict: Option<u32>,
    /// Whether the file is mapped into memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_mmap: Option<bool>,
}

impl CreateParameters {
    /// Every parameter that is set, with its value as the engine prints it.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        [
            ("num_ctx", Some(self.num_ctx.to_string())),
            ("num_gpu", Some(self.num_gpu.to_string())),
            ("num_batch", number(self.num_batch)),
            ("num_thread", number(self.num_thread)),
            ("draft_num_predict", number(self.draft_num_predict)),
            ("use_mmap", self.use_mmap.map(|mapped| mapped.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
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

/// Body of `/api/chat`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChatRequest {
    /// The model.
    pub model: ModelTag,
    /// The conversation, the oldest message first.
    pub messages: Vec<ChatMessage>,
    /// Whether the oldest messages are dropped when the conversation is longer than the context. Always false: the user
    /// would not know.
    pub truncate: bool,
    /// Sampling options only; runner options would reload the model.
    pub options: ChatOptions,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who wrote it.
    pub role: ChatRole,
    /// The text.
    pub content: String,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatRole {
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// Options of one answer in a conversation. What is `None` is the model's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChatOptions {
    /// Maximum number of generated tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_predict: Option<u32>,
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
