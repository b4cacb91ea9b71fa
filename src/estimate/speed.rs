//! How fast it will be: bytes read for every token over the bandwidth of the side they lie on, plus a fixed cost.

use super::memory::Placement;
use super::{Certainty, Machine, Range, Setting, Speed};
use crate::models::{Architecture, Block, Model};

/// Decimal bytes in a GB, the unit of bandwidths.
const GB: f64 = 1e9;

/// Speed of a model in a setting on a machine.
pub fn speed(model: &Model, setting: &Setting, machine: &Machine) -> Speed {
    Speed {
        decode_tokens_per_s: decode(model, setting, machine, 0),
        decode_at_full_context_tokens_per_s: decode(model, setting, machine, setting.context_tokens),
        first_token_full_prompt_s: first_token_s(model, setting, machine, setting.context_tokens),
        first_token_4k_prompt_s: first_token_s(model, setting, machine, 4096.min(setting.context_tokens)),
    }
}

/// Tokens a second when `depth_tokens` are in the context.
pub fn decode(model: &Model, setting: &Setting, machine: &Machine, depth_tokens: u32) -> Range {
    let architecture = &model.architecture;
    let placement = Placement::new(architecture, setting.gpu_layers, machine.gpus.len());
    let read = |blocks: &[Block]| {
        blocks
            .iter()
            .map(|b| {
                b.active_bytes(architecture.experts) + b.cache.bytes_read(depth_tokens, setting.kv_cache_type)
            })
            .sum::<f64>()
    };
    let output = architecture.output_bytes as f64;
    let on_gpu = read(placement.gpu(architecture)) + if placement.output_on_gpu { output } else { 0.0 };
    let on_cpu = read(placement.cpu(architecture)) + if placement.output_on_gpu { 0.0 } else { output };
    let (gpu_rate, certainty) = gpu_rate(machine);
    let cpu_rate = positive(machine.cpu.bandwidth_gb_s.value) * GB * 0.6;
    let seconds = on_gpu / gpu_rate + on_cpu / cpu_rate + 0.0005;
    let partial = placement.output_on_gpu && placement.cpu_blocks > 0;
    range(1.0 / seconds, if partial || !placement.output_on_gpu { 0.3 } else { 0.18 }, certainty)
}

/// Seconds from a prompt of `prompt_tokens` to the first token of the answer.
pub fn first_token_s(model: &Model, setting: &Setting, machine: &Machine, prompt_tokens: u32) -> Range {
    let architecture = &model.architecture;
    let placement = Placement::new(architecture, setting.gpu_layers, machine.gpus.len());
    let work = work(placement.gpu(architecture), architecture, prompt_tokens);
    let cpu_work = self::work(placement.cpu(architecture), architecture, prompt_tokens);
    let (gpu_rate, certainty) = gpu_rate(machine);
    let gpu_flops = gpu_rate * 80.0;
    let cpu_flops = f64::from(machine.cpu.physical_cores.value.max(1)) * 40e9;
    let seconds = work / gpu_flops + cpu_work / cpu_flops;
    range(seconds.max(1e-3), 0.3, certainty)
}

fn work(blocks: &[Block], architecture: &Architecture, tokens: u32) -> f64 {
    blocks.iter().map(|b| 2.0 * b.active_parameters(architecture.experts)).sum::<f64>() * f64::from(tokens)
}

fn gpu_rate(machine: &Machine) -> (f64, Certainty) {
    machine.gpus.first().map_or((1.0, Certainty::Guess), |gpu| {
        (positive(gpu.bandwidth_gb_s.value) * GB * 0.78, gpu.bandwidth_gb_s.certainty)
    })
}

fn positive(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.1, 100_000.0) } else { 0.1 }
}

fn range(mid: f64, spread: f64, certainty: Certainty) -> Range {
    let spread = spread * if certainty >= Certainty::Table { 1.3 } else { 1.0 };
    Range { low: mid / (1.0 + spread), mid, high: mid * (1.0 + spread) }
}
