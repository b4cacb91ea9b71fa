//! Uninstalling: rolls back the whole journal, then removes files that no journal lists.
//!
//! Only what the journal lists is removed, and files of this program that it does not list: logs, the window's settings.
//! A folder is removed if it is empty; other files in it are not ours, stay and are reported. The journal is removed
//! last, so that an interrupted uninstall is finished by running it again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::control::Control;
use crate::install::blocking::runtime;
use crate::install::change::journal::{Journal, Phase, changes};
use crate::install::change::rollback::{Scope, roll_back, stores};
use crate::install::change::{Change, files_with_prefix};
use crate::install::state::home::require_ours;
use crate::install::state::snapshot::Snapshot;
use crate::install::{InstallError, Lock, Paths, login_copy, login_entry, private_server};
use crate::models::ModelTag;
use crate::ollama::server::rotated_logs;
use crate::ollama::store::Store;
use crate::platform::files::{self, FileError};

/// Name of the default home.
const HOME_NAME: &str = ".acolyte";

/// What an uninstall left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Uninstalled {
    /// Files and folders that are not ours, and folders that cannot be reached, where files of ours may be.
    pub left: Vec<PathBuf>,
    /// Model stores kept at the user's request.
    pub kept_models: Vec<PathBuf>,
}

/// What an uninstall would remove, for the question before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Files, and folders with everything in them.
    pub paths: Vec<PathBuf>,
    /// Folders that are removed if nothing else is in them; links that are in place of such.
    pub folders: Vec<PathBuf>,
    /// Models, unless they are kept.
    pub models: Vec<RemovedModel>,
    /// What unfinished downloads of models take, in bytes; removed unless models are kept.
    pub unfinished_model_bytes: u64,
    /// Login entries of the server: files, or a registry value.
    pub login_entries: Vec<String>,
    /// Whether our server runs; it is stopped.
    pub server_runs: bool,
    /// Files of the user that lose a line of ours.
    pub edited_files: Vec<PathBuf>,
    /// Whether the user's `PATH` loses our folder (Windows).
    pub user_path: bool,
    /// Whether the entry in the list of installed apps goes (Windows).
    pub installed_app: bool,
}

/// A model that is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemovedModel {
    /// Its tag.
    pub tag: ModelTag,
    /// The models folder it is in.
    pub models_dir: PathBuf,
    /// Bytes of its layers, including shared ones; 0 for a model made from another one, which adds almost nothing.
    pub bytes: u64,
}

/// What [`uninstall`] would remove.
///
/// # Errors
/// When nothing is installed, or a document cannot be read or names what is not ours.
pub fn preview(home: &Path) -> Result<Removal, InstallError> {
    let paths = Paths::new(home);
    require_ours(&paths)?;
    let changes = changes(&Journal::read(&paths)?);
    if changes.is_empty() {
        return Err(InstallError::NotInstalled { home: home.to_owned() });
    }
    let mut removal = Removal {
        login_entries: login_entry::places(&paths)?,
        server_runs: private_server::is_running(&paths),
        unfinished_model_bytes: unfinished_bytes(&paths, &changes),
        ..Removal::default()
    };
    for change in changes.iter().filter(|change| change.is_present(&paths)) {
        removal.paths.extend(change.files());
        match change {
            Change::AddShellLine { path, .. } => removal.edited_files.push(path.clone()),
            Change::AddToUserPath { .. } => removal.user_path = true,
            Change::ListInstalledApp => removal.installed_app = true,
            _ => {}
        }
        let (tag, models_dir, is_pulled) = match change {
            Change::PullModel { tag, models_dir } => (tag, models_dir, true),
            Change::CreateModel { name, models_dir } => (name, models_dir, false),
            _ => continue,
        };
        let bytes = if is_pulled { Store::new(models_dir).bytes(tag) } else { 0 };
        removal.models.push(RemovedModel { tag: tag.clone(), models_dir: models_dir.clone(), bytes });
    }
    removal.paths.extend(files_beside_the_journal(&paths));
    removal.paths.retain(|path| path.symlink_metadata().is_ok());
    removal.paths.sort();
    removal.paths.dedup();
    removal.folders = folders(&paths, &changes);
    removal.folders.retain(|folder| {
        folder.is_dir() && !folder.is_symlink() || is_link_of_ours(&paths, &changes, folder)
    });
    // What is removed whole is listed once, without its folders.
    removal.folders.retain(|folder| !removal.paths.iter().any(|path| folder.starts_with(path)));
    removal.folders.sort();
    removal.folders.dedup();
    Ok(removal)
}

