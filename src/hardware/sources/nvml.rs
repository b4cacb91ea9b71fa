//! NVIDIA's management library, loaded at run time.
//!
//! Every figure is queried separately and may be missing: old drivers lack functions, laptops and chips with unified
//! memory do not support all of them.

use std::ffi::{OsStr, OsString};
use std::mem::ManuallyDrop;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::{Device, Nvml};

use super::nvml_memory;
use crate::hardware::device_variables;
use crate::hardware::evidence::{
    GpuProcess, MigSlice, NvmlAnswer, NvmlDevice, NvmlDeviceFailure, NvmlQueryError, SourceAnswer,
};
use crate::machine::{ComputeCapability, Slowdown, SourceFailure};
use crate::platform::environment::Environment;

/// Environment variable with the path of the library, for drivers in unusual places.
pub const PATH_VARIABLE: &str = "ACOLYTE_NVML_PATH";
/// Upper limit of the device count, in case the library reports nonsense.
const MAX_DEVICES: u32 = 64;
/// Buffer size for a program's path, in bytes.
const PROGRAM_PATH_BYTES: usize = 1024;

/// NVML, opened once to be asked again and again. Never shut down, for the reason of [`query`].
pub struct OpenNvml {
    nvml: ManuallyDrop<Nvml>,
    path: OsString,
}

impl OpenNvml {
    /// Loads and initialises the library.
    ///
    /// # Errors
    /// [`SourceAnswer::Absent`] or [`SourceAnswer::Failed`].
    pub fn open() -> Result<Self, SourceAnswer<NvmlAnswer>> {
        let opened = |path: OsString| match open(&path) {
            Ok(nvml) => Ok(Self { nvml: ManuallyDrop::new(nvml), path }),
            Err(error) => Err((failure(&error, &path), error)),
        };
        if let Some(path) = Environment::of_process().path(PATH_VARIABLE).map(OsString::from) {
            return opened(path).map_err(|(why, _)| SourceAnswer::Failed(why));
        }
        for path in usual_paths() {
            match opened(path) {
                Ok(open) => return Ok(open),
                // Not found: try the next path.
                Err((_, NvmlError::LibloadingError(_))) => {}
                Err((why, _)) => return Err(SourceAnswer::Failed(why)),
            }
        }
        Err(SourceAnswer::Absent)
    }

    /// Memory of each device, and who holds how much of it: process IDs without names. Everything else is left out.
    pub fn memory(&self) -> SourceAnswer<NvmlAnswer> {
        let count = match self.nvml.device_count() {
            Ok(count) => count.min(MAX_DEVICES),
            Err(error) => return SourceAnswer::Failed(failure(&error, &self.path)),
        };
        let devices = (0..count).filter_map(|index| self.nvml.device_by_index(index).ok());
        let devices = devices.map(|device| self.memory_of(&device)).collect();
        SourceAnswer::Answered(NvmlAnswer { devices, ..NvmlAnswer::default() })
    }

    fn memory_of(&self, device: &Device<'_>) -> NvmlDevice {
        let memory = memory(device, &self.path);
        let mig = device.mig_mode().ok().map(|mode| mode.current == 1);
        NvmlDevice {
            pci_bus_id: device.pci_info().ok().map(|pci| pci.bus_id),
            memory_total_bytes: memory.as_ref().ok().map(|(total, _)| *total),
            memory_free_bytes: memory.as_ref().ok().map(|(_, free)| *free),
            memory_error: memory.err().map(|error| query_error(&error)),
            mig,
            mig_slices: if mig == Some(true) { mig_slices(device, &self.path) } else { Vec::new() },
            processes: running(device).into_iter().map(|process| unnamed(&process)).collect(),
            ..NvmlDevice::default()
        }
    }
}

/// Queries NVML. It is not shut down, because this process exits right after and a crash during shutdown would lose the
/// answer.
pub fn query() -> SourceAnswer<NvmlAnswer> {
    match OpenNvml::open() {
        Ok(open) => answer(&open.nvml, &open.path),
        Err(answer) => answer,
    }
}

fn open(path: &OsStr) -> Result<Nvml, NvmlError> {
    Nvml::builder().lib_path(path).init()
}

