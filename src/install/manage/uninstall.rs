//! Uninstalling: the journal rolled back to nothing, then what no journal lists.
//!
//! Only what the journal lists is removed, and what this program writes beside it: logs, the window's settings. A folder
//! goes when it is empty; what is left in it is not ours, stays and is named. The journal goes last, so that an
//! interrupted uninstall is finished by running it again.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::control::Control;
use crate::install::blocking::runtime;
use crate::install::change::journal::{Journal, Phase, changes};
use crate::install::change::rollback::{Scope, roll_back};
use crate::install::change::{Change, Subject, files_with_prefix};
use crate::install::state::snapshot::Snapshot;
use crate::install::{InstallError, Lock, Paths};
use crate::models::ModelTag;
use crate::platform::files::{self, FileError};

/// What an uninstall left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Uninstalled {
    /// Files and folders that are not ours.
    pub left: Vec<PathBuf>,
    /// Model stores kept at the user's request.
    pub kept_models: Vec<PathBuf>,
}

/// What an uninstall would remove, for the question before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Files and folders, in the order of the journal.
    pub paths: Vec<PathBuf>,
    /// Tags of models with the bytes of their layers.
    pub models: Vec<(ModelTag, u64)>,
}

/// What [`uninstall`] would remove.
///
/// # Errors
/// When nothing is installed or the journal cannot be read.
pub fn preview(home: &Path) -> Result<Removal, InstallError> {
    let paths = Paths::new(home);
    let changes = changes(&Journal::read(&paths.journal())?);
    if changes.is_empty() {
        return Err(InstallError::NotInstalled { home: home.to_owned() });
    }
    let mut removal = Removal::default();
    for change in changes.iter().filter(|change| change.is_present(&paths)) {
        match change.describe() {
            Subject::Path(path) | Subject::Document(path) if path.exists() => removal.paths.push(path),
            // A model created from a pulled one needs almost no space.
            Subject::Model { tag, bytes } if bytes > 0 && matches!(change, Change::PullModel { .. }) => {
                removal.models.push((tag, bytes));
            }
            _ => {}
        }
    }
    Ok(removal)
}

/// Removes everything we installed under a home. `control` cancels it between two changes; running it again finishes it.
///
/// # Errors
/// When nothing is installed, another installer works in the home, or something cannot be removed.
pub fn uninstall(home: &Path, keep_models: bool, control: &Control) -> Result<Uninstalled, InstallError> {
    let paths = Paths::new(home);
    if !paths.journal().exists() && !paths.lock().exists() {
        return Err(InstallError::NotInstalled { home: home.to_owned() });
    }
    let lock = Lock::take(&paths.lock(), paths.home())?;
    let entries = Journal::read(&paths.journal())?;
    let mut changes = changes(&entries);
    if !entries.iter().any(|entry| entry.phase == Phase::Begin) {
        // Interrupted before the journal said that the home was created. It goes only when it is empty.
        changes.push(Change::CreateFolder { path: paths.home().to_owned() });
    }
    let kept_models = if keep_models { kept(&changes) } else { Vec::new() };
    let scope = Scope::Everything { keep_models };
    runtime()?.block_on(roll_back(&paths, &entries, scope, Some(control)))?.into_result()?;
    files::remove_file(&paths.window())?;
    Snapshot::remove(&paths)?;
    for prefix in ["acolyte.log", "acolyte-crash-"] {
        for log in files_with_prefix(&paths.logs(), prefix) {
            files::remove_file(&log)?;
        }
    }
    // The last traces: the journal, the lock while it is still held, and the folders that become empty by that.
    files::remove_file(&paths.journal())?;
    files::remove_file(&paths.lock())?;
    drop(lock);
    remove_empty_folders(&paths, &changes)?;
    let left = left_in(paths.home(), &kept_models);
    Ok(Uninstalled { left, kept_models })
}

fn kept(changes: &[Change]) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = changes
        .iter()
        .filter_map(|change| match change {
            Change::PullModel { models_dir, .. } => Some(models_dir.clone()),
            _ => None,
        })
        .collect();
    kept.dedup();
    kept.retain(|folder| folder.exists());
    kept
}

/// Removes our own folders and those the journal lists, the innermost first, as far as they are empty.
fn remove_empty_folders(paths: &Paths, changes: &[Change]) -> Result<(), FileError> {
    let created = changes.iter().filter_map(|change| match change {
        Change::CreateFolder { path } => Some(path.clone()),
        _ => None,
    });
    let ours =
        [paths.programs(), paths.models(), paths.downloads(), paths.engines(), paths.logs(), paths.llm()];
    let mut folders: Vec<PathBuf> = created.chain(ours).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        files::remove_folder_if_empty(folder)?;
    }
    Ok(())
}

/// What is left under a home, the outermost first, without the model stores that were kept on purpose.
fn left_in(home: &Path, kept: &[PathBuf]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(home) else { return Vec::new() };
    let mut left = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if kept.contains(&path) {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            let inside = left_in(&path, kept);
            left.extend(if inside.is_empty() { vec![path] } else { inside });
        } else {
            left.push(path);
        }
    }
    left.sort();
    left
}
