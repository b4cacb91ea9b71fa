//! Properties of a measurement, by which `assets/efficiency.yaml` selects what a constant is fitted to.

use std::collections::BTreeSet;

use acolyte::estimate::EfficiencyConstants;
use acolyte::figures::Certainty;
use acolyte::machine::gpu_table::MemoryTechnology;
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{Cache, KvCacheType};

use super::{Case, Metric, Regime};

/// Tokens from which a context is deep.
const DEEP_TOKENS: u32 = 2000;

/// The tags of a case.
pub fn of(case: &Case, regime: Regime, metric: Metric) -> BTreeSet<String> {
    let constants = EfficiencyConstants::built_in();
    let mut tags: Vec<&str> = vec![
        match metric {
            Metric::Decode => "decode",
            Metric::Prompt => "prompt",
        },
        match regime {
            Regime::Gpu => "gpu",
            Regime::Partial => "partial",
            Regime::Experts => "experts",
            Regime::Processor => "processor",
        },
    ];
    if regime != Regime::Processor {
        for gpu in &case.machine.gpus {
            tags.push(match gpu.backend {
                GpuBackend::Cuda => "cuda",
                GpuBackend::Rocm => "rocm",
                GpuBackend::Vulkan => "vulkan",
                GpuBackend::Metal => "metal",
            });
            tags.push(if gpu.kind == GpuKind::Unified { "unified" } else { "discrete" });
            if let Some(row) = gpu.row {
                tags.extend([constants.maker(row.architecture), row.architecture.name()]);
                tags.extend(row.professional.then_some("professional"));
                tags.extend((row.memory == MemoryTechnology::Hbm).then_some("hbm"));
            }
        }
    }
    if regime != Regime::Gpu {
        let cpu = &case.machine.cpu;
        let (vendor, class) = constants.processor_sections(&cpu.name);
        tags.extend([vendor, class, constants.instruction_set(&cpu.name, &cpu.features)]);
        let measured = cpu.bandwidth_gb_s.certainty == Certainty::Measured;
        tags.push(if measured { "measured-memory" } else { "nominal-memory" });
        tags.push(if cpu.dot_product_gb_s.is_some() { "dot-product" } else { "cores" });
    }
    let architecture = &case.model.architecture;
    let recurrent = architecture.blocks.iter().any(|block| matches!(block.cache, Cache::Recurrent { .. }));
    let norms = constants.has_more_norms(&architecture.family);
    tags.push(if architecture.experts.is_some() { "mixture" } else { "dense" });
    tags.extend(recurrent.then_some("recurrent"));
    tags.extend(norms.then_some("norms"));
    tags.extend((!recurrent && !norms).then_some("plain"));
    tags.extend(case.model.quantisation.is_k_or_i_quant().then_some("k-quants"));
    tags.extend(case.model.quantisation.is_low_bit().then_some("low-bits"));
    let f16 = case.setting.kv_cache_type == KvCacheType::F16;
    tags.push(if f16 { "f16-cache" } else { "quantised-cache" });
    tags.push(if case.depth_tokens >= DEEP_TOKENS { "deep" } else { "short" });
    tags.push(if case.served { "served" } else { "bench" });
    tags.into_iter().map(str::to_owned).collect()
}
