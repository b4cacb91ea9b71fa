//! An installation from its first check to its receipt.
//!
//! 1. Take the lock of the home, open the journal, save a snapshot of the current state, check the disks.
//! 2. Fetch the engine's archive and verify it; unpack it next to its folder and move it there.
//! 3. Start the private server, or keep the one that runs with the same settings.
//! 4. Pull the model, or copy it from the user's file; create `acolyte:latest` from it, verify the parameters.
//! 5. Load it and verify what the engine does; when memory runs out, with fewer layers on the GPU.
//! 6. Search for the fastest setting, and measure it.
//! 7. Enable start at login.
//! 8. Write profile, consent and receipt: now the new profile is active.
//!
//! Nothing is fetched twice, so a second run resumes where the first one stopped. A run that fails or is cancelled is
//! rolled back to the previous state ([`rollback`]); downloads are kept. After a run was killed, the next one resumes it,
//! or [`crate::install::manage::undo`] undoes it.
//!
//! [`rollback`]: crate::install::change::rollback

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::control::Control;
use crate::install::blocking::runtime;
use crate::install::change::Change;
use crate::install::change::journal::{Journal, changes, unfinished};
use crate::install::change::leftovers::{remove_engine_backups, remove_other_engines};
use crate::install::change::rollback::{Scope, roll_back};
use crate::install::event::Activity;
use crate::install::private_server::{self, Server};
use crate::install::progress::Reporter;
use crate::install::run_context::Run;
use crate::install::state::documents::to_json;
use crate::install::state::home;
use crate::install::state::snapshot::Snapshot;
use crate::install::steps::engine::Engine;
use crate::install::steps::finish::Outcome;
use crate::install::steps::loader::{LoadFacts, Loader};
use crate::install::steps::{check, engine, engine_plan, load, login, measure, model, model_file, server};
use crate::install::updates::UpdatesFile;
use crate::install::{Event, InstallError, Lock, Paths, Receipt, Request, SavedRequest, Step, Wording};
use crate::ollama::client::ClientError;
use crate::plan::Verdict;
use crate::platform::awake::keep_awake;
use crate::platform::files;

/// Carries out a request and reports events. Blocks until it ends; `control` cancels it within a second, from any thread.
///
/// # Errors
/// Why it failed, also reported as the last event. The previous state is restored, unless the error is
/// [`InstallError::RollbackIncomplete`].
pub fn run(
    request: &Request,
    wording: &dyn Wording,
    events: &dyn Fn(Event),
    control: &Control,
) -> Result<Receipt, Arc<InstallError>> {
    let reporter = Reporter::new(events);
    let _awake = keep_awake(wording.awake_reason());
    reporter.end(runtime()?.block_on(install(request, wording, &reporter, control)))
}

async fn install(
    request: &Request,
    wording: &dyn Wording,
    reporter: &Reporter<'_>,
    control: &Control,
) -> Result<Receipt, InstallError> {
    let paths = Paths::new(&request.options.home);
    let request = &with_earlier_hand(request, &paths)?;
    let begun = begin(request, &paths);
    // Reported after the journal has begun, so that a run killed after the first event can be undone.
    reporter.started(Step::Check, Activity::Checking);
    let (_lock, journal, before) = begun?;
    let run = Run::new(request, wording, &paths, control, reporter, &before, journal);
    match install_from(&run).await {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            let rollback = roll_back(&paths, &run.entries(), Scope::KeepFetched(&before), None).await?;
            Err(rollback.after(error))
        }
    }
}

/// The request with what the user set by hand before, if it installs the same again.
fn with_earlier_hand(request: &Request, paths: &Paths) -> Result<Request, InstallError> {
    let earlier = SavedRequest::load(paths)?.and_then(|saved| saved.by_hand_for(request));
    Ok(Request { by_hand: request.by_hand.or(earlier), ..request.clone() })
}

/// Refuses what needs consent that is missing, then [`begin_journal`].
fn begin(request: &Request, paths: &Paths) -> Result<(Lock, Journal, Snapshot), InstallError> {
    if request.plan.verdict == Verdict::Refused {
        return Err(InstallError::Refused);
    }
    if request.plan.verdict == Verdict::Degraded && !request.agreement.limits {
        return Err(InstallError::ConsentMissing);
    }
    request.model.require_storable()?;
    home::require_short(paths)?;
    begin_journal(paths)
}

/// Takes the lock, begins the journal and saves the current state.
///
/// # Errors
/// When another installer works in the home, or a document cannot be read or written.
pub(super) fn begin_journal(paths: &Paths) -> Result<(Lock, Journal, Snapshot), InstallError> {
    let (lock, mut journal) = open(paths)?;
    let before = snapshot(paths, &journal)?;
    journal.begin()?;
    Ok((lock, journal, before))
}

