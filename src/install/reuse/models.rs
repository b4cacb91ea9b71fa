//! Layers of models in the folders of other Ollama servers.
//!
//! 1. The registry's manifest lists the layers of a model, or, if the registry cannot be reached and the user agrees, the
//!    other store's own manifest.
//! 2. A layer of the right length is linked, or copied if other users can change it, and our file is then hashed. The
//!    engine does not verify existing layers, so we must.
//! 3. When all layers are there, the manifest is written too, and nothing is pulled.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{link_or_copy, others_cannot_change};
use crate::control::Control;
use crate::models::ModelTag;
use crate::ollama::manifest::{Layer, StoredManifest};
use crate::ollama::store::{Store, StoreError};
use crate::platform::environment::Environment;
use crate::platform::files::{self, writing};
use crate::platform::regular;

/// What was reused, or can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReusedLayers {
    /// Bytes of the layers that need not be downloaded.
    pub bytes: u64,
    /// Whether the model is then complete.
    pub complete: bool,
}

/// Existing models folders of other Ollama servers, from the environment and the default places.
pub fn stores() -> Vec<PathBuf> {
    let mut folders = crate::hardware::engines::other_model_folders(&Environment::of_process());
    let mut seen = BTreeSet::new();
    folders.retain(|folder| {
        folder.join("blobs").is_dir() && std::fs::canonicalize(folder).is_ok_and(|real| seen.insert(real))
    });
    folders
}

/// What [`reuse_layers`] will reuse without a second copy of the bytes, and so without disk space, according to the other
/// store's manifest. Contacts no registry, reads no layer, and changes nothing.
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

/// Whether a file can be linked into a folder. Tries it, because that depends on the file system, the file's owner and
/// the kernel's settings.
fn can_share(file: &Path, folder: &Path) -> bool {
    let Ok(scratch) = tempfile::Builder::new().prefix(".link-").tempdir_in(folder) else { return false };
    let link = scratch.path().join("link");
    let linked = std::fs::hard_link(file, &link).is_ok() && others_cannot_change(&link);
    linked
        || regular::open_no_link(file)
            .is_ok_and(|file| files::clone(&file, &scratch.path().join("clone")).is_ok())
}

/// Whether a file can be cloned into a folder without a second copy of its bytes. Tries it.
pub fn can_clone(file: &Path, folder: &Path) -> bool {
    let Ok(scratch) = tempfile::Builder::new().prefix(".link-").tempdir_in(folder) else { return false };
    regular::open(file).is_ok_and(|file| files::clone(&file, &scratch.path().join("clone")).is_ok())
}

/// A model in another store.
#[derive(Clone, Debug)]
pub struct ModelInOtherStore {
    /// The store.
    pub folder: PathBuf,
    /// Its manifest of the model, unverified.
    pub manifest: StoredManifest,
}

/// The first of the other stores that has all layers of a model, according to its own manifest.
pub fn complete_in_other_store(tag: &ModelTag, others: &[PathBuf]) -> Option<ModelInOtherStore> {
    others.iter().find_map(|folder| {
        let store = Store::new(folder);
        let manifest = store.manifest(tag).filter(|_| store.has(tag))?;
        Some(ModelInOtherStore { folder: folder.clone(), manifest })
    })
}

/// Reuses the layers of a model that `manifest` names from other folders, under any model they belong to there. When all
/// of them are here then, the model is complete. Blocks while layers are read.
///
/// # Errors
/// When our folder cannot be written, or the user cancels. Another store that cannot be read is skipped.
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
    // Hash our file: the other one may change.
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
