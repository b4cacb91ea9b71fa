//! Undoes an interrupted installation, and nothing older.
//!
//! If nothing was installed before, everything is removed, as by an uninstall. Otherwise the unfinished changes are
//! rolled back to the active profile, and the journal records that. An interrupted undo is finished by running it again.

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
    /// Its request; `None` when it was interrupted before that was saved.
    pub request: Option<SavedRequest>,
    /// The active profile: the one installed before.
    pub active: Option<Installed>,
}

/// What an undo did.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// The restored profile; `None` when nothing was installed before and everything was removed.
    pub active: Option<Installed>,
    /// What was left in place when everything was removed.
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
    let active = Snapshot::load(&paths)?.and_then(|before| before.installed);
    Ok(Some(Unfinished { request: SavedRequest::load(&paths)?, active }))
}

/// Undoes an interrupted installation. `control` cancels it between two changes; running it again finishes it.
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
        return Ok(Undone { active: None, removed: uninstall(home, false, control)? });
    };
    let mut journal = Journal::open(&paths)?;
    let scope = Scope::Unfinished(&before);
    runtime()?.block_on(roll_back(&paths, journal.entries(), scope, Some(control)))?.into_result()?;
    journal.undone()?;
    Snapshot::remove(&paths)?;
    Ok(Undone { active: before.installed, removed: Uninstalled::default() })
}

/// Whether the last installation was interrupted, perhaps before its journal began.
///
/// # Errors
/// When the journal cannot be read.
pub fn is_unfinished(paths: &Paths) -> Result<bool, InstallError> {
    let entries = Journal::read(paths)?;
    let began = entries.iter().any(|entry| entry.phase == Phase::Begin);
    Ok(if began { unfinished(&entries) } else { paths.journal().exists() || paths.lock().exists() })
}
