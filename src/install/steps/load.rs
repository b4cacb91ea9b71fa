//! Loading: bounded and read back; when memory runs out with less on the GPU ([`ladder`]), when there is more room than
//! was planned with, with more. Never with less context.

use std::time::{Duration, Instant};

use crate::estimate::{EngineSetting, fit_gpu_layers};
use crate::install::run::Job;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::steps::ladder::{self, FourBits, Next, Rung};
use crate::install::steps::model;
use crate::install::steps::server::{self, Server};
use crate::install::{InstallError, Step, Tried};
use crate::ollama::client::ClientError;
use crate::ollama::evidence::{self, LoadEvidence};
use crate::ollama::failure::EngineFailure;
use crate::ollama::replies::Loaded;
use crate::ollama::server::{log_length, log_since};
use crate::plan::Layers;
use crate::platform::process;
use crate::say;

/// Graphics memory that stays free when more layers are tried than planned.
const SPARE_BYTES: u64 = 512 * crate::MIB;
/// The slowest disk a model is worth loading from.
const SLOWEST_DISK_BYTES_PER_S: u64 = 30_000_000;

/// What the engine really did.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// As `/api/ps` lists it.
    pub loaded: Loaded,
    /// As its log tells it.
    pub evidence: LoadEvidence,
    /// Where the log of this load begins.
    pub log_from: u64,
}

/// How an attempt ended that did not fail for good.
#[derive(Debug)]
pub enum Attempt {
    /// It is loaded, and does what it was told.
    Loaded(Box<Facts>),
    /// It did not fit.
    OutOfMemory,
}

/// Runs the step.
pub async fn run(job: &mut Job<'_>, server: &mut Server) -> Result<Facts, InstallError> {
    job.reporter.started(Step::LoadModel, say!(job.text, "install-loading"));
    let facts = loop {
        match attempt(job, server).await? {
            Attempt::Loaded(facts) => break *facts,
            Attempt::OutOfMemory => step_down(job, server).await?,
        }
    };
    let facts = step_up(job, server, facts).await?;
    tell(job, &facts);
    Ok(facts)
}

/// Loads the model as it was created last, notes the attempt, and reads back what the engine did.
pub async fn attempt(job: &mut Job<'_>, server: &Server) -> Result<Attempt, InstallError> {
    // What is in memory already was loaded before our place in the log: only a load of our own can be read back.
    let in_memory = job.control.or_cancelled(server.client.ps()).await??;
    if in_memory.iter().any(|model| model.name == SERVED_MODEL) {
        job.control.or_cancelled(server.client.unload(SERVED_MODEL)).await??;
    }
    let log_from = log_length(&server.launch.log);
    let outcome = load_once(job, server).await?;
    let evidence = LoadEvidence::parse(&log_since(&server.launch.log, log_from));
    match outcome {
        Ok(()) => {
            let facts = read_back(job, server, evidence, log_from).await?;
            note(job, if job.automatic { "ok, layers chosen by the engine" } else { "ok" }.to_owned());
            Ok(Attempt::Loaded(Box::new(facts)))
        }
        Err(error) => {
            let message = error.server_message().map_or_else(|| error.to_string(), str::to_owned);
            note(job, message.clone());
            if error.failure() == Some(EngineFailure::OutOfMemory) || evidence.ran_out_of_memory() {
                return Ok(Attempt::OutOfMemory);
            }
            Err(InstallError::LoadFailed { message, complaints: evidence.complaints })
        }
    }
}

/// One attempt; the outer error is ours or the person's, the inner one is the engine's.
async fn load_once(job: &Job<'_>, server: &Server) -> Result<Result<(), ClientError>, InstallError> {
    let bytes = job.request.plan.candidate.model.download_bytes;
    let limit = Duration::from_secs(300 + bytes / SLOWEST_DISK_BYTES_PER_S);
    let began = Instant::now();
    let loading = server.client.load(SERVED_MODEL, limit);
    tokio::pin!(loading);
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    tick.tick().await;
    loop {
        tokio::select! {
            biased;
            () = job.control.token().cancelled() => return Err(crate::control::Cancelled.into()),
            loaded = &mut loading => return Ok(loaded),
            _ = tick.tick() => {
                let duration = job.text.duration(began.elapsed().as_secs_f64());
                job.reporter.running(say!(job.text, "install-loading-since", duration = duration));
            }
        }
    }
}