/// Our files that the journal does not list.
fn files_beside_the_journal(paths: &Paths) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = paths.trusted_files().into();
    files.extend([paths.snapshot(), paths.snapshot().with_extension("new"), paths.engine_home()]);
    files.extend(login_copy::programs(paths));
    files.extend(rotated_logs(&paths.server_log()));
    files.extend(logs_of_ours(paths));
    files
}

fn unfinished_bytes(paths: &Paths, changes: &[Change]) -> u64 {
    let stores = stores(paths, changes).into_iter().filter(|(_, ours)| *ours);
    stores.map(|(folder, _)| Store::new(&folder).partial_bytes()).sum()
}

/// Removes everything we installed under a home. `control` cancels it between two changes; running it again finishes it.
///
/// # Errors
/// When nothing is installed, another installer works in the home, or something cannot be removed.
pub fn uninstall(home: &Path, keep_models: bool, control: &Control) -> Result<Uninstalled, InstallError> {
    let paths = Paths::new(home);
    require_ours(&paths)?;
    if !paths.journal().exists() && !paths.lock().exists() {
        return Err(InstallError::NotInstalled { home: home.to_owned() });
    }
    // Read before the lock is made, so that nothing is touched where it names what is not ours, and again under the lock.
    Journal::read(&paths)?;
    let lock = Lock::take(&paths.lock(), paths.home())?;
    let entries = Journal::read(&paths)?;
    let mut changes = changes(&entries);
    if !entries.iter().any(|entry| entry.phase == Phase::Begin) {
        // Interrupted before the journal recorded the creation of the home. It is removed only if it is empty.
        changes.push(Change::CreateFolder { path: paths.home().to_owned() });
    }
    let kept_models = if keep_models { kept(&changes) } else { Vec::new() };
    let unreachable = unreachable_targets(&paths, &changes, &kept_models);
    let scope = Scope::Everything { keep_models };
    runtime()?.block_on(roll_back(&paths, &entries, scope, Some(control)))?.into_result()?;
    files::remove_file(&paths.window())?;
    files::remove_file(&paths.updates())?;
    Snapshot::remove(&paths)?;
    for log in logs_of_ours(&paths) {
        files::remove_file(&log)?;
    }
    // Last: the journal, the lock while it is still held, and the folders that become empty by that.
    files::remove_file(&paths.journal())?;
    for file in [files::temporary(&paths.request()), paths.request(), paths.lock()] {
        files::remove_file(&file)?;
    }
    drop(lock);
    remove_empty_folders(&paths, &changes, &kept_models)?;
    let mut left = leave_home(&paths, &changes, &kept_models)?;
    left.extend(unreachable);
    Ok(Uninstalled { left, kept_models })
}

