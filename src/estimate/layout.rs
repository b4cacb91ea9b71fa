//! Layout of a model on a machine: which device computes which blocks, and each device's rates.

use super::bus::{Bus, bus};
use super::constants::EfficiencyConstants;
use super::efficiency::{CpuRates, DeviceRanges, GpuRates, cpu_rates, gpu_rates, range_factor};
use super::memory::BlockPlacement;
use crate::estimate::{EngineSetting, MachineFigures};
use crate::figures::Certainty;
use crate::models::{
    Block, Cache, Experts, KvCacheType, Model, ModelArchitecture, ModelQuantisation, Quantisation,
};

/// The layout of a model on a machine.
pub(super) struct Layout<'a> {
    pub architecture: &'a ModelArchitecture,
    pub placement: BlockPlacement,
    /// All GPUs combined into one: each computes the blocks that it holds.
    pub gpu: Option<GpuRates>,
    pub cpu: CpuRates,
    /// From main memory to the GPUs.
    pub bus: Option<Bus>,
    pub setting: &'a EngineSetting,
    pub constants: &'a EfficiencyConstants,
    /// Whether the engine repacks most weights in main memory on loading, so that prompts are computed faster.
    pub repacked: bool,
}

/// Seconds by device; the parts are sequential.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seconds {
    /// Computing on GPUs.
    pub gpu: f64,
    /// Computing on the processor.
    pub cpu: f64,
    /// Transfers of weights, cache or activations.
    pub bus: f64,
}

impl Seconds {
    pub fn total(self) -> f64 {
        self.gpu + self.cpu + self.bus
    }
}

impl std::ops::Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { gpu: self.gpu + other.gpu, cpu: self.cpu + other.cpu, bus: self.bus + other.bus }
    }
}

/// What a range is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimedPart {
    Decode,
    Prompt,
}

impl<'a> Layout<'a> {
    pub fn new(
        model: &'a Model,
        setting: &'a EngineSetting,
        machine: &MachineFigures,
        constants: &'a EfficiencyConstants,
    ) -> Self {
        let architecture = &model.architecture;
        Self {
            architecture,
            placement: BlockPlacement::new(architecture, setting, machine.gpus.len()),
            gpu: combined(machine, model, constants),
            cpu: cpu_rates(&machine.cpu, constants),
            bus: bus(machine, constants),
            setting,
            constants,
            repacked: is_repacked(model),
        }
    }

    /// Factor between the middle of a range and its ends: that of each device, weighted by the time on it, and at least
    /// that of the placement if GPU and processor both compute.
    pub fn range_factor(&self, seconds: Seconds, part: TimedPart) -> f64 {
        let total = seconds.total().max(f64::MIN_POSITIVE);
        let of = |ranges: DeviceRanges| match part {
            TimedPart::Decode => ranges.decode,
            TimedPart::Prompt => ranges.prompt,
        };
        let gpu = self.gpu.map_or(1.0, |gpu| of(gpu.ranges));
        let bus = self.bus.map_or(1.0, |bus| bus.range);
        let blended = gpu.powf(seconds.gpu / total)
            * of(self.cpu.ranges).powf(seconds.cpu / total)
            * bus.powf(seconds.bus / total);
        let common = &self.constants.common;
        let least = match part {
            _ if !self.placement.output_on_gpu || !self.placement.is_partial(self.architecture) => 1.0,
            _ if self.placement.cpu_blocks > 0 => common.partial_range,
            TimedPart::Decode => common.experts_range,
            TimedPart::Prompt => common.experts_prompt_range,
        };
        blended.max(least)
    }
}

pub(super) fn active_parameters(blocks: &[Block], architecture: &ModelArchitecture) -> f64 {
    blocks.iter().map(|block| block.active_parameters(architecture.experts)).sum()
}

/// Bytes of routed experts that one token reads in these blocks.
pub(super) fn active_expert_bytes(blocks: &[Block], architecture: &ModelArchitecture) -> f64 {
    let share = architecture.experts.map_or(1.0, Experts::share);
    blocks.iter().map(|block| block.expert_bytes.min(block.bytes) as f64 * share).sum()
}

