//! Time to process a prompt: arithmetic on the GPU, plus the transfer of weights and KV cache that are in main memory.
//! The processor computes prompts only when no layer is on a GPU.

use super::layout::{Layout, active_parameters, cache_bytes, is_recurrent};
use crate::models::{Block, Cache, KvCacheType, ModelArchitecture};

/// Transfer rate of weights and KV cache from main memory to a card, in bytes per second. Measured: 6.6 to 7.6 GB/s on
/// PCIe 5.0 x16. The limit is that main memory is not pinned, not the bus.
const UPLOAD_BYTES_PER_S: f64 = 7e9;
/// Smallest batch, in tokens, that the engine sends to the GPU for blocks on the processor.
const OFFLOADED_FROM_TOKENS: u32 = 32;

/// Seconds to process `tokens` of prompt: on the GPU, and on the processor or in transfers from its memory.
pub(super) fn prefill(layout: &Layout<'_>, tokens: u32) -> (f64, f64) {
    let architecture = layout.architecture;
    let (on_gpu, on_cpu) = (layout.placement.gpu(architecture), layout.placement.cpu(architecture));
    let products = |blocks: &[Block]| 2.0 * active_parameters(blocks, architecture) * f64::from(tokens);
    let share = shape_share(architecture);
    let attention_on_cpu_s = || {
        let quantised = layout.setting.kv_cache_type != KvCacheType::F16;
        let cpu = &layout.cpu;
        attention_operations(on_cpu, architecture, tokens)
            / if quantised { cpu.quantised_attention_flops } else { cpu.attention_flops }
    };
    let products_on_cpu_s = || products(on_cpu) / (layout.cpu.prefill_flops * cpu_share(architecture));
    let gpu = layout.gpu.filter(|_| layout.placement.output_on_gpu);
    let Some(gpu) = gpu else {
        return (0.0, products_on_cpu_s() + attention_on_cpu_s());
    };

    let flops = gpu.prefill_flops * share;
    let attention_s =
        |blocks: &[Block]| attention_operations(blocks, architecture, tokens) / gpu.attention_flops;
    let mut gpu_s = products(on_gpu) / flops + attention_s(on_gpu);
    let batch = layout.setting.num_batch.max(1);
    let batches = f64::from(tokens.div_ceil(batch));
    // Every batch launches the kernels of every block.
    gpu_s += batches * on_gpu.len() as f64 * gpu.launch_s;
    if on_cpu.is_empty() {
        return (gpu_s, 0.0);
    }
    // Blocks in main memory: large batches are computed on the GPU, which receives the weights and the filled part of
    // the KV cache for every batch. The engine does so even where computing on the processor would be faster.
    if batch.min(tokens) >= OFFLOADED_FROM_TOKENS {
        let in_batch = architecture.experts.map_or(1.0, |experts| experts.share_of_batch(batch.min(tokens)));
        let weights: f64 = on_cpu
            .iter()
            .map(|b| b.bytes.saturating_sub(b.expert_bytes) as f64 + b.expert_bytes as f64 * in_batch)
            .sum();
        // The cache is half full on average. Measured: the transfer takes as long as that of a 16-bit cache, whatever
        // its type.
        let cache = cache_bytes(on_cpu, tokens / 2, KvCacheType::F16);
        gpu_s += products(on_cpu) / flops + attention_s(on_cpu);
        (gpu_s, batches * (weights + cache) / UPLOAD_BYTES_PER_S)
    } else {
        (gpu_s, products_on_cpu_s() + attention_on_cpu_s())
    }
}

/// Share of its arithmetic rate that a GPU reaches on matrices of this shape: narrow matrices leave units idle, experts
/// are many small products, and gated delta nets are partly serial. 1 for a dense model of width 4096.
fn shape_share(architecture: &ModelArchitecture) -> f64 {
    const HALF_WIDTH: f64 = 1200.0;
    const USUAL_WIDTH: f64 = 4096.0;
    const EXPERTS: f64 = 0.42;
    const DELTA_NETS: f64 = 0.70;

    let loss = |width: f64| 1.0 + (HALF_WIDTH / width.max(1.0)).powi(2);
    loss(USUAL_WIDTH) / loss(f64::from(architecture.embedding))
        * if architecture.experts.is_some() { EXPERTS } else { 1.0 }
        * if is_recurrent(architecture) { DELTA_NETS } else { 1.0 }
}

/// The same for a processor, on which the width has little effect.
fn cpu_share(architecture: &ModelArchitecture) -> f64 {
    (if architecture.experts.is_some() { 0.5 } else { 1.0 })
        * if is_recurrent(architecture) { 0.6 } else { 1.0 }
}

/// Floating-point operations of attention over a prompt: every token attends to all tokens before it, or to its window.
fn attention_operations(blocks: &[Block], architecture: &ModelArchitecture, tokens: u32) -> f64 {
    let tokens = f64::from(tokens);
    blocks
        .iter()
        .map(|block| match block.cache {
            Cache::Attention { window, .. } => {
                let attended = window.map_or(tokens / 2.0, |w| (tokens / 2.0).min(f64::from(w)));
                4.0 * f64::from(architecture.query_values) * attended * tokens
            }
            Cache::Recurrent { .. } | Cache::Shared => 0.0,
        })
        .sum()
}
