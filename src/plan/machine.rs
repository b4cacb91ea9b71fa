//! Converts the hardware document to the estimator's input: the card that is used, free memory, and assumptions for
//! unknown figures. Every figure has its certainty.
//!
//! **One card, or all of a kind.** ACOLYTE plans with the best card alone: a large enough card before others, dedicated
//! before shared memory, then more memory, then more bandwidth. If the model does not fit it and there are more cards
//! with dedicated memory and the same backend, it plans with all of them, as Ollama does.

use std::cmp::Ordering;

use crate::estimate::{CpuFigures, EngineSetting, GpuFigures, MachineFigures, fit_gpu_layers};
use crate::figures::{Certainty, Known};
use crate::machine::{Gpu, GpuBackend, GpuKind, Hardware, TABLE, gpu_table};
use crate::plan::{Candidate, Policy};
use crate::untrusted::UntrustedText;
use crate::{GIB, MIB};

/// Source of a figure stated by the user, which overrides the table.
pub const GIVEN: &str = "given";

/// The estimator's input for a machine: the card that will be used, if any, the processor and main memory.
pub fn machine(hardware: &Hardware, policy: &Policy) -> MachineFigures {
    let cpu = cpu_figures(hardware, policy);
    let gpu = chosen_gpu(hardware, policy).and_then(|gpu| gpu_figures(gpu, hardware, &cpu, policy));
    MachineFigures { gpus: gpu.into_iter().collect(), cpu }
}

/// The estimator's input for a candidate: the best card, or all cards of its kind if the model does not fit one.
pub fn machine_for(candidate: &Candidate, hardware: &Hardware, policy: &Policy) -> MachineFigures {
    let mut machine = machine(hardware, policy);
    if candidate.is_cpu_only() {
        machine.gpus.clear();
        return machine;
    }
    let together = cards_together(hardware, policy, &machine);
    if together.gpus.len() > 1
        && layers_that_fit(candidate, &machine, policy) < candidate.model.total_layers()
    {
        together
    } else {
        machine
    }
}

/// The machine with its best card, then with all cards of that kind where there are more (none without a usable card),
/// and the processor alone.
pub(super) fn machines(hardware: &Hardware, policy: &Policy) -> (Vec<MachineFigures>, MachineFigures) {
    let best = machine(hardware, policy);
    let processor = MachineFigures { gpus: Vec::new(), cpu: best.cpu.clone() };
    if best.gpus.is_empty() {
        return (Vec::new(), processor);
    }
    let together = cards_together(hardware, policy, &best);
    let mut with_cards = vec![best];
    with_cards.extend(Some(together).filter(|machine| machine.gpus.len() > 1));
    (with_cards, processor)
}

/// All cards with dedicated memory and the backend of the chosen one, the chosen one first.
fn cards_together(hardware: &Hardware, policy: &Policy, chosen: &MachineFigures) -> MachineFigures {
    let mut gpus = chosen.gpus.clone();
    let best = chosen_gpu(hardware, policy);
    if let (Some(best), Some(figures)) =
        (best.filter(|gpu| gpu.kind == GpuKind::Discrete), chosen.gpus.first())
    {
        let others = hardware.usable_gpus().filter(|gpu| {
            !std::ptr::eq(*gpu, best) && gpu.kind == GpuKind::Discrete && backend(gpu) == figures.backend
        });
        gpus.extend(others.filter_map(|gpu| gpu_figures(gpu, hardware, &chosen.cpu, policy)));
    }
    MachineFigures { gpus, cpu: chosen.cpu.clone() }
}

fn layers_that_fit(candidate: &Candidate, machine: &MachineFigures, policy: &Policy) -> u32 {
    fit_gpu_layers(
        &candidate.model,
        &engine_setting(candidate, machine),
        machine,
        machine.vram_free_bytes().saturating_sub(policy.vram_margin_mib * MIB),
    )
}

/// How the engine runs a candidate on a machine, with no layer on a GPU yet.
pub(super) fn engine_setting(candidate: &Candidate, machine: &MachineFigures) -> EngineSetting {
    EngineSetting {
        context_tokens: candidate.context_tokens,
        kv_cache_type: candidate.kv_cache_type,
        num_batch: candidate.num_batch,
        flash_attention: machine.gpus.iter().all(GpuFigures::has_flash_attention),
        gpu_layers: 0,
        n_cpu_moe: candidate.n_cpu_moe,
    }
}