/// The log of this program and its crash reports.
fn logs_of_ours(paths: &Paths) -> Vec<PathBuf> {
    let logs = [paths.log(), paths.old_log()].into_iter().filter(|log| log.exists());
    logs.chain(files_with_prefix(&paths.logs(), Paths::CRASH_REPORT_PREFIX)).collect()
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

/// Targets of links in place of our folders that cannot be reached, because their drive is not mounted: files of ours may be
/// left there.
fn unreachable_targets(paths: &Paths, changes: &[Change], kept: &[PathBuf]) -> Vec<PathBuf> {
    let links = folders(paths, changes).into_iter().filter(|folder| goes(paths, changes, kept, folder));
    let dangling = links.filter(|link| link.is_symlink() && !link.exists());
    dangling
        .filter_map(|link| Some(link.parent()?.join(std::fs::read_link(&link).ok()?)))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Removes our own folders and those the journal lists, innermost first, if they are empty. Removes a link in place of one
/// of them, but not its target.
fn remove_empty_folders(paths: &Paths, changes: &[Change], kept: &[PathBuf]) -> Result<(), FileError> {
    for folder in folders(paths, changes) {
        if folder != paths.home() && goes(paths, changes, kept, &folder) {
            files::remove_folder_or_link(&folder)?;
        }
    }
    Ok(())
}

/// Whether a folder goes if it is empty, or the link in its place.
fn goes(paths: &Paths, changes: &[Change], kept: &[PathBuf], folder: &Path) -> bool {
    let is_kept = kept.iter().any(|kept| folder.starts_with(kept));
    !folder.is_symlink() || is_link_of_ours(paths, changes, folder) && !is_kept
}

/// Removes the home if it is empty, and returns what is left in it. A link in its place goes too, but nothing that it leads
/// to: what is left there is named by its own path.
fn leave_home(paths: &Paths, changes: &[Change], kept: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let home = paths.home();
    if !home.is_symlink() {
        if changes.contains(&Change::CreateFolder { path: home.to_owned() }) {
            files::remove_folder_if_empty(home)?;
        }
        return Ok(left_in(home, kept));
    }
    let left = left_in(home, kept);
    let is_needed = kept.iter().any(|kept| kept.starts_with(home));
    // A link with a name of its own may be used for what else is there.
    if is_needed || !left.is_empty() && !is_link_of_ours(paths, changes, home) {
        return Ok(left);
    }
    let target = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    files::remove_folder_or_link(home)?;
    let there =
        |path: PathBuf| path.strip_prefix(home).map_or_else(|_| path.clone(), |below| target.join(below));
    Ok(left.into_iter().map(there).collect())
}

/// Whether a link is in place of a folder of ours: one that we created, or one with its name in a home that is ours alone.
fn is_link_of_ours(paths: &Paths, changes: &[Change], folder: &Path) -> bool {
    let is_created = |path: &Path| changes.contains(&Change::CreateFolder { path: path.to_owned() });
    let is_ours_alone =
        is_created(paths.home()) || paths.home().file_name().is_some_and(|name| name == HOME_NAME);
    let is_named = folder == paths.home() || our_folders(paths).iter().any(|ours| ours == folder);
    folder.is_symlink() && (is_created(folder) || is_ours_alone && is_named)
}

/// The folders that an installation may use below the home.
fn our_folders(paths: &Paths) -> Vec<PathBuf> {
    let [blobs, manifests] = Store::new(&paths.models()).parts();
    vec![
        paths.programs(),
        paths.manual_pages(),
        paths.models(),
        blobs,
        manifests,
        paths.downloads(),
        paths.engines(),
        paths.logs(),
        paths.llm(),
    ]
}

/// Our own folders and those the journal lists, innermost first.
fn folders(paths: &Paths, changes: &[Change]) -> Vec<PathBuf> {
    let created = changes.iter().filter_map(|change| match change {
        Change::CreateFolder { path } => Some(path.clone()),
        _ => None,
    });
    let home = Some(paths.home().to_owned()).filter(|home| home.is_symlink());
    let mut folders: Vec<PathBuf> = created.chain(our_folders(paths)).chain(home).collect();
    folders.sort_by(|a, b| b.components().count().cmp(&a.components().count()).then_with(|| a.cmp(b)));
    folders.dedup();
    folders
}

/// What is left under a home, outermost first, without the model stores that were kept on purpose.
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
