//! The hardware document: what `acolyte detect --json` prints and `--hardware FILE` reads.
//!
//! Absent or `null` means unknown. An unknown key is refused by name, because a misspelt key that is silently
//! ignored would turn a known figure into an unknown one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::SCHEMA;

/// One machine, as far as it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardware {
    /// Version of this document's format; always [`SCHEMA`].
    pub schema: u32,
    /// The operating system.
    #[serde(default)]
    pub os: Os,
    /// The processor.
    #[serde(default)]
    pub cpu: Cpu,
    /// Main memory.
    pub memory: Memory,
    /// Every display adapter, also those that cannot run a model.
    #[serde(default)]
    pub gpus: Vec<Gpu>,
    /// The disks of the folders an installation would use.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// Ollama servers and installations already on the machine.
    #[serde(default)]
    pub engines: Vec<Engine>,
    /// What could not be found out, and why.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// The operating system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Os {
    /// `linux`, `macos` or `windows`.
    pub name: Option<String>,
    /// As the system prints it, for example `12` or `10.0.19045`.
    pub version: Option<String>,
    /// `x86_64` or `aarch64`.
    pub arch: Option<String>,
}

/// The processor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cpu {
    /// The name the processor gives itself.
    pub name: Option<String>,
    /// Cores, not counting hyper-threads.
    pub physical_cores: Option<u32>,
    /// Threads that run at the same time.
    pub logical_cores: Option<u32>,
    /// Instruction sets that matter to inference: `avx2`, `avx512`, `neon`, …
    pub features: Vec<String>,
}

/// Main memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// All of it, in bytes.
    pub total_bytes: u64,
    /// What programs can have now, in bytes.
    #[serde(default)]
    pub available_bytes: Option<u64>,
    /// Measured read bandwidth with all cores, in decimal GB/s.
    #[serde(default)]
    pub bandwidth_gb_s: Option<f64>,
}

/// A display adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// The name its driver gives it.
    pub name: String,
    /// `nvidia`, `amd`, `intel`, `apple`, …
    #[serde(default)]
    pub vendor: Option<String>,
    /// What sort of adapter it is; decides whether its memory counts.
    pub kind: GpuKind,
    /// Its own memory in bytes (unified: what the system lets it use). `null` when unknown, but never left out.
    #[serde(deserialize_with = "present")]
    pub vram_total_bytes: Option<u64>,
    /// What is free of it now, in bytes.
    #[serde(default)]
    pub vram_free_bytes: Option<u64>,
    /// Memory bandwidth in decimal GB/s.
    #[serde(default)]
    pub memory_bandwidth_gb_s: Option<f64>,
    /// The back-end Ollama will use it with.
    #[serde(default)]
    pub backend: Option<Backend>,
    /// The driver's version.
    #[serde(default)]
    pub driver_version: Option<String>,
    /// CUDA compute capability, for example `8.9`.
    #[serde(default)]
    pub compute_capability: Option<String>,
    /// How each value is known: key of this document → source (`nvml`, `vulkan`, `sysfs`, `table`, …).
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
}

/// What sort of adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuKind {
    /// A card or chip with memory of its own.
    Discrete,
    /// Shares the main memory and is not used by Ollama by default.
    Integrated,
    /// Shares the main memory by design and is used (Apple silicon, Strix Halo, GB10).
    Unified,
    /// A program that draws on the processor (llvmpipe, WARP). Never counted as a GPU.
    Software,
    /// A virtual machine's adapter.
    Virtual,
}

/// The library through which Ollama computes on an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// NVIDIA.
    Cuda,
    /// AMD.
    Rocm,
    /// Any vendor.
    Vulkan,
    /// Apple.
    Metal,
}

/// The disk under a folder that an installation would use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// The folder asked about, or its nearest parent that exists.
    pub path: PathBuf,
    /// What the folder is on.
    #[serde(default)]
    pub kind: Option<DiskKind>,
    /// Free for this user, in bytes.
    #[serde(default)]
    pub free_bytes: Option<u64>,
}

/// What sort of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskKind {
    /// Solid state.
    Ssd,
    /// Spinning.
    Hdd,
}

/// An Ollama server or installation found on the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// `server`, `binary`, `service` or `app`.
    pub kind: String,
    /// Version, as it says itself.
    pub version: Option<String>,
    /// TCP port it answers on.
    pub port: Option<u16>,
    /// Where its program lies.
    pub path: Option<PathBuf>,
    /// True when it can be reached from other machines.
    pub exposed: Option<bool>,
    /// Models that a server holds in memory now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loaded: Vec<LoadedModel>,
}

/// A model in the memory of a running server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadedModel {
    /// Its tag.
    pub name: String,
    /// Memory it takes in all, in bytes, as the server says.
    pub total_bytes: Option<u64>,
    /// The part of it on graphics cards, in bytes, as the server says.
    pub vram_bytes: Option<u64>,
}