/// Checks what the engine did against what it was told.
async fn read_back(
    job: &Job<'_>,
    server: &Server,
    mut evidence: LoadEvidence,
    log_from: u64,
) -> Result<Facts, InstallError> {
    let listed = job.control.or_cancelled(server.client.ps()).await??;
    let loaded =
        listed.into_iter().find(|model| model.name == SERVED_MODEL).ok_or(InstallError::NotListed)?;
    let candidate = &job.request.plan.candidate;
    let found_tokens =
        evidence.context_tokens.map_or(loaded.context_length, |slot| loaded.context_length.min(slot.into()));
    if found_tokens < u64::from(candidate.context_tokens) {
        return Err(InstallError::ContextClamped { wanted_tokens: candidate.context_tokens, found_tokens });
    }
    if evidence.command_line.is_empty() {
        // The log did not tell; the process itself does, as long as it runs.
        evidence.command_line = runner_command_line(job).unwrap_or_default();
    }
    let wanted = job.kv_cache_type;
    if let Some(found) = evidence.kv_cache_types().filter(|found| found.uniform() != Some(wanted)) {
        return Err(InstallError::KvCacheTypeDiffers { wanted, found: found.to_string() });
    }
    if !job.automatic {
        layers(job.gpu_layers, &loaded, &evidence)?;
    }
    Ok(Facts { loaded, evidence, log_from })
}

/// The engine drops a GPU it cannot use without a word: then nothing of the model is on one.
fn layers(wanted: u32, loaded: &Loaded, evidence: &LoadEvidence) -> Result<(), InstallError> {
    match evidence.offloaded {
        Some((found, all)) if found < wanted.min(all) => Err(InstallError::LayersDropped { wanted, found }),
        None if wanted > 0 && loaded.size_vram == 0 => Err(InstallError::LayersDropped { wanted, found: 0 }),
        _ => Ok(()),
    }
}

fn runner_command_line(job: &Job<'_>) -> Option<Vec<String>> {
    let ours = process::find_by_exe(&job.paths.engines());
    ours.into_iter()
        .map(|found| found.command_line)
        .find(|line| line.iter().any(|argument| argument == "--model"))
}

/// A placement that takes less; an error when there is none or nobody agreed to it.
async fn step_down(job: &mut Job<'_>, server: &mut Server) -> Result<(), InstallError> {
    let total_layers = job.request.plan.total_layers;
    if job.gpu_layers > 0 && !job.request.agreement.limits && !job.request.agreement.fewer_layers {
        let gpu_layers = job.request.plan.gpu_layers();
        return Err(InstallError::FewerLayersNeedConsent { gpu_layers, total_layers });
    }
    let tried: Vec<Rung> = job
        .tried
        .iter()
        .map(|one| Rung { gpu_layers: one.gpu_layers, kv_cache_type: one.kv_cache_type })
        .collect();
    let four_bits = match job.request.agreement.kv_q4 {
        Some(true) => FourBits::Agreed,
        Some(false) => FourBits::Declined,
        None => FourBits::Unasked,
    };
    let rung = match ladder::below(&tried, total_layers, four_bits) {
        Next::Try(rung) => rung,
        Next::Ask(rung) => {
            return Err(InstallError::FourBitsNeedConsent { gpu_layers: rung.gpu_layers, total_layers });
        }
        Next::Nothing => return Err(InstallError::OutOfMemory { tried: job.tried.clone() }),
    };
    job.gpu_layers = rung.gpu_layers;
    let (layers, total) = (rung.gpu_layers, total_layers);
    if rung.kv_cache_type == job.kv_cache_type {
        job.reporter.running(say!(job.text, "install-fewer-layers", layers = layers, total = total));
    } else {
        let kv = rung.kv_cache_type.name();
        job.reporter.running(say!(
            job.text,
            "install-smaller-cache",
            kv = kv,
            layers = layers,
            total = total
        ));
        // The type is one for the whole server.
        job.kv_cache_type = rung.kv_cache_type;
        server::restart(job, server).await?;
    }
    model::create_with(job, server).await
}

