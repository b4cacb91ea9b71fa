//! What the planner is asked and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::estimate::{MemoryNeed, Speed};
use crate::models::{KvCacheType, Model};

/// The answer for one profile on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Runs as ACOLYTE is meant to.
    Compatible,
    /// Runs, with limits that need the person's consent.
    Degraded,
    /// Does not run.
    Refused,
}

/// How comfortable a compatible machine is.
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
    /// As many as fit what is free now.
    Fit,
    /// Exactly so many, as the engine counts them.
    Exactly(u32),
}

/// Something that could be installed: a profile's choice, or the person's own.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Id of the profile, or `custom`.
    pub id: String,
    /// The model.
    pub model: Arc<Model>,
    /// Tokens of context, at least [`crate::MIN_CONTEXT_TOKENS`].
    pub context_tokens: u32,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Prompt tokens handled at once.
    pub num_batch: u32,
    /// Layers on the GPU.
    pub layers: Layers,
    /// Nominal VRAM the profile is made for, in GiB as printed on the box.
    pub min_vram_gib: u32,
    /// Nominal main memory the profile is made for, in GiB.
    pub min_ram_gib: u32,
}

/// Why a verdict is what it is. Figures are part of the reason, words are not: see [`crate::text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// No adapter that holds models was found.
    NoUsableGpu {
        /// Names of what was found.
        found: Vec<String>,
    },
    /// The card is too small for ACOLYTE.
    VramTooSmall {
        /// Nominal GiB it has.
        have_gib: u32,
        /// Nominal GiB needed.
        need_gib: u32,
    },
    /// The card's memory could not be found out.
    VramUnknown,
    /// The profile is made for a larger card.
    ProfileNeedsVram {
        /// Nominal GiB it has.
        have_gib: u32,
        /// Nominal GiB the profile needs.
        need_gib: u32,
    },
    /// It does not fit the memory that is free.
    VramShort {
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes free now.
        free_bytes: u64,
        /// Whether it would fit with other programs closed.
        fits_when_closed: bool,
    },
    /// Not enough main memory.
    RamShort {
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes there are.
        have_bytes: u64,
    },
    /// Some layers run on the processor.
    LayersOnCpu {
        /// Layers on the processor.
        cpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// The whole model runs on the processor, as an emergency.
    CpuOnly,
    /// Below the size at which the margin is comfortable.
    SmallCard {
        /// Nominal GiB it has.
        have_gib: u32,
        /// From where it is comfortable.
        comfortable_gib: u32,
    },
    /// The cache is kept at 4 bits.
    KvQ4,
    /// Slow answers.
    SlowDecode {
        /// Estimated tokens a second (middle of the range).
        tokens_per_s: f64,
        /// The limit of the policy.
        limit: f64,
    },
    /// A long wait for a full prompt.
    SlowFirstToken {
        /// Estimated seconds (middle of the range).
        seconds: f64,
        /// The limit of the policy.
        limit: f64,
    },
    /// The model's file does not carry so much context.
    ContextNotCarried {
        /// Tokens wanted.
        want_tokens: u32,
        /// Tokens the file carries.
        carried_tokens: u32,
    },
    /// Not enough room on the disk of a folder.
    DiskShort {
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes free.
        free_bytes: u64,
    },
    /// It is fine: everything is on the GPU with room to spare.
    Fits {
        /// Bytes that stay free.
        spare_bytes: u64,
    },
}

/// One candidate against one machine.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What was asked.
    pub candidate: Candidate,
    /// The answer.
    pub verdict: Verdict,
    /// How comfortable, when compatible.
    pub grade: Option<Grade>,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// Layers on the GPU, as the engine counts them.
    pub gpu_layers: u32,
    /// Layers in all: blocks + 1.
    pub total_layers: u32,
    /// Where the bytes go.
    pub memory: MemoryNeed,
    /// Free VRAM it was put against, in bytes; 0 without a GPU.
    pub vram_free_bytes: u64,
    /// Total VRAM, in bytes; 0 without a GPU.
    pub vram_total_bytes: u64,
    /// Main memory it was put against, in bytes.
    pub ram_available_bytes: u64,
    /// How fast it will be.
    pub speed: Speed,
}
