//! A setting in which a model runs on a machine, with the figures by which settings are compared.

use std::sync::Arc;

use crate::models::{KvCacheType, Model, stars};
use crate::plan::types::{Candidate, Layers};

/// A setting in which a model runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    pub model: Arc<Model>,
    pub context_tokens: u32,
    pub kv_cache_type: KvCacheType,
    pub num_batch: u32,
    pub layers: Layers,
    pub n_cpu_moe: u32,
    /// Whether all weights are on the card.
    pub is_whole: bool,
    /// Whether it needs consent to a limit that another setting might avoid: layers on the processor, slow answers, a long
    /// wait.
    pub needs_consent: bool,
    /// Stars with their share, 0 to 5; `None` if the model is not rated.
    pub points: Option<f64>,
    /// Geometric mean of the speeds with an empty context and with 32,768 tokens in it.
    pub tokens_per_s: f64,
    /// Seconds to the first token of a prompt that fills the context.
    pub first_token_s: f64,
}

impl Setting {
    /// Stars, 1 to 5; 0 for an unrated model.
    pub fn stars(&self) -> u8 {
        self.points.map_or(0, stars)
    }

    /// The candidate with this setting.
    pub fn candidate(&self, id: &str) -> Candidate {
        Candidate {
            id: id.to_owned(),
            model: Arc::clone(&self.model),
            context_tokens: self.context_tokens,
            kv_cache_type: self.kv_cache_type,
            num_batch: self.num_batch,
            layers: self.layers,
            n_cpu_moe: self.n_cpu_moe,
            min_vram_gib: 0,
            min_ram_gib: 0,
        }
    }
}