/// Something that could not be found out, or that a person should know about a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// Stable, for programs and for translation: `source_failed`, …
    pub code: String,
    /// English sentences.
    pub text: String,
    /// The figures and names in the sentences, for translation and for programs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Note {
    /// Takes `{code, text}` or, written by hand, a plain sentence.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Full {
            code: String,
            text: String,
            #[serde(default)]
            details: BTreeMap<String, String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Full(Full),
            Text(String),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Full(Full { code, text, details }) => Self { code, text, details },
            Either::Text(text) => Self { code: "note".to_owned(), text, details: BTreeMap::new() },
        })
    }
}

/// A required key whose value may be `null`: with `deserialize_with`, serde reports an absent key as an error.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(deserializer)
}

/// Why a hardware file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HardwareFileError {
    /// It could not be read.
    #[error("cannot read the hardware file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a hardware document. The message names line and key.
    #[error("{path} is not a hardware document: {source}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A value that cannot be.
    #[error("{path}: {what}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key and what is wrong with it.
        what: String,
    },
}

impl Hardware {
    /// Reads a hardware document from a file.
    ///
    /// # Errors
    /// When the file cannot be read, is not such a document, or holds a value that cannot be.
    pub fn from_file(path: &std::path::Path) -> Result<Self, HardwareFileError> {
        let json = std::fs::read_to_string(path)
            .map_err(|source| HardwareFileError::Read { path: path.to_owned(), source })?;
        Self::from_json(&json, path)
    }

    /// Reads a hardware document from text; `path` is only used in errors.
    ///
    /// # Errors
    /// As [`Hardware::from_file`].
    pub fn from_json(json: &str, path: &std::path::Path) -> Result<Self, HardwareFileError> {
        let hardware = serde_json::from_str(json)
            .or_else(|source| Self::in_report(json).ok_or(source))
            .map_err(|source| HardwareFileError::Format { path: path.to_owned(), source })?;
        match hardware.impossible_value() {
            Some(what) => Err(HardwareFileError::Value { path: path.to_owned(), what }),
            None => Ok(hardware),
        }
    }

    /// The hardware document inside a report of `acolyte doctor`.
    fn in_report(json: &str) -> Option<Self> {
        serde_json::from_str::<super::doctor::Report>(json).ok().map(|report| report.hardware)
    }

    /// The first value that no machine can have, if there is one.
    fn impossible_value(&self) -> Option<String> {
        /// More than any machine has; guards the arithmetic against nonsense.
        const MOST_BYTES: u64 = 1 << 50;
        /// More than any memory moves.
        const MOST_GB_S: f64 = 100_000.0;

        let bytes = |key: String, value: Option<u64>| {
            value
                .filter(|v| *v > MOST_BYTES)
                .map(|v| format!("{key}: {v} bytes is more than any machine has"))
        };
        let rate = |key: String, value: Option<f64>| {
            value
                .filter(|v| !v.is_finite() || *v <= 0.0 || *v > MOST_GB_S)
                .map(|v| format!("{key}: {v} GB/s cannot be"))
        };
        let more = |key: String, part: Option<u64>, whole_key: &str, whole: Option<u64>| match (part, whole) {
            (Some(part), Some(whole)) if part > whole => {
                Some(format!("{key}: {part} is more than {whole_key}, {whole}"))
            }
            _ => None,
        };

        if self.schema != SCHEMA {
            return Some(format!("schema: {} is not supported, this program reads {SCHEMA}", self.schema));
        }
        let memory = &self.memory;
        if memory.total_bytes == 0 {
            return Some("memory.total_bytes: 0 cannot be".to_owned());
        }
        bytes("memory.total_bytes".to_owned(), Some(memory.total_bytes))
            .or_else(|| {
                more(
                    "memory.available_bytes".to_owned(),
                    memory.available_bytes,
                    "memory.total_bytes",
                    Some(memory.total_bytes),
                )
            })
            .or_else(|| rate("memory.bandwidth_gb_s".to_owned(), memory.bandwidth_gb_s))
            .or_else(|| {
                self.gpus.iter().enumerate().find_map(|(i, gpu)| {
                    bytes(format!("gpus[{i}].vram_total_bytes"), gpu.vram_total_bytes)
                        .or_else(|| {
                            more(
                                format!("gpus[{i}].vram_free_bytes"),
                                gpu.vram_free_bytes,
                                "vram_total_bytes",
                                gpu.vram_total_bytes,
                            )
                        })
                        .or_else(|| {
                            rate(format!("gpus[{i}].memory_bandwidth_gb_s"), gpu.memory_bandwidth_gb_s)
                        })
                })
            })
    }

    /// The adapters whose memory can hold a model: not software, not virtual, not plain integrated graphics.
    pub fn usable_gpus(&self) -> impl Iterator<Item = &Gpu> {
        self.gpus.iter().filter(|gpu| gpu.kind.holds_models())
    }
}

impl GpuKind {
    /// Whether Ollama will put a model on such an adapter.
    pub fn holds_models(self) -> bool {
        matches!(self, Self::Discrete | Self::Unified)
    }
}
