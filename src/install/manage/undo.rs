//! Taking back an installation that was cut short, and nothing before it.
//!
//! Where nothing was in force before, everything goes, as by an uninstallation. Otherwise:
//!
//! 1. The server is stopped, so that nothing runs from what is about to change.
//! 2. An engine that was replaced is put back, one that was added goes, and so does what was being fetched.
//! 3. ACOLYTE's model is again the one that was verified; models that were added go.
//! 4. The documents and the entry among the things started at login are again what they were.
//! 5. The server of what is in force is started, if it ran before.
//! 6. The journal says that it is over. Until then, undoing again finishes it.

use std::path::Path;

use crate::control::Control;
use crate::install::manage::service;
use crate::install::manage::uninstall::{Removed, is_ours, models_of, remove, remove_folders, uninstall};
use crate::install::state::documents::{Installed, PREVIOUS_MODEL, SERVED_MODEL};
use crate::install::state::journal::{
    Change, Journal, Phase, changes as all_changes, unfinished, unfinished_changes, was_made,
};
use crate::install::state::snapshot::Snapshot;
use crate::install::steps::model::kept_previous;
use crate::install::steps::{aside, server};
use crate::install::{InstallError, Lock, Paths, SavedRequest};
use crate::ollama::store::Store;
use crate::say;
use crate::text::Text;

/// An installation that was cut short.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// What was asked for; `None` when it was cut short before that was written down.
    pub asked: Option<SavedRequest>,
    /// What was in force before, and still is.
    pub in_force: Option<Installed>,
}

impl Unfinished {
    /// What was cut short and since when, and what is in force meanwhile: words for a person.
    pub fn words(&self, text: Text) -> String {
        let what = match &self.asked {
            Some(asked) => say!(
                text,
                "install-unfinished",
                profile = asked.profile.as_str(),
                model = asked.model.as_str(),
                at = asked.asked_at.replace('T', " ").trim_end_matches('Z')
            ),
            None => say!(text, "install-unfinished-unknown"),
        };
        let now = match &self.in_force {
            Some(installed) => {
                say!(text, "install-unfinished-in-force", profile = installed.profile.profile.as_str())
            }
            None => say!(text, "install-unfinished-nothing-in-force"),
        };
        format!("{what} {now}")
    }
}

/// What undoing did.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// What is in force again; `None` when nothing was before, and everything was removed.
    pub in_force: Option<Installed>,
    /// What was left, where everything was removed.
    pub removed: Removed,
}

/// Whether the last installation was cut short; `None` when it ended well or was taken back.
///
/// # Errors
/// When a document cannot be read.
pub fn unfinished_run(home: &Path) -> Result<Option<Unfinished>, InstallError> {
    let paths = Paths::new(home);
    if !was_cut_short(&paths)? {
        return Ok(None);
    }
    let in_force = Snapshot::load(&paths)?.and_then(|before| before.installed);
    Ok(Some(Unfinished { asked: SavedRequest::load(&paths)?, in_force }))
}

/// Takes back the installation that was cut short. `control` stops it between two steps; running it again finishes it.
///
/// # Errors
/// When there is none, another installer works here, or something cannot be put back.
pub fn undo(home: &Path, control: &Control) -> Result<Undone, InstallError> {
    let paths = Paths::new(home);
    if !was_cut_short(&paths)? {
        return Err(InstallError::NothingToUndo { home: home.to_owned() });
    }
    let lock = Lock::take(&paths.lock(), paths.home())?;
    let before = Snapshot::load(&paths)?;
    let Some((installed, server_file, server_ran)) =
        before.and_then(|before| Some((before.installed?, before.server, before.server_ran)))
    else {
        drop(lock);
        return Ok(Undone { in_force: None, removed: uninstall(home, false, control)? });
    };
    let mut journal = Journal::open(&paths.journal())?;
    let changes = unfinished_changes(journal.entries());
    let runtime = crate::install::run::runtime()?;

    runtime.block_on(server::stop(&paths))?;
    control.check()?;
    aside::put_back(&changes)?;
    for change in &changes {
        if matches!(change, Change::UnpackEngine { .. } | Change::Download { .. })
            && !holds(change, &installed)
        {
            remove(&paths, change)?;
        }
        control.check()?;
    }
    if was_made(journal.entries(), &kept_previous(&installed.profile.models_dir)) {
        Store::new(&installed.profile.models_dir).rename(PREVIOUS_MODEL, SERVED_MODEL)?;
    }
    remove_models(&paths, &changes, &all_changes(journal.entries()), &installed)?;
    Snapshot::restore(&paths)?;
    if changes.contains(&Change::StartAtLogin) {
        put_login_back(&paths, &installed)?;
    }
    remove_folders(&paths, &changes, false)?;
    if server_ran {
        let launch = server_file.map_or_else(
            || crate::install::manage::launch_of(&paths, &installed),
            |file| file.launch(&paths),
        );
        runtime.block_on(async {
            control.or_cancelled(server::start_again(&paths, &launch)).await?.map(drop)
        })?;
    }
    journal.undone()?;
    Snapshot::forget(&paths)?;
    Ok(Undone { in_force: Some(installed), removed: Removed::default() })
}

/// Whether the last installation was cut short: in the middle, or before it had begun to write its journal.
///
/// # Errors
/// When the journal cannot be read.
pub fn was_cut_short(paths: &Paths) -> Result<bool, InstallError> {
    let entries = Journal::read(&paths.journal())?;
    let began = entries.iter().any(|entry| entry.phase == Phase::Begin);
    Ok(if began { unfinished(&entries) } else { paths.journal().exists() || paths.lock().exists() })
}

/// Whether what is in force runs from there.
fn holds(change: &Change, installed: &Installed) -> bool {
    matches!(change, Change::UnpackEngine { path, .. } if installed.profile.engine_program.starts_with(path))
}

/// Removes every model that was added.
fn remove_models(
    paths: &Paths,
    changes: &[Change],
    all: &[Change],
    installed: &Installed,
) -> Result<(), InstallError> {
    let profile = &installed.profile;
    for (models_dir, mut tags) in models_of(paths, changes)? {
        let in_force = models_dir == profile.models_dir;
        tags.retain(|tag| !in_force || (*tag != SERVED_MODEL && *tag != profile.base_model));
        // In a folder of ours nobody else's pull can be under way.
        Store::new(&models_dir).remove(&tags, is_ours(paths, all, &models_dir))?;
    }
    Ok(())
}

fn put_login_back(paths: &Paths, installed: &Installed) -> Result<(), InstallError> {
    if installed.profile.autostart {
        service::install(paths, &crate::install::manage::launch_of(paths, installed))
    } else {
        service::remove(paths)
    }
}
