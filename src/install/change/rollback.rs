//! The one rollback: a fold over the journal, backwards.
//!
//! 1. Stop the server if it uses anything that is about to be reverted.
//! 2. Revert every change of the scope, the last one first. A failure does not stop the others; changes that a running
//!    server still uses are skipped.
//! 3. Start the previous server, if it ran.
//!
//! Reverting is idempotent: an interrupted or incomplete rollback is finished by running it again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Change;
use super::journal::{JournalEntry, changes, open_changes};
use super::revert::RevertTarget;
use crate::control::Control;
use crate::install::state::snapshot::Snapshot;
use crate::install::{
    FinishedBy, InstallError, Paths, RevertFailure, RevertProblem, RollbackReport, SavedRequest,
    private_server,
};
use crate::models::ModelTag;
use crate::ollama::server::PORTS;
use crate::ollama::store::Store;
use crate::platform::files;

/// Which changes are reverted, and to what.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// After a failure or cancel: restores the previous state; downloads stay for the next run.
    KeepFetched(&'a Snapshot),
    /// Undo: everything since the last successful installation.
    Unfinished(&'a Snapshot),
    /// Uninstall: everything.
    Everything {
        /// Whether models stay.
        keep_models: bool,
    },
}

/// A change to revert.
struct Pending {
    change: Change,
    /// Whether it was completed.
    completed: bool,
}

/// Reverts the changes of a scope. `control` cancels it between two changes; a rollback after a failure has none.
///
/// # Errors
/// When it is cancelled. What could not be reverted is in the report.
pub async fn roll_back(
    paths: &Paths,
    entries: &[JournalEntry],
    scope: Scope<'_>,
    control: Option<&Control>,
) -> Result<RollbackReport, InstallError> {
    let check = || control.map_or(Ok(()), Control::check);
    let pending = scope.pending(paths, entries);
    let target = scope.target(paths, entries);
    let finished_by = match scope {
        Scope::KeepFetched(_) | Scope::Unfinished(_) => FinishedBy::Undo,
        Scope::Everything { .. } => FinishedBy::Uninstall,
    };
    let mut report = RollbackReport { finished_by, ..RollbackReport::default() };

    let server_changed =
        open_changes(entries).iter().any(|(change, _)| matches!(change, Change::StartServer { .. }));
    let must_stop = match scope {
        Scope::KeepFetched(_) => server_changed || pending.iter().any(Pending::is_used_by_server),
        Scope::Unfinished(_) | Scope::Everything { .. } => true,
    };
    let stopped = if must_stop { private_server::stop(paths).await.map(drop) } else { Ok(()) };
    let still_runs = stopped.is_err();
    if still_runs {
        report.add(Change::StartServer { port: port(&scope) }, stopped);
    }
    check()?;
    for Pending { change, completed } in pending.into_iter().rev() {
        if still_runs && change.is_used_by_server() {
            report.failed.push(RevertFailure { change, cause: RevertProblem::ServerStillRuns });
            continue;
        }
        revert(change, completed, &target, &mut report);
        check()?;
    }
    if let Scope::KeepFetched(before) | Scope::Unfinished(before) = scope
        && !still_runs
    {
        let starts = restore_server(paths, before, must_stop);
        let outcome = match control {
            Some(control) => control.or_cancelled(starts).await?,
            None => starts.await,
        };
        if before.server_ran || outcome.is_err() {
            report.add(Change::StartServer { port: port(&scope) }, outcome);
        }
    }
    Ok(report)
}

/// Reverts a change, and reports it if it was there or could not be reverted.
fn revert(change: Change, completed: bool, target: &RevertTarget<'_>, report: &mut RollbackReport) {
    let was_present = change.is_present(target.paths);
    let outcome = change.revert(completed, target);
    if was_present || outcome.is_err() {
        report.add(change, outcome);
    }
}

/// Reverts what keeps this program on the computer, to nothing, and removes the folders that become empty by that. Nothing
/// else changes, and the server goes on. Running it again finishes what failed.
pub fn revert_kept(paths: &Paths, entries: &[JournalEntry]) -> RollbackReport {
    let mut report = RollbackReport { finished_by: FinishedBy::RemoveKept, ..RollbackReport::default() };
    let changes = changes(entries);
    let target = RevertTarget { paths, snapshot: None, keep_models: true, stores: Vec::new() };
    for change in changes.iter().rev().filter(|change| change.keeps_program()) {
        revert(change.clone(), true, &target, &mut report);
    }
    let is_below = |placed: &Change, folder: &Path| matches!(placed, Change::PlaceFile { path, .. } if path.starts_with(folder));
    for change in changes.iter().rev() {
        if let Change::CreateFolder { path } = change
            && path != paths.home()
            && !path.is_symlink()
            && changes.iter().any(|placed| is_below(placed, path))
            && let Err(error) = files::remove_folder_if_empty(path)
        {
            report.add(change.clone(), Err(error.into()));
        }
    }
    report
}

impl Pending {
    fn is_used_by_server(&self) -> bool {
        self.change.is_used_by_server() && !matches!(self.change, Change::CreateModel { .. })
    }
}

impl Scope<'_> {
    /// The changes to revert, in the order they were announced.
    fn pending(&self, paths: &Paths, entries: &[JournalEntry]) -> Vec<Pending> {
        // Documents are announced once in a journal and replaced by later runs without a further entry.
        let mut implied: Vec<Change> =
            Snapshot::documents(paths).map(|path| Change::WriteFile { path }).into();
        let listed = match self {
            Self::Everything { .. } => {
                // Server and login entry are ours even if the journal is lost.
                implied.extend([Change::StartServer { port: *PORTS.start() }, Change::StartAtLogin]);
                changes(entries).into_iter().map(|change| (change, true)).collect()
            }
            Self::KeepFetched(_) | Self::Unfinished(_) => open_changes(entries),
        };
        let mut pending: Vec<Pending> =
            listed.into_iter().map(|(change, completed)| Pending { change, completed }).collect();
        for change in implied {
            let is_server = |change: &Change| matches!(change, Change::StartServer { .. });
            let same =
                |known: &Pending| known.change == change || (is_server(&known.change) && is_server(&change));
            if !pending.iter().any(same) {
                pending.push(Pending { change, completed: true });
            }
        }
        pending.retain(|pending| self.reverts(&pending.change, paths));
        pending
    }

    fn reverts(&self, change: &Change, paths: &Paths) -> bool {
        match self {
            Self::KeepFetched(before) => match change {
                Change::BackUpEngine { .. } | Change::StartAtLogin => true,
                kept if kept.keeps_program() => true,
                Change::WriteFile { path } => *path != paths.request(),
                Change::CreateModel { .. } => before.installed.is_some(),
                _ => false,
            },
            Self::Unfinished(_) => true,
            // It names the models folder, so an uninstall removes it after the journal.
            Self::Everything { .. } => *change != Change::WriteFile { path: paths.request() },
        }
    }

    fn target<'a>(&'a self, paths: &'a Paths, entries: &[JournalEntry]) -> RevertTarget<'a> {
        let (snapshot, keep_models) = match self {
            Self::KeepFetched(before) => (Some(*before), true),
            Self::Unfinished(before) => (Some(*before), false),
            Self::Everything { keep_models } => (None, *keep_models),
        };
        RevertTarget { paths, snapshot, keep_models, stores: stores(paths, &changes(entries)) }
    }
}

