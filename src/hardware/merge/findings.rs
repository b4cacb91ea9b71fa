//! Findings about the machine: sources that did not answer, and what Ollama refuses or does differently (see
//! `machine::refusals`).

use super::gpus::known_failure;
use super::identity::Adapter;
use super::kind::is_nvidia;
use crate::hardware::evidence::{Evidence, GpuClient, NvmlDeviceFailure, NvmlQueryError};
use crate::hardware::pci::PciAddress;
use crate::hardware::sysfs;
use crate::machine::{EngineRefusal, Finding, Gpu, GpuBackend, GpuKind, GpuSource, gpu_table};

/// Memory in use by another program is reported from here, in bytes.
const REPORTED_VRAM_BYTES: u64 = 512 << 20;

/// All findings: about the sources, the adapters, the system.
pub fn findings(judged: &[(Gpu, &Adapter<'_>)], evidence: &Evidence) -> Vec<Finding> {
    let failures = [
        (GpuSource::Nvml, evidence.nvml.failure()),
        (GpuSource::Sysinfo, evidence.sysinfo.failure()),
        (GpuSource::Wgpu, evidence.wgpu.failure()),
        (GpuSource::Dxgi, evidence.dxgi.failure()),
    ];
    let mut findings: Vec<Finding> = failures
        .into_iter()
        .filter_map(|(source, cause)| Some(Finding::SourceFailed { source, cause: cause?.clone() }))
        .collect();
    findings.extend(evidence.late.iter().map(|source| Finding::SourceLate { source: *source }));
    findings.extend(failed_cards(evidence));
    for (gpu, adapter) in judged {
        of_gpu(gpu, adapter, evidence, &mut findings);
    }
    of_system(evidence, &mut findings);
    findings
}

/// Cards that NVIDIA's driver counts and does not open.
fn failed_cards(evidence: &Evidence) -> Vec<Finding> {
    let Some(nvml) = evidence.nvml.answer() else { return Vec::new() };
    let of = u32::try_from(nvml.devices.len() + nvml.failed_devices.len()).unwrap_or(u32::MAX);
    let finding = |failed: &NvmlDeviceFailure| {
        let place = failed.index.saturating_add(1);
        match failed.error {
            NvmlQueryError::GpuLost => Finding::CardLost { place, of },
            NvmlQueryError::NoPermission => Finding::CardDenied { place, of },
            _ => Finding::CardFails { place, of },
        }
    };
    nvml.failed_devices.iter().map(finding).collect()
}

/// The finding that an adapter shares main memory.
pub fn unified(gpu: &Gpu) -> Finding {
    Finding::UnifiedMemory { gpu: gpu.name.clone() }
}

fn of_gpu(gpu: &Gpu, adapter: &Adapter<'_>, evidence: &Evidence, findings: &mut Vec<Finding>) {
    let name = || gpu.name.clone();
    match gpu.kind {
        GpuKind::Software => findings.push(Finding::SoftwareAdapter { gpu: name() }),
        GpuKind::Integrated if gpu.backend.is_some() => {
            findings.push(Finding::IntegratedDropped { gpu: name() });
        }
        GpuKind::Unified => findings.push(unified(gpu)),
        GpuKind::Discrete | GpuKind::Integrated | GpuKind::Virtual => {}
    }
    let refusal = gpu.refusal();
    let is_refused = refusal.is_some();
    findings.extend(refusal.map(Finding::Refusal));
    if let Some(nvml) = adapter.nvml {
        if let Some(capability) = gpu.compute_capability
            && !is_refused
            && !capability.has_flash_attention()
        {
            findings.push(Finding::NoFlashAttention { gpu: name(), capability });
        }
        if nvml.mig == Some(true) && !is_refused {
            findings.push(Finding::MigEnabled { gpu: name() });
        }
        if gpu.vram_free_bytes.is_none() && gpu.kind == GpuKind::Discrete && !is_refused {
            findings.push(Finding::VramUnreadable { gpu: name() });
        }
        if let Some(share) = gpu.table_row().and_then(|row| row.stock_share).filter(|_| !is_refused) {
            findings.push(Finding::ArithmeticCut { gpu: name(), percent: (share * 100.0).round() as u32 });
        }
        if !is_refused && gpu_table::is_vgpu(&gpu.name) {
            findings.push(Finding::VgpuShared { gpu: name() });
        }
        for process in &nvml.processes {
            findings.extend(process.used_bytes.and_then(|bytes| held(gpu, &process.name, bytes)));
        }
    } else if !is_refused && gpu.kind == GpuKind::Discrete && is_nvidia(adapter) {
        // Another driver responds (NVK, or Direct3D): slower, but it works.
        findings.push(Finding::Refusal(EngineRefusal::NvidiaDriverMissing { gpu: name() }));
    }
    let of_card = |client: &&GpuClient| {
        adapter.pci.is_some()
            && PciAddress::parse(&client.pci_bus_id) == adapter.pci
            && adapter.nvml.is_none()
    };
    for client in evidence.gpu_clients.iter().filter(of_card).filter(|_| gpu.kind == GpuKind::Discrete) {
        findings.extend(held(gpu, &client.name, client.vram_bytes));
    }
    match (gpu.backend, gpu.kind) {
        _ if is_refused => {}
        (Some(GpuBackend::Rocm), GpuKind::Discrete) => findings.push(Finding::RocmPackage { gpu: name() }),
        // Through Vulkan, Ollama drops it as integrated graphics.
        (Some(GpuBackend::Rocm), GpuKind::Unified) => findings.push(Finding::RocmNeeded { gpu: name() }),
        _ => {}
    }
    if let Some(known) = known_failure(gpu, evidence).filter(|known| gpu.backend == Some(known.works)) {
        findings.push(Finding::DriverKnownToFail {
            gpu: name(),
            driver: gpu.driver_version.clone().unwrap_or_default(),
            fails: known.fails,
            works: known.works,
        });
    }
    let asleep = adapter.sysfs.as_ref().is_some_and(|card| card.asleep);
    if asleep && evidence.wgpu.answer().is_none() {
        findings.push(Finding::GpuAsleep { gpu: name() });
    }
}

/// The finding that a program uses much of a card's memory, if it does.
fn held(gpu: &Gpu, program: &str, bytes: u64) -> Option<Finding> {
    (bytes >= REPORTED_VRAM_BYTES).then(|| Finding::VramHeld {
        gpu: gpu.name.clone(),
        program: program.to_owned().into(),
        bytes,
    })
}

fn of_system(evidence: &Evidence, findings: &mut Vec<Finding>) {
    findings.extend(evidence.os.refusal().map(Finding::Refusal));
    let total_bytes = evidence.memory.total_bytes;
    if let Some(limit_bytes) = evidence.memory.limit_bytes.filter(|limit| *limit < total_bytes) {
        findings.push(Finding::MemoryLimited { limit_bytes, total_bytes });
    }
    if let Some(power) = evidence.power.or_else(|| sysfs::power(&evidence.sysfs)) {
        findings.extend(power.on_battery.then_some(Finding::OnBattery));
        findings.extend(power.saving.then_some(Finding::PowerSaving));
    }
    for engine in &evidence.engines {
        let Some(port) = engine.port else { continue };
        if engine.exposed == Some(true) {
            findings.push(Finding::EngineExposed { port });
        }
        for model in &engine.loaded {
            if let Some(bytes) = model.vram_bytes.filter(|bytes| *bytes >= REPORTED_VRAM_BYTES) {
                findings.push(Finding::ModelLoaded { model: model.name.clone(), port, bytes });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_uses_much_of_a_cards_memory_is_a_finding() {
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
        let held: Vec<&Finding> =
            notes.iter().filter(|finding| matches!(finding, Finding::VramHeld { .. })).collect();
        let expected = Finding::VramHeld {
            gpu: "AMD GPU 1002:744c".into(),
            program: "blender".into(),
            bytes: 3000 << 20,
        };
        assert_eq!(held, [&expected], "{notes:?}");
    }
}
