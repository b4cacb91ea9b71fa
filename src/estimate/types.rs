//! Inputs and results of an estimate.

use serde::{Deserialize, Serialize};

use crate::figures::{Certainty, Known, Range};
use crate::machine::gpu_table::GpuRow;
use crate::machine::{ComputeCapability, GpuBackend, GpuKind};
use crate::models::KvCacheType;

/// The figures of one GPU that an estimate needs.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuFigures {
    /// Name reported by its driver.
    pub name: String,
    /// Discrete or unified.
    pub kind: GpuKind,
    /// The backend Ollama will use.
    pub backend: GpuBackend,
    /// Total memory in bytes.
    pub vram_total_bytes: u64,
    /// How it is known.
    pub vram_total_certainty: Certainty,
    /// Share of the chip's arithmetic that it has, 0 to 1: less than 1 for a slice of a card.
    pub compute_share: f64,
    /// VRAM not used by other programs, in bytes.
    pub vram_free_bytes: Known<u64>,
    /// Memory bandwidth in decimal GB/s.
    pub bandwidth_gb_s: Known<f64>,
    /// Its row in the table of cards, if its name is listed.
    pub row: Option<&'static GpuRow>,
    /// CUDA compute capability, if CUDA is the backend and it is known.
    pub compute_capability: Option<ComputeCapability>,
    /// Nominal bandwidth of its bus to main memory in one direction, in decimal GB/s (PCIe 4.0 x16: 31.5).
    pub bus_gb_s: Known<f64>,
}

impl GpuFigures {
    /// Whether the engine enables flash attention on it, as far as known. A quantised KV cache requires it.
    pub fn has_flash_attention(&self) -> bool {
        self.compute_capability.is_none_or(ComputeCapability::has_flash_attention)
    }
}

/// The figures of the processor and its memory that an estimate needs.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuFigures {
    /// Name, which shows the vendor.
    pub name: String,
    /// Main memory, in bytes.
    pub ram_total_bytes: u64,
    /// Main memory currently available to programs, in bytes.
    pub ram_available_bytes: Known<u64>,
    /// Read bandwidth of main memory with all cores, in decimal GB/s.
    pub bandwidth_gb_s: Known<f64>,
    /// Cores without hyper-threads.
    pub physical_cores: Known<u32>,
    /// AVX-512 with integer dot products, AVX2, NEON, …, as in the hardware document.
    pub features: Vec<String>,
    /// Decimal GB of 4-bit weights that all cores together multiply per second, if measured.
    pub dot_product_gb_s: Option<f64>,
}

/// A machine's figures for an estimate. Without a GPU everything runs on the processor.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineFigures {
    /// The GPUs that will be used, in the engine's order.
    pub gpus: Vec<GpuFigures>,
    /// Processor and main memory.
    pub cpu: CpuFigures,
}

impl MachineFigures {
    /// Sum of a figure over the GPUs; 0 without one.
    pub fn sum_over_gpus(&self, bytes: impl Fn(&GpuFigures) -> u64) -> u64 {
        self.gpus.iter().map(bytes).fold(0, u64::saturating_add)
    }

    /// Free VRAM of all GPUs, in bytes; 0 without one.
    pub fn vram_free_bytes(&self) -> u64 {
        self.sum_over_gpus(|gpu| gpu.vram_free_bytes.value)
    }

    /// Total VRAM of all GPUs, in bytes; 0 without one.
    pub fn vram_total_bytes(&self) -> u64 {
        self.sum_over_gpus(|gpu| gpu.vram_total_bytes)
    }
}

/// How the engine runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSetting {
    /// Tokens of context (`num_ctx`).
    pub context_tokens: u32,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Batch size of prompt processing in tokens (`num_batch`).
    pub num_batch: u32,
    /// Whether flash attention is on.
    pub flash_attention: bool,
    /// Layers on the GPU as the engine counts them: 0 to blocks + 1, the output layer first (`num_gpu`).
    pub gpu_layers: u32,
    /// Number of blocks, from the first, whose routed experts stay in main memory (`--n-cpu-moe`): 0 to the number of
    /// blocks. Attention, KV cache, router, shared experts and dense parts are placed by `gpu_layers`.
    pub n_cpu_moe: u32,
}

/// Builds of the engine, which differ in the placement of the output layer and in the buffers for a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineBuild {
    /// llama-server as run by Ollama since 0.30 (b10488): logits of one token per sequence only.
    #[default]
    Current,
    /// llama-server and llama.cpp builds that reserve the logits of all tokens of a batch.
    AllLogits,
    /// Ollama's own runner, before 0.30: logits of all tokens, a 32-bit mask, and prompts computed on the GPU even
    /// without a layer there.
    OwnRunner,
    /// Ollama's own runner before December 2025, which put the output layer on the GPU last.
    OutputLast,
}

/// Memory need by purpose, in bytes. The parts of VRAM and of main memory sum to their `_required_bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryNeed {
    /// Weights on the GPU.
    pub weights_gpu_bytes: u64,
    /// KV cache (and recurrent state) on the GPU.
    pub kv_gpu_bytes: u64,
    /// Compute buffers on the GPU.
    pub compute_gpu_bytes: u64,
    /// What drafting tokens takes on the GPU: prediction heads or a draft model, their cache and buffers, and copies of the
    /// model's recurrent state.
    #[serde(default)]
    pub draft_gpu_bytes: u64,
    /// Memory that the driver takes for a computing process: the most that was observed.
    pub overhead_gpu_bytes: u64,
    /// Sum of the five above: the upper end of the range, which has to fit.
    pub vram_required_bytes: u64,
    /// The lower end: with the least that a driver was observed to take.
    #[serde(default)]
    pub vram_low_bytes: u64,
    /// Weights in main memory (the token embedding always is).
    pub weights_ram_bytes: u64,
    /// KV cache in main memory.
    pub kv_ram_bytes: u64,
    /// Compute buffers in main memory.
    pub compute_ram_bytes: u64,
    /// What drafting tokens takes in main memory.
    #[serde(default)]
    pub draft_ram_bytes: u64,
    /// Checkpoints of windows and recurrent states while a prompt that fills the context is processed.
    #[serde(default)]
    pub checkpoints_ram_bytes: u64,
    /// Main memory of the engine's processes themselves.
    pub overhead_ram_bytes: u64,
    /// Main memory for the engine's cache of earlier prompts. The plan decides on it: an estimate alone has 0.
    #[serde(default)]
    pub prompt_cache_ram_bytes: u64,
    /// Sum of the seven above.
    pub ram_required_bytes: u64,
}

/// Estimated speed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Generated tokens per second with a nearly empty context.
    pub decode_tokens_per_s: Range,
    /// Generated tokens per second with a full context.
    pub decode_at_full_context_tokens_per_s: Range,
    /// Seconds from a prompt that fills the context to the first token of the response.
    pub first_token_full_prompt_s: Range,
    /// Seconds to the first token for a prompt of 4,096 tokens.
    pub first_token_4k_prompt_s: Range,
}

/// Estimate for a model with a setting on a machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Memory need.
    pub memory: MemoryNeed,
    /// Estimated speed.
    pub speed: Speed,
}