fn port(scope: &Scope<'_>) -> u16 {
    let before = match scope {
        Scope::KeepFetched(before) | Scope::Unfinished(before) => before.server.as_ref(),
        Scope::Everything { .. } => None,
    };
    before.map_or(*PORTS.start(), |server| server.port)
}

/// Every model store that our server may have used, each with whether only ours uses it.
pub fn stores(paths: &Paths, changes: &[Change]) -> Vec<(PathBuf, bool)> {
    let requested = SavedRequest::load(paths).unwrap_or_else(|error| {
        tracing::warn!(%error, "the saved request cannot be read");
        None
    });
    let mut stores = BTreeMap::new();
    let of_changes = changes.iter().filter_map(|change| match change {
        Change::PullModel { models_dir, .. } | Change::CreateModel { models_dir, .. } => {
            Some(models_dir.clone())
        }
        _ => None,
    });
    let requested = requested.map(|request| request.options.models_dir);
    for folder in of_changes.chain(requested).chain([paths.models()]) {
        let ours = is_ours(changes, &folder);
        stores.insert(folder, ours);
    }
    stores.into_iter().collect()
}

/// Whether only our server uses a model store: we created it, and we fetched or made every model in it. Only then are
/// unfinished pulls and layers without a model ours. A folder below the home is not enough: the home may contain another
/// server's folder.
pub fn is_ours(changes: &[Change], models_dir: &Path) -> bool {
    let is_created = changes.iter().any(|change| match change {
        Change::CreateFolder { path } => path == models_dir || *path == Paths::blobs(models_dir),
        _ => false,
    });
    let is_known = |tag: &ModelTag| {
        changes.iter().any(|change| match change {
            Change::PullModel { tag: name, models_dir: folder }
            | Change::CreateModel { name, models_dir: folder } => folder == models_dir && name == tag,
            _ => false,
        })
    };
    let store = Store::new(models_dir);
    is_created && !store.is_linked() && store.models().iter().all(|(tag, _)| is_known(tag))
}

/// Restarts the previous server if it ran; otherwise makes sure that none runs.
async fn restore_server(paths: &Paths, before: &Snapshot, was_stopped: bool) -> Result<(), InstallError> {
    let Some(launch) = before.launch(paths).filter(|launch| launch.program.exists()) else {
        private_server::stop(paths).await?;
        return Ok(files::remove_file(&paths.server_state())?);
    };
    if before.server_ran && !was_stopped && private_server::running(paths, &launch).await?.is_some() {
        return Ok(());
    }
    private_server::stop(paths).await?;
    if before.server_ran {
        private_server::start_again(paths, &launch).await?;
        return Ok(());
    }
    private_server::write_state(paths, &launch, None)
}
