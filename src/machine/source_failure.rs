//! Sources of detection, and why an existing one did not answer.

use crate::untrusted::UntrustedText;
use serde::{Deserialize, Deserializer, Serialize};

/// A graphics driver interface that is queried in a child process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuSource {
    /// NVIDIA's management library.
    Nvml,
    /// The `sysinfo` library's GPU list.
    Sysinfo,
    /// wgpu over Vulkan, Direct3D 12 or Metal.
    Wgpu,
    /// DXGI (Windows only).
    Dxgi,
}

/// A search with a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimedSearch {
    /// Search for Ollama servers and installations.
    Engines,
    /// Size and kind of disks.
    Disks,
    /// Search for model files.
    Models,
}

/// Why a driver interface that exists did not answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum SourceFailure {
    /// It did not answer in time; its process was killed.
    Timeout {
        /// The limit in seconds.
        seconds: f64,
    },
    /// Its process crashed.
    Crashed {
        /// Signal or exit status as text.
        status: UntrustedText,
        /// The last line it wrote to its error output; empty if none.
        message: UntrustedText,
    },
    /// Its process exited successfully without an answer.
    EndedWithoutAnswer {
        /// The last line it wrote to its error output; empty if none.
        message: UntrustedText,
    },
    /// Its process could not be started.
    NotStarted {
        /// The system's error.
        message: UntrustedText,
    },
    /// Its answer could not be read.
    InvalidAnswer {
        /// What is wrong with it.
        message: UntrustedText,
    },
    /// The NVIDIA driver is not loaded.
    DriverNotLoaded,
    /// The NVIDIA driver was updated and the old one is still loaded.
    DriverUpdated,
    /// This user may not use the NVIDIA driver.
    NoPermission,
    /// A card no longer answers its driver, or demands a reset.
    GpuLost,
    /// The NVIDIA driver answers with an unknown error (999). In containers: its devices were withdrawn.
    UnknownDriverError,
    /// NVML did not find a library of the driver.
    LibraryNotFound,
    /// The file is not a usable NVML library.
    NotALibrary {
        /// The loader's error.
        message: UntrustedText,
    },
    /// Any other error of the driver or the system.
    Other {
        /// Its message.
        message: UntrustedText,
    },
}

impl<'de> Deserialize<'de> for SourceFailure {
    /// Reads `{why, …}`. Unknown causes and the plain sentences of earlier versions become [`SourceFailure::Other`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Fields {
            why: UntrustedText,
            seconds: f64,
            status: UntrustedText,
            message: UntrustedText,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Document {
            Fields(Fields),
            Words(UntrustedText),
        }
        let Fields { why, seconds, status, message } = match Document::deserialize(deserializer)? {
            Document::Fields(fields) => fields,
            Document::Words(message) => return Ok(Self::Other { message }),
        };
        Ok(match why.as_str() {
            "timeout" => Self::Timeout { seconds },
            "crashed" => Self::Crashed { status, message },
            "ended_without_answer" => Self::EndedWithoutAnswer { message },
            "not_started" => Self::NotStarted { message },
            "invalid_answer" => Self::InvalidAnswer { message },
            "driver_not_loaded" => Self::DriverNotLoaded,
            "driver_updated" => Self::DriverUpdated,
            "no_permission" => Self::NoPermission,
            "gpu_lost" => Self::GpuLost,
            "unknown_driver_error" => Self::UnknownDriverError,
            "library_not_found" => Self::LibraryNotFound,
            "not_a_library" => Self::NotALibrary { message },
            "other" => Self::Other { message },
            _ => Self::Other { message: why },
        })
    }
}
