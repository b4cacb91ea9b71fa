//! The hardware document: what `acolyte detect --json` prints and `--hardware FILE` reads.
//!
//! Absent or `null` means unknown. An unknown key is an error that names it: silently ignoring a misspelt key would
//! turn a known figure into an unknown one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ComputeCapability, Finding, GpuBackend, GpuState, RamModule, RamProgram};
use crate::untrusted::UntrustedText;

/// A machine's hardware, as far as known.
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
    /// All display adapters, including those that cannot run a model.
    #[serde(default)]
    pub gpus: Vec<Gpu>,
    /// The disks of the folders that an installation would use.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// Ollama servers and installations already on the machine.
    #[serde(default)]
    pub engines: Vec<FoundEngine>,
    /// Folders with Ollama models.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_folders: Vec<ModelFolder>,
    /// Installed modules of main memory, if the firmware tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ram_modules: Vec<RamModule>,
    /// Programs that use much main memory, the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ram_programs: Vec<RamProgram>,
    /// Findings that the user should know.
    #[serde(default)]
    pub notes: Vec<Finding>,
}

/// The operating system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Os {
    /// `linux`, `macos` or `windows`.
    pub name: Option<UntrustedText>,
    /// The system's version, for example `12` or `10.0.19045`.
    pub version: Option<UntrustedText>,
    /// `x86_64` or `aarch64`.
    pub arch: Option<UntrustedText>,
}

/// The processor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cpu {
    /// Name reported by the processor.
    pub name: Option<UntrustedText>,
    /// Cores, not counting hyper-threads.
    pub physical_cores: Option<u32>,
    /// Hardware threads.
    pub logical_cores: Option<u32>,
    /// Instruction sets that matter to inference: `avx2`, `avx512`, `neon`, …
    pub features: Vec<UntrustedText>,
    /// Decimal GB of 4-bit weights that all cores together multiply per second from their caches (measured).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dot_product_gb_s: Option<f64>,
}

/// Main memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MainMemory {
    /// Total size in bytes.
    pub total_bytes: u64,
    /// Currently available to programs, in bytes.
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
    /// Name reported by its driver.
    pub name: UntrustedText,
    /// `nvidia`, `amd`, `intel`, `apple`, …
    #[serde(default)]
    pub vendor: Option<UntrustedText>,
    /// Kind of adapter; decides whether its memory counts.
    pub kind: GpuKind,
    /// Dedicated memory in bytes (unified: what the system lets it use). `null` when unknown; the key is required.
    #[serde(deserialize_with = "present")]
    pub vram_total_bytes: Option<u64>,
    /// Free memory in bytes.
    #[serde(default)]
    pub vram_free_bytes: Option<u64>,
    /// Memory bandwidth in decimal GB/s.
    #[serde(default)]
    pub memory_bandwidth_gb_s: Option<f64>,
    /// Nominal bandwidth of its PCI Express link in one direction, in decimal GB/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus_gb_s: Option<f64>,
    /// Share of the chip's arithmetic, 0 to 1: less than 1 for a slice of a card (MIG).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_share: Option<f64>,
    /// Backend that Ollama will use.
    #[serde(default)]
    pub backend: Option<GpuBackend>,
    /// The driver's version.
    #[serde(default)]
    pub driver_version: Option<UntrustedText>,
    /// CUDA compute capability, for example `8.9`.
    #[serde(default)]
    pub compute_capability: Option<ComputeCapability>,
    /// Why Ollama leaves it out although it could hold a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// Display, power limits and what slows it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<GpuState>,
    /// Source of each value: key of this document → `nvml`, `vulkan`, `sysfs`, `table`, …
    #[serde(default)]
    pub sources: BTreeMap<String, UntrustedText>,
}

/// Kind of display adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuKind {
    /// A card or chip with dedicated memory.
    Discrete,
    /// Shares main memory and is not used by Ollama by default.
    Integrated,
    /// Shares main memory by design and is used by Ollama (Apple silicon, Strix Halo, GB10).
    Unified,
    /// A software renderer (llvmpipe, WARP). Never counted as a GPU.
    Software,
    /// The adapter of a virtual machine.
    Virtual,
}

