//! How each change is reverted: to the previous state, or to nothing.

use std::path::{Path, PathBuf};

use super::{Change, partial_downloads, placed, remove_engine};
use crate::install::state::REHEARSAL_FILE;
use crate::install::state::documents::{PREVIOUS_MODEL, SERVED_MODEL};
use crate::install::state::snapshot::Snapshot;
use crate::install::{InstallError, Paths, login_entry};
use crate::ollama::server::rotated_logs;
use crate::ollama::store::Store;
use crate::platform::files::{self, renaming};
use crate::platform::shell_profile;

/// The state that changes are reverted to.
pub(super) struct RevertTarget<'a> {
    pub paths: &'a Paths,
    /// The state before the changes; `None` to remove everything.
    pub snapshot: Option<&'a Snapshot>,
    /// Whether models that were fetched or created stay.
    pub keep_models: bool,
    /// Model stores that our server may have used, each with whether only ours uses it.
    pub stores: Vec<(PathBuf, bool)>,
}

impl RevertTarget<'_> {
    fn is_ours(&self, models_dir: &Path) -> bool {
        self.stores.iter().any(|(folder, ours)| folder == models_dir && *ours)
    }

    /// Whether models in this folder stay.
    fn keeps(&self, folder: &Path) -> bool {
        self.serves_from(folder) || self.keep_models && self.stores.iter().any(|(store, _)| store == folder)
    }

    /// Whether the active profile is served from this store.
    fn serves_from(&self, models_dir: &Path) -> bool {
        self.profile().is_some_and(|profile| profile.models_dir == *models_dir)
    }

    fn profile(&self) -> Option<&crate::install::ProfileFile> {
        self.snapshot?.installed.as_ref().map(|installed| &installed.profile)
    }
}

impl Change {
    /// Reverts the change. `completed`: whether the journal records that it was completed. Idempotent. The server must not
    /// use what is reverted.
    ///
    /// # Errors
    /// When something could not be reverted; calling it again finishes it.
    pub(super) fn revert(&self, completed: bool, target: &RevertTarget<'_>) -> Result<(), InstallError> {
        match self {
            Self::CreateFolder { path } => {
                // A link in its place was created since, to move its content elsewhere: that content is not in our folder.
                // One in place of the home is needed for the rest.
                if !path.is_symlink() || !target.keeps(path) && path != target.paths.home() {
                    // What a killed rehearsal left.
                    files::remove_file(&path.join(REHEARSAL_FILE))?;
                    files::remove_file(&files::temporary(&path.join(REHEARSAL_FILE)))?;
                    files::remove_folder_or_link(path)?;
                }
            }
            Self::WriteFile { path } => match target.snapshot {
                Some(before) => before.restore(target.paths, path)?,
                None => {
                    files::remove_file(path)?;
                    files::remove_file(&files::temporary(path))?;
                }
            },
            Self::Download { path } => {
                for path in partial_downloads(path).iter().chain([path]) {
                    files::remove_file(path)?;
                }
            }
            Self::UnpackEngine { path, staging, .. } => {
                files::remove_folder(staging)?;
                let in_force =
                    target.profile().is_some_and(|profile| profile.engine_program.starts_with(path));
                if !in_force {
                    remove_engine(path)?;
                }
            }
            Self::BackUpEngine { path, backup } if target.profile().is_some() => {
                if backup.exists() {
                    remove_engine(path)?;
                    // The remaining files belong neither to this engine nor to the restored one.
                    files::remove_folder(path)?;
                    files::rename(backup, path).map_err(renaming(backup))?;
                }
            }
            Self::BackUpEngine { backup, .. } => remove_engine(backup)?,
            // The fold stops the server first and starts the previous one at its end; here the files that a server
            // leaves are removed.
            Self::StartServer { .. } => remove_server_files(target)?,
            Self::PullModel { tag, models_dir } => {
                let in_force = target.serves_from(models_dir)
                    && target.profile().is_some_and(|profile| profile.base_model == *tag);
                if !target.keep_models && !in_force {
                    Store::new(models_dir).remove(&[tag], target.is_ours(models_dir))?;
                }
            }
            Self::CreateModel { name, models_dir } if target.serves_from(models_dir) => {
                // The active model was copied to its second name before its own name was reassigned.
                if *name == PREVIOUS_MODEL {
                    if completed {
                        Store::new(models_dir).rename(&PREVIOUS_MODEL, &SERVED_MODEL)?;
                    } else {
                        Store::new(models_dir).remove(&[&PREVIOUS_MODEL], false)?;
                    }
                }
            }
            Self::CreateModel { name, models_dir } => {
                if !target.keep_models {
                    Store::new(models_dir).remove(&[name], target.is_ours(models_dir))?;
                }
            }
            Self::PlaceFile { path, sha256, existed } => {
                placed::revert(target.paths, path, *sha256, *existed, target.snapshot.is_some())?;
            }
            Self::AddShellLine { path, added, created } => {
                shell_profile::remove_line(path, added, *created)?;
            }
            Self::AddToUserPath { folder } => placed::remove_from_user_path(folder)?,
            Self::ListInstalledApp => placed::list_again(target.paths, target.snapshot.is_some())?,
            Self::StartAtLogin => {
                match target.snapshot.and_then(|before| before.login_launch(target.paths)) {
                    Some(launch) => {
                        let watch = target.profile().is_some_and(|profile| profile.watch);
                        login_entry::install(target.paths, &launch, watch)?;
                    }
                    None => login_entry::remove(target.paths)?,
                }
            }
        }
        Ok(())
    }
}

/// The state file, the engine's own folder and logs, and the folders it makes in a model store.
fn remove_server_files(target: &RevertTarget<'_>) -> Result<(), InstallError> {
    if target.profile().is_some() {
        return Ok(());
    }
    let paths = target.paths;
    files::remove_file(&paths.server_state())?;
    files::remove_folder(&paths.engine_home())?;
    for log in rotated_logs(&paths.server_log()) {
        files::remove_file(&log)?;
    }
    if !target.keep_models {
        for (folder, ours) in target.stores.iter().filter(|(folder, _)| folder.is_dir()) {
            Store::new(folder).remove(&[&PREVIOUS_MODEL], *ours)?;
        }
    }
    Ok(())
}
