//! Runs that change the setting of what is installed and fetch nothing: tuning, and the user's own changes.
//!
//! 1. Take the lock, open the journal, save a snapshot of the current state.
//! 2. Start the private server as it is installed, or keep it, and load the model in the setting to begin with.
//! 3. Measure it; before that, tuning searches for a faster one.
//! 4. Enable start at login with the new setting, if it is enabled; write request, profile and receipt.
//!
//! A failure or cancellation restores everything as it was, and the journal records that. After such a run was killed,
//! [`crate::install::manage::undo`] restores it.

use std::path::Path;
use std::sync::Arc;

use crate::control::Control;
use crate::install::change::Change;
use crate::install::change::rollback::{Scope, roll_back};
use crate::install::event::Activity;
use crate::install::manage::undo::is_unfinished;
use crate::install::private_server::{self, Server};
use crate::install::progress::Reporter;
use crate::install::published_model::stored_model;
use crate::install::run::{begin_journal, tidy};
use crate::install::run_context::Run;
use crate::install::state::snapshot::Snapshot;
use crate::install::steps::engine::Engine;
use crate::install::steps::finish::Outcome;
use crate::install::steps::loader::{LoadFacts, Loader, PlacementResult};
use crate::install::steps::placement::Placement;
use crate::install::steps::{load, login, measure, model};
use crate::install::{
    EngineOrigin, EngineRecord, InstallError, InstallOptions, Installed, Paths, Receipt, Request,
    SavedRequest, Step, Wording,
};
use crate::machine::Hardware;
use crate::models::{Catalogue, Model};
use crate::ollama::server::choose_port;
use crate::plan::{Candidate, Layers, Plan, Policy, custom_candidate, make_plan};

/// What is installed, with what a plan of it needs.
#[derive(Clone, Debug)]
pub struct InstalledBase {
    /// Profile and receipt.
    pub installed: Installed,
    /// The request that it was installed with.
    pub saved: SavedRequest,
    /// Its model.
    pub model: Arc<Model>,
    /// Folders and port of what is installed.
    pub options: InstallOptions,
    /// Whether a change of its setting was interrupted, which has to be undone first.
    pub was_interrupted: bool,
}

impl InstalledBase {
    /// Reads it.
    ///
    /// # Errors
    /// When nothing is installed, an interrupted installation has to be finished first, or a document cannot be read.
    pub fn load(home: &Path) -> Result<Self, InstallError> {
        let paths = Paths::new(home);
        let not_installed = || InstallError::NotInstalled { home: home.to_owned() };
        let installed = Installed::load(home)?.ok_or_else(not_installed)?;
        let saved = SavedRequest::load(&paths)?.ok_or_else(not_installed)?;
        let was_interrupted = is_unfinished(&paths)?;
        if was_interrupted && !only_the_setting_changed(&paths, &installed, &saved)? {
            return Err(InstallError::InterruptedBefore { home: home.to_owned() });
        }
        let profile = &installed.profile;
        let options = InstallOptions {
            models_dir: profile.models_dir.clone(),
            port: Some(profile.port),
            autostart: profile.autostart,
            ..saved.options.clone()
        };
        let model = served_model(&options, &installed).ok_or_else(not_installed)?;
        Ok(Self { installed, saved, model, options, was_interrupted })
    }

    /// Its candidate, with the layers that were requested.
    pub(super) fn candidate(&self, policy: &Policy) -> Candidate {
        let profile = &self.installed.profile;
        let layers = self.saved.gpu_layers.map_or(Layers::Fit, Layers::Exactly);
        let model = Arc::clone(&self.model);
        let usual = custom_candidate(model, profile.kv_cache_type, profile.context_tokens, layers, policy);
        Candidate {
            id: profile.profile.clone().into(),
            num_batch: profile.num_batch,
            n_cpu_moe: profile.n_cpu_moe,
            ..usual
        }
    }

