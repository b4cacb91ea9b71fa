//! The share of a device's nominal bandwidth and arithmetic that inference reaches.
//!
//! The figures are fitted to published measurements (see docs/estimates.md for sources, remaining error and excluded
//! rows). They are valid for engine builds of 2025 and 2026 and for quantised models.

use crate::estimate::{CpuFigures, GpuFigures};
use crate::figures::Certainty;
use crate::machine::gpu_table::{self, ChipFamily, GpuRow};
use crate::machine::{GpuBackend, GpuKind};

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
    /// Floating-point operations per second on a prompt, without attention.
    pub prefill_flops: f64,
    /// Floating-point operations per second in attention over a prompt.
    pub attention_flops: f64,
    /// Factor between the middle of a range and each of its ends.
    pub spread: f64,
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
    /// Factor between the middle of a range and each of its ends.
    pub spread: f64,
}

/// The fitted figures of a family of chips.
struct Fit {
    /// Share of the nominal bandwidth that reading weights reaches.
    bandwidth_share: f64,
    /// Seconds × TFLOPS per 10⁹ weights, if arithmetic is the only limit.
    decode_cost: f64,
    /// Microseconds to launch the kernels of one block.
    launch_us: f64,
    /// Prompt throughput as a multiple of the vector units' 32-bit rate (above 1 with tensor cores).
    prefill_share: f64,
    /// Rate of attention over a prompt, as a multiple of `prefill_share`.
    attention_share: f64,
    /// Rate at which a cache is read, as a multiple of `bandwidth_share`.
    cache_share: f64,
    /// Assumed TFLOPS per GB/s if the card is not in the table.
    tflops_per_gb_s: f64,
    /// Factor between the middle of a range and each of its ends.
    spread: f64,
}

fn fit(architecture: ChipFamily) -> Fit {
    use ChipFamily as A;

    let nvidia = Fit {
        bandwidth_share: 0.878,
        decode_cost: 9.8e-3,
        launch_us: 28.0,
        prefill_share: 2.2,
        attention_share: 0.5,
        cache_share: 1.0,
        tflops_per_gb_s: 0.040,
        spread: 1.17,
    };
    let amd = Fit {
        bandwidth_share: 0.81,
        decode_cost: 2.5e-3,
        launch_us: 50.0,
        prefill_share: 0.80,
        attention_share: 0.5,
        cache_share: 1.0,
        tflops_per_gb_s: 0.060,
        spread: 1.20,
    };
    let intel = Fit {
        bandwidth_share: 0.85,
        decode_cost: 18e-3,
        launch_us: 60.0,
        prefill_share: 0.70,
        attention_share: 0.5,
        cache_share: 1.0,
        tflops_per_gb_s: 0.030,
        spread: 1.22,
    };
    let apple = Fit {
        bandwidth_share: 0.91,
        decode_cost: 0.0,
        launch_us: 150.0,
        prefill_share: 0.63,
        attention_share: 0.5,
        cache_share: 1.0,
        tflops_per_gb_s: 0.034,
        spread: 1.10,
    };
    match architecture {
        A::Maxwell | A::Pascal => {
            Fit { decode_cost: 20.6e-3, prefill_share: 1.2, tflops_per_gb_s: 0.026, spread: 1.20, ..nvidia }
        }
        A::Volta => Fit { prefill_share: 2.5, tflops_per_gb_s: 0.020, ..nvidia },
        A::Turing => Fit { prefill_share: 2.8, tflops_per_gb_s: 0.022, spread: 1.20, ..nvidia },
        A::TuringTu11x => Fit { prefill_share: 0.6, tflops_per_gb_s: 0.022, spread: 1.20, ..nvidia },
        A::Ampere => Fit { prefill_share: 2.5, ..nvidia },
        A::Ada => Fit { tflops_per_gb_s: 0.070, ..nvidia },
        // Memory is so fast that dequantising weights and launching kernels take as long as reading.
        A::Hopper => Fit {
            decode_cost: 12.1e-3,
            launch_us: 47.0,
            prefill_share: 2.2,
            attention_share: 1.4,
            cache_share: 0.57,
            tflops_per_gb_s: 0.022,
            ..nvidia
        },
        A::Blackwell => Fit { tflops_per_gb_s: 0.055, ..nvidia },
        A::Gcn => {
            Fit { decode_cost: 12e-3, prefill_share: 0.45, tflops_per_gb_s: 0.024, spread: 1.22, ..amd }
        }
        A::Cdna => {
            Fit { decode_cost: 12e-3, prefill_share: 1.5, tflops_per_gb_s: 0.014, spread: 1.22, ..amd }
        }
        A::Rdna1 => Fit { prefill_share: 0.60, tflops_per_gb_s: 0.022, spread: 1.22, ..amd },
        A::Rdna2 => Fit { prefill_share: 1.0, tflops_per_gb_s: 0.040, ..amd },
        A::Rdna3 => amd,
        A::Rdna4 => Fit { prefill_share: 1.5, tflops_per_gb_s: 0.075, ..amd },
        A::XeLp => Fit { decode_cost: 75e-3, prefill_share: 0.40, ..intel },
        A::XeLpg => Fit { decode_cost: 75e-3, prefill_share: 0.52, ..intel },
        A::XeHpg => Fit { decode_cost: 42e-3, ..intel },
        A::Xe2 => Fit { prefill_share: 0.90, ..intel },
        A::AppleM1 => Fit { launch_us: 210.0, ..apple },
        A::Apple => apple,
    }
}

