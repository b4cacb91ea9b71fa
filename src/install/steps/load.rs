//! Loading: bounded, read back, and with fewer layers on the GPU when memory runs out. Never with less context.

use std::time::{Duration, Instant};

use crate::install::documents::SERVED_MODEL;
use crate::install::run::Job;
use crate::install::steps::model;
use crate::install::steps::server::Server;
use crate::install::{InstallError, Step, Tried};
use crate::ollama::client::ClientError;
use crate::ollama::evidence::{self, LoadEvidence};
use crate::ollama::replies::Loaded;
use crate::ollama::server::{log_length, log_since};
use crate::platform::process;
use crate::say;

/// Attempts with fewer layers each, at most.
const TRIES: usize = 8;
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

/// Runs the step.
pub async fn run(job: &mut Job<'_>, server: &Server) -> Result<Facts, InstallError> {
    job.reporter.started(Step::LoadModel, say!(job.text, "install-loading"));
    // What is in memory already was loaded before our place in the log: only a load of our own can be read back.
    let in_memory = job.control.or_cancelled(server.client.ps()).await??;
    if in_memory.iter().any(|model| model.name == SERVED_MODEL) {
        job.control.or_cancelled(server.client.unload(SERVED_MODEL)).await??;
    }
    loop {
        let log_from = log_length(&server.launch.log);
        let outcome = load_once(job, server).await?;
        let evidence = LoadEvidence::parse(&log_since(&server.launch.log, log_from));
        match outcome {
            Ok(()) => {
                let facts = read_back(job, server, evidence, log_from).await?;
                note(job, "ok".to_owned());
                tell(job, &facts);
                return Ok(facts);
            }
            Err(error) => {
                let message = error.server_message().map_or_else(|| error.to_string(), str::to_owned);
                note(job, message.clone());
                if !evidence::is_out_of_memory(&message) && !evidence.ran_out_of_memory() {
                    return Err(InstallError::LoadFailed { message, complaints: evidence.complaints });
                }
                step_down(job, server).await?;
            }
        }
    }
}

/// One attempt; the outer error is ours or the person's, the inner one is the engine's.
async fn load_once(job: &Job<'_>, server: &Server) -> Result<Result<(), ClientError>, InstallError> {
    let bytes = job.request.assessment.candidate.model.download_bytes;
    let limit = Duration::from_secs(300 + bytes / SLOWEST_DISK_BYTES_PER_S);
    let began = Instant::now();
    let loading = server.client.load(SERVED_MODEL, limit);
    tokio::pin!(loading);
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    tick.tick().await;
    loop {
        tokio::select! {
            biased;
            () = job.control.token().cancelled() => return Err(crate::install::Cancelled.into()),
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
    let candidate = &job.request.assessment.candidate;
    let found_tokens =
        evidence.context_tokens.map_or(loaded.context_length, |slot| loaded.context_length.min(slot.into()));
    if found_tokens < u64::from(candidate.context_tokens) {
        return Err(InstallError::ContextClamped { wanted_tokens: candidate.context_tokens, found_tokens });
    }
    if evidence.command_line.is_empty() {
        // The log did not tell; the process itself does, as long as it runs.
        evidence.command_line = runner_command_line(job).unwrap_or_default();
    }
    if let Some(found) = evidence.kv_cache_type().filter(|found| found != candidate.kv_cache_type.name()) {
        return Err(InstallError::KvCacheTypeDiffers { wanted: candidate.kv_cache_type, found });
    }
    layers(job.gpu_layers, &loaded, &evidence)?;
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

/// Fewer layers, a few at a time; an error when there is nothing left to give or nobody agreed to it.
async fn step_down(job: &mut Job<'_>, server: &Server) -> Result<(), InstallError> {
    let total_layers = job.request.assessment.total_layers;
    if job.gpu_layers == 0 || job.tried.len() >= TRIES {
        return Err(InstallError::OutOfMemory { tried: job.tried.clone() });
    }
    if job.request.consent_text.is_none() && !job.request.accept_degraded {
        let gpu_layers = job.request.assessment.gpu_layers;
        return Err(InstallError::FewerLayersNeedConsent { gpu_layers, total_layers });
    }
    job.gpu_layers = next_layers(job.gpu_layers, total_layers, job.tried.len());
    let (layers, total) = (job.gpu_layers, total_layers);
    job.reporter.running(say!(job.text, "install-fewer-layers", layers = layers, total = total));
    model::create_with(job, server).await
}

/// A twelfth of the layers less each time, and twice as much from the fourth attempt on.
fn next_layers(now: u32, total: u32, tried: usize) -> u32 {
    let step = (total / 12).max(1) * if tried >= 4 { 2 } else { 1 };
    now.min(total).saturating_sub(step)
}

fn note(job: &mut Job<'_>, outcome: String) {
    let kv_cache_type = job.request.assessment.candidate.kv_cache_type;
    job.tried.push(Tried { gpu_layers: job.gpu_layers, kv_cache_type, outcome });
}

fn tell(job: &Job<'_>, facts: &Facts) {
    let tokens = job.text.count(facts.loaded.context_length);
    let kv = facts.evidence.kv_cache_type();
    let kv = kv.unwrap_or_else(|| say!(job.text, "install-unknown"));
    let share = evidence::gpu_share(&facts.loaded, &facts.evidence);
    let share = share.map_or_else(|| say!(job.text, "install-unknown"), |share| job.text.percent(share));
    job.reporter.done(say!(job.text, "install-loaded", tokens = tokens, kv = kv, share = share));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn layers_go_down_and_end() {
        let mut layers = 29;
        let mut seen = Vec::new();
        for tried in 1..=TRIES {
            layers = next_layers(layers, 29, tried);
            seen.push(layers);
        }
        assert_eq!(seen, [27, 25, 23, 19, 15, 11, 7, 3]);
        assert_eq!(next_layers(999, 29, 1), 27, "more than all means all");
        assert_eq!(next_layers(1, 29, 1), 0);
    }

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