    /// The plan of what is installed, on this machine as it is now.
    pub(super) fn plan_now(&self, hardware: &Hardware, policy: &Policy) -> Plan {
        let profile = &self.installed.profile;
        let plan = make_plan(&self.candidate(policy), hardware, policy);
        let mut plan = plan.with_placement(profile.gpu_layers, profile.n_cpu_moe, profile.kv_cache_type);
        plan.verdict = profile.verdict;
        plan
    }
}

/// Whether the interrupted run changed nothing but the setting of what is installed: such a run replaces the documents only
/// at its end.
fn only_the_setting_changed(
    paths: &Paths,
    installed: &Installed,
    saved: &SavedRequest,
) -> Result<bool, InstallError> {
    let Some(before) = Snapshot::load(paths)? else { return Ok(false) };
    let is_same_request = Snapshot::request(paths)?.as_ref() == Some(saved);
    Ok(is_same_request && before.installed.as_ref() == Some(installed))
}

/// The installed model, by its file; by the catalogue where that cannot be read.
fn served_model(options: &InstallOptions, installed: &Installed) -> Option<Arc<Model>> {
    let tag = &installed.profile.base_model;
    let listed = Catalogue::built_in().listed(tag);
    match (stored_model(options, tag), listed) {
        (Some(stored), Some(listed)) => Some(Arc::new(stored.with_facts_of(&listed))),
        (Some(stored), None) => Some(Arc::new(stored)),
        (None, listed) => listed,
    }
}

/// A run on what is installed.
pub(super) struct Adjustment<'a> {
    pub base: &'a InstalledBase,
    pub request: &'a Request,
    /// The setting to begin with.
    pub start: Placement,
    pub kind: AdjustmentKind<'a>,
}

/// What a run does.
pub(super) enum AdjustmentKind<'a> {
    /// It searches for the fastest setting. What the user agreed to stays.
    Tuning,
    /// It applies a setting of the user's.
    Setting {
        /// The request to save.
        saved: &'a SavedRequest,
        /// The consent of the installation covers it.
        agreed_before: bool,
        /// Nothing but this setting is loaded, not even where it does not fit.
        is_exact: bool,
    },
}

