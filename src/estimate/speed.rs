//! Decode speed and time to first token.
//!
//! Decoding a token reads every active weight and the KV cache once, on the device that holds them, and launches the
//! kernels of every block; processing a prompt is arithmetic. The rates of the devices come from [`super::efficiency`].

use super::layout::{
    Layout, Seconds, active_expert_bytes, active_expert_parameters, active_parameters, cache_bytes,
    is_recurrent,
};
use super::prefill::prefill;
use crate::estimate::{EngineSetting, MachineFigures, Speed};
use crate::figures::Range;
use crate::models::{Block, Cache, KvCacheType, Model, ModelArchitecture};

/// Speed of a model with a setting on a machine.
pub(super) fn speed(model: &Model, setting: &EngineSetting, machine: &MachineFigures) -> Speed {
    let layout = Layout::new(model, setting, machine);
    let answered = |depth_tokens| {
        let sampling = Seconds { cpu: sampling_s(&layout, machine), ..Seconds::default() };
        let token = token_s(&layout, depth_tokens) + sampling;
        range(1.0 / token.total(), layout.spread(token))
    };
    Speed {
        decode_tokens_per_s: answered(0),
        decode_at_full_context_tokens_per_s: answered(setting.context_tokens),
        first_token_full_prompt_s: first_token_of(&layout, setting.context_tokens),
        first_token_4k_prompt_s: first_token_of(&layout, 4096.min(setting.context_tokens)),
    }
}

/// Seconds to sample a token and send it, on one core while the others wait. Measured on two cores: 20 ns per
/// vocabulary entry (Gemma 3 270M: 62 tokens/s in `llama-bench`, 46 and 51 in Ollama). 0 with layers on a GPU, where
/// the effect is small.
fn sampling_s(layout: &Layout<'_>, machine: &MachineFigures) -> f64 {
    const CORE_S_PER_TOKEN: f64 = 40e-9;

    if layout.placement.output_on_gpu {
        return 0.0;
    }
    let cores = f64::from(machine.cpu.physical_cores.value.clamp(1, 256));
    layout.architecture.vocabulary() as f64 * CORE_S_PER_TOKEN / cores
}

/// Tokens per second with `depth_tokens` in the context, without sampling, as measured by `llama-bench`.
pub fn decode(model: &Model, setting: &EngineSetting, machine: &MachineFigures, depth_tokens: u32) -> Range {
    let layout = Layout::new(model, setting, machine);
    let token = token_s(&layout, depth_tokens);
    range(1.0 / token.total(), layout.spread(token))
}

/// Seconds from a prompt of `prompt_tokens` to the first token of the response.
pub fn first_token_s(
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    prompt_tokens: u32,
) -> Range {
    first_token_of(&Layout::new(model, setting, machine), prompt_tokens)
}

fn first_token_of(layout: &Layout<'_>, prompt_tokens: u32) -> Range {
    let seconds = prefill(layout, prompt_tokens) + token_s(layout, prompt_tokens);
    // Prompt speed depends on more than bandwidth; measurements of the same card scatter more.
    range(seconds.total(), layout.spread(seconds) * 1.1)
}