/// Whether a family's figures are fitted to measurements of its chips. The others are guesses from related families and
/// data sheets.
fn is_measured(architecture: ChipFamily) -> bool {
    use ChipFamily as A;

    !matches!(architecture, A::Maxwell | A::Gcn | A::Cdna | A::Rdna1 | A::Rdna4 | A::XeLp)
}

/// Chip family of a GPU: by its row of the table, else by compute capability, else the most common one of its backend.
fn chip_family(gpu: &GpuFigures) -> ChipFamily {
    let by_capability = || gpu.compute_capability.and_then(ChipFamily::of_compute_capability);
    gpu.row.map(|row| row.architecture).or_else(by_capability).unwrap_or(match gpu.backend {
        GpuBackend::Cuda => ChipFamily::Ampere,
        GpuBackend::Rocm => ChipFamily::Rdna3,
        GpuBackend::Vulkan => ChipFamily::XeHpg,
        GpuBackend::Metal => ChipFamily::Apple,
    })
}

/// Throughput of a GPU. `k_quants`: whether the model's weights are K-quants or i-quants, which take more arithmetic
/// than plain 4-bit blocks.
pub(super) fn gpu_rates(gpu: &GpuFigures, k_quants: bool) -> GpuRates {
    /// Cap on a reported bandwidth, as a multiple of the table's: some drivers count clocks double.
    const MAX_OVER_TABLE: f64 = 1.15;
    /// Factor for error correction and lower clocks of professional cards.
    const PROFESSIONAL: f64 = 0.89;
    /// Bandwidth share of NVIDIA chips that share memory with the processor.
    const SHARED: f64 = 0.735;
    /// Factor on arithmetic for the super-blocks of K-quants; relevant if arithmetic is the limit.
    const K_QUANTS: f64 = 1.5;
    /// CUDA reads and dequantises a quantised cache once per query head. Multiply-adds per second as a share of the
    /// vector units' rate; equal for four models on an H100 (2.0 to 2.3 · 10¹², q8_0 and q4_0).
    const QUANTISED_PRODUCTS: f64 = 0.063;
    /// CUDA launches more kernels per block with a quantised cache, even an empty one.
    const QUANTISED_LAUNCHES: f64 = 1.25;

    let (architecture, row) = (chip_family(gpu), gpu.row);
    let fit = fit(architecture);
    let given = positive(gpu.bandwidth_gb_s.value);
    let believed = gpu.bandwidth_gb_s.certainty == Certainty::Given;
    let own_memory = row.filter(|row| row.vram_bytes > 0 && !believed);
    let bandwidth = own_memory.map_or(given, |row| given.min(row.bandwidth_gb_s * MAX_OVER_TABLE));
    let tflops = row.map_or(bandwidth * fit.tflops_per_gb_s, |row| row.fp32_tflops).max(0.1);
    let shared_nvidia = gpu.backend == GpuBackend::Cuda
        && (gpu.kind == GpuKind::Unified
            || row.is_some_and(|row| row.memory == gpu_table::MemoryTechnology::Lpddr));
    let professional = row.is_some_and(GpuRow::professional);
    let share = match (shared_nvidia, professional) {
        (true, _) => SHARED,
        (false, true) => fit.bandwidth_share * PROFESSIONAL,
        (false, false) => fit.bandwidth_share,
    };
    let old = matches!(architecture, ChipFamily::Maxwell | ChipFamily::Pascal);
    let by_arithmetic = old || architecture == ChipFamily::Hopper;
    let quant = if by_arithmetic && k_quants { K_QUANTS } else { 1.0 };
    // Data-centre chips have more tensor-core throughput than their vector rate suggests.
    let has_hbm = architecture == ChipFamily::Ampere
        && row.is_some_and(|row| row.memory == gpu_table::MemoryTechnology::Hbm);
    let prefill_share = match (professional, has_hbm) {
        (true, _) => fit.prefill_share * 0.8,
        (_, true) => fit.prefill_share * 1.4,
        _ => fit.prefill_share,
    };
    let known = row.is_some() || architecture == ChipFamily::Apple;
    // Chips with shared memory are in few machine models, which differ less than cards.
    let own_spread = if shared_nvidia { fit.spread.min(1.13) } else { fit.spread };
    let guessed = if is_measured(architecture) { 1.0 } else { spread_factor(Certainty::Guess) };
    let spread = own_spread.powf(if known { 1.0 } else { 1.5 })
        * spread_factor(gpu.bandwidth_gb_s.certainty)
        * guessed;
    let cuda = gpu.backend == GpuBackend::Cuda;
    // Since Pascal a multiprocessor has 128 lanes, except Volta's and Turing's with 64.
    let has_64_lanes =
        matches!(architecture, ChipFamily::Volta | ChipFamily::Turing | ChipFamily::TuringTu11x);
    let per_lane = if has_64_lanes { 2.0 } else { 1.0 };
    let products_per_s = tflops * TERA / 2.0 * QUANTISED_PRODUCTS * per_lane;
    GpuRates {
        bytes_per_s: bandwidth * GB * share,
        cache_bytes_per_s: bandwidth * GB * share * fit.cache_share,
        quantised_s_per_product: if cuda { 1.0 / products_per_s } else { 0.0 },
        quantised_launches: if cuda { QUANTISED_LAUNCHES } else { 1.0 },
        decode_s_per_weight: fit.decode_cost * quant / tflops * 1e-9,
        launch_s: fit.launch_us * 1e-6,
        mixture_launches: if gpu.backend == GpuBackend::Cuda { 2.2 } else { 1.5 },
        prefill_flops: tflops * TERA * prefill_share,
        attention_flops: tflops * TERA * prefill_share * fit.attention_share,
        spread,
    }
}

