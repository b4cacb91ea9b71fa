//! What the engine answers, as types. Fields the engine leaves out become zero or `None`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A line of `/api/pull` and `/api/create`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StatusLine {
    /// What the engine does.
    #[serde(default)]
    pub status: Status,
    /// The layer.
    #[serde(default)]
    pub digest: Option<String>,
    /// Its bytes.
    #[serde(default)]
    pub total: u64,
    /// How many of them are there. May go down when a part has to be fetched again.
    #[serde(default)]
    pub completed: u64,
    /// What went wrong; comes after HTTP 200 too.
    #[serde(default)]
    pub error: Option<String>,
}

/// What the engine does while it pulls or creates a model. The only place that matches these texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Status {
    /// It verifies the checksums of the layers: `verifying sha256 digest`.
    Verifying,
    /// It is done: `success`.
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
    /// The next piece of text.
    #[serde(default)]
    pub response: String,
    /// The next piece of a thinking model's thoughts.
    #[serde(default)]
    pub thinking: Option<String>,
    /// Whether this is the last line.
    #[serde(default)]
    pub done: bool,
    /// `stop`, `length`, `load`, `unload`.
    #[serde(default)]
    pub done_reason: Option<String>,
    /// Prompt tokens, those found in the cache included.
    #[serde(default)]
    pub prompt_eval_count: u64,
    /// Nanoseconds spent on the prompt.
    #[serde(default)]
    pub prompt_eval_duration: u64,
    /// Tokens written.
    #[serde(default)]
    pub eval_count: u64,
    /// Nanoseconds spent on writing them.
    #[serde(default)]
    pub eval_duration: u64,
    /// What went wrong; comes after HTTP 200 too.
    #[serde(default)]
    pub error: Option<String>,
}

/// `/api/version`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// Without a leading `v`.
    pub version: String,
}

/// `/api/show`, as far as we read it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Shown {
    /// One text, a name and a value a line, unsorted.
    #[serde(default)]
    pub parameters: String,
    /// Metadata of the file.
    #[serde(default)]
    pub model_info: BTreeMap<String, serde_json::Value>,
}

impl Shown {
    /// A parameter's value as the engine prints it.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.lines().find_map(|line| {
            let (key, value) = line.trim().split_once(char::is_whitespace)?;
            (key == name).then(|| value.trim())
        })
    }

    /// Tokens of context the file carries.
    pub fn trained_context_tokens(&self) -> Option<u64> {
        self.model_info.iter().find(|(key, _)| key.ends_with(".context_length"))?.1.as_u64()
    }

    /// Blocks of the model; the engine counts one layer more.
    pub fn block_count(&self) -> Option<u64> {
        self.model_info.iter().find(|(key, _)| key.ends_with(".block_count"))?.1.as_u64()
    }
}

/// `/api/ps`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Running {
    /// Loaded models.
    #[serde(default)]
    pub models: Vec<Loaded>,
}

/// A loaded model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// Bytes of all its buffers; the file's size when the engine could not read them from its own log.
    #[serde(default)]
    pub size: u64,
    /// Bytes of its buffers on GPUs; may be false, see [`crate::ollama::evidence`].
    #[serde(default)]
    pub size_vram: u64,
    /// Tokens of context it really has.
    #[serde(default)]
    pub context_length: u64,
}

/// `/api/tags`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Tags {
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

/// The body of every refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// What the server says; sometimes JSON of its own inside this text.
    #[serde(default)]
    pub error: String,
}

impl Refusal {
    /// The message, taken out of JSON inside JSON where there is such.
    pub fn message(self) -> String {
        let inner = serde_json::from_str::<serde_json::Value>(&self.error).ok();
        let message =
            inner.as_ref().and_then(|value| value.pointer("/error/message")).and_then(|m| m.as_str());
        message.map_or_else(|| self.error.clone(), str::to_owned)
    }
}
