//! Total and free memory of an adapter, each with its source.

use super::identity::Adapter;
use crate::hardware::evidence::{Evidence, VulkanHeap, WgpuAdapter};
use crate::machine::GpuKind;

/// An amount of memory and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryFigure {
    /// Bytes.
    pub bytes: u64,
    /// The interface it comes from.
    pub source: String,
}

/// Memory of an adapter, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoMemory {
    /// Total size.
    pub total: Option<MemoryFigure>,
    /// Free memory.
    pub free: Option<MemoryFigure>,
    /// Sources whose total differs from `total` by more than [`TOLERANCE`]: name and bytes.
    pub contradicted_by: Vec<(String, u64)>,
}

/// Two figures agree if they differ by no more than this share of the total: interfaces differ in what they exclude
/// (firmware, page tables, error correction).
const TOLERANCE: f64 = 0.07;

/// Merges the figures of all sources.
pub fn video_memory(
    adapter: &Adapter<'_>,
    kind: GpuKind,
    vendor: Option<&str>,
    evidence: &Evidence,
) -> VideoMemory {
    match kind {
        GpuKind::Software | GpuKind::Virtual => VideoMemory::default(),
        GpuKind::Integrated => integrated(adapter),
        GpuKind::Unified => unified(adapter, vendor, evidence),
        GpuKind::Discrete => discrete(adapter, vendor),
    }
}

/// Dedicated memory by the best source; the others are compared with it.
fn discrete(adapter: &Adapter<'_>, vendor: Option<&str>) -> VideoMemory {
    let sum_heaps = vendor == Some("amd");
    let totals = [
        ("nvml", adapter.nvml.and_then(|gpu| gpu.memory_total_bytes)),
        ("sysfs", adapter.sysfs.as_ref().and_then(|card| card.vram_total_bytes)),
        ("dxgi", adapter.dxgi.map(|gpu| gpu.memory.dedicated_video_bytes)),
        ("dx12", adapter.dx12.and_then(|gpu| gpu.dxgi).map(|memory| memory.dedicated_video_bytes)),
        ("vulkan", adapter.vulkan.map(|gpu| own_heaps(gpu, sum_heaps, |heap| Some(heap.size_bytes)))),
        ("metal", adapter.metal.and_then(|gpu| gpu.metal).map(|m| m.recommended_max_working_set_bytes)),
        ("registry", adapter.registry.and_then(|gpu| gpu.memory_bytes)),
        ("sysinfo", adapter.sysinfo.and_then(|gpu| gpu.memory_total_bytes)),
    ];
    let mut others = totals.iter().filter_map(|(source, bytes)| Some((*source, bytes.filter(|b| *b > 0)?)));
    let Some((source, bytes)) = others.next() else { return VideoMemory::default() };

    let (mut agree, mut differ) = (Vec::new(), Vec::new());
    for (other, figure) in others {
        if figure.abs_diff(bytes) as f64 <= TOLERANCE * bytes as f64 {
            agree.push(other);
        } else {
            differ.push((other.to_owned(), figure));
        }
    }
    VideoMemory {
        total: Some(MemoryFigure { bytes, source: with_comparison(source, &agree, &differ) }),
        free: discrete_free(adapter, sum_heaps, bytes),
        contradicted_by: differ,
    }
}

fn with_comparison(source: &str, agree: &[&str], differ: &[(String, u64)]) -> String {
    let mut text = source.to_owned();
    if !agree.is_empty() {
        text.push_str("; agrees with ");
        text.push_str(&agree.join(", "));
    }
    for (other, bytes) in differ {
        text.push_str(&format!("; {other} says {bytes}"));
    }
    text
}

fn discrete_free(adapter: &Adapter<'_>, sum_heaps: bool, total: u64) -> Option<MemoryFigure> {
    let card = adapter.sysfs.as_ref();
    [
        ("nvml", adapter.nvml.and_then(|gpu| gpu.memory_free_bytes)),
        ("sysfs", card.and_then(|card| Some(card.vram_total_bytes?.saturating_sub(card.vram_used_bytes?)))),
        ("dxgi budget", adapter.dxgi.and_then(|gpu| gpu.memory.budget_bytes)),
        ("dx12 budget", adapter.dx12.and_then(|gpu| gpu.dxgi).and_then(|memory| memory.budget_bytes)),
        // The budget is the memory not used by other programs.
        (
            "vulkan budget",
            adapter
                .vulkan
                // Some drivers underflow when more is in use than the heap has: limit the budget to the heap's size.
                .map(|gpu| own_heaps(gpu, sum_heaps, |heap| Some(heap.budget_bytes?.min(heap.size_bytes))))
                .filter(|budget| *budget > 0),
        ),
    ]
    .into_iter()
    .find_map(|(source, bytes)| Some(MemoryFigure { bytes: bytes?.min(total), source: source.to_owned() }))
}

