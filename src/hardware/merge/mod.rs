//! Merges the answers of all sources into the hardware document. Pure: the same evidence gives the same document.
//!
//! 1. [`identity`] groups the answers by adapter.
//! 2. [`kind`] decides the kind of each adapter, [`memory`] how much memory counts, [`backend`] which backend Ollama
//!    will use, [`visible`] whether a variable hides it, [`blocked`] whether Ollama leaves it out; [`state`] what slows
//!    it; [`gpus`] writes the entry.
//! 3. [`findings`] lists what the user should know: sources that did not answer, what Ollama refuses or does
//!    differently.

mod backend;
mod blocked;
mod findings;
mod gpus;
mod identity;
mod kind;
mod memory;
mod state;
mod visible;

pub use kind::is_intel_integrated;

use super::evidence::{Evidence, MemoryEvidence};
use super::pci::PciAddress;
use crate::SCHEMA;
use crate::machine::{Finding, Gpu, GpuKind, Hardware, MainMemory};
use visible::VisibleDevices;

/// The hardware document of this evidence.
pub fn merge(evidence: &Evidence) -> Hardware {
    let adapters = identity::adapters(evidence);
    let visible = VisibleDevices::of(evidence, &adapters);
    let judged = judged(&adapters, &visible, evidence);
    let mut notes = findings::findings(&judged, evidence);
    notes.extend(visible.findings(evidence));
    let mut gpus: Vec<Gpu> = judged.into_iter().map(|(gpu, _)| gpu).collect();
    if let Some(gpu) = board(&gpus, evidence) {
        notes.push(findings::unified(&gpu));
        notes.extend(gpu.refusal().map(Finding::Refusal));
        gpus.insert(0, gpu);
    }
    Hardware {
        schema: SCHEMA,
        os: evidence.os.clone(),
        cpu: evidence.cpu.clone(),
        memory: main_memory(&evidence.memory),
        gpus,
        disks: evidence.disks.clone(),
        engines: evidence.engines.clone(),
        model_folders: evidence.model_folders.clone(),
        ram_modules: evidence.ram_modules.clone(),
        ram_programs: evidence.ram_programs.clone(),
        notes,
    }
}

/// Cards that can hold a model first, largest first; sorting is stable, so equal cards keep their order.
fn judged<'a, 'e>(
    adapters: &'a [identity::Adapter<'e>],
    visible: &VisibleDevices<'_>,
    evidence: &Evidence,
) -> Vec<(Gpu, &'a identity::Adapter<'e>)> {
    let entry = |(index, adapter)| (gpus::gpu(index, adapter, visible, evidence), adapter);
    let mut judged: Vec<(Gpu, &identity::Adapter<'_>)> = adapters.iter().enumerate().map(entry).collect();
    judged.sort_by_key(|(gpu, _)| (rank(gpu.kind), std::cmp::Reverse(gpu.vram_total_bytes)));
    judged
}

/// The GPU of the board, which comes first, if there is no other that holds models.
fn board(gpus: &[Gpu], evidence: &Evidence) -> Option<Gpu> {
    gpus::of_board(evidence).filter(|_| !gpus.iter().any(|gpu| gpu.kind.holds_models()))
}

/// Memory that these processes hold on each of [`Hardware::gpus`], in bytes; `None` where the driver does not tell. `drm`
/// are the figures of the kernel's drivers: PCI address and bytes.
pub fn held_by(evidence: &Evidence, processes: &[u32], drm: &[(String, u64)]) -> Vec<Option<u64>> {
    let adapters = identity::adapters(evidence);
    let visible = VisibleDevices::of(evidence, &adapters);
    let judged = judged(&adapters, &visible, evidence);
    let of_nvml = |adapter: &identity::Adapter<'_>| {
        let running = &adapter.nvml?.processes;
        let ours = running.iter().filter(|found| found.pid.is_some_and(|pid| processes.contains(&pid)));
        let held: Vec<u64> = ours.filter_map(|found| found.used_bytes).collect();
        (!held.is_empty()).then(|| held.iter().sum())
    };
    let of_kernel = |adapter: &identity::Adapter<'_>| {
        let held = drm.iter().find(|(pci, _)| PciAddress::parse(pci) == adapter.pci && adapter.pci.is_some());
        held.map(|(_, bytes)| *bytes)
    };
    let mut held: Vec<Option<u64>> =
        judged.iter().map(|(_, adapter)| of_nvml(adapter).or_else(|| of_kernel(adapter))).collect();
    let gpus: Vec<Gpu> = judged.into_iter().map(|(gpu, _)| gpu).collect();
    if board(&gpus, evidence).is_some() {
        held.insert(0, None);
    }
    held
}

fn rank(kind: GpuKind) -> u8 {
    match kind {
        GpuKind::Discrete => 0,
        GpuKind::Unified => 1,
        GpuKind::Integrated => 2,
        GpuKind::Virtual => 3,
        GpuKind::Software => 4,
    }
}

/// Main memory within the control group's limit, which is hard: exceeding it kills the program.
fn main_memory(reported: &MemoryEvidence) -> MainMemory {
    let limit = reported.limit_bytes.filter(|limit| *limit < reported.total_bytes);
    let total = limit.unwrap_or(reported.total_bytes);
    let within_limit = limit.map(|limit| limit.saturating_sub(reported.limit_used_bytes.unwrap_or(0)));
    let available = match (reported.available_bytes, within_limit) {
        (Some(system), Some(group)) => Some(system.min(group)),
        (system, group) => system.or(group),
    };
    MainMemory {
        total_bytes: total,
        available_bytes: available.map(|bytes| bytes.min(total)),
        bandwidth_gb_s: reported.bandwidth_gb_s,
    }
}
