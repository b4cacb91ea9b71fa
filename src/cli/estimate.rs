//! `acolyte estimate`: memory need and speed of a model on any card.
//!
//! The machine is described on the command line. A given figure overrides that of the card's name, and the whole card
//! counts as free. Missing figures come from the policy's assumptions, which widens the ranges.

use crate::cli::args::{EstimateArgs, ExpertBlocks};
use crate::cli::model;
use crate::cli::output::{print, print_json};
use crate::cli::{Failure, Session};
use crate::machine::gpu_table::{self, MemoryTechnology};
use crate::machine::{Gpu, GpuBackend, GpuKind, Hardware, MainMemory};
use crate::models::Model;
use crate::ollama::lookup::{lookup, lookup_published};
use crate::plan::{Candidate, GIVEN, Layers, Policy, Profiles, custom_candidate, make_plan};
use crate::sentences::json::ProfileJson;
use crate::sentences::report;
use crate::text::Text;
use crate::untrusted::UntrustedText;
use crate::{GIB, say};

/// Runs the command.
///
/// # Errors
/// When model or card is unknown, or the experts cannot be kept in main memory as requested.
pub fn run(args: &EstimateArgs, session: &Session) -> Result<u8, Failure> {
    model::warn_of_skipped_certificates(&args.network, session)?;
    let policy = &Profiles::built_in().policy;
    let hardware = described_machine(args, policy, session.text)?;
    let find = if args.from_registry { lookup_published } else { lookup };
    let model = model::resolve(find, &args.model, args.insecure_registry, &args.network, session)?;
    let n_cpu_moe = n_cpu_moe(args, &model, &hardware, session.text)?;
    let layers = match args.gpu_layers {
        None if n_cpu_moe > 0 => Layers::Exactly(model.total_layers()),
        given => given.map_or(Layers::Fit, Layers::Exactly),
    };
    let candidate = Candidate {
        n_cpu_moe,
        num_batch: args.num_batch,
        ..custom_candidate(model, args.kv, args.context, layers, policy)
    };
    let plan = make_plan(&candidate, &hardware, policy);
    if args.json {
        print_json(&ProfileJson::new(&plan, session.text))?;
    } else {
        print(&report::estimate(&plan, session.text))?;
    }
    Ok(0)
}

/// Blocks whose experts stay in main memory, checked against the model and the other options.
fn n_cpu_moe(args: &EstimateArgs, model: &Model, hardware: &Hardware, text: Text) -> Result<u32, Failure> {
    let total = model.total_layers();
    let blocks = total.saturating_sub(1);
    let n_cpu_moe = match args.n_cpu_moe {
        None | Some(ExpertBlocks::First(0)) => return Ok(0),
        Some(ExpertBlocks::All) => blocks,
        Some(ExpertBlocks::First(first)) => first,
    };
    let title = model.title.as_str();
    let message = if model.architecture.experts.is_none() {
        say!(text, "cli-experts-not-a-mixture", model = title)
    } else if n_cpu_moe > blocks {
        say!(text, "cli-experts-too-many-blocks", model = title, blocks = blocks)
    } else if hardware.gpus.is_empty() {
        say!(text, "cli-experts-without-card")
    } else if args.gpu_layers.is_some_and(|layers| layers < total) {
        say!(text, "cli-experts-with-layers", total = total)
    } else {
        return Ok(n_cpu_moe);
    };
    Err(Failure::usage(message))
}

/// The machine that the options describe. A chip that shares main memory brings its own, if the options do not tell.
fn described_machine(args: &EstimateArgs, policy: &Policy, text: Text) -> Result<Hardware, Failure> {
    let shared = args.gpu.as_deref().and_then(|name| gpu_table::lookup(name, args.vram_gib.map(bytes)));
    let shared =
        shared.filter(|row| row.memory == MemoryTechnology::Lpddr && row.backend == GpuBackend::Cuda);
    let usual = shared.map_or(policy.assumed_ram_gb * GIB, |row| row.vram_bytes);
    let total_bytes = args.ram_gib.map_or(usual, bytes);
    let reserved = (policy.reserved_ram_gb * GIB).min(total_bytes / 2);
    let memory = MainMemory {
        total_bytes,
        available_bytes: Some(total_bytes - reserved),
        bandwidth_gb_s: args.ram_bandwidth_gb_s,
    };
    let gpus = described_gpu(args, policy, total_bytes, text)?.into_iter().collect();
    Ok(Hardware::with(memory, gpus))
}

fn described_gpu(
    args: &EstimateArgs,
    policy: &Policy,
    ram_bytes: u64,
    text: Text,
) -> Result<Option<Gpu>, Failure> {
    if args.gpu.is_none() && args.vram_gib.is_none() && args.gpu_bandwidth_gb_s.is_none() {
        return Ok(None);
    }
    let name = args.gpu.clone().unwrap_or_default();
    let given = args.vram_gib.map(bytes);
    let described = Gpu::named(&name, gpu_table::kind_of_name(&name), given);
    if described.kind == GpuKind::Integrated || described.blocked().is_some() {
        return Ok(Some(described));
    }
    let row = args.gpu.as_deref().and_then(|_| described.table_row());
    // A card whose name does not tell its size has that of the table, which the plan says.
    let named = given.or_else(|| gpu_table::named_vram_bytes(&name));
    let shared = (ram_bytes as f64 * policy.assumed_unified_share) as u64;
    let total = match described.kind {
        GpuKind::Unified => Some(given.unwrap_or(shared)),
        _ => named,
    };
    let vram = total.or_else(|| row.map(|row| row.vram_bytes));
    let bandwidth = args.gpu_bandwidth_gb_s.or_else(|| row.map(|row| row.bandwidth_gb_s));
    let (Some(vram), Some(_)) = (vram, bandwidth) else {
        return Err(Failure::usage(match &args.gpu {
            Some(name) => say!(text, "cli-unknown-gpu", name = UntrustedText::new(name)),
            None => say!(text, "cli-incomplete-gpu"),
        }));
    };
    Ok(Some(Gpu {
        vram_total_bytes: total,
        vram_free_bytes: Some(vram),
        memory_bandwidth_gb_s: args.gpu_bandwidth_gb_s,
        // Assume NVIDIA, the most common vendor, for a card without a name.
        backend: row.map(|row| row.backend).or(args.gpu.is_none().then_some(GpuBackend::Cuda)),
        sources: args
            .gpu_bandwidth_gb_s
            .map(|_| ("memory_bandwidth_gb_s".to_owned(), GIVEN.into()))
            .into_iter()
            .collect(),
        ..described
    }))
}

fn bytes(gib: f64) -> u64 {
    (gib * GIB as f64).round() as u64
}
