//! Loads the served model once, with a timeout, and reads back what the engine did.

use std::time::{Duration, Instant};

use crate::estimate::{GpuFigures, n_cpu_moe_in_force};
use crate::install::event::Activity;
use crate::install::private_server::Server;
use crate::install::run_context::Run;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::steps::ladder::{Rung, Shortage};
use crate::install::steps::placement::Placement;
use crate::install::steps::{model, server};
use crate::install::{InstallError, LoadAttempt, LoadOutcome};
use crate::machine::GpuBackend;
use crate::ollama::client::ClientError;
use crate::ollama::evidence::LoadEvidence;
use crate::ollama::failure::EngineFailure;
use crate::ollama::replies::Loaded;
use crate::ollama::server::log_since;
use crate::plan::Plan;
use crate::platform::files;
use crate::platform::process;

/// The slowest disk that the timeout for loading allows for, in bytes per second.
const SLOWEST_DISK_BYTES_PER_S: u64 = 30_000_000;

/// What the engine did.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadFacts {
    /// As `/api/ps` lists it.
    pub loaded: Loaded,
    /// As its log reports it.
    pub evidence: LoadEvidence,
}

impl LoadFacts {
    /// Blocks whose routed experts are in main memory, as the engine's buffers tell; `None` for a model without experts,
    /// where not all layers are on GPUs, and where the engine does not tell.
    pub fn n_cpu_moe(&self, plan: &Plan) -> Option<u32> {
        let (on_gpu, all) = self.evidence.offloaded?;
        let bytes = self.evidence.weights_gpu_bytes().filter(|_| on_gpu >= all)?;
        let model = &plan.candidate.model;
        // The weights of prediction heads are loaded only while they draft.
        let heads =
            model.prediction_heads.filter(|_| self.evidence.draft_num_predict().is_some_and(|n| n > 0));
        let bytes = bytes.saturating_sub(heads.map_or(0, |heads| heads.weights_bytes));
        n_cpu_moe_in_force(model, &plan.setting, &plan.machine, bytes)
    }
}

/// How an attempt ended, except for a final failure.
#[derive(Debug)]
pub enum PlacementResult {
    /// It is loaded as requested.
    Loaded(Box<LoadFacts>),
    /// It did not fit; [`Loader::ran_out`] has which memory ran out.
    OutOfMemory,
    /// The driver did not page-lock as much main memory as it was asked to.
    PinningFailed,
    /// The engine found no card, although the system has one. Vulkan was not tried alone yet.
    NoCard,
}

/// Loads the served model until a placement fits.
pub struct Loader<'a> {
    /// The installation.
    pub run: &'a Run<'a>,
    /// The server, restarted when the KV cache or what the runner's environment says changes.
    pub server: &'a mut Server,
    /// The placement of the last attempt, or of the next one.
    pub placement: Placement,
    /// Every attempt so far.
    pub attempts: Vec<LoadAttempt>,
    /// The attempts that ran out of memory, as the ladder takes them.
    pub ran_out: Vec<(Rung, Shortage)>,
    /// Whether the server is restarted before the next attempt: it hangs, has ended, or its runner has.
    pub restart_first: bool,
    /// How long the last successful load took.
    pub last_load: Duration,
}

impl<'a> Loader<'a> {
    /// With the planned placement.
    pub fn new(run: &'a Run<'a>, server: &'a mut Server) -> Self {
        let placement = Placement::of(&run.request.plan);
        Self {
            run,
            server,
            placement,
            attempts: Vec::new(),
            ran_out: Vec::new(),
            restart_first: false,
            last_load: Duration::ZERO,
        }
    }

    /// Creates the served model with another placement and loads it. The server is restarted where it was started for
    /// another one.
    ///
    /// # Errors
    /// When the engine refuses for another reason than memory, or the user cancels.
    pub async fn try_placement(&mut self, placement: Placement) -> Result<PlacementResult, InstallError> {
        self.placement = placement;
        let launch = placement.launch(&self.run.request.plan, &self.server.launch);
        if launch != self.server.launch || self.restart_first {
            server::restart(self.run, self.server, launch).await?;
            self.restart_first = false;
        }
        model::create_with(self.run, self.server, placement).await?;
        self.attempt().await
    }