/// Total of a card's own heaps. AMD splits memory in two where the processor cannot access all of it, so heaps are
/// summed. Others list small windows into the same memory, so the largest counts.
fn own_heaps(gpu: &WgpuAdapter, sum: bool, of: impl Fn(&VulkanHeap) -> Option<u64>) -> u64 {
    let own = gpu.heaps.iter().filter(|heap| heap.device_local);
    if sum {
        own.filter_map(of).fold(0, u64::saturating_add)
    } else {
        own.max_by_key(|heap| heap.size_bytes).and_then(of).unwrap_or(0)
    }
}

/// The firmware's carve-out. Vulkan heaps are main memory for integrated graphics and do not count.
fn integrated(adapter: &Adapter<'_>) -> VideoMemory {
    let total = [
        ("sysfs", adapter.sysfs.as_ref().and_then(|card| card.vram_total_bytes)),
        ("dxgi", adapter.dxgi.map(|gpu| gpu.memory.dedicated_video_bytes)),
        ("dx12", adapter.dx12.and_then(|gpu| gpu.dxgi).map(|memory| memory.dedicated_video_bytes)),
    ]
    .into_iter()
    .find_map(|(source, bytes)| {
        Some(MemoryFigure { bytes: bytes.filter(|b| *b > 0)?, source: source.to_owned() })
    });
    let free = adapter.sysfs.as_ref().and_then(|card| {
        let bytes = card.vram_total_bytes?.saturating_sub(card.vram_used_bytes?);
        Some(MemoryFigure { bytes, source: "sysfs".to_owned() })
    });
    VideoMemory { total, free, contradicted_by: Vec::new() }
}

/// The part of the shared main memory that the system lets the GPU use.
fn unified(adapter: &Adapter<'_>, vendor: Option<&str>, evidence: &Evidence) -> VideoMemory {
    let memory = &evidence.memory;
    let ram_free = memory.available_bytes;
    let (total, free) = match vendor {
        Some("apple") => {
            let metal = adapter.metal.and_then(|gpu| gpu.metal);
            let total = metal
                .map(|metal| metal.recommended_max_working_set_bytes)
                .filter(|bytes| *bytes > 0)
                .map(|bytes| (bytes, "metal (recommendedMaxWorkingSetSize)"));
            (total, ram_free.map(|bytes| (bytes, "available main memory")))
        }
        Some("amd") => amd_unified(adapter, memory.total_bytes, ram_free),
        // NVML does not support the query, or returns a meaningless share of the memory; the engine asks the system
        // as well.
        _ => (
            (memory.total_bytes > 0)
                .then_some((memory.total_bytes, "main memory, shared with the processor")),
            ram_free.map(|bytes| (bytes, "available main memory")),
        ),
    };
    let figure = |(bytes, source): (u64, &str)| MemoryFigure { bytes, source: source.to_owned() };
    let limit = total.map(|(bytes, _)| bytes);
    VideoMemory {
        total: total.map(figure),
        free: free.map(|(bytes, source)| figure((limit.map_or(bytes, |most| bytes.min(most)), source))),
        contradicted_by: Vec::new(),
    }
}

type Figure<'t> = Option<(u64, &'t str)>;

/// Strix Halo: the firmware reserves some memory (up to 96 GB), and the driver lets the GPU use a part of the rest. The
/// engine uses one or the other, so the larger counts, not the sum.
fn amd_unified<'t>(adapter: &Adapter<'_>, ram_total: u64, ram_free: Option<u64>) -> (Figure<'t>, Figure<'t>) {
    if let Some(card) = &adapter.sysfs {
        let own = card.vram_total_bytes.unwrap_or(0);
        // A limit set by the user may exceed the memory left by the firmware.
        let reachable = card.gtt_total_bytes.unwrap_or(0).min(ram_total);
        if own >= reachable && own > 0 {
            let free = card.vram_used_bytes.map(|used| (own.saturating_sub(used), "sysfs"));
            return (Some((own, "sysfs (mem_info_vram_total)")), free);
        }
        if reachable > 0 {
            let unused = card.gtt_used_bytes.map(|used| reachable.saturating_sub(used));
            let free = match (unused, ram_free) {
                (Some(unused), Some(ram)) => Some((unused.min(ram), "sysfs, available main memory")),
                (None, Some(ram)) => Some((ram, "available main memory")),
                (Some(unused), None) => Some((unused, "sysfs")),
                (None, None) => None,
            };
            return (Some((reachable, "sysfs (mem_info_gtt_total)")), free);
        }
    }
    let dxgi = adapter.dxgi.map(|gpu| gpu.memory).or(adapter.dx12.and_then(|gpu| gpu.dxgi));
    let Some(memory) = dxgi else { return (None, None) };
    if memory.dedicated_video_bytes >= memory.shared_system_bytes {
        (
            Some((memory.dedicated_video_bytes, "dxgi (dedicated)")),
            memory.budget_bytes.map(|bytes| (bytes, "dxgi budget")),
        )
    } else {
        (
            Some((memory.shared_system_bytes, "dxgi (shared)")),
            ram_free.map(|bytes| (bytes, "available main memory")),
        )
    }
}
