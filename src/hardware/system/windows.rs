//! Windows: the registry, DXGI, the power supply.

mod counters;
mod ffi;

use std::path::{Path, PathBuf};

use windows_registry::{CURRENT_USER, Key, LOCAL_MACHINE};

pub use super::mount_point::disk_kind;
use crate::hardware::evidence::{Evidence, GpuClient, RegistryAdapter};
use crate::hardware::ram_modules;
use crate::machine::{EngineKind, FoundEngine};
use crate::platform::environment::Environment;

pub use ffi::dxgi_adapters;

use crate::hardware::gpu_counters;

/// Memory of all cards that these processes hold, in bytes.
pub fn held_by_processes(processes: &[u32]) -> Option<u64> {
    gpu_counters::of_processes(&counters::instances(r"\GPU Process Memory(*)\Dedicated Usage"), processes)
}

/// Main memory that these processes use as a card's, in bytes.
pub fn shared_memory_of(processes: &[u32]) -> Option<u64> {
    gpu_counters::of_processes(&counters::instances(r"\GPU Process Memory(*)\Shared Usage"), processes)
}

/// Display adapters, one numbered key each.
const DISPLAY_CLASS: &str = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}";
const WINDOWS_VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
/// Where Ollama's installer registers itself.
const OLLAMA_UNINSTALL: &str =
    r"Software\Microsoft\Windows\CurrentVersion\Uninstall\{44E83376-CE68-45EB-8FC1-393500EB558C}_is1";

/// For example `10.0.19045`.
pub fn os_version() -> Option<String> {
    let key = LOCAL_MACHINE.open(WINDOWS_VERSION).ok()?;
    let build = key.get_string("CurrentBuildNumber").ok()?;
    let number = |name: &str| key.get_u32(name).ok();
    match number("CurrentMajorVersionNumber").zip(number("CurrentMinorVersionNumber")) {
        Some((major, minor)) => Some(format!("{major}.{minor}.{build}")),
        // Before Windows 10 there is only this text: "6.1" is Windows 7.
        None => Some(format!("{}.{build}", key.get_string("CurrentVersion").ok()?)),
    }
}

/// Reads the registry's adapters and the power supply, and detects Wine.
pub fn system_evidence(evidence: &mut Evidence) {
    evidence.registry = registry_adapters();
    evidence.power = ffi::power();
    evidence.ram_modules = ram_modules::of_smbios(&ffi::smbios());
    evidence.wine = [LOCAL_MACHINE, CURRENT_USER].iter().any(|root| root.open(r"Software\Wine").is_ok());
}

fn registry_adapters() -> Vec<RegistryAdapter> {
    let Ok(class) = LOCAL_MACHINE.open(DISPLAY_CLASS) else { return Vec::new() };
    let Ok(keys) = class.keys() else { return Vec::new() };
    // Besides the numbered keys there is one that only administrators can open.
    keys.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|name| registry_adapter(&class.open(&name).ok()?))
        .collect()
}

fn registry_adapter(key: &Key) -> Option<RegistryAdapter> {
    Some(RegistryAdapter {
        name: key.get_string("DriverDesc").ok()?,
        matching_device_id: key.get_string("MatchingDeviceId").ok(),
        memory_bytes: memory_size(key),
        driver_version: key.get_string("DriverVersion").ok(),
    })
}

/// A 64-bit number, which some drivers write as plain bytes.
fn memory_size(key: &Key) -> Option<u64> {
    const NAME: &str = "HardwareInformation.qwMemorySize";
    key.get_u64(NAME).ok().or_else(|| {
        let bytes = key.get_bytes(NAME).ok()?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    })
}

/// Ollama installed by its own installer, which is per user and registers its version.
pub fn engine_programs(_user_home: Option<&Path>) -> Vec<FoundEngine> {
    let registered = CURRENT_USER.open(OLLAMA_UNINSTALL).ok();
    let value = |name: &str| registered.as_ref().and_then(|key| key.get_string(name).ok());
    let folder = value("InstallLocation")
        .map(PathBuf::from)
        .or_else(|| Some(Environment::of_process().path("LOCALAPPDATA")?.join(r"Programs\Ollama")));
    folder
        .map(|folder| folder.join("ollama.exe"))
        .filter(|program| program.is_file())
        .map(|program| FoundEngine {
            kind: EngineKind::App,
            version: value("DisplayVersion").map(Into::into),
            path: Some(program),
            ..FoundEngine::default()
        })
        .into_iter()
        .collect()
}

/// None: besides NVIDIA's driver, only counters that take seconds to warm up report this on Windows.
pub fn gpu_clients() -> Vec<GpuClient> {
    Vec::new()
}

/// None: Ollama runs as the user here.
pub fn system_model_folders() -> Vec<PathBuf> {
    Vec::new()
}

/// Running an `ollama` program may start the desktop app.
pub const CAN_RUN_PROGRAMS: bool = false;
