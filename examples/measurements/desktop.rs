//! Published measurements of desktop and laptop computers with layers or experts at a known place
//! (`examples/data/desktop_measurements.csv`).

use acolyte::GIB;
use acolyte::estimate::{EngineSetting, MachineFigures};
use acolyte::figures::{Certainty, Known};
use acolyte::models::Catalogue;

use super::{Case, Dropped, Measurement, Metric, Row, csv_line, kv_type, processor, table_gpu};

/// Every row.
pub fn read() -> Vec<Result<Vec<Measurement>, Dropped>> {
    csv_line::rows(include_str!("../data/desktop_measurements.csv")).iter().map(measurements).collect()
}

fn measurements(row: &Row) -> Result<Vec<Measurement>, Dropped> {
    let name = row.text("model").to_lowercase();
    // Mixtures of types that the rule for their name does not describe.
    if name.ends_with("_xl") || name.ends_with("_xxs") {
        return Err(Dropped::UnknownModel);
    }
    let model = Catalogue::built_in().find(&name).ok_or(Dropped::UnknownModel)?;
    let (depth, prompt) = (row.whole("depth"), row.whole("prompt"));
    let gpu_layers =
        if row.text("gpu_layers") == "all" { model.total_layers() } else { row.whole("gpu_layers") };
    let case = |depth_tokens| -> Result<Case, Dropped> {
        Ok(Case {
            label: format!(
                "{} {gpu_layers}+{} {} @{depth} {} {}",
                row.text("model"),
                row.text("n_cpu_moe"),
                row.text("kv_type"),
                row.text("cpu"),
                row.text("ram_gb_s")
            ),
            model: model.clone(),
            setting: EngineSetting {
                context_tokens: 4096.max(depth + prompt),
                kv_cache_type: kv_type(row),
                num_batch: row.whole("num_batch"),
                flash_attention: true,
                gpu_layers,
                n_cpu_moe: row.whole("n_cpu_moe"),
            },
            machine: machine(row)?,
            depth_tokens,
            answer_tokens: row.number("answer").map(|tokens| tokens as u32),
            served: row.text("served") == "yes",
        })
    };
    let mut measurements = Vec::new();
    if let Some(measured) = row.number("decode_tokens_per_s") {
        measurements.push(case(depth + 64)?.measurement(Metric::Decode, measured, 0));
    }
    if let Some(rate) = row.number("prefill_tokens_per_s") {
        measurements.push(case(depth)?.measurement(Metric::Prompt, f64::from(prompt) / rate, prompt));
    }
    Ok(measurements)
}

fn machine(row: &Row) -> Result<MachineFigures, Dropped> {
    let number = |column: &str| row.number(column).unwrap_or_default();
    let mut gpus = Vec::new();
    if !row.text("gpu").is_empty() {
        let vram = (number("vram_gib") * GIB as f64) as u64;
        gpus.push(table_gpu(
            row.text("gpu"),
            Some(vram),
            row.text("backend"),
            Known::detected(number("bus_gb_s")),
        )?);
    }
    let certainty = if row.text("ram_known") == "measured" { Certainty::Measured } else { Certainty::Table };
    let cpu =
        processor(row.text("cpu"), number("ram_gb_s"), certainty, row.whole("cores"), row.text("features"));
    Ok(MachineFigures { gpus, cpu })
}
