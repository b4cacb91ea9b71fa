//! The raw answers of all sources, before they are merged.
//!
//! [`super::merge`] turns an [`Evidence`] into a [`super::Hardware`] without I/O, so that the recorded answers of a
//! machine can be replayed on any other. Everything here is as reported by driver or system, in its own units;
//! structures are only decoded into numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::machine::{
    ComputeCapability, Cpu, Disk, FoundEngine, ModelFolder, Os, RamModule, RamProgram, Slowdown,
    SourceFailure, TimedSearch,
};
use crate::untrusted::UntrustedText;

/// The raw answers of one machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// The operating system.
    pub os: Os,
    /// The processor.
    pub cpu: Cpu,
    /// Main memory and what limits it.
    pub memory: MemoryEvidence,
    /// Model name of the board, if any (`/proc/device-tree/model`, DMI product name).
    pub board: Option<String>,
    /// True inside the Windows Subsystem for Linux.
    pub wsl: bool,
    /// True under Wine, whose Direct3D emulates a card with OpenGL.
    pub wine: bool,
    /// NVIDIA's management library.
    pub nvml: SourceAnswer<NvmlAnswer>,
    /// The GPU list of the `sysinfo` library.
    pub sysinfo: SourceAnswer<Vec<SysinfoGpu>>,
    /// Adapters listed by wgpu, with memory figures of their native interface.
    pub wgpu: SourceAnswer<Vec<WgpuAdapter>>,
    /// DXGI's adapters (Windows).
    pub dxgi: SourceAnswer<Vec<DxgiAdapter>>,
    /// Linux: files under `/sys` that describe display adapters, path below `/sys` → content.
    pub sysfs: BTreeMap<String, String>,
    /// Linux: marketing names of the PCI devices in `sysfs`, `vendor:device[:revision]` in lower-case hexadecimal →
    /// name (from lists installed by packages).
    pub pci_names: BTreeMap<String, String>,
    /// Linux: whether this user can open a render device (`/dev/dri/renderD*`, `/dev/kfd`).
    pub render_access: Option<Access>,
    /// Linux: whether there is any graphics device; `None` where unknown.
    pub graphics_device: Option<bool>,
    /// Linux: programs of this user that use memory of a card, as reported by the kernel's drivers.
    pub gpu_clients: Vec<GpuClient>,
    /// Installed modules of main memory, as the firmware describes them.
    pub ram_modules: Vec<RamModule>,
    /// Programs that use much main memory, the largest first.
    pub ram_programs: Vec<RamProgram>,
    /// Windows: display adapters in the registry.
    pub registry: Vec<RegistryAdapter>,
    /// Power supply.
    pub power: Option<Power>,
    /// Disks of the folders that an installation would use.
    pub disks: Vec<Disk>,
    /// Engines found.
    pub engines: Vec<FoundEngine>,
    /// Folders with Ollama models.
    pub model_folders: Vec<ModelFolder>,
    /// Searches that timed out.
    pub late: Vec<TimedSearch>,
    /// Environment variables that choose the cards which the engine sees ([`super::device_variables`]), with their values.
    pub device_variables: BTreeMap<String, String>,
    /// How long each source took; not about the machine.
    pub timings_ms: BTreeMap<String, TimeSpan>,
}

/// Start and end of a query, in milliseconds since the start of detection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeSpan {
    /// Start.
    pub from: u64,
    /// End.
    pub to: u64,
}

/// A program that holds memory of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GpuClient {
    /// PCI address of the card.
    pub pci_bus_id: String,
    /// Name of the program.
    pub name: String,
    /// Memory it holds in bytes.
    pub vram_bytes: u64,
}

/// Whether something can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It can be opened.
    Granted,
    /// It exists, but this user lacks the permission.
    Denied,
    /// It does not exist.
    Absent,
}

/// The outcome of querying one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceAnswer<T> {
    /// The source was not queried.
    #[default]
    #[serde(rename = "not_asked")]
    NotQueried,
    /// The library or interface does not exist here, which is normal on most machines.
    Absent,
    /// It exists but did not answer.
    Failed(SourceFailure),
    /// Its answer.
    #[serde(rename = "said")]
    Answered(T),
}

impl<T> SourceAnswer<T> {
    /// The answer, if there is one.
    pub fn answer(&self) -> Option<&T> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::NotQueried | Self::Absent | Self::Failed(_) => None,
        }
    }

    /// Why an existing source did not answer.
    pub fn failure(&self) -> Option<&SourceFailure> {
        match self {
            Self::Failed(why) => Some(why),
            Self::NotQueried | Self::Absent | Self::Answered(_) => None,
        }
    }
}

/// Main memory as reported by the system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryEvidence {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Available to programs, in bytes.
    pub available_bytes: Option<u64>,
    /// The lowest limit of the control groups this process is in, in bytes.
    pub limit_bytes: Option<u64>,
    /// Used in that group and not reclaimable, in bytes.
    pub limit_used_bytes: Option<u64>,
    /// Measured read bandwidth with all cores, in decimal GB/s.
    pub bandwidth_gb_s: Option<f64>,
}

