//! Inputs and verdicts of the planner.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::models::{KvCacheType, Model};

/// The verdict on one profile on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Runs as intended.
    Compatible,
    /// Runs, with limits that need the user's consent.
    Degraded,
    /// Does not run.
    Refused,
}

/// Grade of a compatible machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// From 12 GB.
    Good,
    /// From 16 GB.
    Recommended,
    /// From 24 GB.
    Premium,
}

/// How many layers go to the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    /// As many as fit the free VRAM.
    Fit,
    /// Exactly this many, as the engine counts them.
    Exactly(u32),
}

/// A possible installation: a profile's choice, or the user's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Id of the profile, or `custom`.
    pub id: String,
    /// The model.
    pub model: Arc<Model>,
    /// Tokens of context, at least [`crate::MIN_CONTEXT_TOKENS`].
    pub context_tokens: u32,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Prompt tokens processed at once (`num_batch`).
    pub num_batch: u32,
    /// Layers on the GPU.
    pub layers: Layers,
    /// Number of blocks, from the first, whose routed experts stay in main memory (`--n-cpu-moe`). If above 0, all
    /// layers are on the GPU and `layers` is ignored.
    pub n_cpu_moe: u32,
    /// Minimum advertised VRAM in GiB.
    pub min_vram_gib: u32,
    /// Minimum advertised main memory in GiB.
    pub min_ram_gib: u32,
}

impl Candidate {
    /// Whether it runs on the processor only.
    pub fn is_cpu_only(&self) -> bool {
        self.layers == Layers::Exactly(0)
    }
}

/// What a choice is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The best balance of quality, speed, waiting time and context.
    Recommended,
    /// The best coding scores that still run at a bearable speed.
    Smartest,
    /// The most tokens per second among models of useful quality.
    Fastest,
}

impl Role {
    /// In the order they are shown.
    pub const ALL: [Self; 3] = [Self::Recommended, Self::Smartest, Self::Fastest];

    /// Id of its candidate: `recommended`, `smartest` or `fastest`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Smartest => "smartest",
            Self::Fastest => "fastest",
        }
    }

    /// The role with this id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }
}