/// Throughput of the processor.
pub(super) fn cpu_rates(cpu: &CpuFigures) -> CpuRates {
    /// Multiply-adds per second and core in attention over a 16-bit cache. Measured: 2.5 · 10⁹ on an EPYC, 1.3 to 3.0 ·
    /// 10⁹ on Xeons.
    const ATTENTION_PRODUCTS_PER_CORE: f64 = 2.6e9;
    /// Throughput of attention over a prompt as a share of that of matrix products. Measured per core: 25 GFLOPS on an
    /// EPYC and 16.5 on a Xeon with a 16-bit cache; 6 and 4 with a quantised one, which is dequantised for every token
    /// of the batch.
    const ATTENTION_SHARE: f64 = 0.45;
    const QUANTISED_ATTENTION_SHARE: f64 = 0.11;
    /// Cap on GFLOPS per core for attention, which wider vectors do not speed up.
    const ATTENTION_GFLOPS_PER_CORE: f64 = 45.0;

    let bandwidth = positive(cpu.bandwidth_gb_s.value) * GB;
    // Data-sheet bandwidth is optimistic: weigh it lower than a measurement. Experts are scattered in memory, so they
    // reach a lower share of the data-sheet bandwidth (published: 0.40 to 0.58, 0.57 on a Core i7-8700).
    let (share, expert_share) =
        if cpu.bandwidth_gb_s.certainty == Certainty::Measured { (0.93, 0.93) } else { (0.60, 0.52) };
    let cores = f64::from(cpu.physical_cores.value.clamp(1, 256));
    let has = |marks: &[&str]| {
        cpu.features.iter().any(|feature| {
            let feature = feature.to_lowercase();
            marks.iter().any(|mark| feature.contains(mark))
        })
    };
    // Per core: GFLOPS on a prompt, and GB/s of weights dequantised in decoding.
    let (gflops_per_core, gb_s_per_core): (f64, f64) = if has(&["vnni", "avx512", "avx10"]) {
        if has(&["avx512", "avx10"]) { (80.0, 11.2) } else { (35.0, 4.9) }
    } else if has(&["neon", "asimd", "dotprod", "i8mm"]) {
        (60.0, 8.4)
    } else if has(&["avx2"]) {
        // One thread of a Core i7-8700 reads 10.9 GB/s of a 3B's weights.
        (45.0, 10.9)
    } else if has(&["avx"]) {
        (20.0, 2.8)
    } else {
        // Unknown processor: assume a typical one.
        (40.0, 5.6)
    };
    // Few or slow cores dequantise and multiply fewer bytes per second than memory delivers. Not applied if the number
    // of cores is a guess.
    let by_cores = match cpu.dot_product_gb_s {
        // Share of the measured dot-product speed that whole blocks with scales reach, by vendor.
        Some(gb_s) => Some(positive(gb_s) * GB * if is_amd(&cpu.name) { 0.46 } else { 0.31 }),
        None if cpu.physical_cores.certainty == Certainty::Guess => None,
        None => Some(cores * gb_s_per_core * GB),
    };
    let both = |by_memory: f64| {
        by_cores.map_or(by_memory, |by_cores| (by_cores.powi(-3) + by_memory.powi(-3)).powf(-1.0 / 3.0))
    };
    let attention_flops = cores * gflops_per_core.min(ATTENTION_GFLOPS_PER_CORE) * GB;
    let certainty = cpu.bandwidth_gb_s.certainty;
    CpuRates {
        bytes_per_s: both(bandwidth * share),
        expert_bytes_per_s: both(bandwidth * expert_share),
        attention_products_per_s: cores * ATTENTION_PRODUCTS_PER_CORE,
        attention_flops: attention_flops * ATTENTION_SHARE,
        quantised_attention_flops: attention_flops * QUANTISED_ATTENTION_SHARE,
        prefill_flops: cores * gflops_per_core * GB,
        // Measured on a Ryzen 7 7840HS: Q4_K_M 1.6 times as fast as Q2_K; on a Core Ultra 7 155H, two EPYC cores and 4 to 16
        // Xeon cores 0.7 to 1.7.
        repacked_prefill: if has(&["avx2", "avx512", "avx10", "neon"]) { 1.35 } else { 1.0 },
        spread: 1.30 * spread_factor(certainty),
    }
}

fn is_amd(name: &str) -> bool {
    let name = name.to_lowercase();
    ["amd", "ryzen", "epyc", "threadripper"].iter().any(|word| name.contains(word))
}

/// Factor on a range's spread by the certainty of an input.
pub(super) fn spread_factor(certainty: Certainty) -> f64 {
    match certainty {
        Certainty::Measured | Certainty::Given | Certainty::Detected => 1.0,
        Certainty::Table => 1.03,
        Certainty::Guess => 1.25,
    }
}

/// A rate that is safe to divide by: finite and above 0.
pub(super) fn positive(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.1, 100_000.0) } else { 0.1 }
}