/// Why Ollama leaves out an adapter that could hold a model. [`super::EngineRefusal`] adds the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// CUDA compute capability below 5.0.
    CapabilityTooLow,
    /// No NVIDIA driver responds that Ollama can compute with.
    NvidiaDriverMissing,
    /// The NVIDIA driver is older than Ollama's libraries need.
    NvidiaDriverTooOld,
    /// It is reserved for a virtual machine.
    GpuPassedThrough,
    /// This user may not open its device.
    GpuDenied,
    /// There is no device file for it.
    GpuUnreachable,
    /// It is a share of a card (vGPU) whose profile cannot compute.
    VgpuWithoutCompute,
    /// An environment variable hides it from the engine: `sources.blocked` has name and value.
    HiddenByVariable,
    /// It is partitioned (MIG), and no slice can be used.
    NoMigSlice,
    /// It no longer answers its driver.
    GpuLost,
    /// The NVIDIA driver and its library have different versions.
    NvidiaDriverMismatch,
    /// This user may not use the NVIDIA driver.
    NvidiaDriverDenied,
    /// The NVIDIA driver answers with an unknown error.
    NvidiaDriverFails,
}

/// The disk of folders that an installation would use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// The folder, or its nearest existing parent.
    #[serde(serialize_with = "readable_path")]
    pub path: PathBuf,
    /// Kind of disk.
    #[serde(default)]
    pub kind: Option<DiskKind>,
    /// Free space for this user, in bytes.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// What an installation would put on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_for: Vec<DiskUse>,
    /// Bytes that the recommended plan needs on it, including unpacking and a reserve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_bytes: Option<u64>,
    /// Whether that fits the free space.
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

/// Kind of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskKind {
    /// Solid-state disk.
    Ssd,
    /// Hard disk.
    Hdd,
}

/// An Ollama server or installation found on the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FoundEngine {
    /// How it is installed or running.
    pub kind: EngineKind,
    /// Version that it reports.
    pub version: Option<UntrustedText>,
    /// TCP port it responds on.
    pub port: Option<u16>,
    /// Path of its program.
    #[serde(serialize_with = "readable_optional_path")]
    pub path: Option<PathBuf>,
    /// Whether it can be reached from other machines.
    pub exposed: Option<bool>,
    /// Models loaded by a server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loaded: Vec<LoadedModel>,
    /// Models stored by a server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<StoredModel>,
}

/// How an Ollama engine is installed or running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// A server that responds on a port.
    Server,
    /// A program file.
    #[default]
    Binary,
    /// A system service.
    Service,
    /// The desktop app.
    App,
}

/// A folder with Ollama models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelFolder {
    /// The folder.
    #[serde(serialize_with = "readable_path")]
    pub path: PathBuf,
    /// Size of all model files in bytes, each counted once.
    pub total_bytes: u64,
    /// The models, sorted by name.
    pub models: Vec<StoredModel>,
}

/// A model on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoredModel {
    /// Its tag, for example `qwen2.5-coder:7b`.
    pub name: UntrustedText,
    /// Size of its files in bytes; models may share some.
    pub size_bytes: Option<u64>,
}

/// A model in the memory of a running server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadedModel {
    /// Its tag.
    pub name: UntrustedText,
    /// Total memory it uses, in bytes, as reported by the server.
    pub total_bytes: Option<u64>,
    /// Part of it in graphics memory, in bytes, as reported by the server.
    pub vram_bytes: Option<u64>,
}

/// A required key whose value may be `null`: with `deserialize_with`, serde reports an absent key as an error.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(deserializer)
}

/// Replaces bytes of a path that are not UTF-8, which JSON cannot represent.
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
    /// Whether Ollama would load a model on it.
    pub fn is_usable(&self) -> bool {
        self.kind.holds_models() && self.blocked().is_none()
    }

    /// An adapter with these values; all others are unknown.
    pub fn named(name: &str, kind: GpuKind, vram_total_bytes: Option<u64>) -> Self {
        Self {
            name: name.into(),
            vendor: None,
            kind,
            vram_total_bytes,
            vram_free_bytes: None,
            memory_bandwidth_gb_s: None,
            bus_gb_s: None,
            compute_share: None,
            backend: None,
            driver_version: None,
            compute_capability: None,
            blocked: None,
            state: None,
            sources: BTreeMap::new(),
        }
    }
}

impl Hardware {
    /// A machine with these values; all others are unknown.
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
            ram_modules: Vec::new(),
            ram_programs: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The adapters that Ollama would load a model on: no software, virtual or integrated graphics, and none that it
    /// leaves out.
    pub fn usable_gpus(&self) -> impl Iterator<Item = &Gpu> {
        self.gpus.iter().filter(|gpu| gpu.is_usable())
    }
}

impl GpuKind {
    /// Whether Ollama loads models on this kind of adapter.
    pub fn holds_models(self) -> bool {
        matches!(self, Self::Discrete | Self::Unified)
    }
}
