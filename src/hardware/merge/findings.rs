//! What a person should know about the machine: what could not be asked, and what Ollama will refuse or change (see
//! `hardware::refusals`).

use super::identity::{Adapter, PciAddress};
use super::kind::is_nvidia;
use crate::hardware::evidence::{Evidence, GpuClient};
use crate::hardware::sysfs;
use crate::machine::{Backend, Gpu, GpuKind, Note};

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
            let capability = gpu.compute_capability.map(|known| known.to_string()).unwrap_or_default();
            notes.push(Note::new("no_flash_attention", &[("gpu", name), ("capability", &capability)]));
        }
        if nvml.mig == Some(true) {
            notes.push(Note::new("mig_enabled", &[("gpu", name)]));
        }
        for process in &nvml.processes {
            notes.extend(process.used_bytes.and_then(|bytes| held(name, &process.name, bytes)));
        }
    } else if !is_blocked && gpu.kind == GpuKind::Discrete && is_nvidia(adapter) {
        // Some other driver answers (NVK, or Direct3D): slower, but it does.
        notes.push(Note::new("nvidia_driver_missing", &[("gpu", name)]));
    }
    let of_card = |client: &&GpuClient| {
        adapter.pci.is_some()
            && PciAddress::parse(&client.pci_bus_id) == adapter.pci
            && adapter.nvml.is_none()
    };
    for client in evidence.gpu_clients.iter().filter(of_card).filter(|_| gpu.kind == GpuKind::Discrete) {
        notes.extend(held(name, &client.name, client.vram_bytes));
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

/// That a program holds much of a card.
fn held(gpu: &str, program: &str, bytes: u64) -> Option<Note> {
    let details = [("gpu", gpu), ("program", program), ("bytes", &bytes.to_string())];
    (bytes >= MUCH_VRAM_BYTES).then(|| Note::new("vram_held", &details))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_holds_much_of_a_card_is_named() {
        let card = [("class", "0x030000"), ("vendor", "0x1002"), ("device", "0x744c")]
            .map(|(file, content)| (format!("bus/pci/devices/0000:03:00.0/{file}"), content.to_owned()));
        let client = |name: &str, mib: u64| GpuClient {
            pci_bus_id: "0000:03:00.0".to_owned(),
            name: name.to_owned(),
            vram_bytes: mib << 20,
        };
        let evidence = Evidence {
            sysfs: card.into_iter().collect(),
            gpu_clients: vec![client("blender", 3000), client("firefox", 200)],
            ..Evidence::default()
        };
        let notes = crate::hardware::merge::merge(&evidence).notes;
        let held: Vec<&Note> = notes.iter().filter(|note| note.code == "vram_held").collect();
        assert_eq!(held.len(), 1, "{notes:?}");
        assert_eq!(held[0].details["program"], "blender");
        assert_eq!(held[0].details["bytes"], (3000_u64 << 20).to_string());
    }
}
