//! Taking everything back: what the journal lists, in the opposite order, and nothing else.
//!
//! 1. The login entry goes, then the server with everything it started.
//! 2. Models go unless they are to stay: those we fetched or made, with the layers no other model uses.
//! 3. The engine goes file by file as it was unpacked, then downloads, logs, documents.
//! 4. Folders we made go when they are empty. What is left in them is somebody else's: it stays and is named.
//! 5. The journal goes last, so that an uninstallation that was cut short can be finished by running it again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::control::Control;
use crate::install::manage::service;
use crate::install::state::documents::PREVIOUS_MODEL;
use crate::install::state::journal::{Change, Journal, Phase, changes};
use crate::install::state::snapshot::Snapshot;
use crate::install::steps::mark::{MARK, Mark};
use crate::install::steps::server;
use crate::install::{InstallError, Lock, Paths, SavedRequest};
use crate::ollama::store::Store;
use crate::platform::files::{self, FileError};

/// What an uninstallation did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Files and folders that are not ours and stay.
    pub left: Vec<PathBuf>,
    /// Folders of models that stay because the person wanted it.
    pub kept_models: Vec<PathBuf>,
}

/// What would be removed, for asking before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Files and folders, as the journal lists them.
    pub paths: Vec<PathBuf>,
    /// Tags of models with the bytes of their layers.
    pub models: Vec<(String, u64)>,
}

/// What [`uninstall`] would remove.
///
/// # Errors
/// When the journal cannot be read, or there is none.
pub fn preview(home: &Path) -> Result<Removal, InstallError> {
    let paths = Paths::new(home);
    let changes = changes(&Journal::read(&paths.journal())?);
    if changes.is_empty() {
        return Err(InstallError::NotInstalled { home: home.to_owned() });
    }
    let mut removal = Removal::default();
    for change in changes {
        match change {
            Change::UnpackEngine { path, .. } | Change::WriteFile { path } | Change::Download { path } => {
                removal.paths.push(path);
            }
            Change::PullModel { tag, models_dir } => {
                let bytes = Store::new(&models_dir).bytes(&tag);
                removal.models.push((tag, bytes));
            }
            Change::SetAside { aside, .. } => removal.paths.push(aside),
            Change::CreateFolder { .. }
            | Change::StartServer { .. }
            | Change::CreateModel { .. }
            | Change::StartAtLogin => {}
        }
    }
    removal.paths.retain(|path| path.exists());
    removal.models.retain(|(_, bytes)| *bytes > 0);
    Ok(removal)
}

/// Removes everything we installed under a home. `control` stops it between two steps; running it again finishes it.
///
/// # Errors
/// When there is nothing of ours, another installer works here, or something cannot be removed.
pub fn uninstall(home: &Path, keep_models: bool, control: &Control) -> Result<Removed, InstallError> {
    let paths = Paths::new(home);
    if !paths.journal().exists() && !paths.lock().exists() {
        return Err(InstallError::NotInstalled { home: home.to_owned() });
    }
    let lock = Lock::take(&paths.lock(), paths.home())?;
    let entries = Journal::read(&paths.journal())?;
    let mut changes = changes(&entries);
    if !entries.iter().any(|entry| entry.phase == Phase::Begin) {
        // Cut short before it was written down that the home was made. It goes only when it is empty.
        changes.push(Change::CreateFolder { path: paths.home().to_owned() });
    }

    service::remove(&paths)?;
    control.check()?;
    crate::install::run::runtime()?.block_on(server::stop(&paths))?;
    control.check()?;
    let kept_models = if keep_models { kept(&changes) } else { remove_models(&paths, &changes)? };
    control.check()?;
    for change in &changes {
        remove(&paths, change)?;
        control.check()?;
    }
    for file in
        [paths.server_state(), paths.consent(), paths.request(), paths.window(), service::copy_path(&paths)]
    {
        files::remove_file(&file)?;
    }
    Snapshot::forget(&paths)?;
    files::remove_folder(&paths.engine_home())?;
    for own in ["server.log", "acolyte.log", "acolyte-crash-"] {
        remove_matching(&paths.logs(), own)?;
    }
    remove_folders(&paths, &changes, true)?;

    // The last traces: the journal, the lock while it is still held, and the folders that become empty by that.
    files::remove_file(&paths.journal())?;
    files::remove_file(&paths.lock())?;
    drop(lock);
    remove_folders(&paths, &changes, true)?;
    let left = left_in(paths.home(), &kept_models);
    Ok(Removed { left, kept_models })
}