/// Weights of routed experts that are multiplied for one token in these blocks.
pub(super) fn active_expert_parameters(blocks: &[Block], architecture: &ModelArchitecture) -> f64 {
    let share = architecture.experts.map_or(1.0, Experts::share);
    blocks.iter().map(|block| block.expert_parameters.min(block.parameters) as f64 * share).sum()
}

/// Bytes of KV cache that one token reads, as f16. A quantised cache saves memory, not time, because it is dequantised.
pub(super) fn cache_bytes(blocks: &[Block], depth_tokens: u32, kv: KvCacheType) -> f64 {
    let as_read = match kv {
        KvCacheType::F16 | KvCacheType::Q8_0 => 1.0,
        KvCacheType::Q4_0 => 1.15,
    };
    let attention = |cache: Cache| matches!(cache, Cache::Attention { .. });
    blocks
        .iter()
        .map(|block| {
            let factor = if attention(block.cache) { as_read } else { 1.0 };
            block.cache.bytes_read(depth_tokens, KvCacheType::F16) * factor
        })
        .sum()
}

/// Whether most weights have a type that llama.cpp repacks for the processor (`ggml/src/ggml-cpu/repack.cpp`): 4-bit
/// blocks, K-quants only if the row length is a multiple of 256.
fn is_repacked(model: &Model) -> bool {
    use Quantisation::{IQ4_NL, Q4_0, Q4_K_M, Q4_K_S};
    match model.quantisation {
        ModelQuantisation::Mixture(Q4_0 | IQ4_NL) => true,
        ModelQuantisation::Mixture(Q4_K_M | Q4_K_S) => model.architecture.embedding.is_multiple_of(256),
        _ => false,
    }
}

/// Whether some blocks keep a recurrent state instead of a KV cache.
pub(super) fn is_recurrent(architecture: &ModelArchitecture) -> bool {
    architecture.blocks.iter().any(|block| matches!(block.cache, Cache::Recurrent { .. }))
}

/// Rates of all GPUs combined. Each computes its share of the blocks, one GPU after the other.
fn combined(machine: &MachineFigures, model: &Model, constants: &EfficiencyConstants) -> Option<GpuRates> {
    let total: f64 = machine.gpus.iter().map(|gpu| gpu.vram_free_bytes.value.max(1) as f64).sum();
    let mut parts = machine.gpus.iter().map(|gpu| {
        let share = gpu.vram_free_bytes.value.max(1) as f64 / total;
        (share, gpu_rates(gpu, model, constants))
    });
    let (share, first) = parts.next()?;
    if machine.gpus.len() == 1 {
        return Some(first);
    }
    let mut slow = GpuRates {
        bytes_per_s: share / first.bytes_per_s,
        decode_s_per_weight: share * first.decode_s_per_weight,
        launch_s: share * first.launch_s,
        prefill_flops: share / first.prefill_flops,
        cache_bytes_per_s: share / first.cache_bytes_per_s,
        quantised_s_per_product: share * first.quantised_s_per_product,
        attention_flops: share / first.attention_flops,
        ..first
    };
    for (share, rates) in parts {
        slow.bytes_per_s += share / rates.bytes_per_s;
        slow.decode_s_per_weight += share * rates.decode_s_per_weight;
        slow.launch_s += share * rates.launch_s;
        slow.prefill_flops += share / rates.prefill_flops;
        slow.cache_bytes_per_s += share / rates.cache_bytes_per_s;
        slow.quantised_s_per_product += share * rates.quantised_s_per_product;
        slow.attention_flops += share / rates.attention_flops;
        slow.crossing_s = slow.crossing_s.max(rates.crossing_s);
        slow.ranges.decode = slow.ranges.decode.max(rates.ranges.decode);
        slow.ranges.prompt = slow.ranges.prompt.max(rates.ranges.prompt);
    }
    let wider = range_factor(Certainty::Table, &constants.common);
    Some(GpuRates {
        bytes_per_s: 1.0 / slow.bytes_per_s,
        prefill_flops: 1.0 / slow.prefill_flops,
        cache_bytes_per_s: 1.0 / slow.cache_bytes_per_s,
        attention_flops: 1.0 / slow.attention_flops,
        ranges: slow.ranges.wider(wider),
        ..slow
    })
}