    /// Goes back to a placement that was loaded before.
    ///
    /// # Errors
    /// When it cannot be loaded any more, or the user cancels.
    pub async fn return_to(&mut self, placement: Placement) -> Result<LoadFacts, InstallError> {
        match self.try_placement(placement).await? {
            PlacementResult::Loaded(facts) => Ok(*facts),
            PlacementResult::OutOfMemory | PlacementResult::PinningFailed | PlacementResult::NoCard => {
                Err(self.out_of_memory())
            }
        }
    }

    /// The plan for the current placement, with new figures if that is not the planned one.
    pub fn plan(&self) -> Plan {
        self.placement.planned(&self.run.request.plan)
    }

    /// The error when nothing fits.
    pub fn out_of_memory(&self) -> InstallError {
        InstallError::OutOfMemory { tried: self.attempts.clone() }
    }

    /// Loads the model as it was created last, records the attempt, and reads back what the engine did.
    ///
    /// # Errors
    /// When the engine refuses for another reason than memory, does not do what was requested, or the user cancels.
    pub async fn attempt(&mut self) -> Result<PlacementResult, InstallError> {
        let (run, client) = (self.run, &self.server.client);
        // A model in memory was loaded earlier, so its log lines are before our position. Unload it, to read back our own
        // load.
        let in_memory = run.control.or_cancelled(client.ps()).await??;
        if in_memory.iter().any(|model| SERVED_MODEL.is(&model.name)) {
            run.control.or_cancelled(client.unload(&SERVED_MODEL)).await??;
        }
        let log_from = files::length(&self.server.launch.log);
        let began = Instant::now();
        let outcome = self.load_once().await?;
        let evidence = LoadEvidence::parse(&log_since(&self.server.launch.log, log_from));
        let Err(error) = outcome else {
            self.last_load = began.elapsed();
            let facts = match self.read_back(evidence).await {
                Err(error @ InstallError::LayersDropped { found: 0, .. }) if self.may_find_with_vulkan() => {
                    self.note(LoadOutcome::Failed { message: error.to_string().into() });
                    return Ok(PlacementResult::NoCard);
                }
                facts => facts?,
            };
            let automatic = self.placement.automatic;
            self.note(if automatic { LoadOutcome::LoadedAutomatic } else { LoadOutcome::Loaded });
            return Ok(PlacementResult::Loaded(Box::new(facts)));
        };
        let message = error.server_message().map_or_else(|| error.to_string(), str::to_owned);
        let of_message = error.failure().filter(|failure| failure.is_out_of_memory());
        if let Some(failure) = of_message.or_else(|| evidence.out_of_memory()) {
            let (shortage, outcome) = match failure {
                EngineFailure::OutOfMainMemory => (Shortage::MainMemory, LoadOutcome::OutOfMainMemory),
                _ => (Shortage::Card, LoadOutcome::OutOfMemory),
            };
            self.note(outcome);
            if self.may_be_pinned_memory() && evidence.failed_for_pinned_memory() {
                return Ok(PlacementResult::PinningFailed);
            }
            self.note_ran_out(shortage);
            return Ok(PlacementResult::OutOfMemory);
        }
        self.note(LoadOutcome::Failed { message: message.clone().into() });
        Err(InstallError::LoadFailed { message: message.into(), error_lines: evidence.error_lines })
    }

    /// Notes that memory ran out with the current placement.
    pub fn note_ran_out(&mut self, shortage: Shortage) {
        let Placement { gpu_layers, n_cpu_moe, kv_cache_type, .. } = self.placement;
        self.ran_out.push((Rung { gpu_layers, n_cpu_moe, kv_cache_type }, shortage));
    }

    /// One attempt; the outer error is a cancellation, the inner one is the engine's.
    async fn load_once(&self) -> Result<Result<(), ClientError>, InstallError> {
        let limit = Duration::from_secs(300 + self.run.model().download_bytes / SLOWEST_DISK_BYTES_PER_S);
        let loading = self.server.client.load(&SERVED_MODEL, limit);
        let activity = |seconds| Activity::StillLoading { seconds };
        Ok(self.run.or_cancelled_reporting(loading, Duration::from_secs(2), activity).await?)
    }

