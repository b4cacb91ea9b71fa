//! Layers of models in the folders of other Ollama servers.
//!
//! 1. Which layers a model has is told by a manifest that lies beside them, or by the registry's.
//! 2. A layer of the right length is hashed; the right one gets a second name in our folder, without a second copy of
//!    its bytes where the file system can. The engine does not check what it finds there, so we must.
//! 3. When all layers are there, and the manifest was on this computer, it comes along: then nothing is pulled at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::link_or_copy;
use crate::control::{Cancelled, Control};
use crate::install::fetch::{hash_file, hex};
use crate::install::store::{Store, StoredManifest};
use crate::platform::files::{self, FileError, at};

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
    let mut folders: Vec<PathBuf> = std::env::var_os("OLLAMA_MODELS")
        .filter(|set| !set.is_empty())
        .map(PathBuf::from)
        .into_iter()
        .collect();
    folders.extend(std::env::home_dir().map(|home| home.join(".ollama").join("models")));
    folders.extend(crate::hardware::system::system_model_folders());
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
        let Some(manifest) = theirs.manifest(tag) else { continue };
        let mut found = ReusedLayers { bytes: 0, complete: true };
        for (digest, bytes) in &manifest.layers {
            let is_whole = |blob: &PathBuf| blob.is_file() && files::length(blob) == *bytes;
            let here = store.blob(digest).is_some_and(|blob| is_whole(&blob));
            let linkable =
                || theirs.blob(digest).is_some_and(|blob| is_whole(&blob) && can_link(&blob, ours));
            if here || linkable() {
                found.bytes += bytes;
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
/// When our folder cannot be written, or the person stops it. A folder of others that cannot be read has nothing.
pub fn reuse_layers(
    tag: &str,
    published: Option<&[(String, u64)]>,
    ours: &Path,
    others: &[PathBuf],
    control: &Control,
) -> Result<Result<ReusedLayers, Cancelled>, FileError> {
    let (store, real) = (Store::new(ours), std::fs::canonicalize(ours).ok());
    let mut reused = ReusedLayers::default();
    for other in others {
        if std::fs::canonicalize(other).ok() == real || reused.complete {
            continue;
        }
        let other = Store::new(other);
        let manifest = other.manifest(tag);
        let layers = match (&manifest, published) {
            (Some(manifest), _) => manifest.layers.clone(),
            (None, Some(published)) => published.to_vec(),
            (None, None) => continue,
        };
        let mut missing = 0;
        for (digest, bytes) in &layers {
            let (Some(to), Some(from)) = (store.blob(digest), other.blob(digest)) else {
                missing += 1;
                continue;
            };
            if files::length(&to) == *bytes && to.is_file() {
                continue;
            }
            match take(&from, &to, digest, *bytes, control)? {
                Err(stopped) => return Ok(Err(stopped)),
                Ok(true) => reused.bytes += bytes,
                Ok(false) => missing += 1,
            }
        }
        if let (Some(manifest), 0) = (manifest, missing) {
            bring_manifest(&store, tag, &manifest)?;
            reused.complete = true;
        }
    }
    Ok(Ok(reused))
}

/// Takes one layer over if it is there and is what its name says.
fn take(
    from: &Path,
    to: &Path,
    digest: &str,
    bytes: u64,
    control: &Control,
) -> Result<Result<bool, Cancelled>, FileError> {
    if !from.is_file() || files::length(from) != bytes {
        return Ok(Ok(false));
    }
    let hash = hash_file(from, &|| control.is_cancelled());
    if let Err(stopped) = control.check() {
        return Ok(Err(stopped));
    }
    let wanted = digest.trim_start_matches("sha256").trim_start_matches([':', '-']);
    match hash {
        Ok(hash) if hex(&hash) == wanted.to_ascii_lowercase() => {}
        Ok(_) => {
            tracing::warn!(path = %from.display(), "a layer of another server is damaged and is not used");
            return Ok(Ok(false));
        }
        Err(error) => {
            tracing::info!(%error, path = %from.display(), "a layer of another server cannot be read");
            return Ok(Ok(false));
        }
    }
    if let Some(folder) = to.parent() {
        files::create_folders(folder)?;
    }
    files::remove_file(to)?;
    link_or_copy(from, to).map_err(at(to))?;
    Ok(Ok(true))
}

fn bring_manifest(store: &Store, tag: &str, manifest: &StoredManifest) -> Result<(), FileError> {
    let Some(path) = store.manifest_path(tag) else { return Ok(()) };
    if let Some(folder) = path.parent() {
        files::create_folders(folder)?;
    }
    files::write_whole(&path, &manifest.json)
}
