//! One entry of the document for each adapter.

use std::collections::BTreeMap;

use super::backend::backend;
use super::blocked::blocked;
use super::identity::Adapter;
use super::kind::{kind, vendor};
use super::memory::{MemoryFigure, VideoMemory, video_memory};
use super::state::state;
use super::visible::{VisibleDevices, hides_board, setting};
use crate::hardware::evidence::{Evidence, MigSlice, NvmlDevice};
use crate::hardware::pci::{link_gb_s, link_gt_s};
use crate::machine::TABLE;
use crate::machine::gpu_table;
use crate::machine::known_drivers::{self, KnownDriver};
use crate::machine::{Blocked, Gpu, GpuKind};
use crate::ollama::release::Release;

/// The entry of one adapter, which is at `index` of the adapters.
pub fn gpu(index: usize, adapter: &Adapter<'_>, visible: &VisibleDevices<'_>, evidence: &Evidence) -> Gpu {
    let vendor = vendor(adapter);
    let kind = kind(adapter, vendor, evidence);
    let slice = adapter.nvml.filter(|device| device.mig == Some(true));
    let slice = slice.map(|device| device.mig_slices.get(visible.slice_of(device)));
    let memory = match slice {
        Some(slice) => slice.map(memory_of_slice).unwrap_or_default(),
        None => video_memory(adapter, kind, vendor, evidence),
    };
    let driver = driver_version(adapter, kind, evidence);
    let capability = adapter.nvml.and_then(|gpu| gpu.compute_capability);

    let mut sources = BTreeMap::new();
    let mut source = |key: &str, text: Option<&str>| {
        if let Some(text) = text {
            sources.insert(key.to_owned(), text.into());
        }
    };
    let (name, name_source) = match slice.flatten().and_then(|slice| slice.name.clone()) {
        Some(name) => (name, "nvml"),
        None => name(adapter, vendor, evidence),
    };
    source("name", Some(name_source));
    source("vram_total_bytes", memory.total.as_ref().map(|figure| figure.source.as_str()));
    source("vram_free_bytes", memory.free.as_ref().map(|figure| figure.source.as_str()));
    source("driver_version", driver.as_ref().map(|(_, source)| *source));
    source("compute_capability", capability.map(|_| "nvml"));
    let bus = bus(adapter, kind);
    source("bus_gb_s", bus.map(|(_, source)| source));
    let backend = backend(adapter, &name, kind, vendor, evidence);
    let mut gpu = Gpu {
        name: name.into(),
        vendor: vendor.map(Into::into),
        kind,
        vram_total_bytes: memory.total.map(|figure| figure.bytes),
        vram_free_bytes: memory.free.map(|figure| figure.bytes),
        memory_bandwidth_gb_s: None,
        compute_share: slice.flatten().and_then(share_of_slice),
        bus_gb_s: bus.map(|(gb_s, _)| gb_s),
        backend,
        driver_version: driver.map(|(version, _)| version).map(Into::into),
        compute_capability: capability,
        blocked: None,
        state: state(adapter),
        sources,
    };
    if let Some((gb_s, source)) = bandwidth(&gpu, adapter) {
        gpu.memory_bandwidth_gb_s = Some(gb_s);
        gpu.sources.insert("memory_bandwidth_gb_s".to_owned(), source.into());
    }
    if let Some(known) = known_failure(&gpu, evidence).filter(|known| gpu.backend == Some(known.fails)) {
        gpu.backend = Some(known.works);
        gpu.sources.insert("backend".to_owned(), known.source.as_str().into());
    }
    if let Some(share) = slice.flatten().and_then(|slice| memory_share(slice, adapter, &gpu)) {
        gpu.memory_bandwidth_gb_s =
            gpu.memory_bandwidth_gb_s.map(|gb_s| (gb_s * share * 10.0).round() / 10.0);
    }
    let hidden_by = gpu.backend.and_then(|backend| visible.hidden_by(index, adapter, backend, evidence));
    gpu.blocked = blocked(&gpu, adapter, evidence);
    if gpu.blocked.is_none()
        && gpu.kind.holds_models()
        && let Some(variable) = hidden_by
    {
        gpu.hide(variable, evidence);
    }
    gpu
}

impl Gpu {
    /// Marks it as hidden by an environment variable.
    fn hide(&mut self, variable: &str, evidence: &Evidence) {
        self.blocked = Some(Blocked::HiddenByVariable);
        self.sources.insert("blocked".to_owned(), setting(variable, evidence).into());
    }
}

