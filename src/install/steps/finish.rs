//! The end: the promise beside the measurement, and the documents that put the new profile in force.

use std::path::Path;

use serde::Serialize;

use crate::SCHEMA;
use crate::install::run::Job;
use crate::install::state::documents::{ConsentFile, ProfileFile, SERVED_MODEL, to_json, to_yaml};
use crate::install::state::journal::now;
use crate::install::steps::engine::Engine;
use crate::install::steps::measure::Measured;
use crate::install::steps::server::Server;
use crate::install::{InstallError, PredictedFigures, Receipt, Step, misses};
use crate::models::KvCacheType;
use crate::plan::{Plan, Verdict};
use crate::say;
use crate::sentences::{self, banner};

/// The receipt.
pub fn receipt(job: &Job<'_>, engine: &Engine, server: &Server, measured: Measured) -> Receipt {
    let plan = &job.request.plan;
    let predicted = predicted(job, &measured);
    let misses = misses::misses(&predicted, &measured.figures, plan.memory.overhead_gpu_bytes, job.text);
    Receipt {
        schema: SCHEMA,
        written_at: now(),
        profile: plan.candidate.id.clone(),
        model: plan.candidate.model.tag.clone(),
        engine_version: server.version.clone(),
        engine: Some(engine.record.clone()),
        port: server.launch.port,
        predicted,
        measured: measured.figures,
        verdict: verdict(job),
        tried: job.tried.clone(),
        placements: job.placements.clone(),
        misses,
    }
}

/// Writes consent, profile and receipt, in this order: the receipt is the last word.
pub fn run(
    job: &mut Job<'_>,
    engine: &Engine,
    server: &Server,
    receipt: &Receipt,
    autostart: bool,
) -> Result<(), InstallError> {
    job.reporter.started(Step::WriteReceipt, say!(job.text, "install-writing-receipt"));
    job.control.check()?;
    let candidate = &job.request.plan.candidate;
    let consent = consent_text(job).map(|text| ConsentFile {
        schema: SCHEMA,
        agreed_at: now(),
        profile: candidate.id.clone(),
        model: candidate.model.tag.clone(),
        text,
    });
    let degraded = receipt.verdict == Verdict::Degraded;
    let kept = kept_plan(job);
    let profile = ProfileFile {
        schema: SCHEMA,
        written_at: receipt.written_at.clone(),
        profile: candidate.id.clone(),
        endpoint: format!("http://127.0.0.1:{}", server.launch.port),
        port: server.launch.port,
        model: SERVED_MODEL.to_owned(),
        base_model: candidate.model.tag.clone(),
        context_tokens: candidate.context_tokens,
        kv_cache_type: job.kv_cache_type,
        gpu_layers: job.gpu_layers,
        automatic_layers: job.automatic,
        total_layers: job.request.plan.total_layers,
        num_batch: candidate.num_batch,
        verdict: receipt.verdict,
        degraded,
        banner: banner(&kept, job.text).filter(|_| degraded),
        engine_version: engine.version.clone(),
        engine_program: engine.program.clone(),
        models_dir: server.launch.models_dir.clone(),
        autostart,
    };
    let (consent_path, profile_path, receipt_path) =
        (job.paths.consent(), job.paths.profile(), job.paths.receipt());
    match consent {
        Some(consent) => write_json(job, &consent_path, &consent)?,
        // A consent to something else must not look like one to this.
        None => crate::platform::files::remove_file(&consent_path)?,
    }
    let yaml = to_yaml(&profile_path, &profile)?;
    job.journal.write_file(&profile_path, &yaml)?;
    write_json(job, &receipt_path, receipt)
}

fn write_json(job: &mut Job<'_>, path: &Path, document: &impl Serialize) -> Result<(), InstallError> {
    let json = to_json(path, document)?;
    Ok(job.journal.write_file(path, &json)?)
}

fn predicted(job: &Job<'_>, measured: &Measured) -> PredictedFigures {
    let plan = &job.request.plan;
    let memory = &plan.memory;
    let on_gpu = memory.vram_required_bytes - memory.overhead_gpu_bytes.min(memory.vram_required_bytes);
    let in_ram = memory.ram_required_bytes - memory.overhead_ram_bytes.min(memory.ram_required_bytes);
    let all = on_gpu + in_ram;
    PredictedFigures {
        context_tokens: plan.candidate.context_tokens,
        gpu_layers: plan.gpu_layers(),
        total_layers: plan.total_layers,
        kv_cache_type: plan.candidate.kv_cache_type,
        vram_bytes: memory.vram_required_bytes,
        ram_bytes: memory.ram_required_bytes,
        gpu_share: if all == 0 { 0.0 } else { on_gpu as f64 / all as f64 },
        decode_tokens_per_s: plan.speed.decode_tokens_per_s,
        first_token_full_prompt_s: plan.speed.first_token_full_prompt_s,
        first_token_s: measured.predicted_first_token_s,
    }
}

/// What the person agreed to before, and what they agreed to when memory ran out.
fn consent_text(job: &Job<'_>) -> Option<String> {
    let asked_later = job.kv_cache_type != job.request.plan.candidate.kv_cache_type
        && job.kv_cache_type == KvCacheType::Q4_0;
    let later = asked_later.then(|| say!(job.text, "install-consent-four-bits"));
    match (job.request.consent().map(|_| sentences::consent_text(&job.request.plan, job.text)), later) {
        (Some(before), Some(later)) => Some(format!("{before}\n{later}")),
        (before, later) => before.or(later),
    }
}

/// Fewer layers on the GPU, or a smaller cache, than planned are a limit, whatever the plan said.
fn verdict(job: &Job<'_>) -> Verdict {
    let planned = job.request.plan.verdict;
    let smaller_cache = job.kv_cache_type != job.request.plan.candidate.kv_cache_type;
    let fewer_layers = !job.automatic && job.gpu_layers < job.request.plan.gpu_layers();
    if fewer_layers || smaller_cache { planned.max(Verdict::Degraded) } else { planned }
}

/// The plan of what was kept in the end.
fn kept_plan(job: &Job<'_>) -> Plan {
    let plan = &job.request.plan;
    let as_planned = job.gpu_layers == plan.gpu_layers() && job.kv_cache_type == plan.setting.kv_cache_type;
    if as_planned || job.automatic {
        plan.clone()
    } else {
        plan.with_placement(job.gpu_layers, job.kv_cache_type)
    }
}
