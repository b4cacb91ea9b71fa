//! Everything an installation changes on the machine, and how it is reverted.
//!
//! A [`Change`] is written to the [`journal`] before it is applied. Failure, cancel, undo and uninstall are one fold
//! over the journal, backwards ([`rollback`]); they differ in their [`rollback::Scope`] only.

mod bounds;
pub mod journal;
mod kinds;
pub mod leftovers;
pub mod placed;
mod revert;
pub mod rollback;

use std::path::{Path, PathBuf};

pub use kinds::{Change, Subject};

use crate::install::Paths;
use crate::install::engine_manifest::EngineManifest;
use crate::install::login_entry;
use crate::install::private_server;
use crate::ollama::store::Store;
use crate::platform::files::{self, FileError, renaming};

impl Change {
    /// Applies a change that needs only the file system: a folder, or a backup of an engine.
    ///
    /// Files, downloads, models and servers are applied by the steps, which have their contents.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(super) fn apply(&self) -> Result<(), FileError> {
        match self {
            Self::CreateFolder { path } => files::create_folders(path).map(drop),
            Self::BackUpEngine { path, backup } => files::rename(path, backup).map_err(renaming(path)),
            _ => Ok(()),
        }
    }

    /// Whether the change, or part of it, is on the machine now.
    pub fn is_present(&self, paths: &Paths) -> bool {
        match self {
            Self::CreateFolder { path } => path.is_dir() || path.is_symlink(),
            Self::WriteFile { path } => path.exists() || files::temporary(path).exists(),
            Self::Download { path } => path.exists() || !partial_downloads(path).is_empty(),
            Self::UnpackEngine { path, staging, .. } => path.exists() || staging.exists(),
            Self::StartServer { .. } => private_server::is_running(paths),
            Self::PullModel { tag: name, models_dir } | Self::CreateModel { name, models_dir } => {
                Store::new(models_dir).manifest_path(name).exists()
            }
            Self::StartAtLogin => login_entry::is_installed(paths).unwrap_or(true),
            Self::BackUpEngine { backup, .. } => backup.exists(),
            Self::PlaceFile { path, sha256, .. } => {
                placed::is_ours(path, *sha256) || placed::backup(paths, path).exists()
            }
            Self::AddShellLine { path, added, .. } => placed::has_line(path, added),
            Self::AddToUserPath { folder } => placed::is_on_user_path(folder),
            Self::ListInstalledApp => placed::is_listed(paths),
        }
    }

    /// The files, and folders with everything in them, that reverting the change removes. They may be missing.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::WriteFile { path } => vec![path.clone(), files::temporary(path)],
            Self::Download { path } => [vec![path.clone()], partial_downloads(path)].concat(),
            Self::UnpackEngine { path, staging, .. } => vec![path.clone(), staging.clone()],
            Self::BackUpEngine { backup, .. } => vec![backup.clone()],
            Self::PlaceFile { path, sha256, .. } => {
                let ours = placed::is_ours(path, *sha256).then(|| path.clone());
                ours.into_iter().chain([files::temporary(path)]).collect()
            }
            Self::AddShellLine { .. }
            | Self::AddToUserPath { .. }
            | Self::ListInstalledApp
            | Self::CreateFolder { .. }
            | Self::StartServer { .. }
            | Self::PullModel { .. }
            | Self::CreateModel { .. }
            | Self::StartAtLogin => Vec::new(),
        }
    }

    /// What the change is about.
    pub fn describe(&self) -> Subject {
        match self {
            Self::CreateFolder { path } => Subject::Folder(path.clone()),
            Self::WriteFile { path } => Subject::Document(path.clone()),
            Self::Download { path } | Self::UnpackEngine { path, .. } => Subject::Path(path.clone()),
            Self::BackUpEngine { backup, .. } => Subject::Path(backup.clone()),
            Self::StartServer { .. } => Subject::Server,
            Self::PullModel { tag: name, models_dir } | Self::CreateModel { name, models_dir } => {
                Subject::Model { tag: name.clone(), bytes: Store::new(models_dir).bytes(name) }
            }
            Self::StartAtLogin => Subject::LoginEntry,
            Self::PlaceFile { path, .. } => Subject::Path(path.clone()),
            Self::AddShellLine { path, .. } => Subject::ShellLine(path.clone()),
            Self::AddToUserPath { .. } => Subject::UserPath,
            Self::ListInstalledApp => Subject::InstalledApp,
        }
    }

    /// Whether a running server uses what the change made, so that it must be stopped before the change is reverted.
    fn is_used_by_server(&self) -> bool {
        matches!(
            self,
            Self::UnpackEngine { .. }
                | Self::BackUpEngine { .. }
                | Self::StartServer { .. }
                | Self::PullModel { .. }
                | Self::CreateModel { .. }
        )
    }
}

/// Removes the files of an engine that its manifest lists, and the folders that become empty. Without a manifest it
/// removes the whole folder, which was created by one rename and is ours.
///
/// # Errors
/// When the file system refuses.
pub(super) fn remove_engine(folder: &Path) -> Result<(), FileError> {
    if folder.is_symlink() {
        return files::remove_folder_or_link(folder);
    }
    let Some(manifest) = EngineManifest::load(folder) else { return files::remove_folder(folder) };
    for file in manifest.files {
        // The manifest is not trusted: no path in it may lead out of the folder.
        if file.path.components().all(|part| matches!(part, std::path::Component::Normal(_))) {
            files::remove_file(&folder.join(file.path))?;
        }
    }
    files::remove_file(&EngineManifest::path(folder))?;
    remove_empty_tree(folder)
}

/// Removes the empty subfolders of a folder, and the folder itself if it is empty then.
fn remove_empty_tree(folder: &Path) -> Result<(), FileError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_tree(&entry.path())?;
        }
    }
    files::remove_folder_if_empty(folder).map(drop)
}

/// The files of an incomplete download next to its archive.
fn partial_downloads(archive: &Path) -> Vec<PathBuf> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    archive.parent().map_or_else(Vec::new, |folder| files_with_prefix(folder, &format!("{name}.")))
}

/// The files of a folder whose names begin with a prefix.
pub(super) fn files_with_prefix(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()))
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect()
}
