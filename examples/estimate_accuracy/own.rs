//! Our own measurements: `llama-bench` of llama.cpp b10488 with a known number of layers on each side, at known depths
//! and with known types of the cache (`examples/data/own_measurements.csv`).

use acolyte::GIB;
use acolyte::estimate::{CpuFigures, EngineSetting, GpuFigures, MachineFigures, decode, first_token_s};
use acolyte::figures::{Certainty, Known, Range};
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{Catalogue, KvCacheType, Model};

use super::{Compared, Row, rows};

/// Every measurement beside its estimate.
pub fn compared() -> Vec<Compared> {
    rows(include_str!("../data/own_measurements.csv")).iter().filter_map(compare).collect()
}

fn compare(row: &Row) -> Option<Compared> {
    let model = Catalogue::built_in().find(row.text("model"))?;
    let whole = |column: &str| row.number(column).map(|n| n as u32);
    let machine = machine(row);
    let (depth_tokens, tokens) = (whole("depth")?, whole("tokens")?);
    let setting = EngineSetting {
        context_tokens: 32_768,
        kv_cache_type: row.text("kv_type").parse().unwrap_or(KvCacheType::F16),
        num_batch: 512,
        flash_attention: true,
        gpu_layers: whole("gpu_layers")?,
        n_cpu_moe: 0,
    };
    let regime = match setting.gpu_layers {
        0 => "cpu, own",
        n if n < model.total_layers() => "partial, own",
        _ => "gpu, own",
    };
    let (metric, measured, range) = match row.number("decode_tokens_per_s") {
        Some(measured) => ("decode", measured, decode(&model, &setting, &machine, depth_tokens + tokens / 2)),
        None => {
            let seconds = f64::from(tokens) / row.number("prefill_tokens_per_s")?;
            let to = prompt_s(&model, &setting, &machine, depth_tokens + tokens);
            let from = prompt_s(&model, &setting, &machine, depth_tokens);
            ("prefill", seconds, difference(to, from))
        }
    };
    let kv = row.text("kv_type");
    Some(Compared {
        regime,
        metric,
        class: regime.to_owned(),
        device: row.text("host").to_owned(),
        model: format!(
            "{} {} {kv} @{depth_tokens} t{}",
            row.text("model"),
            setting.gpu_layers,
            row.text("threads")
        ),
        measured,
        low: range.low,
        mid: range.mid,
        high: range.high,
    })
}

/// Seconds for a prompt alone, without the first token that is written.
pub fn prompt_s(model: &Model, setting: &EngineSetting, machine: &MachineFigures, tokens: u32) -> Range {
    if tokens == 0 {
        return Range { low: 0.0, mid: 0.0, high: 0.0 };
    }
    let token = 1.0 / decode(model, setting, machine, tokens).mid;
    let all = first_token_s(model, setting, machine, tokens);
    let share = 1.0 - token / all.mid;
    Range { low: all.low * share, mid: all.mid * share, high: all.high * share }
}

/// The middle of the difference, with the relative width of the longer prompt's range.
pub fn difference(to: Range, from: Range) -> Range {
    let mid = to.mid - from.mid;
    Range { low: mid * to.low / to.mid, mid, high: mid * to.high / to.mid }
}

fn machine(row: &Row) -> MachineFigures {
    let number = |column: &str| row.number(column).unwrap_or_default();
    let gpu = (!row.text("gpu").is_empty()).then(|| {
        let total = (number("vram_gib") * GIB as f64) as u64;
        GpuFigures {
            name: row.text("gpu").to_owned(),
            kind: GpuKind::Discrete,
            backend: GpuBackend::Cuda,
            vram_total_bytes: total,
            vram_free_bytes: Known::detected(total),
            bandwidth_gb_s: Known::detected(number("gpu_bandwidth_gb_s")),
            row: acolyte::machine::gpu_table::lookup(row.text("gpu"), Some(total)),
            compute_capability: Some(acolyte::machine::ComputeCapability::new(9, 0)),
            bus_gb_s: Known::detected(63.0),
        }
    });
    let cpu = CpuFigures {
        name: row.text("cpu").to_owned(),
        ram_total_bytes: 128 * GIB,
        ram_available_bytes: Known::detected(120 * GIB),
        bandwidth_gb_s: Known { value: number("cpu_bandwidth_gb_s"), certainty: Certainty::Measured },
        physical_cores: Known::detected(number("threads") as u32),
        features: row.text("features").split(' ').map(str::to_owned).collect(),
        dot_product_gb_s: row.number("dot_product_gb_s"),
    };
    MachineFigures { gpus: gpu.into_iter().collect(), cpu }
}