/// Whether the engine is known not to find the card with its driver.
pub fn known_failure(gpu: &Gpu, evidence: &Evidence) -> Option<&'static KnownDriver> {
    let engine = Release::built_in().version.parse().ok();
    known_drivers::find(gpu, &evidence.os, engine)
}

fn memory_of_slice(slice: &MigSlice) -> VideoMemory {
    let figure = |bytes: Option<u64>| {
        Some(MemoryFigure { bytes: bytes.filter(|bytes| *bytes > 0)?, source: "nvml (MIG slice)".to_owned() })
    };
    let total = figure(slice.memory_total_bytes);
    let most = total.as_ref().map_or(u64::MAX, |total| total.bytes);
    let free = figure(slice.memory_free_bytes.map(|bytes| bytes.min(most)));
    VideoMemory { total, free, contradicted_by: Vec::new() }
}

/// A slice's share of the chip, unless the driver does not tell.
fn share_of_slice(slice: &MigSlice) -> Option<f64> {
    slice.compute_share.filter(|share| *share > 0.0 && *share <= 1.0)
}

/// A slice's share of the card's memory, with which its bandwidth goes.
fn memory_share(slice: &MigSlice, adapter: &Adapter<'_>, gpu: &Gpu) -> Option<f64> {
    let card = adapter.nvml.and_then(|card| card.memory_total_bytes);
    let card = card.or_else(|| gpu.table_row().map(|row| row.vram_bytes)).filter(|bytes| *bytes > 0)?;
    Some((slice.memory_total_bytes? as f64 / card as f64).min(1.0))
}

/// Memory bandwidth in decimal GB/s and its source: the driver, else the table of cards. `None` for integrated
/// adapters.
fn bandwidth(gpu: &Gpu, adapter: &Adapter<'_>) -> Option<(f64, &'static str)> {
    if !gpu.kind.holds_models() {
        return None;
    }
    let reported = adapter.nvml.and_then(memory_bandwidth_gb_s).map(|gb_s| (gb_s, "nvml"));
    if reported.is_some() || names_a_family(&gpu.name) {
        return reported;
    }
    gpu.table_row().map(|row| (row.bandwidth_gb_s, TABLE))
}

/// Nominal bandwidth of the link to main memory in one direction, in decimal GB/s, and its source. `None` for adapters
/// that share main memory.
fn bus(adapter: &Adapter<'_>, kind: GpuKind) -> Option<(f64, &'static str)> {
    if kind != GpuKind::Discrete {
        return None;
    }
    let nvml = adapter.nvml.and_then(|gpu| link_gb_s(link_gt_s(gpu.pcie_generation?)?, gpu.pcie_lanes?));
    let sysfs = || adapter.sysfs.as_ref().and_then(|card| card.bus_gb_s);
    nvml.map(|gb_s| (gb_s, "nvml")).or_else(|| sysfs().map(|gb_s| (gb_s, "sysfs")))
}

/// Whether a name stands for several cards: `AMD Radeon R9 200 Series` does, `Radeon RX 580 Series` does not.
fn names_a_family(name: &str) -> bool {
    name.strip_suffix(" Series")
        .and_then(|rest| rest.split(' ').next_back())
        .is_some_and(|n| n.ends_with("00"))
}

/// Bus width × clock × 2 transfers a cycle, in decimal GB/s. NVML's clock is half the transfer rate for every kind
/// of memory: RTX 4090: 384 bit × 10,501 MHz × 2 = 1,008 GB/s.
fn memory_bandwidth_gb_s(device: &NvmlDevice) -> Option<f64> {
    let bytes_a_transfer = f64::from(device.memory_bus_width_bits?) / 8.0;
    let gb_s = bytes_a_transfer * f64::from(device.memory_clock_mhz?) * 2.0 / 1000.0;
    (gb_s > 0.0).then_some((gb_s * 10.0).round() / 10.0)
}

