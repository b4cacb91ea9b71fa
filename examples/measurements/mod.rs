//! The measurements in `examples/data`, each with the model, setting and machine that it is about. Shared by the examples
//! `estimate_accuracy` and `fit_efficiency` and by `tests/estimate_fit.rs`.
//!
//! `examples/data/held_out.csv` lists the devices that the constants are not fitted to, in any table. It does not change.

mod csv_line;
mod desktop;
mod fit;
mod own;
mod scoreboard;
mod statistics;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acolyte::GIB;
use acolyte::estimate::{CpuFigures, EngineSetting, GpuFigures, MachineFigures, SpeedEstimator};
use acolyte::figures::{Certainty, Known, Range};
use acolyte::machine::gpu_table::{self, MemoryTechnology};
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{KvCacheType, Model};

pub use csv_line::{Row, rows};
pub use fit::Fitter;
pub use statistics::{by_device, quantile};

/// One measurement.
pub struct Measurement {
    /// Where weights are.
    pub regime: Regime,
    /// What was measured.
    pub metric: Metric,
    /// GPU, or the processor of a machine without one.
    pub device: String,
    /// Whether the constants may not be fitted to it.
    pub held_out: bool,
    /// Properties by which constants select the measurements that they are fitted to.
    pub tags: BTreeSet<String>,
    /// Model and setting, for printing.
    pub label: String,
    /// Tokens per second, or seconds of a prompt.
    pub measured: f64,
    model: Arc<Model>,
    setting: EngineSetting,
    machine: MachineFigures,
    /// Tokens in the context before.
    depth_tokens: u32,
    /// Tokens of the prompt that was measured.
    prompt_tokens: u32,
    /// Tokens of an answer whose time includes a short prompt.
    answer_tokens: Option<u32>,
    /// Whether a server answered, and not `llama-bench`.
    served: bool,
}

/// Where a measured model's weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Regime {
    /// All on a GPU.
    Gpu,
    /// Blocks on both sides.
    Partial,
    /// Experts in main memory.
    Experts,
    /// All in main memory.
    Processor,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Tokens per second.
    Decode,
    /// Seconds to process a prompt.
    Prompt,
}

/// Why a row is not used. docs/estimates.md lists the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
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
    /// Layers were placed by an engine that did not say how many.
    UnknownPlacement,
}

/// All measurements, and how many rows are not used for which reason.
pub struct Measurements {
    /// Those that can be estimated.
    pub all: Vec<Measurement>,
    /// Rows that are not used.
    pub dropped: BTreeMap<Dropped, usize>,
}

impl Measurements {
    /// The tables in `examples/data`, and more tables with the columns of `measured_speeds.csv`.
    pub fn read(more: &[String]) -> Self {
        let mut read = Self { all: Vec::new(), dropped: BTreeMap::new() };
        for result in scoreboard::read(more).into_iter().chain(own::read()).chain(desktop::read()) {
            match result {
                Ok(measurements) => read.all.extend(measurements),
                Err(reason) => *read.dropped.entry(reason).or_default() += 1,
            }
        }
        read
    }
}

impl Measurement {
    /// The estimate of what was measured.
    pub fn estimate(&self, estimator: SpeedEstimator<'_>) -> Range {
        let (model, setting, machine) = (&*self.model, &self.setting, &self.machine);
        match self.metric {
            Metric::Decode => {
                let rate = estimator.decode(model, setting, machine, self.depth_tokens, self.served);
                let Some(answer) = self.answer_tokens else { return rate };
                // What a server took from the request to the end of the answer.
                let prompt = estimator.first_token_s(model, setting, machine, prompt_of_server(model));
                let seconds = prompt.mid + f64::from(answer) / rate.mid;
                let factor = f64::from(answer) / seconds / rate.mid;
                Range { low: rate.low * factor, mid: rate.mid * factor, high: rate.high * factor }
            }
            Metric::Prompt => {
                let until = |tokens| prompt_s(estimator, model, setting, machine, tokens);
                let (to, from) = (until(self.depth_tokens + self.prompt_tokens), until(self.depth_tokens));
                let mid = to.mid - from.mid;
                Range { low: mid * to.low / to.mid, mid, high: mid * to.high / to.mid }
            }
        }
    }

    /// Estimate over measurement.
    pub fn ratio(&self, estimator: SpeedEstimator<'_>) -> f64 {
        self.estimate(estimator).mid / self.measured
    }

    /// Whether it has all of these tags and none of those with `!`.
    pub fn has(&self, tags: &[String]) -> bool {
        tags.iter().all(|tag| match tag.strip_prefix('!') {
            Some(excluded) => !self.tags.contains(excluded),
            None => self.tags.contains(tag),
        })
    }
}

