//! The hardware document: what `acolyte detect --json` prints and `--hardware FILE` reads.
//!
//! Absent or `null` means unknown. An unknown key is refused by name, because a misspelt key that is silently
//! ignored would turn a known figure into an unknown one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ComputeCapability, Finding};

/// One machine, as far as it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardware {
    /// Version of this document's format; always [`crate::SCHEMA`].
    pub schema: u32,
    /// The operating system.
    #[serde(default)]
    pub os: Os,
    /// The processor.
    #[serde(default)]
    pub cpu: Cpu,
    /// Main memory.
    pub memory: MainMemory,
    /// Every display adapter, also those that cannot run a model.
    #[serde(default)]
    pub gpus: Vec<Gpu>,
    /// The disks of the folders an installation would use.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// Ollama servers and installations already on the machine.
    #[serde(default)]
    pub engines: Vec<FoundEngine>,
    /// Folders with models of Ollama's on the disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_folders: Vec<ModelFolder>,
    /// What the user should know beyond the figures.
    #[serde(default)]
    pub notes: Vec<Finding>,
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
    /// Decimal GB of 4-bit weights that all cores together multiply in a second when memory does not limit: measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dot_product_gb_s: Option<f64>,
}

/// Main memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MainMemory {
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
    pub compute_capability: Option<ComputeCapability>,
    /// Why Ollama leaves it out, although it could hold a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
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

/// Why Ollama leaves out an adapter that could hold a model. [`super::EngineRefusal`] adds the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// CUDA compute capability below 5.0.
    CapabilityTooLow,
    /// No driver that Ollama can compute with answers.
    NvidiaDriverMissing,
    /// The NVIDIA driver is older than Ollama's libraries need.
    NvidiaDriverTooOld,
    /// It is reserved for a virtual machine.
    GpuPassedThrough,
    /// This user may not open its device.
    GpuDenied,
    /// No device leads to it.
    GpuUnreachable,
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

impl Backend {
    /// As it is written.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cuda => "CUDA",
            Self::Rocm => "ROCm",
            Self::Vulkan => "Vulkan",
            Self::Metal => "Metal",
        }
    }
}

/// The disk under folders that an installation would use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// The folder asked about, or its nearest parent that exists.
    #[serde(serialize_with = "readable_path")]
    pub path: PathBuf,
    /// What the folder is on.
    #[serde(default)]
    pub kind: Option<DiskKind>,
    /// Free for this user, in bytes.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// What an installation would put there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_for: Vec<DiskUse>,
    /// Bytes that an installation of what is recommended needs there, unpacking and a reserve included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_bytes: Option<u64>,
    /// Whether that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fits: Option<bool>,
}

/// What an installation puts on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskUse {
    /// Ollama's programs and libraries.
    Engine,
    /// The model's files.
    Models,
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
pub struct FoundEngine {
    /// How it is present.
    pub kind: EngineKind,
    /// Version, as it says itself.
    pub version: Option<String>,
    /// TCP port it answers on.
    pub port: Option<u16>,
    /// Where its program lies.
    #[serde(serialize_with = "readable_optional_path")]
    pub path: Option<PathBuf>,
    /// True when it can be reached from other machines.
    pub exposed: Option<bool>,
    /// Models that a server holds in memory now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loaded: Vec<LoadedModel>,
    /// Models that a server has on its disk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<StoredModel>,
}

/// How an Ollama engine is present on the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// A server that answers on a port.
    Server,
    /// A program file.
    #[default]
    Binary,
    /// A service of the system.
    Service,
    /// The desktop app.
    App,
}

/// A folder with models of Ollama's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelFolder {
    /// The folder.
    #[serde(serialize_with = "readable_path")]
    pub path: PathBuf,
    /// Size of all model files in bytes, each counted once.
    pub total_bytes: u64,
    /// The models, by name.
    pub models: Vec<StoredModel>,
}

/// A model on a disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoredModel {
    /// Its tag, for example `qwen2.5-coder:7b`.
    pub name: String,
    /// Size of its files in bytes; models may share some.
    pub size_bytes: Option<u64>,
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

/// A required key whose value may be `null`: with `deserialize_with`, serde reports an absent key as an error.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(deserializer)
}

/// Bytes of a path that are not UTF-8 are replaced: JSON cannot hold them, and a document without them is of more use
/// than none.
fn readable_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

fn readable_optional_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => readable_path(path, serializer),
        None => serializer.serialize_none(),
    }
}

impl Gpu {
    /// Whether Ollama would put a model on it.
    pub fn is_usable(&self) -> bool {
        self.kind.holds_models() && self.blocked.is_none()
    }

    /// An adapter of which nothing is known but this.
    pub fn named(name: &str, kind: GpuKind, vram_total_bytes: Option<u64>) -> Self {
        Self {
            name: name.to_owned(),
            vendor: None,
            kind,
            vram_total_bytes,
            vram_free_bytes: None,
            memory_bandwidth_gb_s: None,
            backend: None,
            driver_version: None,
            compute_capability: None,
            blocked: None,
            sources: BTreeMap::new(),
        }
    }
}

impl Hardware {
    /// A machine of which nothing is known but this.
    pub fn with(memory: MainMemory, gpus: Vec<Gpu>) -> Self {
        Self {
            schema: crate::SCHEMA,
            os: Os::default(),
            cpu: Cpu::default(),
            memory,
            gpus,
            disks: Vec::new(),
            engines: Vec::new(),
            model_folders: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The adapters that Ollama would put a model on: not software, not virtual, not plain integrated graphics, and
    /// nothing that it leaves out.
    pub fn usable_gpus(&self) -> impl Iterator<Item = &Gpu> {
        self.gpus.iter().filter(|gpu| gpu.is_usable())
    }
}

impl GpuKind {
    /// Whether Ollama will put a model on such an adapter.
    pub fn holds_models(self) -> bool {
        matches!(self, Self::Discrete | Self::Unified)
    }
}
