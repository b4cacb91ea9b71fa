//! What a person should know about the machine: what could not be asked, and what Ollama will refuse or change
//! (docs/gpu.mdx, docs/macos.mdx and docs/windows.mdx of Ollama 0.32).

use super::backend::MIN_CUDA_CAPABILITY;
use super::identity::Adapter;
use super::kind::is_nvidia;
use crate::hardware::document::{Backend, Gpu, GpuKind, Note};
use crate::hardware::evidence::{Access, Evidence};
use crate::hardware::sysfs;

/// The lowest driver that Ollama's CUDA libraries work with.
const MIN_NVIDIA_DRIVER: u32 = 550;
/// The same for compute capability 5.0 to 6.2.
const MIN_NVIDIA_DRIVER_OLD_CARDS: u32 = 570;
const NEWEST_OLD_CARD: (i32, i32) = (6, 2);
const MIN_MACOS: u32 = 14;
/// Windows 10 22H2.
const MIN_WINDOWS_BUILD: u32 = 19_045;
/// Another program that holds less of a card is not worth a line.
const MUCH_VRAM_BYTES: u64 = 512 << 20;

/// All findings: about the sources, the adapters, the system.
pub fn findings(judged: &[(Gpu, &Adapter<'_>)], evidence: &Evidence) -> Vec<Note> {
    let mut notes = Vec::new();
    let failures = [
        ("nvml", evidence.nvml.failure()),
        ("sysinfo", evidence.sysinfo.failure()),
        ("wgpu", evidence.wgpu.failure()),
        ("dxgi", evidence.dxgi.failure()),
    ];
    for (source, why) in failures {
        if let Some(why) = why {
            notes.push(Note::new("source_failed", &[("source", source), ("why", why)]));
        }
    }
    for source in &evidence.late {
        notes.push(Note::new("source_late", &[("source", source)]));
    }
    for (gpu, adapter) in judged {
        of_gpu(gpu, adapter, evidence, &mut notes);
    }
    of_system(evidence, &mut notes);
    notes
}

/// That an adapter shares the main memory.
pub fn unified(gpu: &Gpu) -> Note {
    Note::new("unified_memory", &[("gpu", &gpu.name)])
}

fn of_gpu(gpu: &Gpu, adapter: &Adapter<'_>, evidence: &Evidence, notes: &mut Vec<Note>) {
    let name = gpu.name.as_str();
    match gpu.kind {
        GpuKind::Software => notes.push(Note::new("software_adapter", &[("gpu", name)])),
        GpuKind::Integrated if gpu.backend.is_some() => {
            notes.push(Note::new("integrated_dropped", &[("gpu", name)]));
        }
        GpuKind::Unified => notes.push(unified(gpu)),
        GpuKind::Discrete | GpuKind::Integrated | GpuKind::Virtual => {}
    }
    if let Some(nvml) = adapter.nvml {
        of_nvidia(gpu, nvml.compute_capability, notes);
        if nvml.mig == Some(true) {
            notes.push(Note::new("mig_enabled", &[("gpu", name)]));
        }
        for process in &nvml.processes {
            if let Some(bytes) = process.used_bytes.filter(|bytes| *bytes >= MUCH_VRAM_BYTES) {
                notes.push(Note::new(
                    "vram_held",
                    &[("gpu", name), ("program", &process.name), ("bytes", &bytes.to_string())],
                ));
            }
        }
    } else if adapter.sysfs.as_ref().is_some_and(|card| card.driver.as_deref() == Some("vfio-pci")) {
        notes.push(Note::new("gpu_passed_through", &[("gpu", name)]));
    } else if gpu.kind == GpuKind::Discrete && is_nvidia(adapter) {
        notes.push(Note::new("nvidia_driver_missing", &[("gpu", name)]));
    }
    match (gpu.backend, gpu.kind) {
        (Some(Backend::Rocm), GpuKind::Discrete) => notes.push(Note::new("rocm_package", &[("gpu", name)])),
        // Through Vulkan, Ollama drops it as integrated graphics.
        (Some(Backend::Rocm), GpuKind::Unified) => notes.push(Note::new("rocm_needed", &[("gpu", name)])),
        _ => {}
    }
    if gpu.kind.holds_models() && matches!(gpu.vendor.as_deref(), Some("amd" | "intel")) {
        match evidence.render_access {
            Some(Access::Denied) => notes.push(Note::new("gpu_denied", &[("gpu", name)])),
            Some(Access::Absent) => notes.push(Note::new("gpu_unreachable", &[("gpu", name)])),
            Some(Access::Granted) | None => {}
        }
    }
    let asleep = adapter.sysfs.as_ref().is_some_and(|card| card.asleep);
    if asleep && evidence.wgpu.said().is_none() {
        notes.push(Note::new("gpu_asleep", &[("gpu", name)]));
    }
}

fn of_nvidia(gpu: &Gpu, capability: Option<(i32, i32)>, notes: &mut Vec<Note>) {
    let name = gpu.name.as_str();
    let capability_text = gpu.compute_capability.as_deref().unwrap_or_default();
    if let Some(capability) = capability {
        if capability < MIN_CUDA_CAPABILITY {
            notes.push(Note::new("capability_too_low", &[("gpu", name), ("capability", capability_text)]));
            return;
        }
        // ml/device.go of Ollama: flash attention needs 6.0 and is not built for 7.2.
        if capability < (6, 0) || capability == (7, 2) {
            notes.push(Note::new("no_flash_attention", &[("gpu", name), ("capability", capability_text)]));
        }
    }
    // The drivers of Jetson boards are numbered on their own and come with the board's system.
    if gpu.kind == GpuKind::Unified {
        return;
    }
    let old_card = capability.is_some_and(|capability| capability <= NEWEST_OLD_CARD);
    let needed = if old_card { MIN_NVIDIA_DRIVER_OLD_CARDS } else { MIN_NVIDIA_DRIVER };
    let driver = gpu.driver_version.as_deref();
    if let Some(version) = driver.filter(|version| first_number(version).is_some_and(|n| n < needed)) {
        notes.push(Note::new(
            "nvidia_driver_too_old",
            &[("gpu", name), ("driver", version), ("needed", &needed.to_string())],
        ));
    }
}

fn of_system(evidence: &Evidence, notes: &mut Vec<Note>) {
    let version = evidence.os.version.as_deref().unwrap_or_default();
    match evidence.os.name.as_deref() {
        Some("macos") if first_number(version).is_some_and(|major| major < MIN_MACOS) => {
            notes.push(Note::new("macos_too_old", &[("version", version)]));
        }
        Some("windows") if windows_build(version).is_some_and(|build| build < MIN_WINDOWS_BUILD) => {
            notes.push(Note::new("windows_too_old", &[("version", version)]));
        }
        _ => {}
    }
    let memory = &evidence.memory;
    if let Some(limit) = memory.limit_bytes.filter(|limit| *limit < memory.total_bytes) {
        notes.push(Note::new(
            "memory_limited",
            &[("limit_bytes", &limit.to_string()), ("total_bytes", &memory.total_bytes.to_string())],
        ));
    }
    if let Some(power) = evidence.power.or_else(|| sysfs::power(&evidence.sysfs)) {
        if power.on_battery {
            notes.push(Note::new("on_battery", &[]));
        }
        if power.saving {
            notes.push(Note::new("power_saving", &[]));
        }
    }
    for engine in &evidence.engines {
        if engine.exposed == Some(true)
            && let Some(port) = engine.port
        {
            notes.push(Note::new("engine_exposed", &[("port", &port.to_string())]));
        }
        for model in &engine.loaded {
            if let Some(bytes) = model.vram_bytes.filter(|bytes| *bytes >= MUCH_VRAM_BYTES) {
                let port = engine.port.map(|port| port.to_string()).unwrap_or_default();
                notes.push(Note::new(
                    "model_loaded",
                    &[("model", &model.name), ("port", &port), ("bytes", &bytes.to_string())],
                ));
            }
        }
    }
}

/// The leading number of a version: `550.54.14` → 550.
fn first_number(version: &str) -> Option<u32> {
    version.trim().split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `10.0.19045` → 19045.
fn windows_build(version: &str) -> Option<u32> {
    version.split('.').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(first_number("550.54.14"), Some(550));
        assert_eq!(first_number("14.5"), Some(14));
        assert_eq!(first_number(""), None);
        assert_eq!(windows_build("10.0.19045"), Some(19_045));
        assert_eq!(windows_build("11"), None);
    }
}
