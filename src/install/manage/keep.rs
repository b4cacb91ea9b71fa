//! Keeps this program on the computer, or replaces the copy that is kept: a transaction of its own in the journal.
//!
//! 1. Copy the program that runs, and its twin if it is beside it, and verify the copies. The twin's copy is run once: it
//!    has to be of the same version.
//! 2. Menu entry and icons.
//! 3. `PATH`, completions and manual pages, which the kept terminal program makes itself.
//! 4. On Windows the entry in the list of installed apps.
//! 5. `kept.json`.
//!
//! What is not ours is left alone and reported: a file of another home or of the user, a profile file that others can
//! change. A failure or cancellation restores what was kept before; an interrupted run is reverted by the next start of this
//! program, or by `undo`. [`remove_kept`] removes all of it and nothing else.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::control::Control;
use crate::install::blocking::runtime;
use crate::install::change::journal::{Journal, JournalEntry, open_changes, unfinished};
use crate::install::change::rollback::{Scope, revert_kept, roll_back};
use crate::install::change::{Change, placed};
use crate::install::keep::{KeptAge, KeptFile, OwnPrograms, ProgramKind, places, shell_line};
use crate::install::manage::installation::installed;
use crate::install::manage::keep_run::KeepRun;
use crate::install::manage::kept::Kept;
use crate::install::manage::undo::is_unfinished;
use crate::install::run::begin_journal;
use crate::install::state::snapshot::Snapshot;
use crate::install::{InstallError, Lock, LockError, Paths, RollbackReport};
use crate::platform::environment::Environment;
use crate::platform::{files, shell_profile};

/// What keeping this program would change, to be said before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeepPreview {
    /// The programs that would be copied.
    pub programs: Vec<ProgramKind>,
    /// The folder that they go to.
    pub folder: PathBuf,
    /// The menu entry.
    pub menu_entry: Option<PathBuf>,
    /// Profile files of shells that would get a line.
    pub profile_files: Vec<PathBuf>,
    /// Whether the user's `PATH` in the registry would get our folder.
    pub user_path: bool,
    /// Version of the kept programs, if they are newer than this one: nothing would be changed.
    pub newer_kept: Option<String>,
}

/// What [`keep`] would change.
///
/// # Errors
/// When what is kept cannot be read.
pub fn preview_keep(home: &Path, programs: &OwnPrograms) -> Result<KeepPreview, InstallError> {
    let (paths, environment) = (Paths::new(home), Environment::of_process());
    let kept = KeptFile::load(&paths)?;
    let mut kinds = vec![programs.kind];
    kinds.extend(programs.twin.is_some().then(|| programs.kind.twin()));
    let has_terminal = kinds.contains(&ProgramKind::Terminal) || terminal_is_kept(kept.as_ref());
    let is_on_path = environment.folders("PATH").contains(&paths.programs());
    let line = shell_line(&paths).filter(|_| has_terminal && !is_on_path && !cfg!(windows));
    let lacks = |file: &PathBuf| {
        let line = line.as_deref();
        line.is_some_and(|line| {
            shell_profile::read(file).is_ok_and(|now| !shell_profile::has_line(&now, line))
        })
    };
    Ok(KeepPreview {
        programs: kinds,
        folder: paths.programs(),
        menu_entry: places::menu_entry(&environment),
        profile_files: places::profile_files(&environment).into_iter().filter(lacks).collect(),
        user_path: cfg!(windows) && has_terminal && !placed::is_on_user_path(&paths.programs()),
        newer_kept: kept.filter(|kept| kept.age() == KeptAge::Newer).map(|kept| kept.version.into()),
    })
}

fn terminal_is_kept(kept: Option<&KeptFile>) -> bool {
    kept.is_some_and(|kept| kept.terminal.is_some())
}