/// Tokens of the questions that llmfit asks, with the model's template. That of gpt-oss has a long preamble.
fn prompt_of_server(model: &Model) -> u32 {
    if model.architecture.family == "gpt-oss" { 85 } else { 25 }
}

/// Seconds for a prompt alone, without the first token of the answer.
fn prompt_s(
    estimator: SpeedEstimator<'_>,
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    tokens: u32,
) -> Range {
    if tokens == 0 {
        return Range { low: 0.0, mid: 0.0, high: 0.0 };
    }
    let token = 1.0 / estimator.decode(model, setting, machine, tokens, false).mid;
    let all = estimator.first_token_s(model, setting, machine, tokens);
    let share = 1.0 - token / all.mid;
    Range { low: all.low * share, mid: all.mid * share, high: all.high * share }
}

/// What a row says, before the measurement is made of it.
struct Case {
    model: Arc<Model>,
    setting: EngineSetting,
    machine: MachineFigures,
    depth_tokens: u32,
    answer_tokens: Option<u32>,
    served: bool,
    label: String,
}

impl Case {
    fn measurement(&self, metric: Metric, measured: f64, prompt_tokens: u32) -> Measurement {
        let gpu = self.machine.gpus.first().filter(|_| self.setting.gpu_layers > 0);
        let name = |gpu: &GpuFigures| gpu.row.map_or_else(|| gpu.name.clone(), |row| row.name.clone());
        let device = gpu.map_or_else(|| self.machine.cpu.name.clone(), name);
        let regime = match self.setting.gpu_layers {
            0 => Regime::Processor,
            layers if layers < self.model.total_layers() => Regime::Partial,
            _ if self.setting.n_cpu_moe > 0 && self.model.architecture.experts.is_some() => Regime::Experts,
            _ => Regime::Gpu,
        };
        Measurement {
            regime,
            metric,
            held_out: self.machine.gpus.iter().any(|gpu| is_held_out(&name(gpu)))
                || is_held_out(&self.machine.cpu.name),
            tags: tags::of(self, regime, metric),
            label: format!("{device}: {}", self.label),
            device,
            measured,
            model: Arc::clone(&self.model),
            setting: self.setting,
            machine: self.machine.clone(),
            depth_tokens: self.depth_tokens,
            prompt_tokens,
            answer_tokens: self.answer_tokens.filter(|_| metric == Metric::Decode),
            served: self.served,
        }
    }
}

/// Whether constants may not be fitted to a device: its name, or that of its row in the table of cards.
fn is_held_out(device: &str) -> bool {
    let bare = |name: &str| name.trim_start_matches("NVIDIA ").to_owned();
    csv_line::rows(include_str!("../data/held_out.csv")).iter().any(|row| {
        let listed = row.text("device");
        let found = gpu_table::lookup(listed, None).map(|row| row.name.clone());
        !device.is_empty() && (bare(listed) == bare(device) || found.is_some_and(|name| name == device))
    })
}

/// A GPU of the table with all of its memory free.
fn table_gpu(
    name: &str,
    vram_bytes: Option<u64>,
    backend: &str,
    bus_gb_s: Known<f64>,
) -> Result<GpuFigures, Dropped> {
    let row = gpu_table::lookup(name, vram_bytes).ok_or(Dropped::UnknownGpu)?;
    let unified = row.vram_bytes == 0
        || row.backend == GpuBackend::Metal
        || matches!(row.memory, MemoryTechnology::Lpddr);
    let total = if unified { 512 * GIB } else { vram_bytes.unwrap_or(row.vram_bytes) };
    Ok(GpuFigures {
        name: name.to_owned(),
        kind: if unified { GpuKind::Unified } else { GpuKind::Discrete },
        backend: match backend {
            "vulkan" => GpuBackend::Vulkan,
            "rocm" => GpuBackend::Rocm,
            _ => row.backend,
        },
        vram_total_bytes: total,
        vram_total_certainty: acolyte::figures::Certainty::Detected,
        compute_share: 1.0,
        vram_free_bytes: Known::detected(total),
        bandwidth_gb_s: Known { value: row.bandwidth_gb_s, certainty: Certainty::Table },
        row: Some(row),
        compute_capability: None,
        bus_gb_s,
    })
}

/// A processor, with much memory.
pub fn processor(name: &str, gb_s: f64, certainty: Certainty, cores: u32, features: &str) -> CpuFigures {
    CpuFigures {
        name: name.to_owned(),
        dot_product_gb_s: None,
        ram_total_bytes: 128 * GIB,
        ram_available_bytes: Known::detected(120 * GIB),
        bandwidth_gb_s: Known { value: gb_s, certainty },
        physical_cores: Known::detected(cores),
        features: features.split(' ').map(str::to_owned).collect(),
    }
}

fn kv_type(row: &Row) -> KvCacheType {
    row.text("kv_type").parse().unwrap_or(KvCacheType::F16)
}