/// The system's search path, then the Windows driver inside WSL2.
#[cfg(not(windows))]
fn usual_paths() -> Vec<OsString> {
    vec!["libnvidia-ml.so.1".into(), "/usr/lib/wsl/lib/libnvidia-ml.so.1".into()]
}

/// The system's folder only: a library next to our program, which may be in a download folder, is not trusted. Drivers
/// before 2019 install it elsewhere; the engine does not support them.
#[cfg(windows)]
fn usual_paths() -> Vec<OsString> {
    let folder = crate::platform::system_folder();
    folder.map(|folder| folder.join("nvml.dll").into_os_string()).into_iter().collect()
}

fn failure(error: &NvmlError, path: &OsStr) -> SourceFailure {
    let message = format!("{}: {error}", path.display());
    match error {
        NvmlError::DriverNotLoaded => SourceFailure::DriverNotLoaded,
        NvmlError::LibRmVersionMismatch => SourceFailure::DriverUpdated,
        NvmlError::NoPermission | NvmlError::OperatingSystem => SourceFailure::NoPermission,
        NvmlError::GpuLost | NvmlError::ResetRequired => SourceFailure::GpuLost,
        NvmlError::Unknown => SourceFailure::UnknownDriverError,
        NvmlError::LibraryNotFound => SourceFailure::LibraryNotFound,
        NvmlError::LibloadingError(_) | NvmlError::FailedToLoadSymbol(_) => {
            SourceFailure::NotALibrary { message: message.into() }
        }
        _ => SourceFailure::Other { message: message.into() },
    }
}

fn answer(nvml: &Nvml, path: &OsStr) -> SourceAnswer<NvmlAnswer> {
    match nvml.device_count() {
        Ok(count) => SourceAnswer::Answered(describe(nvml, count.min(MAX_DEVICES), path)),
        Err(error) => SourceAnswer::Failed(failure(&error, path)),
    }
}

fn describe(nvml: &Nvml, count: u32, path: &OsStr) -> NvmlAnswer {
    let (mut devices, mut failed_devices) = (Vec::new(), Vec::new());
    for index in 0..count {
        match nvml.device_by_index(index) {
            Ok(device) => devices.push(describe_device(nvml, &device, path)),
            Err(error) => failed_devices.push(NvmlDeviceFailure { index, error: query_error(&error) }),
        }
    }
    NvmlAnswer {
        driver_version: nvml.sys_driver_version().ok(),
        cuda_driver_version: nvml.sys_cuda_driver_version().ok(),
        devices,
        failed_devices,
    }
}

fn describe_device(nvml: &Nvml, device: &Device<'_>, path: &OsStr) -> NvmlDevice {
    let memory = memory(device, path);
    let pci = device.pci_info().ok();
    let mig = device.mig_mode().ok().map(|mode| mode.current == 1);
    NvmlDevice {
        name: device.name().unwrap_or_else(|_| "NVIDIA GPU".to_owned()),
        pci_bus_id: pci.as_ref().map(|pci| pci.bus_id.clone()),
        pci_device_id: pci.as_ref().map(|pci| pci.pci_device_id),
        memory_total_bytes: memory.as_ref().ok().map(|(total, _)| *total),
        memory_free_bytes: memory.as_ref().ok().map(|(_, free)| *free),
        memory_error: memory.err().map(|error| query_error(&error)),
        compute_capability: compute_capability(device),
        memory_bus_width_bits: device.memory_bus_width().ok().filter(|bits| *bits > 0),
        memory_clock_mhz: device.max_clock_info(Clock::Memory).ok().filter(|mhz| *mhz > 0),
        pcie_generation: device.max_pcie_link_gen().ok().filter(|generation| *generation > 0),
        pcie_lanes: device.current_pcie_link_width().ok().filter(|lanes| *lanes > 0),
        uuid: short_uuid(device),
        mig,
        mig_slices: if mig == Some(true) { mig_slices(device, path) } else { Vec::new() },
        display_active: device.is_display_active().ok(),
        power_limit_mw: device.enforced_power_limit().ok().filter(|limit| *limit > 0),
        power_default_mw: device.power_management_limit_default().ok().filter(|limit| *limit > 0),
        power_max_mw: device.power_management_limit_constraints().ok().map(|limits| limits.max_limit),
        temperature_c: device.temperature(TemperatureSensor::Gpu).ok(),
        slowed_by: device.current_throttle_reasons().map(slowdowns).unwrap_or_default(),
        processes: processes(nvml, device),
    }
}

