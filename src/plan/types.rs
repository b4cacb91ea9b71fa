//! What the planner is asked and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::estimate::{MemoryNeed, Speed};
use crate::figures::Range;
use crate::machine::EngineRefusal;
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
        /// Nominal GiB of the smallest card that would do.
        need_gib: u32,
    },
    /// The card is too small for ACOLYTE.
    VramTooSmall {
        /// Nominal GiB it has.
        have_gib: u32,
        /// Nominal GiB needed.
        need_gib: u32,
    },
    /// The card's memory could not be found out.
    VramUnknown {
        /// The card.
        gpu: String,
    },
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
    /// The profile is made for more main memory.
    ProfileNeedsRam {
        /// Nominal GiB there are.
        have_gib: u32,
        /// Nominal GiB the profile needs.
        need_gib: u32,
    },
    /// Not enough main memory.
    RamShort {
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes that programs can have now.
        have_bytes: u64,
        /// Whether it would do with other programs closed.
        fits_when_closed: bool,
    },
    /// Some layers run on the processor.
    LayersOnCpu {
        /// Layers on the processor.
        cpu_layers: u32,
        /// All layers.
        total_layers: u32,
        /// Speed that way, in tokens a second.
        decode_tokens_per_s: Range,
        /// Speed if all were on the card, in tokens a second.
        all_on_gpu_tokens_per_s: Range,
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
    /// Fewer tokens of context than ACOLYTE works with were asked for.
    ContextBelowMinimum {
        /// Tokens wanted.
        want_tokens: u32,
        /// [`crate::MIN_CONTEXT_TOKENS`].
        minimum_tokens: u32,
    },
    /// The engine cannot keep a quantised KV cache on this card (no flash attention).
    KvNeedsFlashAttention {
        /// The card.
        gpu: String,
    },
    /// The engine leaves out the card, or does not run on this system at all, until something is done about it.
    EngineRefuses {
        /// Why.
        refusal: EngineRefusal,
    },
    /// One card does not hold the model: it is planned on all cards of a kind. Said, but changes no verdict.
    SeveralCards {
        /// How many.
        count: u32,
        /// Their memory together, in bytes.
        together_bytes: u64,
    },
    /// The model's licence forbids commercial use. Said, but changes no verdict.
    NonCommercial {
        /// Name of the licence.
        licence: String,
    },
    /// Not enough room on the disk of a folder. Said, but changes no verdict: another folder can be chosen.
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

/// What a person could do for a better verdict. Figures are part of it, words are not: see [`crate::text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Improvement {
    /// Close programs that hold graphics memory.
    CloseGpuPrograms {
        /// Bytes they hold now.
        frees_bytes: u64,
        /// Layers that would then be on the card.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
        /// Speed then, in tokens a second.
        decode_tokens_per_s: Range,
    },
    /// Close programs that hold main memory.
    CloseRamPrograms {
        /// Bytes that must become available.
        frees_bytes: u64,
    },
    /// A card of this size would lift the verdict.
    LargerCard {
        /// Nominal GiB.
        need_gib: u32,
    },
    /// This much main memory would lift the verdict.
    MoreRam {
        /// Nominal GiB.
        need_gib: u32,
    },
    /// Keep the KV cache in another type.
    OtherKvCacheType {
        /// The type to take.
        kv_cache_type: KvCacheType,
    },
    /// Make room on the disk, or choose a folder on another one.
    FreeDisk {
        /// Bytes that must become free.
        frees_bytes: u64,
    },
    /// Run on the processor, as an emergency, from the terminal.
    EmergencyCpu,
}

/// One candidate against one machine.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What was asked.
    pub candidate: Candidate,
    /// The answer.
    pub verdict: Verdict,
    /// How comfortable, when compatible.
    pub grade: Option<Grade>,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// What would change the verdict, the easiest first.
    pub improvements: Vec<Improvement>,
    /// Layers on the GPU, as the engine counts them.
    pub gpu_layers: u32,
    /// Layers in all: blocks + 1.
    pub total_layers: u32,
    /// Where the bytes go.
    pub memory: MemoryNeed,
    /// VRAM it would need with every layer on the GPU, in bytes; what a refused profile asks for.
    pub all_layers_vram_bytes: u64,
    /// Free VRAM it was put against, in bytes; 0 without a GPU.
    pub vram_free_bytes: u64,
    /// Whether that is assumed, because the driver does not say.
    pub vram_free_is_assumed: bool,
    /// Total VRAM, in bytes; 0 without a GPU.
    pub vram_total_bytes: u64,
    /// Main memory it was put against, in bytes.
    pub ram_available_bytes: u64,
    /// Whether that is assumed, because the system does not say.
    pub ram_available_is_assumed: bool,
    /// How fast it will be.
    pub speed: Speed,
}

impl Plan {
    /// Share of the layers that are on the GPU, 0 to 1.
    pub fn gpu_layer_share(&self) -> f64 {
        f64::from(self.gpu_layers) / f64::from(self.total_layers.max(1))
    }
}

/// The answer for the whole machine: every profile, and the one to take.
#[derive(Clone, Debug)]
pub struct Report {
    /// The best verdict any profile got.
    pub verdict: Verdict,
    /// Id of the profile to take; `None` when all are refused.
    pub recommended: Option<String>,
    /// Why: the reasons of the recommended profile, or those for which the machine is refused.
    pub reasons: Vec<Reason>,
    /// What would change the verdict of the machine.
    pub improvements: Vec<Improvement>,
    /// Every profile, in the order of the file.
    pub plans: Vec<Plan>,
}
