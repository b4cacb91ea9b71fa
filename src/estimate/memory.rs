//! Where the bytes go: weights by tensor, the cache by block, compute buffers by the engine's own forms.
//!
//! The forms of the compute buffers were found on llama-server b10488 (what Ollama 0.32 runs) by letting it reserve
//! its buffers for models of these exact shapes; docs/estimates.md compares them with published logs.

use super::{Machine, MemoryNeed, Setting};
use crate::MIB;
use crate::hardware::{Backend, GpuKind};
use crate::models::{Architecture, Block, Cache, Model};

/// How many blocks are on the GPU, and whether the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// Blocks on the processor: the first ones.
    pub cpu_blocks: usize,
    /// Whether the output matrix is on the GPU: it goes there first.
    pub output_on_gpu: bool,
}

impl Placement {
    /// The engine's rule since December 2025: the output layer first, then the last `gpu_layers - 1` blocks.
    pub fn new(architecture: &Architecture, gpu_layers: u32, gpus: usize) -> Self {
        let gpu_layers = if gpus == 0 { 0 } else { gpu_layers };
        let blocks = architecture.blocks.len();
        let gpu_blocks = usize::try_from(gpu_layers.saturating_sub(1)).unwrap_or(usize::MAX).min(blocks);
        Self { cpu_blocks: blocks - gpu_blocks, output_on_gpu: gpu_layers > 0 }
    }

    pub fn cpu<'a>(&self, architecture: &'a Architecture) -> &'a [Block] {
        architecture.blocks.get(..self.cpu_blocks).unwrap_or(&[])
    }

    pub fn gpu<'a>(&self, architecture: &'a Architecture) -> &'a [Block] {
        architecture.blocks.get(self.cpu_blocks..).unwrap_or(&[])
    }
}

/// What a model needs in a setting on a machine. With several GPUs the VRAM is that of all of them together.
pub fn memory_need(model: &Model, setting: &Setting, machine: &Machine) -> MemoryNeed {
    let architecture = &model.architecture;
    let placement = Placement::new(architecture, setting.gpu_layers, machine.gpus.len());
    let gpus = u64::try_from(machine.gpus.len()).unwrap_or(u64::MAX);
    let (on_gpu, on_cpu) = (placement.gpu(architecture), placement.cpu(architecture));
    let weights = |blocks: &[Block]| sum(blocks.iter().map(|block| block.bytes));
    let cache = |blocks: &[Block]| {
        sum(blocks
            .iter()
            .map(|b| b.cache.bytes(setting.context_tokens, setting.num_batch, setting.kv_cache_type)))
    };

    let mut need = MemoryNeed {
        weights_gpu_bytes: weights(on_gpu),
        kv_gpu_bytes: cache(on_gpu),
        weights_ram_bytes: sum([
            weights(on_cpu),
            architecture.token_embedding_bytes,
            architecture.input_bytes,
        ]),
        kv_ram_bytes: cache(on_cpu),
        ..MemoryNeed::default()
    };
    if placement.output_on_gpu {
        need.weights_gpu_bytes = need.weights_gpu_bytes.saturating_add(architecture.output_bytes);
        let partial = !on_cpu.is_empty();
        let streamed = if partial { streamed_weights_bytes(architecture, placement) } else { 0 };
        need.compute_gpu_bytes =
            compute_buffer_bytes(architecture, setting).saturating_mul(gpus).saturating_add(streamed);
        need.overhead_gpu_bytes = sum(machine.gpus.iter().map(|gpu| driver_bytes(gpu.backend, gpu.kind)));
        need.compute_ram_bytes = host_buffer_bytes(architecture, setting);
        if partial {
            let computed = compute_buffer_bytes(architecture, setting);
            need.compute_ram_bytes = need.compute_ram_bytes.saturating_add(computed);
        }
        need.overhead_ram_bytes = 600 * MIB;
    } else {
        if !architecture.tied_embeddings {
            need.weights_ram_bytes = need.weights_ram_bytes.saturating_add(architecture.output_bytes);
        }
        need.compute_ram_bytes = compute_buffer_bytes(architecture, setting);
        need.overhead_ram_bytes = 300 * MIB;
    }
    need.vram_required_bytes =
        sum([need.weights_gpu_bytes, need.kv_gpu_bytes, need.compute_gpu_bytes, need.overhead_gpu_bytes]);
    need.ram_required_bytes =
        sum([need.weights_ram_bytes, need.kv_ram_bytes, need.compute_ram_bytes, need.overhead_ram_bytes]);
    need
}