/// Keeps this program on the computer, for what is installed in a home. `control` cancels it.
///
/// # Errors
/// When nothing is installed, an installation was interrupted, a newer version is kept, or a file of the home cannot be
/// written. What was kept before is restored then, unless the error is [`InstallError::RollbackIncomplete`].
pub fn keep(home: &Path, programs: &OwnPrograms, control: &Control) -> Result<Kept, InstallError> {
    let paths = require_complete(home)?;
    let before = KeptFile::load(&paths)?;
    if let Some(kept) = before.as_ref().filter(|kept| kept.age() == KeptAge::Newer) {
        return Err(InstallError::NewerIsKept { version: kept.version.clone() });
    }
    let (lock, journal, snapshot) = begin_journal(&paths)?;
    let mut work = KeepRun {
        paths: &paths,
        environment: Environment::of_process(),
        control,
        journal,
        file: KeptFile::of_this_version(),
        kept: Kept { version: KeptFile::of_this_version().version.into(), ..Kept::default() },
    };
    let done = work.run(programs, before.as_ref());
    let KeepRun { mut journal, kept, .. } = work;
    if let Err(error) = done {
        return Err(revert_run(&paths, &mut journal, &snapshot)?.after(error));
    }
    journal.end()?;
    if let Err(error) = Snapshot::remove(&paths) {
        tracing::warn!(%error, "copies of what was replaced could not be removed");
    }
    drop(lock);
    Ok(kept)
}

/// The home of a complete installation. An interrupted run of [`keep`] is reverted first.
fn require_complete(home: &Path) -> Result<Paths, InstallError> {
    installed(home)?;
    revert_interrupted_keep(home)?;
    let paths = Paths::new(home);
    if is_unfinished(&paths)? {
        return Err(InstallError::InterruptedBefore { home: home.to_owned() });
    }
    Ok(paths)
}

/// Reverts a run to what was kept before it, and records that.
fn revert_run(
    paths: &Paths,
    journal: &mut Journal,
    before: &Snapshot,
) -> Result<RollbackReport, InstallError> {
    let scope = Scope::KeepFetched(before);
    let rollback = runtime()?.block_on(roll_back(paths, journal.entries(), scope, None))?;
    if rollback.failed.is_empty() {
        for (change, _) in open_changes(journal.entries()).iter().rev() {
            if let Change::CreateFolder { path } = change {
                files::remove_folder_if_empty(path)?;
            }
        }
        journal.undone()?;
        Snapshot::remove(paths)?;
    }
    Ok(rollback)
}

/// Reverts a run of [`keep`] that was interrupted, so that nobody is asked whether an installation goes on that was complete.
/// Does nothing after any other interruption, and while another installer works in the home. Returns whether it reverted one.
///
/// # Errors
/// When the journal cannot be read, or something cannot be reverted.
pub fn revert_interrupted_keep(home: &Path) -> Result<bool, InstallError> {
    let paths = Paths::new(home);
    if !is_interrupted_keep(&Journal::read(&paths)?) {
        return Ok(false);
    }
    let _lock = match Lock::take(&paths.lock(), paths.home()) {
        Ok(lock) => lock,
        Err(LockError::Busy { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let mut journal = Journal::open(&paths)?;
    let before = Snapshot::load(&paths)?.filter(|before| before.installed.is_some());
    let Some(before) = before.filter(|_| is_interrupted_keep(journal.entries())) else { return Ok(false) };
    revert_run(&paths, &mut journal, &before)?.into_result()?;
    Ok(true)
}

/// Whether the last run was interrupted and did nothing but keep the program.
fn is_interrupted_keep(entries: &[JournalEntry]) -> bool {
    let changes = open_changes(entries);
    let is_of_keep =
        |change: &Change| change.keeps_program() || matches!(change, Change::CreateFolder { .. });
    unfinished(entries)
        && changes.iter().any(|(change, _)| change.keeps_program())
        && changes.iter().all(|(change, _)| is_of_keep(change))
}

/// Removes what is kept of this program on the computer: copies, menu entry, `PATH`, completions, manual pages and the entry
/// in the list of installed apps. The installation stays. Returns what was removed; nothing where nothing is kept.
///
/// # Errors
/// When nothing is installed, an installation was interrupted, another installer works in the home, or something cannot be
/// removed: running it again finishes that.
pub fn remove_kept(home: &Path) -> Result<Vec<Change>, InstallError> {
    let paths = require_complete(home)?;
    let _lock = Lock::take(&paths.lock(), paths.home())?;
    let report = revert_kept(&paths, &Journal::read(&paths)?);
    if report.failed.is_empty() {
        return Ok(report.reverted);
    }
    report.into_result().map(|()| Vec::new())
}
