//! Time to process a prompt: arithmetic on the GPU, plus the transfer of weights and KV cache that are in main memory.
//! The processor computes prompts only when no layer is on a GPU.

use super::constants::EfficiencyConstants;
use super::layout::{
    Layout, Seconds, active_expert_parameters, active_parameters, cache_bytes, is_recurrent,
};
use crate::models::{Block, Cache, KvCacheType, ModelArchitecture};

/// Smallest batch, in tokens, that the engine sends to the GPU for blocks on the processor.
const OFFLOADED_FROM_TOKENS: u32 = 32;

/// Seconds to process `tokens` of prompt.
pub(super) fn prefill(layout: &Layout<'_>, tokens: u32) -> Seconds {
    let architecture = layout.architecture;
    let (on_gpu, on_cpu) = (layout.placement.gpu(architecture), layout.placement.cpu(architecture));
    let split = layout.placement.split(architecture);
    let products = |blocks: &[Block]| 2.0 * active_parameters(blocks, architecture) * f64::from(tokens);
    let figures = layout.constants;
    let share = gpu_shape_share(architecture, figures);
    let attention_on_cpu_s = || {
        let quantised = layout.setting.kv_cache_type != KvCacheType::F16;
        let cpu = &layout.cpu;
        attention_operations(on_cpu, architecture, tokens)
            / if quantised { cpu.quantised_attention_flops } else { cpu.attention_flops }
    };
    let expert_products = 2.0 * active_expert_parameters(split, architecture) * f64::from(tokens);
    let products_on_cpu_s = || {
        let repacked = if layout.repacked { layout.cpu.repacked_prefill } else { 1.0 };
        (products(on_cpu) + expert_products)
            / (layout.cpu.prefill_flops * repacked * processor_shape_share(architecture, figures))
    };
    let Some((gpu, bus)) = layout.gpu.zip(layout.bus).filter(|_| layout.placement.output_on_gpu) else {
        return Seconds { cpu: products_on_cpu_s() + attention_on_cpu_s(), ..Seconds::default() };
    };

    let flops = gpu.prefill_flops * share;
    let attention_s =
        |blocks: &[Block]| attention_operations(blocks, architecture, tokens) / gpu.attention_flops;
    let mut gpu_s = (products(on_gpu) - expert_products) / flops + attention_s(on_gpu);
    let batch = layout.setting.num_batch.max(1);
    let batches = f64::from(tokens.div_ceil(batch));
    // Every batch launches the kernels of every block.
    gpu_s += batches * on_gpu.len() as f64 * gpu.launch_s;
    if !layout.placement.is_partial(architecture) {
        return Seconds { gpu: gpu_s, ..Seconds::default() };
    }
    // Weights in main memory: large batches are computed on the GPU. For every batch it receives the weights (of a
    // mixture only the experts that the batch uses) and the filled part of the KV cache, even if the processor would be
    // faster.
    if batch.min(tokens) >= OFFLOADED_FROM_TOKENS {
        let in_batch = architecture.experts.map_or(1.0, |experts| experts.share_of_batch(batch.min(tokens)));
        let weights: f64 = on_cpu
            .iter()
            .map(|b| b.bytes.saturating_sub(b.expert_bytes) as f64 + b.expert_bytes as f64 * in_batch)
            .chain(split.iter().map(|b| b.expert_bytes as f64 * in_batch))
            .sum();
        // The cache is half full on average. Measured: the transfer takes as long as for a 16-bit cache, for every
        // type.
        let cache = cache_bytes(on_cpu, tokens / 2, KvCacheType::F16);
        gpu_s += (products(on_cpu) + expert_products) / flops + attention_s(on_cpu);
        let bus_s = batches * (weights + cache) / bus.bytes_per_s;
        Seconds { gpu: gpu_s, bus: bus_s, ..Seconds::default() }
    } else {
        Seconds { gpu: gpu_s, cpu: products_on_cpu_s() + attention_on_cpu_s(), bus: 0.0 }
    }
}

/// Share of its arithmetic rate that a GPU reaches on matrices of this shape: narrow matrices leave units idle, experts
/// are many small products, and gated delta nets are partly serial. 1 for a dense model of width 4096.
fn gpu_shape_share(architecture: &ModelArchitecture, constants: &EfficiencyConstants) -> f64 {
    const USUAL_WIDTH: f64 = 4096.0;

    let common = &constants.common;
    let loss = |width: f64| 1.0 + (common.half_width / width.max(1.0)).powi(2);
    loss(USUAL_WIDTH) / loss(f64::from(architecture.embedding))
        * if architecture.experts.is_some() { common.experts_prefill } else { 1.0 }
        * if is_recurrent(architecture) { common.recurrent_prefill } else { 1.0 }
}

/// Share of its arithmetic rate that a processor reaches; the width has little effect.
fn processor_shape_share(architecture: &ModelArchitecture, constants: &EfficiencyConstants) -> f64 {
    let figures = &constants.processor;
    (if architecture.experts.is_some() { figures.experts_prompt } else { 1.0 })
        * if is_recurrent(architecture) { figures.recurrent_prompt } else { 1.0 }
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
