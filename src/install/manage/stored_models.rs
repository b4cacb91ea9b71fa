//! Models on the drive: which are there, what uses them, and removing those that nothing uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::install::change::Change;
use crate::install::change::journal::{Journal, changes};
use crate::install::change::rollback::is_ours;
use crate::install::manage::undo::is_unfinished;
use crate::install::state::documents::{PREVIOUS_MODEL, SERVED_MODEL};
use crate::install::{InstallError, Installed, KeptModel, Lock, Paths};
use crate::models::ModelTag;
use crate::ollama::store::Store;

/// A model in a store that our server uses or used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelOnDrive {
    /// Its tag.
    pub tag: ModelTag,
    /// The model store it is in.
    pub models_dir: PathBuf,
    /// Bytes of its layers; of the served model only those that it does not share with the one it was made from.
    pub bytes: u64,
    /// What uses it.
    pub used_by: ModelUse,
}

/// What uses a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelUse {
    /// ACOLYTE: it is served.
    Served,
    /// The served model was made from it.
    Base,
    /// Nothing: it can be removed.
    Nothing,
    /// It is not ours, or another Ollama uses its store. It stays.
    Others,
}

/// Every model in the stores that our server uses or used, by use and tag.
///
/// # Errors
/// When nothing is installed, or a document cannot be read.
pub fn stored_models(home: &Path) -> Result<Vec<ModelOnDrive>, InstallError> {
    let paths = Paths::new(home);
    let installed = Installed::load(home)?;
    let profile = installed.ok_or_else(|| InstallError::NotInstalled { home: home.to_owned() })?.profile;
    let changes = changes(&Journal::read(&paths)?);
    let pulled = changes.iter().filter_map(|change| match change {
        Change::PullModel { tag, models_dir } => Some((tag, models_dir)),
        _ => None,
    });
    let pulled: BTreeSet<(&str, &Path)> =
        pulled.map(|(tag, models_dir)| (tag.as_str(), models_dir.as_path())).collect();
    let mut stores: BTreeSet<&Path> = pulled.iter().map(|(_, models_dir)| *models_dir).collect();
    stores.insert(&profile.models_dir);
    let mut found = Vec::new();
    for models_dir in stores {
        let (store, is_ours) = (Store::new(models_dir), is_ours(&changes, models_dir));
        let is_active = models_dir == profile.models_dir;
        let base = store.manifest(&profile.base_model);
        for (tag, manifest) in store.models().into_iter().filter(|(tag, _)| *tag != PREVIOUS_MODEL) {
            let used_by = match () {
                () if is_active && tag == SERVED_MODEL => ModelUse::Served,
                () if is_active && tag == profile.base_model => ModelUse::Base,
                () if is_ours && pulled.contains(&(tag.as_str(), models_dir)) => ModelUse::Nothing,
                () => ModelUse::Others,
            };
            let is_shared = |sha256| {
                let mut blobs = base.iter().flat_map(|base| base.manifest.blobs());
                used_by == ModelUse::Served && blobs.any(|blob| blob.sha256 == sha256)
            };
            let own = manifest.blobs().filter(|blob| !is_shared(blob.sha256));
            let bytes = own.map(|blob| blob.size).sum();
            found.push(ModelOnDrive { tag, models_dir: models_dir.to_owned(), bytes, used_by });
        }
    }
    found.sort_by_cached_key(|model| (model.used_by, model.tag.as_str().to_owned()));
    Ok(found)
}

/// Removes a model that nothing uses. Layers that it shares with others stay. Returns the bytes freed.
///
/// # Errors
/// When it is not there, is used, or is not ours; when an installation was interrupted, whose state before may need it; when
/// a file cannot be removed.
pub fn remove_model(home: &Path, tag: &ModelTag) -> Result<u64, InstallError> {
    let paths = Paths::new(home);
    let kept = |why| InstallError::ModelKept { model: tag.clone(), why };
    if is_unfinished(&paths)? {
        return Err(InstallError::InterruptedBefore { home: home.to_owned() });
    }
    stored_models(home)?;
    let _lock = Lock::take(&paths.lock(), paths.home())?;
    // Read again: nothing else changes while the lock is held.
    let found: Vec<ModelOnDrive> =
        stored_models(home)?.into_iter().filter(|model| model.tag == *tag).collect();
    let unused: Vec<&ModelOnDrive> =
        found.iter().filter(|model| model.used_by == ModelUse::Nothing).collect();
    if unused.is_empty() {
        let in_use = found.iter().any(|model| matches!(model.used_by, ModelUse::Served | ModelUse::Base));
        return Err(kept(match found.is_empty() {
            true => KeptModel::Missing,
            false if in_use => KeptModel::InUse,
            false => KeptModel::NotOurs,
        }));
    }
    let mut freed = 0;
    for model in unused {
        freed += Store::new(&model.models_dir).remove(&[&model.tag], false)?;
    }
    Ok(freed)
}
