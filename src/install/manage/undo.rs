//! Undoing an interrupted installation, and nothing before it.
//!
//! Where nothing was in force before, everything is removed, as by an uninstall. Otherwise the unfinished changes are
//! rolled back to what was in force, and the journal says so. Until then, undoing again finishes it.

use std::path::Path;

use crate::control::Control;
use crate::install::blocking::runtime;
use crate::install::change::journal::{Journal, Phase, unfinished};
use crate::install::change::rollback::{Scope, roll_back};
use crate::install::manage::uninstall::{Uninstalled, uninstall};
use crate::install::state::documents::Installed;
use crate::install::state::snapshot::Snapshot;
use crate::install::{InstallError, Lock, Paths, SavedRequest};

/// An interrupted installation.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// What was requested; `None` when it was interrupted before that was saved.
    pub asked: Option<SavedRequest>,
    /// What was in force before, and still is.
    pub in_force: Option<Installed>,
}

/// What an undo did.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// What is in force again; `None` when nothing was before, and everything was removed.
    pub in_force: Option<Installed>,
    /// What was left, where everything was removed.
    pub removed: Uninstalled,
}

/// The last installation, if it was interrupted.
///
/// # Errors
/// When a document cannot be read.
pub fn unfinished_run(home: &Path) -> Result<Option<Unfinished>, InstallError> {
    let paths = Paths::new(home);
    if !is_unfinished(&paths)? {
        return Ok(None);
    }
    let in_force = Snapshot::load(&paths)?.and_then(|before| before.installed);
    Ok(Some(Unfinished { asked: SavedRequest::load(&paths)?, in_force }))
}

/// Undoes an interrupted installation. `control` cancels it between two changes; undoing again finishes it.
///
/// # Errors
/// When no installation was interrupted, another installer works in the home, or something cannot be reverted.
pub fn undo(home: &Path, control: &Control) -> Result<Undone, InstallError> {
    let paths = Paths::new(home);
    if !is_unfinished(&paths)? {
        return Err(InstallError::NothingToUndo { home: home.to_owned() });
    }
    let lock = Lock::take(&paths.lock(), paths.home())?;
    let Some(before) = Snapshot::load(&paths)?.filter(|before| before.installed.is_some()) else {
        drop(lock);
        return Ok(Undone { in_force: None, removed: uninstall(home, false, control)? });
    };
    let mut journal = Journal::open(&paths.journal())?;
    let scope = Scope::Unfinished(&before);
    runtime()?.block_on(roll_back(&paths, journal.entries(), scope, Some(control)))?.into_result()?;
    journal.undone()?;
    Snapshot::remove(&paths)?;
    Ok(Undone { in_force: before.installed, removed: Uninstalled::default() })
}

/// Whether the last installation was interrupted, perhaps before its journal began.
///
/// # Errors
/// When the journal cannot be read.
pub fn is_unfinished(paths: &Paths) -> Result<bool, InstallError> {
    let entries = Journal::read(&paths.journal())?;
    let began = entries.iter().any(|entry| entry.phase == Phase::Begin);
    Ok(if began { unfinished(&entries) } else { paths.journal().exists() || paths.lock().exists() })
}
