//! Reads and validates a hardware document.

use std::path::{Path, PathBuf};

use crate::SCHEMA;
use crate::machine::Hardware;
use crate::platform::regular;
use crate::untrusted::UntrustedText;

/// Upper limit of a hardware file. A report of `acolyte doctor` with logs is some hundred kilobytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Why a hardware file was rejected.
#[derive(Debug, thiserror::Error)]
pub enum HardwareFileError {
    /// It could not be read.
    #[error("cannot read the hardware file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Invalid JSON, or an unknown or missing key.
    #[error("{path} is not a hardware document: {source}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The parser's error, with line and column.
        source: serde_json::Error,
    },
    /// An impossible value.
    #[error("{path}: {what}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key and what is wrong with it.
        what: UntrustedText,
    },
}

/// The part of a report of `acolyte doctor` that is needed here.
#[derive(serde::Deserialize)]
struct InReport {
    hardware: Hardware,
}

impl Hardware {
    /// Reads a hardware document from a file.
    ///
    /// # Errors
    /// If the file cannot be read, is not a hardware document, or contains an impossible value.
    pub fn from_file(path: &Path) -> Result<Self, HardwareFileError> {
        let json = regular::read_text(path, MAX_FILE_BYTES)
            .map_err(|source| HardwareFileError::Read { path: path.to_owned(), source })?;
        Self::from_json(&json, path)
    }

    /// Reads a hardware document from text; `path` is only used in errors.
    ///
    /// # Errors
    /// Those of [`Hardware::from_file`].
    pub fn from_json(json: &str, path: &Path) -> Result<Self, HardwareFileError> {
        let hardware = serde_json::from_str(json)
            .or_else(|source| Self::in_report(json).ok_or(source))
            .map_err(|source| HardwareFileError::Format { path: path.to_owned(), source })?;
        match hardware.impossible_value() {
            Some(what) => Err(HardwareFileError::Value { path: path.to_owned(), what: what.into() }),
            None => Ok(hardware),
        }
    }

    /// The hardware document inside a report of `acolyte doctor`.
    fn in_report(json: &str) -> Option<Self> {
        serde_json::from_str::<InReport>(json).ok().map(|report| report.hardware)
    }

    /// Describes the first impossible value, if any.
    fn impossible_value(&self) -> Option<String> {
        /// Upper limit of plausible sizes; protects later arithmetic.
        const MAX_BYTES: u64 = 1 << 50;
        /// Upper limit of plausible bandwidths.
        const MAX_GB_S: f64 = 100_000.0;

        let bytes = |key: String, value: Option<u64>| {
            value.filter(|v| *v > MAX_BYTES).map(|v| format!("{key}: {v} bytes is more than any machine has"))
        };
        let rate = |key: String, value: Option<f64>| {
            value
                .filter(|v| !v.is_finite() || *v <= 0.0 || *v > MAX_GB_S)
                .map(|v| format!("{key}: {v} GB/s is impossible"))
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
            return Some("memory.total_bytes: 0 is not a size".to_owned());
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
                        .or_else(|| rate(format!("gpus[{i}].bus_gb_s"), gpu.bus_gb_s))
                        .or_else(|| {
                            let share = gpu.compute_share.filter(|share| !(*share > 0.0 && *share <= 1.0));
                            share.map(|share| format!("gpus[{i}].compute_share: {share} is not a share"))
                        })
                })
            })
    }
}