/// Runs every step. The caller rolls back after an error.
async fn install_from(run: &Run<'_>) -> Result<Receipt, InstallError> {
    let request = run.paths.request();
    let saved =
        SavedRequest { earlier_models_dirs: earlier_models_dirs(run), ..SavedRequest::of(run.request) };
    run.write_file(&request, &to_json(&request, &saved)?)?;
    let plan = engine_plan::plan(run)?;
    check::run(run, &plan)?;
    let engine = engine::run(run, plan).await?;
    let mut server = server::run(run, &engine).await?;
    model_file::get_model(run, &mut server).await?;
    model::keep_previous(run, &server).await?;
    let mut loader = Loader::new(run, &mut server);
    let facts = create_and_load(&mut loader).await?;
    let measured = measure::run(&mut loader, facts).await?;
    let plan = loader.plan();
    let Loader { placement, attempts, .. } = loader;
    let outcome = Outcome { engine: &engine, server: &server, placement, plan, attempts, measured };
    let receipt = outcome.receipt(run);
    let autostart = login::run(run, &server).await?;
    outcome.write(run, &receipt, autostart)?;
    run.end()?;
    if let Some(daily) = run.request.options.daily_updates {
        set_daily_updates(run.paths, daily);
    }
    tidy(run, &engine, &server).await;
    Ok(receipt)
}

/// Not worth an installation that succeeded.
fn set_daily_updates(paths: &Paths, daily: bool) {
    if let Err(error) = UpdatesFile::set_daily(paths, daily) {
        tracing::warn!(%error, "whether to look for newer versions was not saved");
    }
}

/// Folders of models outside the home that the journal names and this run does not use.
fn earlier_models_dirs(run: &Run<'_>) -> Vec<PathBuf> {
    let named = changes(&run.entries()).into_iter().filter_map(|change| match change {
        Change::PullModel { models_dir, .. } | Change::CreateModel { models_dir, .. } => Some(models_dir),
        _ => None,
    });
    let named: BTreeSet<PathBuf> =
        named.filter(|folder| folder != run.models_dir() && run.paths.below(folder).is_none()).collect();
    named.into_iter().collect()
}

/// Creates and loads the model. When the engine cannot use it, its layers are verified, and damaged ones pulled again.
async fn create_and_load(loader: &mut Loader<'_>) -> Result<LoadFacts, InstallError> {
    match create_and_load_once(loader).await {
        Err(InstallError::LoadFailed { .. } | InstallError::Engine(ClientError::Refused { .. }))
            if model::remove_damaged_layers(loader.run).await? =>
        {
            model_file::get_model(loader.run, loader.server).await?;
            create_and_load_once(loader).await
        }
        outcome => outcome,
    }
}

async fn create_and_load_once(loader: &mut Loader<'_>) -> Result<LoadFacts, InstallError> {
    model::create(loader.run, loader.server, loader.placement).await?;
    load::run(loader).await
}

/// Removes what was kept for a rollback. A failure costs only disk space.
pub(super) async fn tidy(run: &Run<'_>, engine: &Engine, server: &Server) {
    model::remove_previous(server).await;
    let removed =
        Snapshot::remove(run.paths).and_then(|()| remove_other_engines(&run.entries(), &engine.program));
    if let Err(error) = removed {
        tracing::warn!(%error, "files kept for a rollback could not be removed");
    }
}

/// Takes the lock and opens the journal. Nothing else may change before the lock is held.
fn open(paths: &Paths) -> Result<(Lock, Journal), InstallError> {
    home::prepare(paths)?;
    let missing = files::missing_folders(&paths.llm());
    files::create_folders(&paths.llm())?;
    // Check again: in a sticky folder another user may have created it in between.
    home::require_ours(paths)?;
    let lock = Lock::take(&paths.lock(), paths.home())?;
    let mut journal = Journal::open(paths)?;
    // The journal is in these folders, so they can be announced only after their creation.
    for path in missing {
        journal.intend(Change::CreateFolder { path })?;
    }
    Ok((lock, journal))
}

/// The snapshot of the current state. A run that resumes unfinished ones uses the snapshot of the first of them, because
/// only that one began in a verified state.
fn snapshot(paths: &Paths, journal: &Journal) -> Result<Snapshot, InstallError> {
    if unfinished(journal.entries()) {
        if let Some(before) = Snapshot::load(paths)? {
            return Ok(before);
        }
    } else {
        remove_engine_backups(journal.entries())?;
    }
    Ok(Snapshot::keep(paths, private_server::is_running(paths))?)
}
