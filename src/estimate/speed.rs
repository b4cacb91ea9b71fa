//! Decode speed and time to first token.
//!
//! Decoding a token reads every active weight and the KV cache once, on the device that holds them, and launches the
//! kernels of every block; processing a prompt is arithmetic. The rates of the devices come from [`super::efficiency`].

use super::constants::EfficiencyConstants;
use super::layout::{
    Layout, Seconds, TimedPart, active_expert_bytes, active_expert_parameters, active_parameters,
    cache_bytes, is_recurrent,
};
use super::prefill::prefill;
use crate::estimate::{EngineSetting, MachineFigures, Speed};
use crate::figures::Range;
use crate::models::{Block, Cache, KvCacheType, Model, ModelArchitecture};

/// Estimates speeds with given constants.
#[derive(Clone, Copy, Debug)]
pub struct SpeedEstimator<'a> {
    constants: &'a EfficiencyConstants,
}

impl Default for SpeedEstimator<'static> {
    fn default() -> Self {
        Self { constants: EfficiencyConstants::built_in() }
    }
}

impl<'a> SpeedEstimator<'a> {
    /// With constants other than the built-in ones, to fit them.
    pub fn new(constants: &'a EfficiencyConstants) -> Self {
        Self { constants }
    }

    /// Speed of a model with a setting on a machine.
    pub fn speed(self, model: &Model, setting: &EngineSetting, machine: &MachineFigures) -> Speed {
        let layout = Layout::new(model, setting, machine, self.constants);
        let context = setting.context_tokens;
        Speed {
            decode_tokens_per_s: decode_of(&layout, machine, 0, true),
            decode_at_full_context_tokens_per_s: decode_of(&layout, machine, context, true),
            first_token_full_prompt_s: first_token_of(&layout, context),
            first_token_4k_prompt_s: first_token_of(&layout, 4096.min(context)),
        }
    }

    /// Tokens per second with `depth_tokens` in the context. With `served` as a server answers, which samples each
    /// token; without as `llama-bench` measures.
    pub fn decode(
        self,
        model: &Model,
        setting: &EngineSetting,
        machine: &MachineFigures,
        depth_tokens: u32,
        served: bool,
    ) -> Range {
        decode_of(&Layout::new(model, setting, machine, self.constants), machine, depth_tokens, served)
    }

    /// Seconds from a prompt of `prompt_tokens` to the first token of the response.
    pub fn first_token_s(
        self,
        model: &Model,
        setting: &EngineSetting,
        machine: &MachineFigures,
        prompt_tokens: u32,
    ) -> Range {
        first_token_of(&Layout::new(model, setting, machine, self.constants), prompt_tokens)
    }
}

/// Tokens per second with `depth_tokens` in the context, without sampling, as measured by `llama-bench`.
pub fn decode(model: &Model, setting: &EngineSetting, machine: &MachineFigures, depth_tokens: u32) -> Range {
    SpeedEstimator::default().decode(model, setting, machine, depth_tokens, false)
}

/// Seconds from a prompt of `prompt_tokens` to the first token of the response.
pub fn first_token_s(
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    prompt_tokens: u32,
) -> Range {
    SpeedEstimator::default().first_token_s(model, setting, machine, prompt_tokens)
}

fn decode_of(layout: &Layout<'_>, machine: &MachineFigures, depth_tokens: u32, served: bool) -> Range {
    let sampling = if served { sampling(layout, machine) } else { Seconds::default() };
    let token = token_s(layout, depth_tokens) + sampling;
    range(1.0 / token.total(), layout.range_factor(token, TimedPart::Decode))
}

fn first_token_of(layout: &Layout<'_>, prompt_tokens: u32) -> Range {
    let seconds = prefill(layout, prompt_tokens) + token_s(layout, prompt_tokens);
    range(seconds.total(), layout.range_factor(seconds, TimedPart::Prompt))
}

/// Time to sample a token and send it, by the size of the vocabulary. Without a GPU, one core samples while the others
/// wait.
fn sampling(layout: &Layout<'_>, machine: &MachineFigures) -> Seconds {
    let vocabulary = layout.architecture.vocabulary() as f64;
    let constants = layout.constants;
    if layout.placement.output_on_gpu {
        return Seconds { gpu: vocabulary * constants.common.gpu_sampling_ns * 1e-9, ..Seconds::default() };
    }
    let cores = f64::from(machine.cpu.physical_cores.value.clamp(1, 256));
    Seconds { cpu: vocabulary * constants.processor.sampling_ns * 1e-9 / cores, ..Seconds::default() }
}

/// Seconds per token. Experts in main memory are computed by the processor, between their block's attention and the
/// next block on the GPU.
fn token_s(layout: &Layout<'_>, depth_tokens: u32) -> Seconds {
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
        bus_s = split.iter().filter(|block| block.expert_bytes > 0).count() as f64 * gpu.crossing_s;
        let memory_s = weights / gpu.bytes_per_s;
        let arithmetic_s = parameters * gpu.decode_s_per_weight;
        // Reading and multiplying overlap, but not perfectly.
        let quantised = kv != KvCacheType::F16;
        let mut cache_s = cache_bytes(on_gpu, depth_tokens, kv) / gpu.cache_bytes_per_s;
        let mut launch_s = gpu.launch_s * launch_factor(layout, gpu.mixture_launches);
        if quantised {
            let products = attention_products(on_gpu, architecture, depth_tokens);
            cache_s = cache_s.max(products * gpu.quantised_s_per_product);
            launch_s *= gpu.quantised_launches;
        }
        gpu_s = memory_s.hypot(arithmetic_s) + cache_s + on_gpu.len() as f64 * launch_s;
    }
    let figures = &layout.constants.processor;
    let experts = active_expert_bytes(on_cpu, architecture);
    let serial = if is_recurrent(architecture) { figures.recurrent_bytes } else { 1.0 };
    let mut cpu_bytes = (active_bytes(on_cpu, architecture) - experts) * serial;
    let experts = experts + active_expert_bytes(split, architecture);
    if !layout.placement.output_on_gpu {
        cpu_bytes += architecture.output_bytes as f64;
    }
    // Attention reads the cache once per query head of a group, so with few key heads arithmetic is the limit, not
    // memory.
    let products = attention_products(on_cpu, architecture, depth_tokens)
        * if kv == KvCacheType::F16 { 1.0 } else { figures.quantised_cache_products };
    let cache_s = (cache_bytes(on_cpu, depth_tokens, kv) / layout.cpu.cache_bytes_per_s)
        .max(products / layout.cpu.attention_products_per_s);
    let cpu_s = cpu_bytes / layout.cpu.bytes_per_s
        + experts / layout.cpu.expert_bytes_per_s
        + cache_s
        + on_cpu.len() as f64 * layout.cpu.block_s;
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
fn launch_factor(layout: &Layout<'_>, of_mixtures: f64) -> f64 {
    let (architecture, common) = (layout.architecture, &layout.constants.common);
    let (dense, share_of_mixtures) = if is_recurrent(architecture) {
        (common.recurrent_launches, common.recurrent_mixture_launches)
    } else if layout.constants.has_more_norms(&architecture.family) {
        (common.norm_launches, 1.0)
    } else {
        (1.0, 1.0)
    };
    if architecture.experts.is_some() { dense + share_of_mixtures * (of_mixtures - 1.0) } else { dense }
}

fn range(mid: f64, spread: f64) -> Range {
    Range { low: mid / spread, mid, high: mid * spread }
}