/// The display name and its source.
fn name(adapter: &Adapter<'_>, vendor: Option<&str>, evidence: &Evidence) -> (String, &'static str) {
    let listed = adapter.sysfs.as_ref().and_then(|card| listed_name(card, &evidence.pci_names));
    let candidates = [
        ("nvml", adapter.nvml.map(|gpu| gpu.name.clone())),
        ("dxgi", adapter.dxgi.map(|gpu| gpu.name.clone())),
        ("metal", adapter.metal.map(|gpu| gpu.name.clone())),
        ("vulkan", adapter.vulkan.map(|gpu| without_chip(&gpu.name)).filter(|name| !is_generic(name))),
        ("dx12", adapter.dx12.map(|gpu| gpu.name.clone())),
        ("pci list", listed),
        ("vulkan", adapter.vulkan.map(|gpu| gpu.name.clone())),
        ("sysinfo", adapter.sysinfo.and_then(|gpu| gpu.model.clone())),
    ];
    for (source, candidate) in candidates {
        if let Some(name) = candidate.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
            return (name, source);
        }
    }
    let numbers = adapter.ids.map(|ids| format!(" {:04x}:{:04x}", ids.vendor, ids.device));
    let vendor = match vendor {
        Some("nvidia") => "NVIDIA",
        Some("amd") => "AMD",
        Some("intel") => "Intel",
        Some(other) => other,
        None => "Unknown",
    };
    (format!("{vendor} GPU{}", numbers.unwrap_or_default()), "sysfs")
}

/// Mesa adds its driver and the chip: `AMD Radeon RX 7900 XTX (RADV NAVI31)`, `Intel(R) Arc(tm) A770 Graphics (DG2)`.
fn without_chip(name: &str) -> String {
    match name.rsplit_once(" (") {
        Some((marketing, chip)) if chip.ends_with(')') && !name.contains("llvmpipe") => marketing.to_owned(),
        _ => name.to_owned(),
    }
}

/// Names that contain only the vendor.
fn is_generic(name: &str) -> bool {
    matches!(
        name,
        "AMD Radeon Graphics"
            | "AMD Radeon(TM) Graphics"
            | "AMD Unknown"
            | "Intel(R) Graphics"
            | "AMD Custom GPU"
    )
}

fn listed_name(card: &crate::hardware::sysfs::Card, names: &BTreeMap<String, String>) -> Option<String> {
    let ids = card.ids?;
    let device = format!("{:04x}:{:04x}", ids.vendor, ids.device);
    let exact = card.revision.and_then(|revision| names.get(&format!("{device}:{revision:02x}")));
    exact.or_else(|| names.get(&device)).cloned()
}

fn driver_version(
    adapter: &Adapter<'_>,
    kind: GpuKind,
    evidence: &Evidence,
) -> Option<(String, &'static str)> {
    if kind == GpuKind::Software {
        return None;
    }
    let nvml = adapter.nvml.and(evidence.nvml.answer()).and_then(|nvml| nvml.driver_version.clone());
    let vulkan = adapter.vulkan.map(|gpu| gpu.driver_info.clone());
    [
        ("nvml", nvml),
        ("dxgi", adapter.dxgi.and_then(|gpu| gpu.driver_version.clone())),
        ("registry", adapter.registry.and_then(|gpu| gpu.driver_version.clone())),
        ("vulkan", vulkan),
        ("dx12", adapter.dx12.map(|gpu| gpu.driver_info.clone())),
    ]
    .into_iter()
    .find_map(|(source, version)| Some((version.filter(|v| !v.trim().is_empty())?, source)))
}

/// The GPU of an NVIDIA Jetson board, by the board's name: it has no PCI address, and older boards have no NVML.
pub fn of_board(evidence: &Evidence) -> Option<Gpu> {
    let board = evidence.board.as_deref().filter(|board| board.contains("Jetson"))?;
    let memory = &evidence.memory;
    let shared = "main memory, shared with the processor";
    let bandwidth = gpu_table::lookup(board, Some(memory.total_bytes));
    let mut sources = BTreeMap::from([
        ("name".to_owned(), "device tree".into()),
        ("vram_total_bytes".to_owned(), shared.into()),
        ("vram_free_bytes".to_owned(), "available main memory".into()),
    ]);
    sources.extend(bandwidth.map(|_| ("memory_bandwidth_gb_s".to_owned(), TABLE.into())));
    let mut gpu = Gpu {
        name: board.to_owned().into(),
        vendor: Some("nvidia".into()),
        kind: GpuKind::Unified,
        vram_total_bytes: Some(memory.total_bytes),
        vram_free_bytes: memory.available_bytes,
        memory_bandwidth_gb_s: bandwidth.map(|row| row.bandwidth_gb_s),
        bus_gb_s: None,
        compute_share: None,
        backend: Some(crate::machine::GpuBackend::Cuda),
        driver_version: None,
        compute_capability: None,
        blocked: None,
        state: None,
        sources,
    };
    if hides_board(evidence) {
        gpu.hide("CUDA_VISIBLE_DEVICES", evidence);
    }
    Some(gpu)
}
