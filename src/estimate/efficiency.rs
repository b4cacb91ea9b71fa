//! The share of a device's nominal bandwidth and arithmetic that inference reaches, for engine builds of 2025 and 2026.
//!
//! The constants are data ([`super::constants`]): docs/estimates.md has sources, remaining error and excluded rows.

use super::constants::{CommonFigures, EfficiencyConstants, FamilyConstants};
use crate::estimate::{CpuFigures, GpuFigures};
use crate::figures::Certainty;
use crate::machine::gpu_table::{ChipFamily, MemoryTechnology};
use crate::machine::{GpuBackend, GpuKind};
use crate::models::Model;

/// Decimal bytes in a GB, the unit of bandwidths.
const GB: f64 = 1e9;
/// Arithmetic in a TFLOPS.
const TERA: f64 = 1e12;

/// Throughput of one GPU for one model.
#[derive(Clone, Copy, Debug)]
pub(super) struct GpuRates {
    /// Bytes of weights read per second.
    pub bytes_per_s: f64,
    /// Seconds of arithmetic per weight and token, for chips limited by arithmetic rather than memory.
    pub decode_s_per_weight: f64,
    /// Bytes of a 16-bit cache read per second.
    pub cache_bytes_per_s: f64,
    /// Seconds per multiply-add of a token's attention over a quantised cache; 0 if reading the cache is the limit.
    pub quantised_s_per_product: f64,
    /// Factor on `launch_s` with a quantised KV cache.
    pub quantised_launches: f64,
    /// Seconds to launch the kernels of one block.
    pub launch_s: f64,
    /// Factor on `launch_s` for blocks with experts.
    pub mixture_launches: f64,
    /// Seconds to send a block's activations to the processor and the result back, synchronisation included.
    pub crossing_s: f64,
    /// Floating-point operations per second on a prompt, without attention.
    pub prefill_flops: f64,
    /// Floating-point operations per second in attention over a prompt.
    pub attention_flops: f64,
    /// Ranges of its times.
    pub ranges: DeviceRanges,
}

/// Throughput of the processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuRates {
    /// Bytes of weights read per second.
    pub bytes_per_s: f64,
    /// Bytes of routed experts read per second.
    pub expert_bytes_per_s: f64,
    /// Multiply-adds per second in one token's attention over a 16-bit KV cache.
    pub attention_products_per_s: f64,
    /// Floating-point operations per second on a prompt, without attention.
    pub prefill_flops: f64,
    /// Factor on `prefill_flops` for weights in a type that the engine repacks for the processor's vectors on loading.
    pub repacked_prefill: f64,
    /// Floating-point operations per second in attention over a prompt, with a 16-bit KV cache.
    pub attention_flops: f64,
    /// Floating-point operations per second in attention over a prompt, with a quantised KV cache.
    pub quantised_attention_flops: f64,
    /// Seconds per block and token.
    pub block_s: f64,
    /// Bytes of a 16-bit cache read per second.
    pub cache_bytes_per_s: f64,
    /// Ranges of its times.
    pub ranges: DeviceRanges,
}

/// Factors between the middle of a range and each of its ends, for the time that a device takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DeviceRanges {
    /// Of one token.
    pub decode: f64,
    /// Of the time to the first token.
    pub prompt: f64,
}

impl DeviceRanges {
    /// Both wider by a factor.
    pub fn wider(self, factor: f64) -> Self {
        Self { decode: self.decode * factor, prompt: self.prompt * factor }
    }
}

/// Chip family of a GPU: by its row of the table, else by compute capability, else the most common one of its backend.
pub(super) fn chip_family(gpu: &GpuFigures) -> ChipFamily {
    let by_capability = || gpu.compute_capability.and_then(ChipFamily::of_compute_capability);
    gpu.row.map(|row| row.architecture).or_else(by_capability).unwrap_or(match gpu.backend {
        GpuBackend::Cuda => ChipFamily::Ampere,
        GpuBackend::Rocm => ChipFamily::Rdna3,
        GpuBackend::Vulkan => ChipFamily::XeHpg,
        GpuBackend::Metal => ChipFamily::Apple,
    })
}

/// Whether the speed of a GPU is assumed: from related chips, because none of its family was measured, or because its
/// bandwidth is not known.
pub fn is_speed_assumed(gpu: &GpuFigures) -> bool {
    gpu.bandwidth_gb_s.certainty == Certainty::Guess
        || !EfficiencyConstants::built_in().is_measured(chip_family(gpu))
}