/// Total and free memory in bytes.
fn memory(device: &Device<'_>, path: &OsStr) -> Result<(u64, u64), NvmlError> {
    let memory = device.memory_info().map(|memory| (memory.total, memory.free));
    memory.or_else(|error| nvml_memory::first_version(device, path).ok_or(error))
}

/// What lowers a device's clocks, without what the user or the driver chose.
fn slowdowns(reasons: ThrottleReasons) -> Vec<Slowdown> {
    let temperature = ThrottleReasons::SW_THERMAL_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN;
    let found = [
        (reasons.intersects(temperature), Slowdown::Temperature),
        (reasons.contains(ThrottleReasons::SW_POWER_CAP), Slowdown::PowerLimit),
        (reasons.contains(ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN), Slowdown::PowerSupply),
    ];
    found.into_iter().filter_map(|(is_slowed, by)| is_slowed.then_some(by)).collect()
}

/// The slices of a partitioned card. NVML numbers the places of slices; those that do not exist have no handle.
fn mig_slices(card: &Device<'_>, path: &OsStr) -> Vec<MigSlice> {
    let places = card.mig_device_count().unwrap_or(0).min(MAX_DEVICES);
    let slices = (0..places).filter_map(|place| card.mig_device_by_index(place).ok());
    slices
        .map(|slice| {
            let memory = slice.memory_info().map(|memory| (memory.total, memory.free)).ok();
            let memory = memory.or_else(|| nvml_memory::first_version(&slice, path));
            let parts = slice.attributes().ok().map(|parts| parts.compute_instance_slice_count);
            let parts = parts.filter(|parts| *parts > 0 && *parts <= places);
            MigSlice {
                name: slice.name().ok(),
                uuid: short_uuid(&slice),
                memory_total_bytes: memory.map(|(total, _)| total),
                memory_free_bytes: memory.map(|(_, free)| free),
                compute_share: parts.map(|parts| f64::from(parts) / f64::from(places)),
            }
        })
        .collect()
}

/// The start of a device's UUID. The rest would identify the machine.
fn short_uuid(device: &Device<'_>) -> Option<String> {
    device.uuid().ok().map(|uuid| device_variables::short_uuid(&uuid))
}

fn query_error(error: &NvmlError) -> NvmlQueryError {
    match error {
        NvmlError::NotSupported => NvmlQueryError::NotSupported,
        NvmlError::NoPermission | NvmlError::OperatingSystem => NvmlQueryError::NoPermission,
        NvmlError::GpuLost | NvmlError::ResetRequired => NvmlQueryError::GpuLost,
        NvmlError::Unknown => NvmlQueryError::Unknown,
        _ => NvmlQueryError::Other { message: error.to_string().into() },
    }
}

fn compute_capability(device: &Device<'_>) -> Option<ComputeCapability> {
    let capability = device.cuda_compute_capability().ok()?;
    Some(ComputeCapability::new(capability.major.try_into().ok()?, capability.minor.try_into().ok()?))
}

/// Processes that compute or draw on the device.
fn running(device: &Device<'_>) -> Vec<ProcessInfo> {
    let mut running = device.running_compute_processes().unwrap_or_default();
    running.extend(device.running_graphics_processes().unwrap_or_default());
    running.sort_by_key(|process| process.pid);
    // A program that does both is listed twice with the same figure.
    running.dedup_by_key(|process| process.pid);
    running
}

fn unnamed(process: &ProcessInfo) -> GpuProcess {
    let used_bytes = match process.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    };
    GpuProcess { pid: Some(process.pid), name: String::new(), used_bytes }
}

/// Programs that compute or draw on the device, the largest first.
fn processes(nvml: &Nvml, device: &Device<'_>) -> Vec<GpuProcess> {
    let mut named: Vec<GpuProcess> = running(device)
        .into_iter()
        .filter_map(|process| {
            let program = nvml.sys_process_name(process.pid, PROGRAM_PATH_BYTES).ok()?;
            let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
            Some(GpuProcess { name, ..unnamed(&process) })
        })
        .collect();
    named.sort_by_key(|process| std::cmp::Reverse(process.used_bytes));
    named
}