/// Undoes one change, save models and folders, which come before and after all others.
pub(in crate::install) fn remove(paths: &Paths, change: &Change) -> Result<(), InstallError> {
    match change {
        Change::UnpackEngine { path, staging, .. } => {
            files::remove_folder(staging)?;
            remove_engine(path)?;
        }
        Change::SetAside { aside, .. } => remove_engine(aside)?,
        Change::Download { path } => {
            files::remove_file(path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Its unfinished parts lie beside it.
            remove_matching(path.parent().unwrap_or(paths.home()), &format!("{name}."))?;
        }
        Change::WriteFile { path } => {
            files::remove_file(path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files::remove_file(&path.with_file_name(format!("{name}.new")))?;
        }
        Change::CreateFolder { .. }
        | Change::StartServer { .. }
        | Change::PullModel { .. }
        | Change::CreateModel { .. }
        | Change::StartAtLogin => {}
    }
    Ok(())
}

/// Removes what was unpacked, and the folders that become empty by that. Without a list everything in there is ours:
/// the folder was moved to its place as a whole.
pub(in crate::install) fn remove_engine(folder: &Path) -> Result<(), FileError> {
    let Some(mark) = Mark::of(folder) else { return files::remove_folder(folder) };
    for file in mark.files {
        // The list is a file like any other: nothing in it may lead elsewhere.
        if file.path.components().all(|part| matches!(part, std::path::Component::Normal(_))) {
            files::remove_file(&folder.join(file.path))?;
        }
    }
    files::remove_file(&folder.join(MARK))?;
    remove_empty(folder)
}

/// Removes a folder and those in it, as far as they are empty.
fn remove_empty(folder: &Path) -> Result<(), FileError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path())?;
        }
    }
    files::remove_folder_if_empty(folder).map(drop)
}

/// Removes the models of the journal from every folder they are in.
fn remove_models(paths: &Paths, changes: &[Change]) -> Result<Vec<PathBuf>, InstallError> {
    for (models_dir, tags) in models_of(paths, changes)? {
        // In a folder of ours nobody else's pull can be under way.
        let ours = is_ours(paths, changes, &models_dir);
        Store::new(&models_dir).remove(&tags, ours)?;
    }
    Ok(Vec::new())
}

/// Whether a folder of models is ours alone: under the home, or made by us.
pub(in crate::install) fn is_ours(paths: &Paths, changes: &[Change], models_dir: &Path) -> bool {
    models_dir.starts_with(paths.home())
        || changes.iter().any(|change| matches!(change, Change::CreateFolder { path } if path == models_dir))
}

/// The models among changes, by the folder they are in, and in each the second name of what ACOLYTE is served. Folders
/// in which the server has only made itself at home are among them.
pub(in crate::install) fn models_of(
    paths: &Paths,
    changes: &[Change],
) -> Result<BTreeMap<PathBuf, Vec<String>>, InstallError> {
    let mut tags: BTreeMap<PathBuf, Vec<String>> = BTreeMap::from([(paths.models(), Vec::new())]);
    if let Some(asked) = SavedRequest::load(paths)? {
        tags.entry(asked.options.models_dir).or_default();
    }
    for change in changes {
        match change {
            Change::PullModel { tag: name, models_dir } | Change::CreateModel { name, models_dir } => {
                tags.entry(models_dir.clone()).or_default().push(name.clone());
            }
            _ => {}
        }
    }
    for tags in tags.values_mut() {
        tags.push(PREVIOUS_MODEL.to_owned());
    }
    tags.retain(|models_dir, _| models_dir.is_dir());
    Ok(tags)
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

/// Removes the files of a folder whose names begin so.
fn remove_matching(folder: &Path, prefix: &str) -> Result<(), FileError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
        if is_file && entry.file_name().to_string_lossy().starts_with(prefix) {
            files::remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes folders that were made, the innermost first, as far as they are empty; with `own` also every other folder of
/// ours.
pub(in crate::install) fn remove_folders(
    paths: &Paths,
    changes: &[Change],
    own: bool,
) -> Result<(), FileError> {
    let made = changes.iter().filter_map(|change| match change {
        Change::CreateFolder { path } => Some(path.clone()),
        _ => None,
    });
    let ours =
        [paths.programs(), paths.models(), paths.downloads(), paths.engines(), paths.logs(), paths.llm()];
    let mut folders: Vec<PathBuf> = made.chain(ours.into_iter().filter(|_| own)).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
    for folder in folders {
        if folder.is_dir() {
            files::remove_folder_if_empty(&folder)?;
        }
    }
    Ok(())
}

/// What is left under a home, the outermost first, save what was kept on purpose.
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