/// NVML's answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NvmlAnswer {
    /// For example `550.54.14`.
    pub driver_version: Option<String>,
    /// CUDA version as reported by NVML: 12040 is CUDA 12.4.
    pub cuda_driver_version: Option<i32>,
    /// Its devices in its order, which is that of their PCI addresses.
    pub devices: Vec<NvmlDevice>,
    /// Devices that it counts but does not open.
    pub failed_devices: Vec<NvmlDeviceFailure>,
}

/// A device that NVML counts but does not open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NvmlDeviceFailure {
    /// Its place in NVML's order, from 0.
    pub index: u32,
    /// Why.
    pub error: NvmlQueryError,
}

/// A slice of a partitioned card (MIG).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MigSlice {
    /// For example `NVIDIA A100-SXM4-80GB MIG 3g.40gb`.
    pub name: Option<String>,
    /// The start of its UUID: `MIG-` and eight digits.
    pub uuid: Option<String>,
    /// Its memory in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Free memory in bytes.
    pub memory_free_bytes: Option<u64>,
    /// Share of the card's multiprocessors, 0 to 1.
    pub compute_share: Option<f64>,
}

/// One NVIDIA device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NvmlDevice {
    /// For example `NVIDIA GeForce RTX 4060 Laptop GPU`.
    pub name: String,
    /// For example `00000000:01:00.0`.
    pub pci_bus_id: Option<String>,
    /// Device in the upper, vendor in the lower 16 bits: `0x268410de`.
    pub pci_device_id: Option<u32>,
    /// All memory in bytes, including what the driver reserves.
    pub memory_total_bytes: Option<u64>,
    /// Free memory in bytes.
    pub memory_free_bytes: Option<u64>,
    /// Why the memory query failed.
    pub memory_error: Option<NvmlQueryError>,
    /// CUDA compute capability.
    pub compute_capability: Option<ComputeCapability>,
    /// Width of the memory bus in bits.
    pub memory_bus_width_bits: Option<u32>,
    /// The memory's highest clock in MHz (half its transfer rate).
    pub memory_clock_mhz: Option<u32>,
    /// Highest PCI Express generation of card and slot. The present one is lower while the card is idle.
    pub pcie_generation: Option<u32>,
    /// Lanes of its PCI Express link.
    pub pcie_lanes: Option<u32>,
    /// The start of its UUID: `GPU-` and eight digits, enough to tell the cards of a machine apart.
    pub uuid: Option<String>,
    /// True when the card is partitioned (MIG).
    pub mig: Option<bool>,
    /// Its slices that this process may use, in NVML's order.
    pub mig_slices: Vec<MigSlice>,
    /// Whether a display shows a picture from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_active: Option<bool>,
    /// Power limit in force, in milliwatts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_limit_mw: Option<u32>,
    /// Its default power limit, in milliwatts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_default_mw: Option<u32>,
    /// The highest power limit that can be set, in milliwatts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_max_mw: Option<u32>,
    /// Temperature of the chip in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<u32>,
    /// What lowers its clocks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slowed_by: Vec<Slowdown>,
    /// Programs that use its memory.
    pub processes: Vec<GpuProcess>,
}

/// Why NVML does not answer about a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NvmlQueryError {
    /// `NVML_ERROR_NOT_SUPPORTED`; of memory: the chip shares the main memory.
    NotSupported,
    /// This process may not ask: `NVML_ERROR_NO_PERMISSION`, or the system's control groups block the device.
    NoPermission,
    /// The device no longer answers: `NVML_ERROR_GPU_IS_LOST`, or it demands a reset.
    GpuLost,
    /// `NVML_ERROR_UNKNOWN`.
    Unknown,
    /// Any other error.
    Other {
        /// Its text, for a report.
        message: UntrustedText,
    },
}

impl<'de> Deserialize<'de> for NvmlQueryError {
    /// Reads `{why, message}`. Unknown causes and the plain sentences of earlier versions become
    /// [`NvmlQueryError::Other`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Document {
            Fields {
                why: UntrustedText,
                #[serde(default)]
                message: UntrustedText,
            },
            Sentence(UntrustedText),
        }
        Ok(match Document::deserialize(deserializer)? {
            Document::Sentence(message) => Self::Other { message },
            Document::Fields { why, message } => match why.as_str() {
                "not_supported" => Self::NotSupported,
                "no_permission" => Self::NoPermission,
                "gpu_lost" => Self::GpuLost,
                "unknown" => Self::Unknown,
                "other" => Self::Other { message },
                _ => Self::Other { message: why },
            },
        })
    }
}

/// A program that uses memory of a GPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GpuProcess {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// File name of its program, without folders.
    pub name: String,
    /// Memory it uses, in bytes; not always reported.
    pub used_bytes: Option<u64>,
}

