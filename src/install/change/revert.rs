//! How each change is reverted: to what was in force before, or to nothing.

use std::path::{Path, PathBuf};

use super::{Change, partial_downloads, remove_engine};
use crate::install::state::documents::{PREVIOUS_MODEL, SERVED_MODEL};
use crate::install::state::snapshot::Snapshot;
use crate::install::{InstallError, Paths, login_entry};
use crate::ollama::server::rotated_logs;
use crate::ollama::store::Store;
use crate::platform::files::{self, renaming};

/// What changes are reverted to.
pub(super) struct Target<'a> {
    pub paths: &'a Paths,
    /// What was in force before the changes; `None` to remove everything.
    pub before: Option<&'a Snapshot>,
    /// Whether models that were fetched or created stay.
    pub keep_models: bool,
    /// Model stores that our server may have used, with the fact that nobody else uses them.
    pub stores: Vec<(PathBuf, bool)>,
}

impl Target<'_> {
    fn is_ours(&self, models_dir: &Path) -> bool {
        self.stores.iter().any(|(folder, ours)| folder == models_dir && *ours)
    }

    /// Whether models in this folder stay.
    fn keeps(&self, folder: &Path) -> bool {
        self.serves_from(folder) || self.keep_models && self.stores.iter().any(|(store, _)| store == folder)
    }

    /// Whether the profile in force is served from this store.
    fn serves_from(&self, models_dir: &Path) -> bool {
        self.profile().is_some_and(|profile| profile.models_dir == *models_dir)
    }

    fn profile(&self) -> Option<&crate::install::ProfileFile> {
        self.before?.installed.as_ref().map(|installed| &installed.profile)
    }
}

impl Change {
    /// Reverts the change. `completed` tells whether the journal says that it was applied to its end. Reverting again is
    /// harmless. The server must not run from what is reverted.
    ///
    /// # Errors
    /// When something stays as it is; doing it again finishes it.
    pub(super) fn revert(&self, completed: bool, target: &Target<'_>) -> Result<(), InstallError> {
        match self {
            Self::CreateFolder { path } => {
                // A link in its place was put there since, to move its content: that content is not in our folder.
                if !path.is_symlink() || !target.keeps(path) {
                    files::remove_folder_or_link(path)?;
                }
            }
            Self::WriteFile { path } => match target.before {
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
            Self::SetAside { path, aside } if target.profile().is_some() => {
                if aside.exists() {
                    remove_engine(path)?;
                    // The files left here are not the engine's, and the restored engine did not have them either.
                    files::remove_folder(path)?;
                    std::fs::rename(aside, path).map_err(renaming(aside))?;
                }
            }
            Self::SetAside { aside, .. } => remove_engine(aside)?,
            // The fold stops the server before it reverts anything and starts the one in force at its end; here goes
            // what a server leaves behind.
            Self::StartServer { .. } => remove_server_files(target)?,
            Self::PullModel { tag, models_dir } => {
                let in_force = target.serves_from(models_dir)
                    && target.profile().is_some_and(|profile| profile.base_model == *tag);
                if !target.keep_models && !in_force {
                    Store::new(models_dir).remove(&[tag], target.is_ours(models_dir))?;
                }
            }
            Self::CreateModel { name, models_dir } if target.serves_from(models_dir) => {
                // The model in force was copied to its second name before its own name was given to another one.
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
            Self::StartAtLogin => match target.before.and_then(|before| before.login_launch(target.paths)) {
                Some(launch) => login_entry::install(target.paths, &launch)?,
                None => login_entry::remove(target.paths)?,
            },
        }
        Ok(())
    }
}

/// The state file, the engine's own folder and logs, and the folders it makes in a model store.
fn remove_server_files(target: &Target<'_>) -> Result<(), InstallError> {
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
