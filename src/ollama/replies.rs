//! The engine's responses. Omitted fields become zero or `None`.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::untrusted::UntrustedText;

/// A line of `/api/pull` and `/api/create`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StatusLine {
    /// Current operation.
    #[serde(default)]
    pub status: Status,
    /// Digest of the layer.
    #[serde(default)]
    pub digest: Option<String>,
    /// Size of the layer in bytes.
    #[serde(default)]
    pub total: u64,
    /// Downloaded bytes of it. Decreases when a part is downloaded again.
    #[serde(default)]
    pub completed: u64,
    /// Error message; also sent after HTTP 200.
    #[serde(default)]
    pub error: Option<String>,
}

/// Operation during a pull or creation. The only place that matches these protocol texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Status {
    /// Verifying the layers' checksums: `verifying sha256 digest`.
    Verifying,
    /// Finished: `success`.
    Success,
    /// Anything else: `pulling manifest`, `pulling 60e05f210007`, `writing manifest`, …
    #[default]
    Other,
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match text.as_str() {
            "success" => Self::Success,
            text if text.starts_with("verifying") => Self::Verifying,
            _ => Self::Other,
        }
    }
}

/// A line of `/api/generate`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct GenerateLine {
    /// Next part of the text.
    #[serde(default)]
    pub response: String,
    /// Next part of a thinking model's reasoning.
    #[serde(default)]
    pub thinking: Option<String>,
    /// Whether this is the last line.
    #[serde(default)]
    pub done: bool,
    /// `stop`, `length`, `load`, `unload`.
    #[serde(default)]
    pub done_reason: Option<String>,
    /// Prompt tokens, including cached ones.
    #[serde(default)]
    pub prompt_eval_count: u64,
    /// Prompt processing time in nanoseconds.
    #[serde(default)]
    pub prompt_eval_duration: u64,
    /// Generated tokens.
    #[serde(default)]
    pub eval_count: u64,
    /// Generation time in nanoseconds.
    #[serde(default)]
    pub eval_duration: u64,
    /// Error message; also sent after HTTP 200.
    #[serde(default)]
    pub error: Option<String>,
}

/// A line of `/api/chat`: as of `/api/generate`, with the text in a message.
#[derive(Clone, Debug, Deserialize)]
pub struct ChatLine {
    #[serde(default)]
    message: ChatPart,
    #[serde(flatten)]
    line: GenerateLine,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ChatPart {
    #[serde(default)]
    content: String,
    #[serde(default)]
    thinking: Option<String>,
}

impl From<ChatLine> for GenerateLine {
    fn from(ChatLine { message, line }: ChatLine) -> Self {
        Self { response: message.content, thinking: message.thinking, ..line }
    }
}

/// `/api/version`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// Version without a leading `v`.
    pub version: String,
}

/// `/api/show`, the fields that are used.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ShowResponse {
    /// Parameters as text: one name and value per line, unsorted.
    #[serde(default)]
    pub parameters: String,
    /// Metadata of the file.
    #[serde(default)]
    pub model_info: BTreeMap<String, serde_json::Value>,
}

impl ShowResponse {
    /// A parameter's value as the engine prints it.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.lines().find_map(|line| {
            let (key, value) = line.trim().split_once(char::is_whitespace)?;
            (key == name).then(|| value.trim())
        })
    }

    /// Trained context in tokens.
    pub fn trained_context_tokens(&self) -> Option<u64> {
        self.model_info.iter().find(|(key, _)| key.ends_with(".context_length"))?.1.as_u64()
    }

    /// Blocks of the model; the engine counts one more layer.
    pub fn block_count(&self) -> Option<u64> {
        self.model_info.iter().find(|(key, _)| key.ends_with(".block_count"))?.1.as_u64()
    }
}

/// `/api/ps`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PsResponse {
    /// Loaded models.
    #[serde(default)]
    pub models: Vec<Loaded>,
}

/// A loaded model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// Bytes of all its buffers; the file's size if the engine cannot parse its own log.
    #[serde(default)]
    pub size: u64,
    /// Bytes of its buffers on GPUs; not always correct, see [`crate::ollama::evidence`].
    #[serde(default)]
    pub size_vram: u64,
    /// Actual context in tokens.
    #[serde(default)]
    pub context_length: u64,
    /// When it is unloaded unless it is asked again, RFC 3339. Centuries ahead for "never".
    #[serde(default)]
    pub expires_at: UntrustedText,
}

impl Loaded {
    /// When it is unloaded, in seconds since the Unix epoch; `None` if the engine does not tell.
    pub fn expires_at_s(&self) -> Option<u64> {
        let moment = OffsetDateTime::parse(&self.expires_at, &Rfc3339).ok()?;
        u64::try_from(moment.unix_timestamp()).ok()
    }
}

/// `/api/tags`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct TagsResponse {
    /// Models on disk.
    #[serde(default)]
    pub models: Vec<Listed>,
}

/// A model on disk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// Its name, with the tag.
    pub name: String,
    /// Bytes of its layers.
    #[serde(default)]
    pub size: u64,
}

/// Body of an error response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// The message, which may be JSON itself.
    #[serde(default)]
    pub error: String,
}

impl Refusal {
    /// The message, extracted from nested JSON if necessary.
    pub fn message(self) -> String {
        let inner = serde_json::from_str::<serde_json::Value>(&self.error).ok();
        let message =
            inner.as_ref().and_then(|value| value.pointer("/error/message")).and_then(|m| m.as_str());
        message.map_or_else(|| self.error.clone(), str::to_owned)
    }
}