    /// Compares what the engine did with what was requested.
    async fn read_back(&self, mut evidence: LoadEvidence) -> Result<LoadFacts, InstallError> {
        let listed = self.run.control.or_cancelled(self.server.client.ps()).await??;
        let loaded =
            listed.into_iter().find(|model| SERVED_MODEL.is(&model.name)).ok_or(InstallError::NotListed)?;
        let wanted_tokens = self.run.request.plan.candidate.context_tokens;
        let found_tokens = evidence
            .context_tokens
            .map_or(loaded.context_length, |slot| loaded.context_length.min(slot.into()));
        if found_tokens < u64::from(wanted_tokens) {
            return Err(InstallError::ContextClamped { wanted_tokens, found_tokens });
        }
        if evidence.command_line.is_empty() {
            // If the log does not contain it, read the command line of the running process.
            evidence.command_line = self.runner_command_line().unwrap_or_default();
        }
        let wanted = self.placement.kv_cache_type;
        if let Some(found) = evidence.kv_cache_types().filter(|found| found.uniform() != Some(wanted)) {
            return Err(InstallError::KvCacheTypeDiffers { wanted, found: found.to_string().into() });
        }
        if !self.placement.automatic {
            check_layers(self.placement.gpu_layers, &loaded, &evidence)?;
        }
        Ok(LoadFacts { loaded, evidence })
    }

    fn runner_command_line(&self) -> Option<Vec<String>> {
        process::find_by_exe(&self.run.paths.engines())
            .into_iter()
            .map(|found| found.command_line)
            .find(|line| line.iter().any(|argument| argument == "--model"))
    }

    /// Whether weights in main memory are page-locked for copies to a card, as far as it depends on us. What Vulkan and
    /// Metal do has no such setting.
    fn may_be_pinned_memory(&self) -> bool {
        let (plan, now) = (&self.run.request.plan, self.placement);
        let locks = |gpu: &GpuFigures| matches!(gpu.backend, GpuBackend::Cuda | GpuBackend::Rocm);
        let in_ram = now.n_cpu_moe > 0 || now.gpu_layers < plan.total_layers;
        now.pinned_memory && now.gpu_layers > 0 && in_ram && plan.machine.gpus.iter().any(locks)
    }

    /// Whether the engine has not found a card through CUDA or ROCm in any attempt, and may through Vulkan.
    fn may_find_with_vulkan(&self) -> bool {
        let other = |gpu: &GpuFigures| matches!(gpu.backend, GpuBackend::Cuda | GpuBackend::Rocm);
        let loaded = |attempt: &LoadAttempt| {
            matches!(attempt.outcome, LoadOutcome::Loaded | LoadOutcome::LoadedAutomatic)
        };
        !self.placement.vulkan_only
            && self.run.request.plan.machine.gpus.iter().any(other)
            && !self.attempts.iter().any(loaded)
    }

    fn note(&mut self, outcome: LoadOutcome) {
        self.attempts.push(self.placement.attempted(outcome));
    }
}

/// Detects that the engine silently dropped a GPU it cannot use: then no part of the model is on one.
fn check_layers(wanted: u32, loaded: &Loaded, evidence: &LoadEvidence) -> Result<(), InstallError> {
    match evidence.offloaded {
        Some((found, all)) if found < wanted.min(all) => Err(InstallError::LayersDropped { wanted, found }),
        None if wanted > 0 && loaded.size_vram == 0 => Err(InstallError::LayersDropped { wanted, found: 0 }),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_gpu_is_a_failure() {
        let loaded = |size_vram| Loaded { size: 100, size_vram, context_length: 32_768, ..Loaded::default() };
        let told = |offloaded| LoadEvidence { offloaded, ..LoadEvidence::default() };
        check_layers(0, &loaded(0), &told(None)).unwrap();
        check_layers(29, &loaded(100), &told(Some((29, 29)))).unwrap();
        check_layers(999, &loaded(100), &told(Some((29, 29)))).unwrap();
        check_layers(29, &loaded(100), &told(None)).unwrap();
        assert!(matches!(
            check_layers(29, &loaded(0), &told(None)),
            Err(InstallError::LayersDropped { wanted: 29, found: 0 })
        ));
        assert!(matches!(
            check_layers(29, &loaded(50), &told(Some((20, 29)))),
            Err(InstallError::LayersDropped { wanted: 29, found: 20 })
        ));
    }
}
