//! What is a model made of? Architectures, quantisations, the bytes of every tensor, and the catalogue of models we
//! know. No I/O here: only given text and bytes are parsed.

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::untrusted::UntrustedText;

mod architecture;
mod attention_pattern;
mod catalogue;
mod engine_version;
mod from_gguf;
pub mod gguf;
mod kv;
mod local_file;
mod names;
mod published;
mod quality;
mod quantisation;
mod shape;
mod tag;
mod tensor_type;

pub use architecture::{Block, Cache, Experts, ModelArchitecture};
pub use catalogue::{Catalogue, CatalogueError, CatalogueProblem};
pub use engine_version::{EngineVersion, EngineVersionError};
pub use from_gguf::NotAModel;
pub use kv::{KvCacheType, UnknownKvCacheType};
pub use local_file::{LocalFilePart, LocalFileRecord, LocalModelFile};
pub use published::{ModelFileRecord, file_record, listed_model};
pub use quality::{Evaluator, Loss, Quality, Ratings, RatingsError, Score, ToolCallFailures, stars};
pub use quantisation::{ModelQuantisation, Quantisation, UnknownQuantisation};
pub use tag::{ModelName, ModelTag, ModelTagError, TagPart};
pub use tensor_type::TensorType;

/// A model: names, licence, size and architecture.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Tag that Ollama pulls (`qwen2.5-coder:7b`, `hf.co/…`, `host:port/namespace/name:tag`), or a file.
    pub name: ModelName,
    /// Display name, for example `Qwen2.5-Coder 7B`.
    pub title: UntrustedText,
    /// Quantisation of the weights.
    pub quantisation: ModelQuantisation,
    /// Licence, and whether it allows commercial use.
    pub licence: Licence,
    /// Trained context in tokens; the engine silently clamps to it.
    pub trained_context_tokens: u32,
    /// Size of the download in bytes.
    pub download_bytes: u64,
    /// Parts and their sizes.
    pub architecture: ModelArchitecture,
    /// Size of its image encoder in bytes, 0 without one. The engine loads it if any layers are on a GPU.
    pub image_encoder_bytes: u64,
    /// Prediction heads or a draft model, if it has one.
    pub prediction_heads: Option<PredictionHeads>,
    /// The oldest engine that runs it, if known.
    pub minimum_engine: Option<EngineVersion>,
    /// The file that its figures describe.
    pub file: ModelFile,
    /// The file on this computer that it is installed from; `None` for a model of a registry.
    pub local: Option<LocalModelFile>,
}

/// The file that a model's figures describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Where the figures come from.
    pub source: ModelSource,
    /// Checksum of the weights, which names their layer; `None` if unknown.
    pub sha256: Option<Sha256>,
}

impl ModelFile {
    /// The file as the catalogue describes it.
    pub const CATALOGUE: Self = Self { source: ModelSource::Catalogue, sha256: None };
}

/// Where a model's figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelSource {
    /// The built-in catalogue, or the shape that the model's name stands for.
    Catalogue,
    /// The header of the file in its registry.
    Registry,
    /// The header of the file in the installation's model store.
    Store,
    /// The header of a file that the user named.
    File,
}

/// Multi-token prediction: several tokens are drafted at once and then verified by the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredictionHeads {
    /// Default of `draft_num_predict`, in tokens; 0 if off.
    pub default_tokens: u32,
    /// Bytes of their weights, which are loaded only while they draft; 0 where they are counted with the model's.
    pub weights_bytes: u64,
    /// Keys and values that they cache for each token of context, always with 16 bits each.
    pub kv_values: u32,
}

/// Terms of use of a model's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Name, for example `Apache-2.0`; empty if unknown.
    pub name: UntrustedText,
    /// Whether it may be used commercially; `None` if unknown.
    pub commercial: Option<bool>,
}

impl Model {
    /// The tag under which the engine keeps it; `None` for a model that can only be estimated.
    pub fn tag(&self) -> Option<&ModelTag> {
        match &self.name {
            ModelName::Tag(tag) => Some(tag),
            ModelName::Other(_) => None,
        }
    }

    /// Number of layers as the engine counts them: blocks + 1 (output).
    pub fn total_layers(&self) -> u32 {
        u32::try_from(self.architecture.blocks.len()).unwrap_or(u32::MAX - 1).saturating_add(1)
    }
}