/// The most layers, as the engine counts them, that need no more than `vram_budget_bytes` on the GPUs together.
/// `setting.gpu_layers` is ignored.
pub fn fit_gpu_layers(model: &Model, setting: &Setting, machine: &Machine, vram_budget_bytes: u64) -> u32 {
    if machine.gpus.is_empty() {
        return 0;
    }
    let fits = |layers: u32| {
        let setting = Setting { gpu_layers: layers, ..*setting };
        memory_need(model, &setting, machine).vram_required_bytes <= vram_budget_bytes
    };
    let total = model.total_layers();
    // All of it needs no room for streamed weights, so it can fit where one layer fewer does not.
    if fits(total) {
        return total;
    }
    let (mut low, mut high) = (0, total);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

/// What one batch needs on the side that computes it.
fn compute_buffer_bytes(architecture: &Architecture, setting: &Setting) -> u64 {
    let batch = u64::from(setting.num_batch.max(1));
    let context = u64::from(setting.context_tokens);
    let width = u64::from(architecture.embedding).saturating_add(u64::from(architecture.feed_forward));
    let with_flash = context.saturating_mul(2).saturating_add(width.saturating_mul(12));
    let per_token = if setting.flash_attention {
        with_flash
    } else {
        let heads = u64::from(architecture.heads).saturating_add(1);
        let kv = architecture.blocks.iter().map(|b| kv_values(b.cache)).max().unwrap_or(0);
        let scores = context.saturating_mul(heads);
        let rows = u64::from(architecture.embedding).saturating_mul(4).saturating_add(kv);
        with_flash.max(scores.saturating_add(rows).saturating_mul(4))
    };
    batch.saturating_mul(per_token)
}

/// Pinned main memory through which batches reach the GPU.
fn host_buffer_bytes(architecture: &Architecture, setting: &Setting) -> u64 {
    let batch = u64::from(setting.num_batch.max(1));
    let context = u64::from(setting.context_tokens);
    let rows = u64::from(architecture.embedding).saturating_mul(8);
    batch.saturating_mul(context.saturating_mul(2).saturating_add(rows))
}

/// With blocks on the processor, large batches still compute on the GPU: their weights pass through a buffer there.
fn streamed_weights_bytes(architecture: &Architecture, placement: Placement) -> u64 {
    placement.cpu(architecture).iter().map(|block| block.bytes).max().unwrap_or(0)
}

fn kv_values(cache: Cache) -> u64 {
    match cache {
        Cache::Attention { k_values, v_values, .. } => {
            u64::from(k_values).saturating_add(u64::from(v_values))
        }
        Cache::Recurrent { .. } | Cache::Shared => 0,
    }
}

/// What the driver takes for a process that computes. CUDA: 450 MiB on an RTX 3060 to 750 MiB on an RTX 5060 Ti were
/// seen; for the others Ollama's own reserve.
fn driver_bytes(backend: Backend, kind: GpuKind) -> u64 {
    match (backend, kind) {
        (Backend::Cuda, _) => 500 * MIB,
        (Backend::Metal, _) => 512 * MIB,
        (Backend::Rocm | Backend::Vulkan, _) => 457 * MIB,
    }
}

fn sum(parts: impl IntoIterator<Item = u64>) -> u64 {
    parts.into_iter().fold(0, u64::saturating_add)
}
