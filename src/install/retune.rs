//! Repeats the tuning of what is installed, and applies the result.
//!
//! 1. Take the lock, open the journal, save a snapshot of the current state.
//! 2. Start the private server as it is installed, or keep it, and load the model as it is installed.
//! 3. Search for the fastest setting and measure it, as an installation does.
//! 4. Enable start at login with the new setting, if it is enabled; write request, profile and receipt.
//!
//! Nothing is fetched. A failure or cancellation restores the setting before ([`roll_back`]). What the user agreed to stays as
//! it is: context and limits of memory are kept, and what is moved is faster there.

use std::path::Path;
use std::sync::Arc;

use crate::control::Control;
use crate::install::blocking::runtime;
use crate::install::change::Change;
use crate::install::change::rollback::{Scope, roll_back};
use crate::install::event::Activity;
use crate::install::manage::undo::is_unfinished;
use crate::install::private_server::{self, Server};
use crate::install::progress::Reporter;
use crate::install::published_model::stored_model;
use crate::install::run::{begin_journal, tidy};
use crate::install::run_context::Run;
use crate::install::steps::engine::Engine;
use crate::install::steps::finish::Outcome;
use crate::install::steps::loader::Loader;
use crate::install::steps::placement::Placement;
use crate::install::steps::{load, login, measure, model};
use crate::install::{
    Agreement, EngineOrigin, EngineRecord, Event, InstallError, InstallOptions, Installed, Paths, Receipt,
    Request, SavedRequest, Step, Wording,
};
use crate::machine::Hardware;
use crate::models::{Catalogue, Model};
use crate::ollama::server::choose_port;
use crate::plan::{Candidate, Layers, Policy, custom_candidate, make_plan};
use crate::platform::awake::keep_awake;

/// Repeats the tuning and reports events. Blocks until it ends; `control` cancels it, or skips the rest of the search. Call
/// [`unload`] before the hardware is detected: what our model takes of the card would count as taken.
///
/// # Errors
/// When nothing is installed, an interrupted installation has to be finished first, or the server or model does not start.
/// Also reported as the last event. The setting before is restored, unless the error is
/// [`InstallError::RollbackIncomplete`].
pub fn retune(
    home: &Path,
    hardware: &Hardware,
    policy: &Policy,
    wording: &dyn Wording,
    events: &dyn Fn(Event),
    control: &Control,
) -> Result<Receipt, Arc<InstallError>> {
    let reporter = Reporter::new(events);
    let _awake = keep_awake(wording.awake_reason());
    let work = async {
        let (installed, request) = request(home, hardware, policy)?;
        carry_out(&installed, &request, wording, &reporter, control).await
    };
    reporter.end(runtime()?.block_on(work))
}

/// Unloads the served model, if our server runs. Blocks.
///
/// # Errors
/// When a document cannot be read.
pub fn unload(home: &Path) -> Result<(), InstallError> {
    let paths = Paths::new(home);
    let Some(installed) = Installed::load(home)? else { return Ok(()) };
    if !private_server::is_running(&paths) {
        return Ok(());
    }
    let client = private_server::client(&paths, installed.profile.port)?;
    runtime()?.block_on(async {
        // A server that does not answer is restarted later.
        if let Err(error) = client.unload(&installed.profile.model).await {
            tracing::info!(%error, "the model was not unloaded");
        }
        Ok(())
    })
}

/// What is installed, as a request: its placement is the plan's.
fn request(home: &Path, hardware: &Hardware, policy: &Policy) -> Result<(Installed, Request), InstallError> {
    let paths = Paths::new(home);
    let not_installed = || InstallError::NotInstalled { home: home.to_owned() };
    let installed = Installed::load(home)?.ok_or_else(not_installed)?;
    if is_unfinished(&paths)? {
        return Err(InstallError::InterruptedBefore { home: home.to_owned() });
    }
    let saved = SavedRequest::load(&paths)?.ok_or_else(not_installed)?;
    let profile = &installed.profile;
    let options = InstallOptions {
        models_dir: profile.models_dir.clone(),
        port: Some(profile.port),
        autostart: profile.autostart,
        tune: true,
        ..saved.options.clone()
    };
    let model = served_model(&options, &installed).ok_or_else(not_installed)?;
    let layers = saved.gpu_layers.map_or(Layers::Fit, Layers::Exactly);
    let usual = custom_candidate(model, profile.kv_cache_type, profile.context_tokens, layers, policy);
    let candidate = Candidate {
        id: profile.profile.clone().into(),
        num_batch: profile.num_batch,
        n_cpu_moe: profile.n_cpu_moe,
        ..usual
    };
    let plan = make_plan(&candidate, hardware, policy);
    let mut plan = plan.with_placement(profile.gpu_layers, profile.n_cpu_moe, profile.kv_cache_type);
    plan.verdict = profile.verdict;
    let agreement = Agreement {
        limits: profile.degraded,
        fewer_layers: saved.accept_degraded,
        kv_q4: saved.accept_kv_q4,
        unverified_model: saved.accept_unverified_model,
    };
    let request = Request::new(plan, agreement, options).ok_or_else(not_installed)?;
    Ok((installed, request))
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

async fn carry_out(
    installed: &Installed,
    request: &Request,
    wording: &dyn Wording,
    reporter: &Reporter<'_>,
    control: &Control,
) -> Result<Receipt, InstallError> {
    let paths = Paths::new(&request.options.home);
    let begun = begin_journal(&paths);
    reporter.started(Step::Check, Activity::Checking);
    let (_lock, journal, before) = begun?;
    let run = Run::new(request, wording, &paths, control, reporter, &before, journal);
    match tune(&run, installed).await {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            let rollback = roll_back(&paths, &run.entries(), Scope::KeepFetched(&before), None).await?;
            Err(rollback.after(error))
        }
    }
}

/// Runs every step. The caller rolls back after an error.
async fn tune(run: &Run<'_>, installed: &Installed) -> Result<Receipt, InstallError> {
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
    let attempt = loader.try_placement(Placement::installed(profile)).await?;
    let facts = load::until_loaded(&mut loader, attempt).await?;
    run.reporter.done(load::loaded(&facts));
    let measured = measure::run(&mut loader, facts).await?;
    let plan = loader.plan();
    let Loader { placement, attempts, .. } = loader;
    let outcome = Outcome { engine: &engine, server: &server, placement, plan, attempts, measured };
    let mut receipt = outcome.receipt(run);
    receipt.verdict = profile.verdict;
    if let Some(earlier) = &installed.receipt {
        receipt.engine.clone_from(&earlier.engine);
        receipt.model_file.clone_from(&earlier.model_file);
    }
    let autostart = login::run(run, &server).await?;
    outcome.write_tuned(run, &receipt, installed, autostart)?;
    run.end()?;
    tidy(run, &engine, &server).await;
    Ok(receipt)
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