/// The adapter a model would be loaded on; `None` if none can hold models.
pub fn chosen_gpu<'a>(hardware: &'a Hardware, policy: &Policy) -> Option<&'a Gpu> {
    hardware.usable_gpus().max_by(|a, b| {
        compare_gpus(a, b, hardware, policy)
            // Break ties in favour of the first: `max_by` takes the last.
            .then(Ordering::Greater)
    })
}

/// Total memory of a card in bytes, if known: as reported, else by its name, else (shared memory) the usual share.
pub(super) fn vram_total(gpu: &Gpu, hardware: &Hardware, policy: &Policy) -> Option<Known<u64>> {
    let known = |value, certainty| Known { value, certainty };
    match (gpu.vram_total_bytes, gpu.kind) {
        (Some(0), GpuKind::Discrete) | (None, GpuKind::Discrete) => {
            let named = gpu_table::named_vram_bytes(&gpu.name);
            let listed = || gpu.table_row().map(|row| row.vram_bytes).filter(|bytes| *bytes > 0);
            let old = || gpu_table::too_old(&gpu.name).map(|card| card.vram_bytes);
            named.or_else(listed).or_else(old).map(|bytes| known(bytes, Certainty::Table))
        }
        (Some(bytes), _) if bytes > 0 => Some(known(bytes, Certainty::Detected)),
        (_, GpuKind::Unified) => {
            let share = hardware.memory.total_bytes as f64 * policy.assumed_unified_share;
            Some(known(share as u64, Certainty::Guess))
        }
        _ => None,
    }
}

/// The advertised size in GB. A share of shared memory has none, so it is rounded down.
pub(super) fn nominal_vram_gb(vram_bytes: u64, kind: GpuKind, policy: &Policy) -> u32 {
    match kind {
        GpuKind::Unified => ((vram_bytes as f64 / GIB as f64) + 0.1).floor() as u32,
        _ => policy.nominal_vram_gb(vram_bytes),
    }
}

/// The backend Ollama uses for a card: as detected, else by vendor, else by the table of cards, else by words in its
/// name.
pub(super) fn backend(gpu: &Gpu) -> GpuBackend {
    if let Some(backend) = gpu.backend {
        return backend;
    }
    let vendor = gpu.vendor.as_deref().unwrap_or_default().to_ascii_lowercase();
    backend_of_words(&vendor)
        .or_else(|| gpu.table_row().map(|row| row.backend))
        .or_else(|| backend_of_words(&gpu.name.to_ascii_lowercase()))
        // Ollama falls back to Vulkan for cards without another backend.
        .unwrap_or(GpuBackend::Vulkan)
}

fn backend_of_words(words: &str) -> Option<GpuBackend> {
    const WORDS: [(&str, GpuBackend); 12] = [
        ("nvidia", GpuBackend::Cuda),
        ("geforce", GpuBackend::Cuda),
        ("quadro", GpuBackend::Cuda),
        ("tesla", GpuBackend::Cuda),
        ("rtx", GpuBackend::Cuda),
        ("gtx", GpuBackend::Cuda),
        ("radeon", GpuBackend::Rocm),
        ("advanced micro", GpuBackend::Rocm),
        ("amd", GpuBackend::Rocm),
        ("apple", GpuBackend::Metal),
        ("intel", GpuBackend::Vulkan),
        ("arc", GpuBackend::Vulkan),
    ];
    WORDS.into_iter().find(|(word, _)| words.contains(word)).map(|(_, backend)| backend)
}

fn compare_gpus(a: &Gpu, b: &Gpu, hardware: &Hardware, policy: &Policy) -> Ordering {
    let worth = |gpu: &Gpu| {
        let bytes = vram_total(gpu, hardware, policy).map_or(0, |vram| vram.value);
        let nominal = nominal_vram_gb(bytes, gpu.kind, policy);
        let large_enough = nominal >= policy.refused_below_vram_gb;
        (large_enough, gpu.kind == GpuKind::Discrete, nominal)
    };
    let bandwidth = |gpu: &Gpu| bandwidth(gpu, hardware, policy, gpu.vram_total_bytes.unwrap_or(0)).value;
    worth(a).cmp(&worth(b)).then_with(|| bandwidth(a).total_cmp(&bandwidth(b)))
}

