//! What is a model made of? Architectures, quantisations, the bytes of every tensor, and the catalogue of models we
//! know. No input or output here, save for parsing text and bytes that are handed in.

mod kv;

pub use kv::{KvCacheType, UnknownKvCacheType};

use std::sync::Arc;

/// A model that can be pulled: what it is called, what it weighs, what it may be used for, how it is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What Ollama pulls: `qwen2.5-coder:7b`, `hf.co/…`, `host:port/namespace/name:tag`.
    pub tag: String,
    /// What people call it: `Qwen2.5-Coder 7B`.
    pub title: String,
    /// Quantisation of the weights: `Q4_K_M`, `F16`, …
    pub quantisation: String,
    /// Licence, and whether it allows commercial use.
    pub licence: Licence,
    /// Tokens of context its file carries; the engine silently clamps to it.
    pub trained_context_tokens: u32,
    /// Bytes to download.
    pub download_bytes: u64,
}

/// Terms of use of a model's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Name, for example `Apache-2.0`.
    pub name: String,
    /// Whether it may be used commercially; `None` when unknown.
    pub commercial: Option<bool>,
}

impl Model {
    /// Layers as the engine counts them: blocks + 1 (output).
    pub fn total_layers(&self) -> u32 {
        1
    }
}

/// The models we know.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// In the order they are offered.
    pub models: Vec<Arc<Model>>,
}