/// With clearly more graphics memory free than was planned with, more layers, once. What does not fit is taken back.
async fn step_up(job: &mut Job<'_>, server: &Server, facts: Facts) -> Result<Facts, InstallError> {
    let Some(more) = more_layers(job, &facts) else { return Ok(facts) };
    let total = job.request.plan.total_layers;
    let before = std::mem::replace(&mut job.gpu_layers, more);
    job.reporter.running(say!(job.text, "install-more-layers", layers = more, total = total));
    model::create_with(job, server).await?;
    match attempt(job, server).await {
        Ok(Attempt::Loaded(facts)) => return Ok(*facts),
        Err(error) if error.is_cancelled() => return Err(error),
        Ok(Attempt::OutOfMemory) => {}
        Err(error) => tracing::info!(%error, "more layers on the GPU do not work"),
    }
    job.gpu_layers = before;
    job.reporter.running(say!(job.text, "install-fewer-layers", layers = before, total = total));
    model::create_with(job, server).await?;
    match attempt(job, server).await? {
        Attempt::Loaded(facts) => Ok(*facts),
        Attempt::OutOfMemory => Err(InstallError::OutOfMemory { tried: job.tried.clone() }),
    }
}

/// How many layers fit what was really free; none where that is hardly more, or was tried and did not fit.
fn more_layers(job: &Job<'_>, facts: &Facts) -> Option<u32> {
    let plan = &job.request.plan;
    let (candidate, total) = (&plan.candidate, plan.total_layers);
    if candidate.layers != Layers::Fit || job.gpu_layers == 0 || job.gpu_layers >= total {
        return None;
    }
    let budget = facts.evidence.device_free_bytes?.checked_sub(SPARE_BYTES)?;
    let setting =
        EngineSetting { kv_cache_type: job.kv_cache_type, gpu_layers: job.gpu_layers, ..plan.setting };
    let fit = fit_gpu_layers(&candidate.model, &setting, &plan.machine, budget);
    let failed = job.tried.iter().filter(|one| !one.outcome.starts_with("ok"));
    let lowest_failed =
        failed.filter(|one| one.kv_cache_type == job.kv_cache_type).map(|one| one.gpu_layers).min();
    let most = lowest_failed.map_or(fit, |lowest| fit.min(lowest.saturating_sub(1)));
    let worth_it = most == total || most >= job.gpu_layers + (total / 12).max(1);
    (most > job.gpu_layers && worth_it).then_some(most)
}

fn note(job: &mut Job<'_>, outcome: String) {
    job.tried.push(Tried { gpu_layers: job.gpu_layers, kv_cache_type: job.kv_cache_type, outcome });
}

fn tell(job: &Job<'_>, facts: &Facts) {
    let tokens = job.text.count(facts.loaded.context_length);
    let kv = facts.evidence.kv_cache_types();
    let kv = kv.map_or_else(|| say!(job.text, "install-unknown"), |kv| kv.to_string());
    let share = evidence::gpu_share(&facts.loaded, &facts.evidence);
    let share = share.map_or_else(|| say!(job.text, "install-unknown"), |share| job.text.percent(share));
    job.reporter.done(say!(job.text, "install-loaded", tokens = tokens, kv = kv, share = share));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_was_dropped_is_a_failure() {
        let loaded = |size_vram| Loaded { name: String::new(), size: 100, size_vram, context_length: 32_768 };
        let told = |offloaded| LoadEvidence { offloaded, ..LoadEvidence::default() };
        layers(0, &loaded(0), &told(None)).unwrap();
        layers(29, &loaded(100), &told(Some((29, 29)))).unwrap();
        layers(999, &loaded(100), &told(Some((29, 29)))).unwrap();
        layers(29, &loaded(100), &told(None)).unwrap();
        assert!(matches!(
            layers(29, &loaded(0), &told(None)),
            Err(InstallError::LayersDropped { wanted: 29, found: 0 })
        ));
        assert!(matches!(
            layers(29, &loaded(50), &told(Some((20, 29)))),
            Err(InstallError::LayersDropped { wanted: 29, found: 20 })
        ));
    }
}