fn gpu_figures(gpu: &Gpu, hardware: &Hardware, cpu: &CpuFigures, policy: &Policy) -> Option<GpuFigures> {
    let total = vram_total(gpu, hardware, policy)?;
    let free = match (gpu.vram_free_bytes, gpu.kind) {
        (Some(free), GpuKind::Unified) => Known::detected(free.min(cpu.ram_available_bytes.value)),
        // Shared memory: at most what the system allows and what is currently available to programs.
        (None, GpuKind::Unified) => Known {
            value: total.value.min(cpu.ram_available_bytes.value),
            certainty: total.certainty.max(cpu.ram_available_bytes.certainty),
        },
        (Some(free), _) => Known::detected(free.min(total.value)),
        (None, _) => Known::guess(total.value.saturating_sub(policy.assumed_desktop_vram_mib * MIB)),
    };
    Some(GpuFigures {
        name: gpu.name.to_string(),
        kind: gpu.kind,
        backend: backend(gpu),
        vram_total_bytes: total.value,
        vram_total_certainty: total.certainty,
        compute_share: gpu.compute_share.unwrap_or(1.0),
        vram_free_bytes: free,
        bandwidth_gb_s: bandwidth(gpu, hardware, policy, total.value),
        row: gpu.table_row(),
        compute_capability: gpu.compute_capability.filter(|_| backend(gpu) == GpuBackend::Cuda),
        bus_gb_s: gpu.bus_gb_s.map_or(Known::guess(policy.assumed_bus_gb_s), Known::detected),
    })
}

fn bandwidth(gpu: &Gpu, hardware: &Hardware, policy: &Policy, vram_bytes: u64) -> Known<f64> {
    let known = |value, certainty| Known { value, certainty };
    if let Some(gb_s) = gpu.memory_bandwidth_gb_s {
        let certainty = match gpu.sources.get("memory_bandwidth_gb_s").map(UntrustedText::as_str) {
            Some(GIVEN) => Certainty::Given,
            Some(TABLE) => Certainty::Table,
            _ => Certainty::Detected,
        };
        return known(gb_s, certainty);
    }
    if let Some(row) = gpu.table_row() {
        return known(row.bandwidth_gb_s, Certainty::Table);
    }
    match (gpu.kind, hardware.memory.bandwidth_gb_s) {
        (GpuKind::Unified, Some(gb_s)) => known(gb_s, Certainty::Measured),
        _ => known(policy.typical_gpu_bandwidth_gb_s(policy.nominal_vram_gb(vram_bytes)), Certainty::Guess),
    }
}

fn cpu_figures(hardware: &Hardware, policy: &Policy) -> CpuFigures {
    let total = hardware.memory.total_bytes;
    let cores = match (hardware.cpu.physical_cores, hardware.cpu.logical_cores) {
        (Some(cores), _) if cores > 0 => Known::detected(cores),
        // Most processors have two threads per core.
        (_, Some(threads)) if threads > 0 => Known::guess(threads.div_ceil(2)),
        _ => Known::guess(policy.assumed_physical_cores),
    };
    CpuFigures {
        ram_total_bytes: total,
        ram_available_bytes: hardware.memory.available_bytes.map_or_else(
            || Known::guess((total as f64 * policy.assumed_available_ram_share) as u64),
            Known::detected,
        ),
        bandwidth_gb_s: hardware.memory.bandwidth_gb_s.map_or(
            Known::guess(policy.assumed_ram_bandwidth_gb_s),
            // A document without a processor was not detected, so its bandwidth is from a data sheet.
            |value| {
                let described = hardware.cpu.physical_cores.is_some() || !hardware.cpu.features.is_empty();
                let certainty = if described { Certainty::Measured } else { Certainty::Table };
                Known { value, certainty }
            },
        ),
        physical_cores: cores,
        features: hardware.cpu.features.iter().map(ToString::to_string).collect(),
        name: hardware.cpu.name.clone().unwrap_or_default().into(),
        dot_product_gb_s: hardware.cpu.dot_product_gb_s,
    }
}
