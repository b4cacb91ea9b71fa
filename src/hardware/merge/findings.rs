//! What a person should know about the machine: what could not be asked, and what Ollama will refuse or change (see
//! `hardware::refusals`).

use super::identity::Adapter;
use super::kind::is_nvidia;
use crate::hardware::document::{Backend, Gpu, GpuKind, Note};
use crate::hardware::evidence::Evidence;
use crate::hardware::sysfs;

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
    let blocked = gpu.blocked_note();
    let is_blocked = blocked.is_some();
    notes.extend(blocked);
    if let Some(nvml) = adapter.nvml {
        if !is_blocked && !gpu.has_flash_attention() {
            let capability = gpu.compute_capability.as_deref().unwrap_or_default();
            notes.push(Note::new("no_flash_attention", &[("gpu", name), ("capability", capability)]));
        }
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
    } else if !is_blocked && gpu.kind == GpuKind::Discrete && is_nvidia(adapter) {
        // Some other driver answers (NVK, or Direct3D): slower, but it does.
        notes.push(Note::new("nvidia_driver_missing", &[("gpu", name)]));
    }
    match (gpu.backend, gpu.kind) {
        _ if is_blocked => {}
        (Some(Backend::Rocm), GpuKind::Discrete) => notes.push(Note::new("rocm_package", &[("gpu", name)])),
        // Through Vulkan, Ollama drops it as integrated graphics.
        (Some(Backend::Rocm), GpuKind::Unified) => notes.push(Note::new("rocm_needed", &[("gpu", name)])),
        _ => {}
    }
    let asleep = adapter.sysfs.as_ref().is_some_and(|card| card.asleep);
    if asleep && evidence.wgpu.said().is_none() {
        notes.push(Note::new("gpu_asleep", &[("gpu", name)]));
    }
}

fn of_system(evidence: &Evidence, notes: &mut Vec<Note>) {
    notes.extend(evidence.os.too_old());
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
