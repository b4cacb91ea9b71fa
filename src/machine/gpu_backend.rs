//! The compute interfaces of the engine.

use serde::{Deserialize, Serialize};

/// The compute interface that Ollama uses on an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuBackend {
    /// NVIDIA.
    Cuda,
    /// AMD.
    Rocm,
    /// Any vendor.
    Vulkan,
    /// Apple.
    Metal,
}

impl GpuBackend {
    /// Name for the screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cuda => "CUDA",
            Self::Rocm => "ROCm",
            Self::Vulkan => "Vulkan",
            Self::Metal => "Metal",
        }
    }
}
