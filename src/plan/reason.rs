//! Why a verdict is what it is, and what would change it.

use crate::figures::Range;
use crate::machine::EngineRefusal;
use crate::models::KvCacheType;

/// Why a verdict is what it is. It holds figures; `sentences` makes the words.
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

/// What the user could do for a better verdict. It holds figures; `sentences` makes the words.
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

impl Reason {
    /// Place in a list: the weightiest first.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::NoUsableGpu { .. }
            | Self::VramTooSmall { .. }
            | Self::VramUnknown { .. }
            | Self::EngineRefuses { .. } => 0,
            Self::ContextBelowMinimum { .. } | Self::ContextNotCarried { .. } => 1,
            Self::ProfileNeedsVram { .. } | Self::KvNeedsFlashAttention { .. } => 2,
            Self::VramShort { .. } => 3,
            Self::ProfileNeedsRam { .. } => 4,
            Self::RamShort { .. } => 5,
            Self::CpuOnly => 6,
            Self::SlowDecode { .. } => 7,
            Self::LayersOnCpu { .. } => 8,
            Self::SlowFirstToken { .. } => 9,
            Self::KvQ4 => 10,
            Self::SmallCard { .. } => 11,
            Self::Fits { .. } => 12,
            Self::SeveralCards { .. } => 13,
            Self::NonCommercial { .. } => 14,
            Self::DiskShort { .. } => 15,
        }
    }
}

impl Improvement {
    /// Place in a list: the easiest first.
    pub(super) fn effort(&self) -> u8 {
        match self {
            Self::CloseGpuPrograms { .. } => 0,
            Self::CloseRamPrograms { .. } => 1,
            Self::FreeDisk { .. } => 2,
            Self::OtherKvCacheType { .. } => 3,
            Self::MoreRam { .. } => 4,
            Self::LargerCard { .. } => 5,
            Self::EmergencyCpu => 6,
        }
    }
}
