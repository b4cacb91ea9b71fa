//! Layers of models in the folders of other Ollama servers.
//!
//! 1. Which layers a model has is told by a manifest that lies beside them, or by the registry's.
//! 2. A layer of the right length is hashed; the right one gets a second name in our folder, without a second copy of
//!    its bytes where the file system can. The engine does not check what it finds there, so we must.
//! 3. When all layers are there, and the manifest was on this computer, it comes along: then nothing is pulled at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::link_or_copy;
use crate::control::Control;
use crate::ollama::manifest::{Layer, Manifest};
use crate::ollama::store::{Store, StoreError};
use crate::platform::environment::Environment;
use crate::platform::files::{self, writing};

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

/// What [`reuse_layers`] will take over without a second copy of its bytes, and so needs no room for: nothing is read or
/// changed yet. Layers that only the registry could name are not counted.
pub fn reusable(tag: &str, ours: &Path, others: &[PathBuf]) -> ReusedLayers {
    let (store, real) = (Store::new(ours), std::fs::canonicalize(ours).ok());
    let mut best = ReusedLayers::default();
    for other in others.iter().filter(|other| std::fs::canonicalize(other).ok() != real) {
        let theirs = Store::new(other);
        let Some(stored) = theirs.manifest(tag) else { continue };
        let mut found = ReusedLayers { bytes: 0, complete: true };
        for layer in stored.manifest.blobs() {
            let linkable = || theirs.has_blob(layer) && can_link(&theirs.blob(layer.sha256), ours);
            if store.has_blob(layer) || linkable() {
                found.bytes += layer.size;
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

/// Whether a file can get a second name in a folder: only trying tells, because that depends on the file system, on whose
/// file it is and on the kernel's settings.
fn can_link(file: &Path, folder: &Path) -> bool {
    let Ok(scratch) = tempfile::Builder::new().prefix(".link-").tempdir_in(folder) else { return false };
    std::fs::hard_link(file, scratch.path().join("link")).is_ok()
}

/// Takes over the layers of a model from other folders. `published` are the layers in the registry's manifest, when it
/// was asked. Blocks for as long as the layers take to be read.
///
/// # Errors
/// When our folder cannot be written, or the user cancels. A folder of others that cannot be read has nothing.
pub fn reuse_layers(
    tag: &str,
    published: Option<&Manifest>,
    ours: &Path,
    others: &[PathBuf],
    control: &Control,
) -> Result<ReusedLayers, StoreError> {
    let (store, real) = (Store::new(ours), std::fs::canonicalize(ours).ok());
    let mut reused = ReusedLayers::default();
    for other in others {
        if std::fs::canonicalize(other).ok() == real || reused.complete {
            continue;
        }
        let other = Store::new(other);
        let stored = other.manifest(tag);
        let Some(manifest) = stored.as_ref().map(|stored| &stored.manifest).or(published) else { continue };
        let mut missing = 0;
        for layer in manifest.blobs().filter(|layer| !store.has_blob(layer)) {
            if take(&other, &store, layer, control)? {
                reused.bytes += layer.size;
            } else {
                missing += 1;
            }
        }
        if let (Some(stored), 0) = (stored, missing) {
            store.write_manifest(tag, &stored)?;
            reused.complete = true;
        }
    }
    Ok(reused)
}

/// Links or copies one layer if it is there and its content matches its checksum.
fn take(from: &Store, to: &Store, layer: &Layer, control: &Control) -> Result<bool, StoreError> {
    if !from.has_blob(layer) {
        return Ok(false);
    }
    let (from, to) = (from.blob(layer.sha256), to.blob(layer.sha256));
    let hash = files::sha256(&from, &|| control.is_cancelled());
    control.check()?;
    match hash {
        Ok(hash) if hash == layer.sha256 => {}
        Ok(_) => {
            tracing::warn!(path = %from.display(), "a layer of another server is damaged and is not used");
            return Ok(false);
        }
        Err(error) => {
            tracing::info!(%error, path = %from.display(), "a layer of another server cannot be read");
            return Ok(false);
        }
    }
    if let Some(folder) = to.parent() {
        files::create_folders(folder)?;
    }
    files::remove_file(&to)?;
    link_or_copy(&from, &to).map_err(writing(&to))?;
    Ok(true)
}
