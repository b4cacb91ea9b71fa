//! Layers of models in the folders of other Ollama servers.
//!
//! 1. Which layers a model has is told by the registry's manifest, or, where the registry cannot be reached and the user
//!    agrees, by a manifest that lies beside them.
//! 2. A layer of the right length is linked, or copied where others can change it, and then hashed under our name. The
//!    engine does not check what it finds there, so we must.
//! 3. When all layers are there, the manifest is written too: then nothing is pulled at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{link_or_copy, only_ours_can_change};
use crate::control::Control;
use crate::models::ModelTag;
use crate::ollama::manifest::{Layer, StoredManifest};
use crate::ollama::store::{Store, StoreError};
use crate::platform::environment::Environment;
use crate::platform::files::{self, writing};
use crate::platform::regular;

/// What was found and taken over, or can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReusedLayers {
    /// Bytes of the layers that need not be downloaded now.
    pub bytes: u64,
    /// Whether the model is complete by that.
    pub complete: bool,
}

/// Folders in which other Ollama servers keep models, as the environment has them; those that exist.
pub fn stores() -> Vec<PathBuf> {
    let mut folders = crate::hardware::engines::other_model_folders(&Environment::of_process());
    let mut seen = BTreeSet::new();
    folders.retain(|folder| {
        folder.join("blobs").is_dir() && std::fs::canonicalize(folder).is_ok_and(|real| seen.insert(real))
    });
    folders
}

/// What [`reuse_layers`] will take over without a second copy of its bytes, and so needs no room for, as far as the manifest
/// beside the layers tells: nothing is asked, read or changed yet.
pub fn reusable(tag: &ModelTag, ours: &Path, others: &[PathBuf]) -> ReusedLayers {
    let (store, real) = (Store::new(ours), std::fs::canonicalize(ours).ok());
    let mut best = ReusedLayers::default();
    for other in others.iter().filter(|other| std::fs::canonicalize(other).ok() != real) {
        let theirs = Store::new(other);
        let Some(stored) = theirs.manifest(tag) else { continue };
        let mut found = ReusedLayers { bytes: 0, complete: true };
        for layer in stored.manifest.blobs() {
            let shareable = || theirs.has_blob(layer) && can_share(&theirs.blob(layer.sha256), ours);
            if store.has_blob(layer) || shareable() {
                found.bytes = found.bytes.saturating_add(layer.size);
            } else {
                found.complete = false;
            }
        }
        if found.complete || found.bytes > best.bytes {
            best = found;
        }
    }
    best
}

/// Whether a file can be in a folder as well without a second copy of its bytes: only trying tells, because that depends
/// on the file system, on whose file it is and on the kernel's settings.
fn can_share(file: &Path, folder: &Path) -> bool {
    let Ok(scratch) = tempfile::Builder::new().prefix(".link-").tempdir_in(folder) else { return false };
    let link = scratch.path().join("link");
    let linked = std::fs::hard_link(file, &link).is_ok() && only_ours_can_change(&link);
    linked
        || regular::open_no_link(file)
            .is_ok_and(|file| files::clone(&file, &scratch.path().join("clone")).is_ok())
}

/// A model that another store has.
#[derive(Clone, Debug)]
pub struct StoredElsewhere {
    /// The store.
    pub folder: PathBuf,
    /// Its manifest of the model, unverified.
    pub manifest: StoredManifest,
}

/// The first of the other stores that has all layers of a model, by its own manifest.
pub fn complete_elsewhere(tag: &ModelTag, others: &[PathBuf]) -> Option<StoredElsewhere> {
    others.iter().find_map(|folder| {
        let store = Store::new(folder);
        let manifest = store.manifest(tag).filter(|_| store.has(tag))?;
        Some(StoredElsewhere { folder: folder.clone(), manifest })
    })
}

/// Takes over the layers of a model that `manifest` names from other folders, whatever model they belong to there. When
/// all of them are here then, the model is complete. Blocks for as long as the layers take to be read.
///
/// # Errors
/// When our folder cannot be written, or the user cancels. A folder of others that cannot be read has nothing.
pub fn reuse_layers(
    tag: &ModelTag,
    manifest: &StoredManifest,
    ours: &Path,
    others: &[PathBuf],
    control: &Control,
) -> Result<ReusedLayers, StoreError> {
    let (store, real) = (Store::new(ours), std::fs::canonicalize(ours).ok());
    let mut reused = ReusedLayers::default();
    for other in others.iter().filter(|other| std::fs::canonicalize(other).ok() != real) {
        let other = Store::new(other);
        for layer in manifest.manifest.blobs() {
            if !store.has_blob(layer) && take(&other, &store, layer, control)? {
                reused.bytes = reused.bytes.saturating_add(layer.size);
            }
        }
    }
    let layers = &manifest.manifest.layers;
    if !layers.is_empty() && manifest.manifest.blobs().all(|layer| store.has_blob(layer)) {
        store.write_manifest(tag, manifest)?;
        reused.complete = true;
    }
    Ok(reused)
}

/// Links or copies one layer if it is there and its content matches its checksum.
fn take(from: &Store, to: &Store, layer: &Layer, control: &Control) -> Result<bool, StoreError> {
    if !from.has_blob(layer) {
        return Ok(false);
    }
    control.check()?;
    let (from, to) = (from.blob(layer.sha256), to.blob(layer.sha256));
    if let Err(error) = regular::open_no_link(&from) {
        tracing::info!(%error, path = %from.display(), "a layer of another server cannot be read");
        return Ok(false);
    }
    if let Some(folder) = to.parent() {
        files::create_folders(folder)?;
    }
    files::remove_file(&to)?;
    link_or_copy(&from, &to).map_err(writing(&to))?;
    // Hashed under our name: what lies under the other one may change meanwhile.
    let hash = files::sha256(&to, &|| control.is_cancelled());
    if hash.as_ref().is_ok_and(|hash| *hash == layer.sha256) {
        return Ok(true);
    }
    files::remove_file(&to)?;
    control.check()?;
    match hash {
        Ok(_) => {
            tracing::warn!(path = %from.display(), "a layer of another server is damaged and is not used")
        }
        Err(error) => {
            tracing::warn!(%error, path = %from.display(), "a layer of another server cannot be read")
        }
    }
    Ok(false)
}
