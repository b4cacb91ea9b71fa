//! Finds layers whose content does not match their name. After a power failure they can be truncated or zeroed, because
//! the engine renames a layer without syncing it, and later trusts its name.
//!
//! A layer's name is its SHA-256. Verifying reads the whole file, so it is done only after a problem: for unused layers
//! left by an interrupted run, and for a model that the engine cannot load. Damaged layers are removed and only they
//! are downloaded again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Store, StoreError};
use crate::checksum::Sha256;
use crate::control::Control;
use crate::models::ModelTag;
use crate::platform::files::{self, reading};

impl Store {
    /// Syncs a model's layers and manifest to the disk. Blocks.
    ///
    /// # Errors
    /// If a file cannot be synced, or the user cancels.
    pub fn sync(&self, tag: &ModelTag, control: &Control) -> Result<(), StoreError> {
        let manifest = self.manifest_path(tag);
        if !manifest.is_file() {
            return Ok(());
        }
        for path in self.layers_of(tag).into_keys().chain([manifest]) {
            control.check()?;
            files::sync_file(&path)?;
            for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.folder)) {
                files::sync_folder(folder);
            }
        }
        Ok(())
    }

    /// Removes layers of a model whose size differs from its manifest and, if the folder is ours, unused layers whose
    /// content does not match their name. Returns the number of removed layers.
    ///
    /// # Errors
    /// If a file cannot be read or removed, or the user cancels.
    pub fn remove_incomplete(
        &self,
        tag: &ModelTag,
        ours: bool,
        control: &Control,
    ) -> Result<usize, StoreError> {
        let mut removed = 0;
        for (path, (_, size)) in self.layers_of(tag) {
            if files::length(&path) != size {
                removed += remove(&path)?;
            }
        }
        if ours && let Some(used) = self.used_blobs() {
            for (path, sha256) in self.blobs().into_iter().filter(|(path, _)| !used.contains(path)) {
                if !verifies(&path, sha256, control)? {
                    removed += remove(&path)?;
                }
            }
        }
        Ok(removed)
    }

    /// Removes layers of these models whose content does not match their name; a shared layer is read once. Returns the
    /// number of removed layers.
    ///
    /// # Errors
    /// If a file cannot be read or removed, or the user cancels.
    pub fn remove_damaged(&self, tags: &[&ModelTag], control: &Control) -> Result<usize, StoreError> {
        let layers: BTreeMap<PathBuf, _> = tags.iter().flat_map(|tag| self.layers_of(tag)).collect();
        let mut removed = 0;
        for (path, (sha256, _)) in layers {
            if !verifies(&path, sha256, control)? {
                removed += remove(&path)?;
            }
        }
        Ok(removed)
    }

    /// A model's existing layers, with checksum and size from its manifest.
    fn layers_of(&self, tag: &ModelTag) -> BTreeMap<PathBuf, (Sha256, u64)> {
        let Some(stored) = self.manifest(tag) else { return BTreeMap::new() };
        let layers =
            stored.manifest.blobs().map(|layer| (self.blob(layer.sha256), (layer.sha256, layer.size)));
        layers.filter(|(path, _)| path.exists()).collect()
    }
}

fn verifies(path: &Path, sha256: Sha256, control: &Control) -> Result<bool, StoreError> {
    let hash = files::sha256(path, &|| control.is_cancelled());
    control.check()?;
    Ok(hash.map_err(reading(path))? == sha256)
}

fn remove(layer: &Path) -> Result<usize, StoreError> {
    tracing::warn!(path = %layer.display(), "a layer does not match its name and is downloaded again");
    files::remove_file(layer)?;
    Ok(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tag(text: &str) -> ModelTag {
        ModelTag::parse(text).unwrap()
    }

    /// A store with a model of two layers, and an unused layer.
    fn store() -> (tempfile::TempDir, Store, [PathBuf; 3]) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let contents = ["weights", "template", "left over"];
        let checksums = contents.map(|content| Sha256::of(content.as_bytes()));
        let paths = checksums.map(|sha256| store.blob(sha256));
        std::fs::create_dir(folder.path().join("blobs")).unwrap();
        for (path, content) in paths.iter().zip(contents) {
            std::fs::write(path, content).unwrap();
        }
        let layers: Vec<String> = (0..2)
            .map(|n| format!("{{\"digest\":\"sha256:{}\",\"size\":{}}}", checksums[n], contents[n].len()))
            .collect();
        let manifest = store.manifest_path(&tag("a:b"));
        std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        std::fs::write(manifest, format!("{{\"layers\":[{}]}}", layers.join(","))).unwrap();
        (folder, store, paths)
    }

    #[test]
    fn complete_layers_are_kept() {
        let (_folder, store, paths) = store();
        let control = Control::new();
        store.sync(&tag("a:b"), &control).unwrap();
        store.sync(&tag("not:there"), &control).unwrap();
        assert_eq!(store.remove_incomplete(&tag("a:b"), true, &control).unwrap(), 0);
        assert_eq!(store.remove_damaged(&[&tag("a:b"), &tag("a:b")], &control).unwrap(), 0);
        assert!(paths.iter().all(|path| path.exists()));
    }

    #[test]
    fn only_layers_damaged_by_a_power_failure_are_removed() {
        let (_folder, store, [weights, template, leftover]) = store();
        let control = Control::new();
        std::fs::write(&weights, "").unwrap();
        std::fs::write(&template, [0; 8]).unwrap();
        std::fs::write(&leftover, "left ove\0").unwrap();
        assert_eq!(store.remove_incomplete(&tag("a:b"), false, &control).unwrap(), 1, "one has another size");
        assert!(
            !weights.exists() && template.exists() && leftover.exists(),
            "a foreign folder is not searched"
        );
        assert_eq!(store.remove_incomplete(&tag("a:b"), true, &control).unwrap(), 1);
        assert!(!leftover.exists() && template.exists());
        assert_eq!(store.remove_damaged(&[&tag("a:b"), &tag("a:b")], &control).unwrap(), 1);
        assert!(!template.exists());
    }

    #[test]
    fn verifying_can_be_cancelled() {
        let (_folder, store, paths) = store();
        let control = Control::new();
        control.cancel();
        assert!(matches!(
            store.remove_incomplete(&tag("a:b"), true, &control),
            Err(StoreError::Cancelled(_))
        ));
        assert!(matches!(
            store.remove_damaged(&[&tag("a:b"), &tag("a:b")], &control),
            Err(StoreError::Cancelled(_))
        ));
        assert!(paths.iter().all(|path| path.exists()));
    }
}
