//! llama.cpp's scoreboards and community benchmarks (`examples/data/measured_speeds.csv`), and other tables with the same
//! columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use acolyte::GIB;
use acolyte::estimate::{EngineSetting, MachineFigures, fit_gpu_layers, memory_need};
use acolyte::figures::{Certainty, Known};
use acolyte::machine::GpuBackend;
use acolyte::models::{Catalogue, Model};

use super::{Case, Dropped, Measurement, Metric, Row, csv_line, kv_type, processor, table_gpu};

/// Every row, once.
pub fn read(more: &[String]) -> Vec<Result<Vec<Measurement>, Dropped>> {
    const KEY: [&str; 7] =
        ["gpu", "cpu", "backend", "model", "flash_attention", "decode_tokens_per_s", "prefill_tokens_per_s"];

    let mut seen = BTreeSet::new();
    let shipped = include_str!("../data/measured_speeds.csv");
    std::iter::once(shipped)
        .chain(more.iter().map(String::as_str))
        .flat_map(csv_line::rows)
        .filter(|row| seen.insert(KEY.map(|column| row.text(column).to_owned())))
        .map(|row| measurements(&row))
        .collect()
}

fn measurements(row: &Row) -> Result<Vec<Measurement>, Dropped> {
    let model = model(row)?;
    let cpu_only = row.text("regime") == "cpu";
    let context = row.number("context").unwrap_or(128.0) as u32;
    let deep = row.text("regime").contains("depth");
    // Context sizes that these sources allocated but did not fill.
    if deep && (context == 4608 || context >= 100_000) {
        return Err(Dropped::ContextNotFilled);
    }
    let machine = if cpu_only { processor_machine(row) } else { gpu_machine(row)? };
    let mut setting = EngineSetting {
        context_tokens: context.max(4096),
        kv_cache_type: kv_type(row),
        num_batch: 512,
        flash_attention: true,
        gpu_layers: model.total_layers(),
        n_cpu_moe: 0,
    };
    // These sources placed as many layers as fit with a short prompt, and do not state how many.
    let short = EngineSetting { context_tokens: 512, ..setting };
    let all = machine.gpus.iter().map(|gpu| gpu.vram_total_bytes).sum::<u64>();
    let driver = memory_need(&model, &short, &machine).overhead_gpu_bytes;
    setting.gpu_layers = fit_gpu_layers(&model, &short, &machine, all.saturating_add(driver));
    if !cpu_only && setting.gpu_layers < model.total_layers() {
        return Err(Dropped::UnknownPlacement);
    }
    let case = |depth_tokens| Case {
        label: format!("{} @{context} {}", row.text("model"), row.text("backend")),
        model: Arc::clone(&model),
        setting,
        machine: machine.clone(),
        depth_tokens,
        answer_tokens: None,
        served: row.text("source").contains("llmfit"),
    };
    let mut measurements = Vec::new();
    if let Some(measured) = row.number("decode_tokens_per_s") {
        if beats_memory(&model, &machine, measured) {
            return Err(Dropped::BeatsItsMemory);
        }
        // With an empty context, half of the written tokens are in it on average.
        let depth = if deep { context } else { context.min(256) / 2 };
        measurements.push(case(depth).measurement(Metric::Decode, measured, 0));
    }
    if let Some(rate) = row.number("prefill_tokens_per_s").filter(|rate| *rate > 0.0) {
        let tokens = if deep { context } else { 512 };
        measurements.push(case(0).measurement(Metric::Prompt, f64::from(tokens) / rate, tokens));
    }
    if measurements.is_empty() { Err(Dropped::NoSpeed) } else { Ok(measurements) }
}

fn model(row: &Row) -> Result<Arc<Model>, Dropped> {
    let name = row.text("model").to_lowercase();
    let last = name.rsplit('/').next().unwrap_or(&name);
    let size = |word: &str| word.ends_with(['b', 'm']) && word.starts_with(|c: char| c.is_ascii_digit());
    let comes_in_sizes = ["gemma", "qwen", "llama"].iter().any(|family| last.starts_with(family));
    if comes_in_sizes && !last.split(['-', '_', ' ', ':']).any(size) {
        return Err(Dropped::SizeNotNamed);
    }
    Catalogue::built_in().find(&name).ok_or(Dropped::UnknownModel)
}

fn gpu_machine(row: &Row) -> Result<MachineFigures, Dropped> {
    let vram = row.number("vram_gib").map(|gib| (gib * GIB as f64) as u64);
    let gpu = table_gpu(row.text("gpu"), vram, row.text("backend"), Known::detected(31.5))?;
    if row.text("backend") == "vulkan" && gpu.row.is_some_and(|row| row.backend == GpuBackend::Metal) {
        return Err(Dropped::AppleThroughVulkan);
    }
    Ok(MachineFigures { gpus: vec![gpu], cpu: processor("", 80.0, Certainty::Table, 8, "avx2") })
}

/// The processors of the sources, with 89.6 GB/s by data sheet (two channels of DDR5-5600).
fn processor_machine(row: &Row) -> MachineFigures {
    let name = row.text("cpu");
    let (cores, features) =
        if name.contains("7840") { (8, "avx2 avx512_vnni") } else { (16, "avx2 avx_vnni") };
    MachineFigures { gpus: vec![], cpu: processor(name, 89.6, Certainty::Table, cores, features) }
}

/// Whether the speed needs more than the whole bandwidth for the weights alone, so that the row must be about another
/// device or model.
fn beats_memory(model: &Model, machine: &MachineFigures, tokens_per_s: f64) -> bool {
    let architecture = &model.architecture;
    let read: f64 = architecture.blocks.iter().map(|b| b.active_bytes(architecture.experts)).sum();
    machine.gpus.first().is_some_and(|gpu| {
        (read + architecture.output_bytes as f64) * tokens_per_s > gpu.bandwidth_gb_s.value * 1e9
    })
}
