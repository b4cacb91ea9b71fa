//! The figures that a receipt compares.

use serde::{Deserialize, Serialize};

use crate::figures::Range;
use crate::models::KvCacheType;
use crate::untrusted::UntrustedText;

/// What was predicted, copied from the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedFigures {
    /// Tokens of context.
    pub context_tokens: u32,
    /// Layers on the GPU.
    pub gpu_layers: u32,
    /// All layers.
    pub total_layers: u32,
    /// Blocks whose routed experts are in main memory.
    #[serde(default)]
    pub n_cpu_moe: u32,
    /// Prompt tokens processed at once; `None` in receipts of earlier versions.
    #[serde(default)]
    pub num_batch: Option<u32>,
    /// KV cache type.
    pub kv_cache_type: KvCacheType,
    /// VRAM, in bytes.
    pub vram_bytes: u64,
    /// Main memory, in bytes.
    pub ram_bytes: u64,
    /// Weights in main memory, in bytes; `None` in receipts of earlier versions.
    #[serde(default)]
    pub weights_ram_bytes: Option<u64>,
    /// Most main memory for the engine's cache of earlier prompts, in MiB; `None` in receipts of earlier versions.
    #[serde(default)]
    pub prompt_cache_mib: Option<u32>,
    /// Share of the model's bytes on the GPU, 0 to 1.
    pub gpu_share: f64,
    /// Tokens written a second, context nearly empty.
    pub decode_tokens_per_s: Range,
    /// Seconds to the first token of a full prompt.
    pub first_token_full_prompt_s: Range,
    /// Seconds to the first token of a prompt as long as the measured one.
    pub first_token_s: Range,
}

/// What was measured or read back; `None` where the engine does not report it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeasuredFigures {
    /// Tokens of context the engine keeps.
    pub context_tokens: Option<u32>,
    /// Layers on the GPU, as the engine reports them.
    pub gpu_layers: Option<u32>,
    /// Blocks whose routed experts are in main memory, from the weights that the engine says it put on the GPUs. `None`
    /// also for a model without experts.
    #[serde(default)]
    pub n_cpu_moe: Option<u32>,
    /// Prompt tokens processed at once, as the engine says.
    #[serde(default)]
    pub num_batch: Option<u32>,
    /// Threads on the processor, as the engine says.
    #[serde(default)]
    pub num_thread: Option<u32>,
    /// Tokens that are drafted at once, by the command line of the engine's runner; 0 for none.
    #[serde(default)]
    pub draft_num_predict: Option<u32>,
    /// Whether the model's file is mapped into memory, as the engine says.
    #[serde(default)]
    pub use_mmap: Option<bool>,
    /// Share of the model's bytes on the GPU, 0 to 1.
    pub gpu_share: Option<f64>,
    /// KV cache type, read from the engine's log or command line.
    pub kv_cache_type: Option<UntrustedText>,
    /// Buffers on the GPU, in bytes.
    pub vram_bytes: Option<u64>,
    /// Buffers of weights on the GPU, in bytes.
    #[serde(default)]
    pub weights_gpu_bytes: Option<u64>,
    /// Buffers of weights in main memory, in bytes. Where the file is mapped, this is the stretch of it from the first to
    /// the last of these weights.
    #[serde(default)]
    pub weights_ram_bytes: Option<u64>,
    /// Limit of the engine's cache of earlier prompts, in MiB, as it says; 0 for no such cache.
    #[serde(default)]
    pub prompt_cache_mib: Option<u32>,
    /// Most checkpoints of a prompt that the engine keeps, as it says; 0 if it makes none.
    #[serde(default)]
    pub context_checkpoints: Option<u32>,
    /// Memory of the engine's processes, in bytes.
    pub ram_bytes: Option<u64>,
    /// Tokens written a second.
    pub decode_tokens_per_s: Option<f64>,
    /// Prompt tokens read a second.
    pub prefill_tokens_per_s: Option<f64>,
    /// Seconds to the first token of the measured prompt.
    pub first_token_s: Option<f64>,
    /// Length of the measured prompt, in tokens.
    pub first_token_prompt_tokens: Option<u64>,
}
