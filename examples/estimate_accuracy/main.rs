//! Accuracy of the estimates: runs the estimator on published measurements and prints the error of every regime.
//!
//! ```text
//! cargo run --release --example estimate_accuracy [-- [--rows] [--extra FILE]...]
//! ```
//!
//! Measurements that may be redistributed are in `examples/data`, with their source in every row. `--extra` reads more
//! from a CSV file with the same column names (columns may be missing). `--rows` prints every row.
//!
//! Cross-validation is by device: for each device, the level of its class (chip family and backend) is computed from
//! the other devices of that class only, and the device's rows are estimated with that level.

mod csv_line;
mod desktop;
mod memory_logs;
mod own;

use std::collections::BTreeMap;
use std::process::ExitCode;

use acolyte::GIB;
use acolyte::estimate::{
    CpuFigures, EngineSetting, GpuFigures, MachineFigures, decode, first_token_s, fit_gpu_layers, memory_need,
};
use acolyte::figures::{Certainty, Known};
use acolyte::machine::gpu_table::{self, ChipFamily};
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{Catalogue, KvCacheType, Model};

/// One measurement.
struct Row {
    columns: BTreeMap<String, String>,
}

/// One measurement beside its estimate.
struct Compared {
    regime: &'static str,
    metric: &'static str,
    class: String,
    device: String,
    model: String,
    measured: f64,
    low: f64,
    mid: f64,
    high: f64,
}

/// Why a row is not used. docs/estimates.md lists the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dropped {
    /// The model's shape is not in the catalogue.
    UnknownModel,
    /// The model is named without its size.
    SizeNotNamed,
    /// The GPU is not in the table.
    UnknownGpu,
    /// Its speed needs more than the whole memory bandwidth.
    BeatsItsMemory,
    /// The context column is what was allocated, not what was filled.
    ContextNotFilled,
    /// No speed is given.
    NoSpeed,
    /// An Apple chip measured through Vulkan, which Ollama does not use there.
    AppleThroughVulkan,
}

fn main() -> ExitCode {
    let mut texts = vec![include_str!("../data/measured_speeds.csv").to_owned()];
    let mut print_rows = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next_if_extra(&argument)) {
            ("--rows", _) => print_rows = true,
            ("--extra", Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) => texts.push(text),
                Err(error) => {
                    eprintln!("cannot read {path}: {error}");
                    return ExitCode::FAILURE;
                }
            },
            _ => {
                eprintln!("usage: estimate_accuracy [--rows] [--extra FILE]...");
                return ExitCode::from(2);
            }
        }
    }
    let mut compared = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut dropped: BTreeMap<Dropped, usize> = BTreeMap::new();
    for row in texts.iter().flat_map(|text| rows(text)) {
        let key = [
            "gpu",
            "cpu",
            "backend",
            "model",
            "flash_attention",
            "decode_tokens_per_s",
            "prefill_tokens_per_s",
        ];
        if !seen.insert(key.map(|column| row.text(column).to_owned())) {
            continue;
        }
        match row.compare() {
            Ok(results) => compared.extend(results),
            Err(reason) => *dropped.entry(reason).or_default() += 1,
        }
    }
    compared.extend(own::compared());
    let (on_desktops, unused) = desktop::compared();
    compared.extend(on_desktops);
    println!("desktop rows not used: {unused:?}");
    if print_rows {
        for c in &compared {
            println!(
                "{:12} {:7} {:20} {:26} {:44} {:9.2} {:9.2} ({:.2}-{:.2}) {:+.1} %",
                c.regime,
                c.metric,
                c.class,
                c.device,
                c.model,
                c.measured,
                c.mid,
                c.low,
                c.high,
                100.0 * (c.mid / c.measured - 1.0)
            );
        }
    }
    println!("rows not used: {dropped:?}\n");
    report(&compared);
    memory_logs::print();
    ExitCode::SUCCESS
}

/// Takes an option's value without taking that of an option that has none.
trait NextIfExtra {
    fn next_if_extra(&mut self, option: &str) -> Option<String>;
}

impl<I: Iterator<Item = String>> NextIfExtra for I {
    fn next_if_extra(&mut self, option: &str) -> Option<String> {
        (option == "--extra").then(|| self.next()).flatten()
    }
}

impl Row {
    fn text(&self, column: &str) -> &str {
        self.columns.get(column).map_or("", |value| value.trim())
    }

    fn number(&self, column: &str) -> Option<f64> {
        self.text(column).parse().ok()
    }

