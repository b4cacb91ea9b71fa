//! Why a verdict is what it is, and what would change it.

use crate::figures::Range;
use crate::machine::EngineRefusal;
use crate::models::KvCacheType;
use crate::untrusted::UntrustedText;

/// A reason of a verdict, with figures; `sentences` puts it into words.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// No adapter that holds models was found.
    NoUsableGpu {
        /// Names of the adapters found.
        found: Vec<UntrustedText>,
        /// Nominal GiB of the smallest card that is enough.
        need_gib: u32,
    },
    /// The card is too small for ACOLYTE.
    VramTooSmall {
        /// Its nominal size in GiB.
        have_gib: u32,
        /// Nominal GiB needed.
        need_gib: u32,
    },
    /// The card's memory could not be determined.
    VramUnknown {
        /// The card.
        gpu: UntrustedText,
    },
    /// The profile is made for a larger card.
    ProfileNeedsVram {
        /// Its nominal size in GiB.
        have_gib: u32,
        /// Nominal GiB the profile needs.
        need_gib: u32,
    },
    /// It does not fit the free VRAM.
    VramShort {
        /// Bytes needed.
        need_bytes: u64,
        /// Free bytes.
        free_bytes: u64,
        /// Whether it would fit with other programs closed.
        fits_when_closed: bool,
    },
    /// The profile is made for more main memory.
    ProfileNeedsRam {
        /// Nominal GiB installed.
        have_gib: u32,
        /// Nominal GiB the profile needs.
        need_gib: u32,
    },
    /// Not enough main memory.
    RamShort {
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes currently available to programs.
        have_bytes: u64,
        /// Whether it would fit with other programs closed.
        fits_when_closed: bool,
    },
    /// Some layers run on the processor.
    LayersOnCpu {
        /// Layers on the processor.
        cpu_layers: u32,
        /// All layers.
        total_layers: u32,
        /// Speed with this placement, in tokens per second.
        decode_tokens_per_s: Range,
        /// Speed with all layers on the card, in tokens per second.
        all_on_gpu_tokens_per_s: Range,
    },
    /// The whole model runs on the processor, as an emergency.
    CpuOnly,
    /// The card is smaller than recommended.
    SmallCard {
        /// Its nominal size in GiB.
        have_gib: u32,
        /// Nominal GiB recommended.
        comfortable_gib: u32,
    },
    /// The cache is kept at 4 bits.
    KvQ4,
    /// Slow answers.
    SlowDecode {
        /// Estimated tokens per second (middle of the range).
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
    /// The model does not support this much context.
    ContextNotSupported {
        /// Requested tokens.
        want_tokens: u32,
        /// Tokens the file supports.
        supported_tokens: u32,
    },
    /// Fewer tokens of context than ACOLYTE needs were requested.
    ContextBelowMinimum {
        /// Requested tokens.
        want_tokens: u32,
        /// [`crate::MIN_CONTEXT_TOKENS`].
        minimum_tokens: u32,
    },
    /// The engine cannot keep a quantised KV cache on this card (no flash attention).
    KvNeedsFlashAttention {
        /// The card.
        gpu: UntrustedText,
    },
    /// The engine does not use the card, or does not run on this system, until the cause is fixed.
    EngineRefuses {
        /// Why.
        refusal: EngineRefusal,
    },
    /// The model's file has no chat template. Does not affect the verdict.
    NoChatTemplate,
    /// Routed experts of some blocks stay in main memory, everything else is on the card. Does not affect the verdict.
    ExpertsInRam {
        /// Blocks whose experts are in main memory.
        blocks: u32,
        /// All blocks.
        total_blocks: u32,
    },
    /// The model does not fit one card, so it is planned with all cards of a kind. Does not affect the verdict.
    SeveralCards {
        /// Number of cards.
        count: u32,
        /// Sum of their memory in bytes.
        together_bytes: u64,
    },
    /// The attention pattern of this architecture is unknown, so the KV cache is computed at its maximum. Does not
    /// affect the verdict.
    ArchitectureUnknown {
        /// The engine's name of the architecture.
        family: UntrustedText,
    },
    /// The model loses nearly all of its quality with this KV cache type. Does not affect the verdict.
    KvQualityLost {
        /// The type.
        kv_cache_type: KvCacheType,
        /// Measured similarity of the output, 0 to 1.
        similarity: f64,
    },
    /// Reports say that the engine fails to recognise tool calls of the model. Does not affect the verdict.
    ToolCallsUnreliable {
        /// Successful calls.
        worked: u32,
        /// All calls.
        of: u32,
    },
    /// The model's licence forbids commercial use. Does not affect the verdict.
    NonCommercial {
        /// Name of the licence.
        licence: String,
    },
    /// Not enough free disk space. Does not affect the verdict: another folder can be chosen.
    DiskShort {
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes free.
        free_bytes: u64,
    },
    /// Everything fits on the GPU.
    Fits {
        /// Bytes that remain free.
        spare_bytes: u64,
    },
    /// Everything fits on the GPU, if as much of its memory is free as is assumed: the driver does not tell.
    FitsIfFree {
        /// Bytes that remain free then.
        spare_bytes: u64,
        /// Bytes assumed to be free.
        free_bytes: u64,
    },
    /// The card is for mining, and its arithmetic is cut. Does not affect the verdict.
    ArithmeticCut {
        /// The card.
        gpu: UntrustedText,
        /// Share of the speed of other cards with its chip, 0 to 1.
        share: f64,
    },
    /// Cards of this name are sold with several sizes of memory; the plan is for the smallest. Does not affect the verdict.
    SeveralSizes {
        /// The card.
        gpu: UntrustedText,
        /// The sizes in GiB, ascending.
        sizes_gib: Vec<u32>,
        /// The size that the plan is for.
        planned_gib: u32,
    },
}