/// One adapter of the `sysinfo` library.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SysinfoGpu {
    /// PCI address, empty where the system has none.
    pub pci_bus_id: Option<String>,
    /// Maker, as text.
    pub vendor: Option<String>,
    /// Model, as text.
    pub model: Option<String>,
    /// Memory in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Used memory in bytes (Windows: by this process only).
    pub memory_used_bytes: Option<u64>,
}

/// One adapter of wgpu.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WgpuAdapter {
    /// The interface it was found through.
    pub interface: GraphicsInterface,
    /// For example `AMD Radeon RX 7900 XTX (RADV NAVI31)`.
    pub name: String,
    /// PCI vendor, or a Khronos number above 0xffff.
    pub vendor_id: u32,
    /// PCI device.
    pub device_id: u32,
    /// Type reported by the driver.
    pub device_type: DeviceType,
    /// PCI address, if the interface reports it.
    pub pci_bus_id: Option<String>,
    /// Driver's name, for example `radv`.
    pub driver: String,
    /// Driver's version and more, for example `Mesa 24.2.8`.
    pub driver_info: String,
    /// Vulkan's memory heaps.
    pub heaps: Vec<VulkanHeap>,
    /// DXGI's figures.
    pub dxgi: Option<DxgiMemory>,
    /// Metal's figures.
    pub metal: Option<MetalMemory>,
}

/// A graphics interface that lists adapters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphicsInterface {
    /// Vulkan, also through MoltenVK.
    Vulkan,
    /// Direct3D 12.
    Dx12,
    /// Metal.
    Metal,
    /// Another one, or not reported.
    #[default]
    Other,
}

/// Type of an adapter as reported by its driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceType {
    /// A card with dedicated memory.
    Discrete,
    /// Part of the processor, shares main memory.
    Integrated,
    /// A device of a virtual machine.
    Virtual,
    /// A software renderer.
    Cpu,
    /// Something else, or not reported.
    #[default]
    Other,
}

/// A Vulkan memory heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VulkanHeap {
    /// Size in bytes.
    pub size_bytes: u64,
    /// Whether it is the device's own memory.
    pub device_local: bool,
    /// This process's current budget of it, in bytes (`VK_EXT_memory_budget`).
    pub budget_bytes: Option<u64>,
}

/// Memory figures of DXGI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DxgiMemory {
    /// The adapter's own memory in bytes.
    pub dedicated_video_bytes: u64,
    /// Main memory it may share, in bytes.
    pub shared_system_bytes: u64,
    /// This process's current budget of the local segment, in bytes.
    pub budget_bytes: Option<u64>,
}

/// Memory figures of Metal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetalMemory {
    /// `recommendedMaxWorkingSetSize` in bytes: what the system lets the GPU use.
    pub recommended_max_working_set_bytes: u64,
    /// Whether the GPU shares the main memory.
    pub unified: bool,
}

/// One DXGI adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DxgiAdapter {
    /// Description.
    pub name: String,
    /// PCI vendor.
    pub vendor_id: u32,
    /// PCI device.
    pub device_id: u32,
    /// `DXGI_ADAPTER_FLAG_SOFTWARE`.
    pub software: bool,
    /// Its memory.
    pub memory: DxgiMemory,
    /// Version of the user-mode driver, for example `31.0.15.3623`.
    pub driver_version: Option<String>,
    /// Whether a display is connected to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<bool>,
}

/// One display adapter in the Windows registry (below the display class key).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryAdapter {
    /// `DriverDesc`.
    pub name: String,
    /// `MatchingDeviceId`, for example `PCI\VEN_1002&DEV_73BF&REV_C1`.
    pub matching_device_id: Option<String>,
    /// `HardwareInformation.qwMemorySize` in bytes. The 32-bit `MemorySize` is never read: it stops at 4 GB.
    pub memory_bytes: Option<u64>,
    /// `DriverVersion`.
    pub driver_version: Option<String>,
}

/// The power supply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Power {
    /// The machine runs on its battery.
    pub on_battery: bool,
    /// Power saving is on.
    pub saving: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_error_of_older_reports_is_read_as_text() {
        let of = |json: &str| {
            let device: NvmlDevice = serde_json::from_str(json).unwrap();
            device.memory_error.unwrap()
        };
        let sentence = of(r#"{"memory_error": "this query is not supported by the target device"}"#);
        let message = "this query is not supported by the target device".into();
        assert_eq!(sentence, NvmlQueryError::Other { message });
        let unknown = of(r#"{"memory_error": {"why": "gpu_on_fire"}}"#);
        assert_eq!(unknown, NvmlQueryError::Other { message: "gpu_on_fire".into() });
        let typed = [
            NvmlQueryError::NotSupported,
            NvmlQueryError::NoPermission,
            NvmlQueryError::GpuLost,
            NvmlQueryError::Unknown,
        ];
        for error in typed.into_iter().chain([sentence]) {
            let device = NvmlDevice { memory_error: Some(error.clone()), ..NvmlDevice::default() };
            assert_eq!(of(&serde_json::to_string(&device).unwrap()), error);
        }
    }
}