    fn compare(&self) -> Result<Vec<Compared>, Dropped> {
        let name = self.text("model").to_lowercase();
        let last = name.rsplit('/').next().unwrap_or(&name);
        let size = |word: &str| word.ends_with(['b', 'm']) && word.starts_with(|c: char| c.is_ascii_digit());
        let comes_in_sizes = ["gemma", "qwen", "llama"].iter().any(|family| last.starts_with(family));
        if comes_in_sizes && !last.split(['-', '_', ' ', ':']).any(size) {
            return Err(Dropped::SizeNotNamed);
        }
        let model = Catalogue::built_in().find(&name).ok_or(Dropped::UnknownModel)?;
        let cpu_only = self.text("regime") == "cpu";
        let context = self.number("context").unwrap_or(128.0) as u32;
        // Context sizes that these sources allocated but did not fill.
        let allocated = context == 4608 || context >= 100_000;
        if self.text("regime").contains("depth") && allocated {
            return Err(Dropped::ContextNotFilled);
        }
        let (machine, class) =
            if cpu_only { (self.cpu_machine(), "cpu".to_owned()) } else { self.gpu_machine()? };
        if class.starts_with("Apple") && self.text("backend") == "vulkan" {
            return Err(Dropped::AppleThroughVulkan);
        }
        let kv = self.text("kv_type").parse().unwrap_or(KvCacheType::F16);
        let mut setting = EngineSetting {
            context_tokens: context.max(4096),
            kv_cache_type: kv,
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
        let regime = match setting.gpu_layers {
            _ if cpu_only => "cpu",
            n if n < model.total_layers() => "partial",
            _ if machine.gpus.iter().any(|gpu| gpu.kind == GpuKind::Unified) => "unified",
            _ => "gpu",
        };
        let device = if cpu_only { self.text("cpu") } else { self.text("gpu") }.to_owned();
        let compared = |metric, measured: f64, range: acolyte::figures::Range| Compared {
            regime,
            metric,
            class: class.clone(),
            device: device.clone(),
            model: format!("{} @{context}", self.text("model")),
            measured,
            low: range.low,
            mid: range.mid,
            high: range.high,
        };
        let mut results = Vec::new();
        if let Some(measured) = self.number("decode_tokens_per_s") {
            // With an empty context, half of the written tokens are in it on average.
            let depth = if self.text("regime").contains("depth") { context } else { context.min(256) / 2 };
            if beats_memory(&model, &machine, measured) {
                return Err(Dropped::BeatsItsMemory);
            }
            results.push(compared("decode", measured, decode(&model, &setting, &machine, depth)));
        }
        if let Some(rate) = self.number("prefill_tokens_per_s").filter(|rate| *rate > 0.0) {
            let tokens = if self.text("regime").contains("depth") { context } else { 512 };
            let measured = f64::from(tokens) / rate;
            results.push(compared("prefill", measured, first_token_s(&model, &setting, &machine, tokens)));
        }
        if results.is_empty() { Err(Dropped::NoSpeed) } else { Ok(results) }
    }

    fn gpu_machine(&self) -> Result<(MachineFigures, String), Dropped> {
        let name = self.text("gpu");
        let vram = self.number("vram_gib").map(|gib| (gib * GIB as f64) as u64);
        let row = gpu_table::lookup(name, vram).ok_or(Dropped::UnknownGpu)?;
        let backend = match self.text("backend") {
            "vulkan" => GpuBackend::Vulkan,
            "rocm" => GpuBackend::Rocm,
            _ => row.backend,
        };
        let unified = row.vram_bytes == 0 || matches!(row.memory, gpu_table::MemoryTechnology::Lpddr);
        let apple = matches!(row.architecture, ChipFamily::Apple | ChipFamily::AppleM1);
        let total = if unified { 512 * GIB } else { vram.unwrap_or(row.vram_bytes) };
        let class =
            format!("{:?} {backend:?}{}", row.architecture, if unified && !apple { " shared" } else { "" });
        let gpu = GpuFigures {
            name: name.to_owned(),
            kind: if unified { GpuKind::Unified } else { GpuKind::Discrete },
            backend,
            vram_total_bytes: total,
            vram_free_bytes: Known::detected(total),
            bandwidth_gb_s: Known::detected(row.bandwidth_gb_s),
            row: acolyte::machine::gpu_table::lookup(name, Some(total)),
            compute_capability: None,
            bus_gb_s: Known::detected(31.5),
        };
        Ok((MachineFigures { gpus: vec![gpu], cpu: cpu(80.0, 8, &["avx2"]) }, class))
    }

    /// The processors of the sources, with 89.6 GB/s by data sheet (two channels of DDR5-5600).
    fn cpu_machine(&self) -> MachineFigures {
        let ryzen = self.text("cpu").contains("7840");
        let (cores, features): (u32, &[&str]) =
            if ryzen { (8, &["avx2", "avx512_vnni"]) } else { (16, &["avx2", "avx_vnni"]) };
        MachineFigures { gpus: vec![], cpu: cpu(89.6, cores, features) }
    }
}

fn cpu(bandwidth_gb_s: f64, cores: u32, features: &[&str]) -> CpuFigures {
    CpuFigures {
        name: String::new(),
        dot_product_gb_s: None,
        ram_total_bytes: 64 * GIB,
        ram_available_bytes: Known::detected(48 * GIB),
        bandwidth_gb_s: Known { value: bandwidth_gb_s, certainty: Certainty::Table },
        physical_cores: Known::detected(cores),
        features: features.iter().map(|f| (*f).to_owned()).collect(),
    }
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

/// The rows of a CSV text with a header; fields may be quoted.
fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(csv_line::fields);
    let header = lines.next().unwrap_or_default();
    lines.map(|values| Row { columns: header.iter().cloned().zip(values).collect() }).collect()
}

/// Prints the error by regime and metric.
fn report(compared: &[Compared]) {
    println!(
        "{:12} {:7} {:>5} {:>7}  {:>9} {:>9} {:>9}  {:>9}  {:>9} {:>10}",
        "regime",
        "metric",
        "rows",
        "devices",
        "median",
        "by device",
        "by device",
        "90 % of",
        "range",
        "range"
    );
    println!(
        "{:12} {:7} {:>5} {:>7}  {:>9} {:>9} {:>9}  {:>9}  {:>9} {:>10}",
        "", "", "", "", "error", "", "held out", "devices", "holds", "high/low"
    );
    for metric in ["decode", "prefill"] {
        for regime in [
            "gpu",
            "unified",
            "cpu",
            "gpu, own",
            "partial, own",
            "cpu, own",
            "fit: experts",
            "fit: gpu",
            "fit: cpu",
            "out: experts",
            "out: gpu",
            "out: partial",
            "out: unified",
            "out: cpu",
        ] {
            let some: Vec<&Compared> =
                compared.iter().filter(|c| c.regime == regime && c.metric == metric).collect();
            if some.is_empty() {
                continue;
            }
            let errors: Vec<f64> = some.iter().map(|c| (c.mid / c.measured - 1.0).abs()).collect();
            let inside = some.iter().filter(|c| (c.low..=c.high).contains(&c.measured)).count();
            let own = by_device(&some, |_| 1.0);
            let held_out = by_device(&some, |c| level_without(compared, c));
            println!(
                "{regime:12} {metric:7} {:5} {:7}  {:7.1} % {:7.1} % {:7.1} %  {:7.1} %  {:7.0} % {:10.2}",
                some.len(),
                own.len(),
                100.0 * quantile(errors, 0.5),
                100.0 * quantile(own.clone(), 0.5),
                100.0 * quantile(held_out.clone(), 0.5),
                100.0 * quantile(held_out, 0.9),
                100.0 * inside as f64 / some.len() as f64,
                quantile(some.iter().map(|c| c.high / c.low).collect(), 0.5),
            );
        }
    }
    println!("\nby class of device (median signed error of the estimate, tokens a second and seconds)");
    let mut classes: BTreeMap<&str, Vec<&Compared>> = BTreeMap::new();
    for c in compared {
        classes.entry(&c.class).or_default().push(c);
    }
    for (class, rows) in classes {
        print!("  {class:22}");
        for metric in ["decode", "prefill"] {
            let signed: Vec<f64> =
                rows.iter().filter(|c| c.metric == metric).map(|c| c.mid / c.measured - 1.0).collect();
            if !signed.is_empty() {
                print!("  {metric} {:4} rows {:+6.1} %", signed.len(), 100.0 * quantile(signed, 0.5));
            }
        }
        println!();
    }
}

/// Median absolute error of each device, with estimates multiplied by `level`.
fn by_device(rows: &[&Compared], level: impl Fn(&Compared) -> f64) -> Vec<f64> {
    let mut devices: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for c in rows {
        let error = (c.mid * level(c) / c.measured - 1.0).abs();
        devices.entry((&c.device, &c.class)).or_default().push(error);
    }
    devices.into_values().map(|errors| quantile(errors, 0.5)).collect()
}

/// Measured over estimated in the class of `row`, from the other devices of the class only.
fn level_without(all: &[Compared], row: &Compared) -> f64 {
    let mut devices: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for other in
        all.iter().filter(|c| c.class == row.class && c.metric == row.metric && c.device != row.device)
    {
        devices.entry(&other.device).or_default().push(other.measured / other.mid);
    }
    let levels: Vec<f64> = devices.into_values().map(|ratios| quantile(ratios, 0.5)).collect();
    if levels.len() < 2 { 1.0 } else { quantile(levels, 0.5) }
}

fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = q * (values.len().saturating_sub(1)) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    match (values.get(low), values.get(high)) {
        (Some(a), Some(b)) => a + (b - a) * (at - low as f64),
        _ => f64::NAN,
    }
}
