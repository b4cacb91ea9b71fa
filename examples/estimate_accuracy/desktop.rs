//! Published measurements of desktop computers, with layers or experts in main memory at a known place
//! (`examples/data/desktop_measurements.csv`). The table says of every host whether constants were fitted on it
//! (`fit`) or not (`held out`). The split is by host and does not change.

use std::collections::BTreeMap;

use acolyte::GIB;
use acolyte::estimate::{CpuFigures, EngineSetting, GpuFigures, MachineFigures, decode};
use acolyte::figures::{Certainty, Known};
use acolyte::machine::{GpuBackend, GpuKind, gpu_table};
use acolyte::models::{Catalogue, KvCacheType};

use super::own::{difference, prompt_s};
use super::{Compared, Dropped, Row, rows};

/// Every measurement beside its estimate, and the rows that are not used.
pub fn compared() -> (Vec<Compared>, BTreeMap<Dropped, usize>) {
    let mut compared = Vec::new();
    let mut dropped: BTreeMap<Dropped, usize> = BTreeMap::new();
    for row in rows(include_str!("../data/desktop_measurements.csv")) {
        match compare(&row) {
            Ok(results) => compared.extend(results),
            Err(reason) => *dropped.entry(reason).or_default() += 1,
        }
    }
    (compared, dropped)
}

fn compare(row: &Row) -> Result<Vec<Compared>, Dropped> {
    let name = row.text("model").to_lowercase();
    // Mixtures of types that the rule for their name does not describe.
    if name.ends_with("_xl") {
        return Err(Dropped::UnknownModel);
    }
    let model = Catalogue::built_in().find(&name).ok_or(Dropped::UnknownModel)?;
    let whole = |column: &str| row.number(column).unwrap_or(0.0) as u32;
    let machine = machine(row)?;
    let setting = EngineSetting {
        context_tokens: 4096.max(whole("depth") + whole("prompt")),
        kv_cache_type: row.text("kv_type").parse().unwrap_or(KvCacheType::F16),
        num_batch: whole("num_batch"),
        flash_attention: true,
        gpu_layers: whole("gpu_layers"),
        n_cpu_moe: whole("n_cpu_moe"),
    };
    let regime = match (row.text("split"), setting.gpu_layers) {
        ("fit", 0) => "fit: cpu",
        ("fit", _) if setting.n_cpu_moe > 0 => "fit: experts",
        ("fit", _) => "fit: gpu",
        (_, 0) => "out: cpu",
        _ if setting.n_cpu_moe > 0 => "out: experts",
        (_, layers) if layers < model.total_layers() => "out: partial",
        _ if machine.gpus.iter().any(|gpu| gpu.kind == GpuKind::Unified) => "out: unified",
        _ => "out: gpu",
    };
    let (depth, prompt) = (whole("depth"), whole("prompt"));
    let compared = |metric, measured, range: acolyte::figures::Range| Compared {
        regime,
        metric,
        class: regime.to_owned(),
        device: row.text("host").to_owned(),
        model: format!(
            "{} {}+{} {} @{depth} ram {}",
            row.text("model"),
            setting.gpu_layers,
            setting.n_cpu_moe,
            row.text("kv_type"),
            row.text("ram_gb_s")
        ),
        measured,
        low: range.low,
        mid: range.mid,
        high: range.high,
    };
    let mut results = Vec::new();
    if let Some(measured) = row.number("decode_tokens_per_s") {
        results.push(compared("decode", measured, decode(&model, &setting, &machine, depth + 64)));
    }
    if let Some(rate) = row.number("prefill_tokens_per_s") {
        let to = prompt_s(&model, &setting, &machine, depth + prompt);
        let from = prompt_s(&model, &setting, &machine, depth);
        results.push(compared("prefill", f64::from(prompt) / rate, difference(to, from)));
    }
    Ok(results)
}

fn machine(row: &Row) -> Result<MachineFigures, Dropped> {
    let number = |column: &str| row.number(column).unwrap_or_default();
    let mut gpus = Vec::new();
    if !row.text("gpu").is_empty() {
        let total = (number("vram_gib") * GIB as f64) as u64;
        let table = gpu_table::lookup(row.text("gpu"), Some(total)).ok_or(Dropped::UnknownGpu)?;
        gpus.push(GpuFigures {
            name: row.text("gpu").to_owned(),
            kind: if table.backend == GpuBackend::Metal { GpuKind::Unified } else { GpuKind::Discrete },
            backend: match row.text("backend") {
                "vulkan" => GpuBackend::Vulkan,
                _ => table.backend,
            },
            vram_total_bytes: total,
            vram_free_bytes: Known::detected(total),
            bandwidth_gb_s: Known { value: table.bandwidth_gb_s, certainty: Certainty::Table },
            row: Some(table),
            compute_capability: None,
            bus_gb_s: Known::detected(number("bus_gb_s")),
        });
    }
    let certainty = if row.text("ram_known") == "measured" { Certainty::Measured } else { Certainty::Table };
    let cpu = CpuFigures {
        name: row.text("cpu").to_owned(),
        ram_total_bytes: 64 * GIB,
        ram_available_bytes: Known::detected(56 * GIB),
        bandwidth_gb_s: Known { value: number("ram_gb_s"), certainty },
        physical_cores: Known::detected(number("cores") as u32),
        features: row.text("features").split(' ').map(str::to_owned).collect(),
        dot_product_gb_s: None,
    };
    Ok(MachineFigures { gpus, cpu })
}