impl Adjustment<'_> {
    /// Carries it out.
    ///
    /// # Errors
    /// Why it failed. The setting before is restored, unless the error is [`InstallError::RollbackIncomplete`].
    pub async fn carry_out(
        &self,
        wording: &dyn Wording,
        reporter: &Reporter<'_>,
        control: &Control,
    ) -> Result<Receipt, InstallError> {
        let paths = Paths::new(&self.request.options.home);
        let begun = begin_journal(&paths);
        reporter.started(Step::Check, Activity::Checking);
        let (_lock, journal, before) = begun?;
        let run = Run::new(self.request, wording, &paths, control, reporter, &before, journal);
        match self.steps(&run).await {
            Ok(receipt) => Ok(receipt),
            Err(error) => {
                // Nothing was fetched that a later run could use.
                let scope = Scope::Unfinished(&before);
                let rollback = roll_back(&paths, &run.entries(), scope, None).await?;
                if rollback.failed.is_empty() {
                    run.undone()?;
                    Snapshot::remove(&paths)?;
                }
                Err(rollback.after(error))
            }
        }
    }

    /// Runs every step. The caller rolls back after an error.
    async fn steps(&self, run: &Run<'_>) -> Result<Receipt, InstallError> {
        let installed = &self.base.installed;
        // Another installer may have worked in the home since it was read.
        if run.snapshot.installed.as_ref() != Some(installed) {
            return Err(InstallError::ChangedMeanwhile { home: run.paths.home().to_owned() });
        }
        run.reporter.done(Activity::Checked { bytes: 0 });
        let profile = &installed.profile;
        let engine = Engine {
            version: profile.engine_version.clone().into(),
            program: profile.engine_program.clone(),
            record: EngineRecord { origin: EngineOrigin::Installed, archives: Vec::new() },
        };
        let mut server = server(run, installed).await?;
        model::keep_previous(run, &server).await?;
        let mut loader = Loader::new(run, &mut server);
        run.reporter.started(Step::LoadModel, Activity::Loading);
        let facts = self.load(&mut loader).await?;
        run.reporter.done(load::loaded(&facts));
        let measured = measure::run(&mut loader, facts).await?;
        let plan = loader.plan();
        if self.is_exact() && !loader.placement.is_where(self.start) {
            // Memory ran out while it was measured.
            return Err(loader.out_of_memory());
        }
        let Loader { placement, attempts, .. } = loader;
        let outcome = Outcome { engine: &engine, server: &server, placement, plan, attempts, measured };
        let mut receipt = outcome.receipt(run);
        if let Some(earlier) = &installed.receipt {
            receipt.engine.clone_from(&earlier.engine);
            receipt.model_file.clone_from(&earlier.model_file);
        }
        match self.kind {
            AdjustmentKind::Tuning => {
                receipt.verdict = profile.verdict;
                let autostart = login::run(run, &server).await?;
                outcome.write_tuned(run, &receipt, installed, autostart)?;
            }
            AdjustmentKind::Setting { saved, agreed_before, .. } => {
                require_in_force(placement, &receipt)?;
                let autostart = login::run(run, &server).await?;
                outcome.write_set(run, &receipt, saved, agreed_before, autostart)?;
            }
        }
        run.end()?;
        tidy(run, &engine, &server).await;
        Ok(receipt)
    }

    fn is_exact(&self) -> bool {
        matches!(self.kind, AdjustmentKind::Setting { is_exact: true, .. })
    }

    async fn load(&self, loader: &mut Loader<'_>) -> Result<LoadFacts, InstallError> {
        match loader.try_placement(self.start).await? {
            PlacementResult::OutOfMemory if self.is_exact() => Err(loader.out_of_memory()),
            attempt => load::until_loaded(loader, attempt).await,
        }
    }
}

/// Refuses a setting that the engine did not take, as far as it says.
fn require_in_force(placement: Placement, receipt: &Receipt) -> Result<(), InstallError> {
    let (wanted, found) = (placement, &receipt.measured);
    let layers = (!wanted.automatic).then_some(wanted.gpu_layers);
    let experts = (!wanted.automatic).then_some(wanted.n_cpu_moe);
    let values = [
        ("num_gpu", layers, found.gpu_layers),
        ("n_cpu_moe", experts, found.n_cpu_moe),
        ("num_batch", wanted.options.num_batch, found.num_batch),
    ];
    for (name, wanted, found) in values {
        if let (Some(wanted), Some(found)) = (wanted, found)
            && wanted != found
        {
            let (wanted, found) = (wanted.to_string(), found.to_string().into());
            return Err(InstallError::ParameterDropped { name, wanted, found });
        }
    }
    Ok(())
}

/// The installed server: kept if it runs, else started.
async fn server(run: &Run<'_>, installed: &Installed) -> Result<Server, InstallError> {
    run.reporter.started(Step::StartServer, Activity::StartingServer);
    let launch = installed.launch(run.paths);
    let measured = installed.measured_version();
    if let Some(server) = private_server::running(run.paths, &launch).await?
        && server.require_version(measured).is_ok()
    {
        run.reporter.skipped(Activity::ServerKept { port: launch.port });
        return Ok(server);
    }
    let change = Change::StartServer { port: launch.port };
    run.intend(&change)?;
    private_server::stop(run.paths).await?;
    choose_port(Some(launch.port), None, &[])?;
    let server = run.control.or_cancelled(private_server::start(run.paths, &launch)).await??;
    server.require_version(measured)?;
    run.done(&change)?;
    let (version, port) = (server.version.to_string(), launch.port);
    run.reporter.done(Activity::ServerStarted { version, port });
    Ok(server)
}
