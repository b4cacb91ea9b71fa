//! Our own measurements: `llama-bench` of llama.cpp b10488 with a known number of layers on each side, at known depths
//! and with known types of the cache (`examples/data/own_measurements.csv`).

use acolyte::GIB;
use acolyte::estimate::{EngineSetting, GpuFigures, MachineFigures};
use acolyte::figures::{Certainty, Known};
use acolyte::machine::{ComputeCapability, GpuBackend, GpuKind, gpu_table};
use acolyte::models::Catalogue;

use super::{Case, Dropped, Measurement, Metric, Row, csv_line, kv_type, processor};

/// Every row.
pub fn read() -> Vec<Result<Vec<Measurement>, Dropped>> {
    csv_line::rows(include_str!("../data/own_measurements.csv")).iter().map(measurements).collect()
}

fn measurements(row: &Row) -> Result<Vec<Measurement>, Dropped> {
    let model = Catalogue::built_in().find(row.text("model")).ok_or(Dropped::UnknownModel)?;
    let (depth, tokens) = (row.whole("depth"), row.whole("tokens"));
    let setting = EngineSetting {
        context_tokens: 32_768,
        kv_cache_type: kv_type(row),
        num_batch: 512,
        flash_attention: true,
        gpu_layers: row.whole("gpu_layers"),
        n_cpu_moe: 0,
    };
    let case = |depth_tokens| Case {
        label: format!(
            "{} {} {} @{depth} t{}",
            row.text("model"),
            setting.gpu_layers,
            row.text("kv_type"),
            row.text("threads")
        ),
        model: model.clone(),
        setting,
        machine: machine(row),
        depth_tokens,
        answer_tokens: None,
        served: false,
    };
    if let Some(measured) = row.number("decode_tokens_per_s") {
        let measurement = |case: &Case| case.measurement(Metric::Decode, measured, 0);
        let mut measurements = vec![measurement(&case(depth + tokens / 2))];
        // The same machine as one whose dot product is not known, which the number of cores then stands for.
        if setting.gpu_layers == 0 {
            let mut unknown = case(depth + tokens / 2);
            unknown.machine.cpu.dot_product_gb_s = None;
            measurements.push(measurement(&unknown));
        }
        return Ok(measurements);
    }
    let rate = row.number("prefill_tokens_per_s").ok_or(Dropped::NoSpeed)?;
    Ok(vec![case(depth).measurement(Metric::Prompt, f64::from(tokens) / rate, tokens)])
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
            vram_total_certainty: acolyte::figures::Certainty::Detected,
            compute_share: 1.0,
            vram_free_bytes: Known::detected(total),
            bandwidth_gb_s: Known::detected(number("gpu_bandwidth_gb_s")),
            row: gpu_table::lookup(row.text("gpu"), Some(total)),
            compute_capability: Some(ComputeCapability::new(9, 0)),
            bus_gb_s: Known::detected(63.0),
        }
    });
    let mut cpu = processor(
        row.text("cpu"),
        number("cpu_bandwidth_gb_s"),
        Certainty::Measured,
        row.whole("threads"),
        row.text("features"),
    );
    cpu.dot_product_gb_s = row.number("dot_product_gb_s");
    MachineFigures { gpus: gpu.into_iter().collect(), cpu }
}