/// Seconds per token. Experts in main memory are computed by the processor, between their block's attention and the
/// next block on the GPU.
fn token_s(layout: &Layout<'_>, depth_tokens: u32) -> Seconds {
    /// Seconds to transfer a block's activations to the processor and the result back, synchronisation included.
    const CROSSING_S: f64 = 30e-6;

    let architecture = layout.architecture;
    let kv = layout.setting.kv_cache_type;
    let (on_gpu, on_cpu) = (layout.placement.gpu(architecture), layout.placement.cpu(architecture));
    let split = layout.placement.split(architecture);
    let mut gpu_s = 0.0;
    let mut bus_s = 0.0;
    if let Some(gpu) = layout.gpu.filter(|_| layout.placement.output_on_gpu) {
        let weights = active_bytes(on_gpu, architecture) - active_expert_bytes(split, architecture)
            + architecture.output_bytes as f64;
        let parameters = active_parameters(on_gpu, architecture)
            - active_expert_parameters(split, architecture)
            + architecture.output_parameters as f64;
        bus_s = split.iter().filter(|block| block.expert_bytes > 0).count() as f64 * CROSSING_S;
        let memory_s = weights / gpu.bytes_per_s;
        let arithmetic_s = parameters * gpu.decode_s_per_weight;
        // Reading and multiplying overlap, but not perfectly.
        let quantised = kv != KvCacheType::F16;
        let mut cache_s = cache_bytes(on_gpu, depth_tokens, kv) / gpu.cache_bytes_per_s;
        let mut launch_s = gpu.launch_s * launch_factor(architecture, gpu.mixture_launches);
        if quantised {
            let products = attention_products(on_gpu, architecture, depth_tokens);
            cache_s = cache_s.max(products * gpu.quantised_s_per_product);
            launch_s *= gpu.quantised_launches;
        }
        gpu_s = memory_s.hypot(arithmetic_s) + cache_s + on_gpu.len() as f64 * launch_s;
    }
    let experts = active_expert_bytes(on_cpu, architecture);
    let mut cpu_bytes = (active_bytes(on_cpu, architecture) - experts) * serial_factor(architecture);
    let experts = experts + active_expert_bytes(split, architecture);
    if !layout.placement.output_on_gpu {
        cpu_bytes += architecture.output_bytes as f64;
    }
    // Attention reads the cache once per query head of a group, so with few key heads arithmetic is the limit, not
    // memory. Dequantising the cache each time about doubles it.
    let products = attention_products(on_cpu, architecture, depth_tokens)
        * if kv == KvCacheType::F16 { 1.0 } else { 2.2 };
    let cache_s = (cache_bytes(on_cpu, depth_tokens, kv) / (layout.cpu.bytes_per_s * 0.6))
        .max(products / layout.cpu.attention_products_per_s);
    let cpu_s = cpu_bytes / layout.cpu.bytes_per_s
        + experts / layout.cpu.expert_bytes_per_s
        + cache_s
        + on_cpu.len() as f64 * 20e-6;
    Seconds { gpu: gpu_s, cpu: cpu_s.max(1e-9), bus: bus_s }
}

fn active_bytes(blocks: &[Block], architecture: &ModelArchitecture) -> f64 {
    blocks.iter().map(|block| block.active_bytes(architecture.experts)).sum()
}

/// Multiply-adds of one token's attention: queries with keys, and scores with values.
fn attention_products(blocks: &[Block], architecture: &ModelArchitecture, depth_tokens: u32) -> f64 {
    blocks
        .iter()
        .map(|block| match block.cache {
            Cache::Attention { window, .. } => {
                let attended = window.map_or(depth_tokens, |w| depth_tokens.min(w));
                2.0 * f64::from(architecture.query_values) * f64::from(attended)
            }
            Cache::Recurrent { .. } | Cache::Shared => 0.0,
        })
        .sum()
}

/// Kernels launched per block of this architecture, relative to a dense one.
fn launch_factor(architecture: &ModelArchitecture, of_mixtures: f64) -> f64 {
    let recurrent = is_recurrent(architecture);
    let mixture = architecture.experts.is_some();
    let gemma = architecture.family.starts_with("gemma");
    match (recurrent, gemma, mixture) {
        // Both: measured at 0.8 more on an RTX 3090 and a GB10.
        (true, _, true) => 2.3 + 0.67 * (of_mixtures - 1.0),
        (true, ..) => 2.3,
        (_, true, _) => 1.9,
        (.., true) => of_mixtures,
        _ => 1.0,
    }
}

/// Factor on the bytes of dense weights read by a processor: gated delta nets are partly serial.
fn serial_factor(architecture: &ModelArchitecture) -> f64 {
    if is_recurrent(architecture) { 1.1 } else { 1.0 }
}

fn range(mid: f64, spread: f64) -> Range {
    Range { low: mid / spread, mid, high: mid * spread }
}