/// Throughput of a GPU with the weights of a model.
pub(super) fn gpu_rates(gpu: &GpuFigures, model: &Model, constants: &EfficiencyConstants) -> GpuRates {
    let (architecture, row) = (chip_family(gpu), gpu.row);
    let FamilyConstants { figures: family, measured } = constants.family(architecture);
    let common = &constants.common;
    let given = positive(gpu.bandwidth_gb_s.value);
    let believed = gpu.bandwidth_gb_s.certainty == Certainty::Given;
    let own_memory = row.filter(|row| row.vram_bytes > 0 && !believed);
    let bandwidth =
        own_memory.map_or(given, |row| given.min(row.bandwidth_gb_s * common.max_over_table)) * GB;
    let tflops =
        row.map_or(bandwidth / GB * family.tflops_per_gb_s, |row| row.fp32_tflops) * gpu.compute_share;
    let tflops = tflops.max(0.1);
    let shared = gpu.kind == GpuKind::Unified || row.is_some_and(|row| row.memory == MemoryTechnology::Lpddr);
    let professional = row.is_some_and(|row| row.professional);
    let share = match (shared, professional) {
        (true, _) => family.shared_bandwidth_share,
        (false, true) => family.bandwidth_share * family.professional_bandwidth,
        (false, false) => family.bandwidth_share,
    };
    let k_quants = if model.quantisation.is_k_or_i_quant() { family.k_quants } else { 1.0 };
    let low_bits = if model.quantisation.is_low_bit() { family.low_bits } else { 1.0 };
    let stacked = row.is_some_and(|row| row.memory == MemoryTechnology::Hbm);
    let prefill_share = family.prefill_share
        * if professional { family.professional_prefill } else { 1.0 }
        * if stacked { family.hbm_prefill } else { 1.0 };
    let products_per_s = tflops * TERA / 2.0 * family.quantised_products;
    let decode_range = if shared { family.shared_decode_range } else { family.decode_range };
    // Cards for mining whose arithmetic is cut reach a part of what their data sheet says. Towards the uncut chip the range
    // is wide, because builds and quantisations differ in what they use.
    let stock = row.and_then(|row| row.stock_share).unwrap_or(1.0);
    let known = row.is_some() || architecture == ChipFamily::Apple;
    let power = if known { 1.0 } else { common.unknown_chip_power };
    let ranges = DeviceRanges { decode: decode_range.powf(power), prompt: family.prompt_range.powf(power) }
        .wider(range_factor(gpu.bandwidth_gb_s.certainty, common))
        .wider(if *measured { 1.0 } else { common.guess_range })
        .wider(stock.powf(-0.5));
    GpuRates {
        bytes_per_s: bandwidth * share / low_bits * stock,
        cache_bytes_per_s: bandwidth * share * family.cache_share * stock,
        quantised_s_per_product: if family.quantised_products > 0.0 { 1.0 / products_per_s } else { 0.0 },
        quantised_launches: family.quantised_launches,
        decode_s_per_weight: family.decode_cost * k_quants / tflops / stock * 1e-9,
        launch_s: family.launch_us * 1e-6 / stock,
        mixture_launches: family.mixture_launches,
        crossing_s: constants.crossing_us(family, gpu.backend) * 1e-6,
        prefill_flops: tflops * TERA * prefill_share * stock,
        attention_flops: tflops * TERA * prefill_share * family.attention_share * stock,
        ranges,
    }
}

/// Throughput of the processor.
pub(super) fn cpu_rates(cpu: &CpuFigures, constants: &EfficiencyConstants) -> CpuRates {
    let figures = &constants.processor;
    let own = constants.of_processor(&cpu.name, &cpu.features);
    let bandwidth = positive(cpu.bandwidth_gb_s.value) * GB;
    // Data-sheet bandwidth is optimistic: weigh it lower than a measurement.
    let (share, expert_share) = if cpu.bandwidth_gb_s.certainty == Certainty::Measured {
        (figures.measured_share, figures.measured_share)
    } else {
        (figures.nominal_share, figures.nominal_experts_share)
    };
    let cores = f64::from(cpu.physical_cores.value.clamp(1, 256));
    let gflops_per_core = own.instructions.prompt_gflops_per_core;
    // Few or slow cores dequantise and multiply fewer bytes per second than memory delivers. Not applied if the number
    // of cores is a guess.
    let by_cores = match cpu.dot_product_gb_s {
        Some(gb_s) => Some(positive(gb_s) * GB * own.vendor.dot_product_share),
        None if cpu.physical_cores.certainty == Certainty::Guess => None,
        None => Some(cores * own.instructions.decode_gb_s_per_core * GB),
    };
    let power = figures.limits_power;
    let both = |by_memory: f64| {
        by_cores
            .map_or(by_memory, |by_cores| (by_cores.powf(-power) + by_memory.powf(-power)).powf(-1.0 / power))
    };
    // Wider vectors do not speed up attention.
    let attention_flops = cores * gflops_per_core.min(figures.attention_gflops_per_core) * GB;
    let bytes_per_s = both(bandwidth * share);
    let ranges = DeviceRanges { decode: figures.decode_range, prompt: figures.prompt_range };
    CpuRates {
        bytes_per_s,
        cache_bytes_per_s: bytes_per_s * figures.cache_share,
        expert_bytes_per_s: both(bandwidth * expert_share),
        attention_products_per_s: cores * figures.attention_products_per_core * 1e9,
        attention_flops: attention_flops * figures.attention_share,
        quantised_attention_flops: attention_flops * figures.quantised_attention_share,
        prefill_flops: cores * gflops_per_core * GB,
        repacked_prefill: if own.repacks { figures.repacked_prompt } else { 1.0 },
        block_s: figures.block_us * 1e-6,
        ranges: ranges.wider(match cpu.bandwidth_gb_s.certainty {
            Certainty::Table => figures.nominal_range,
            certainty => range_factor(certainty, &constants.common),
        }),
    }
}

/// Factor on a range by the certainty of an input.
pub(super) fn range_factor(certainty: Certainty, common: &CommonFigures) -> f64 {
    match certainty {
        Certainty::Measured | Certainty::Given | Certainty::Detected => 1.0,
        Certainty::Table => common.table_range,
        Certainty::Guess => common.guess_range,
    }
}

/// A rate that is safe to divide by: finite and above 0.
pub(super) fn positive(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.1, 100_000.0) } else { 0.1 }
}