/// What the user can do for a better verdict, with figures; `sentences` puts it into words.
#[derive(Clone, Debug, PartialEq)]
pub enum Improvement {
    /// Close programs that use graphics memory.
    CloseGpuPrograms {
        /// Bytes they use.
        frees_bytes: u64,
        /// Layers on the card afterwards.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
        /// Speed afterwards, in tokens per second.
        decode_tokens_per_s: Range,
    },
    /// Close programs that use main memory.
    CloseRamPrograms {
        /// Bytes that must become available.
        frees_bytes: u64,
    },
    /// A card of this size would improve the verdict.
    LargerCard {
        /// Nominal GiB.
        need_gib: u32,
    },
    /// This much main memory would improve the verdict.
    MoreRam {
        /// Nominal GiB.
        need_gib: u32,
    },
    /// Use another KV cache type.
    OtherKvCacheType {
        /// The type.
        kv_cache_type: KvCacheType,
    },
    /// Free disk space, or choose a folder on another disk.
    FreeDisk {
        /// Bytes that must become free.
        frees_bytes: u64,
    },
    /// Run on the processor, as an emergency, from the terminal.
    EmergencyCpu,
}

impl Reason {
    /// Sort key: the most important first.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::NoUsableGpu { .. }
            | Self::VramTooSmall { .. }
            | Self::VramUnknown { .. }
            | Self::EngineRefuses { .. } => 0,
            Self::ContextBelowMinimum { .. } | Self::ContextNotSupported { .. } => 1,
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
            Self::Fits { .. } | Self::FitsIfFree { .. } => 12,
            Self::SeveralSizes { .. } => 20,
            Self::ArithmeticCut { .. } => 21,
            Self::ExpertsInRam { .. } => 13,
            Self::SeveralCards { .. } => 14,
            Self::KvQualityLost { .. } => 15,
            Self::ToolCallsUnreliable { .. } => 16,
            Self::ArchitectureUnknown { .. } => 17,
            Self::NoChatTemplate => 18,
            Self::NonCommercial { .. } => 19,
            Self::DiskShort { .. } => 20,
        }
    }
}

impl Improvement {
    /// Sort key: the easiest first.
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
