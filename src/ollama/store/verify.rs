//! Finds layers whose content does not match their name: truncated or zeroed by a power cut, because the engine renames
//! a layer before the disk has it, and trusts whatever has the right name ever after.
//!
//! A layer's name is its SHA-256. Verifying reads the whole file, so it runs only where something is known to have gone
//! wrong: on layers that no model names, left by an interrupted run, and on a model that the engine cannot use. What does
//! not match is removed, and only that is downloaded again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Store, StoreError};
use crate::checksum::Sha256;
use crate::control::Control;
use crate::models::ModelTag;
use crate::platform::files::{self, reading};

impl Store {
    /// Forces a model's layers and its manifest to disk. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// When a file cannot be synced, or the user cancels.
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

    /// Removes layers of a model whose size differs from its manifest and, when the folder is ours, layers that no model
    /// names and whose content does not match their name. Returns how many.
    ///
    /// # Errors
    /// When a file cannot be read or removed, or the user cancels.
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
        if ours {
            let used = self.used_blobs();
            for (path, sha256) in self.blobs().into_iter().filter(|(path, _)| !used.contains(path)) {
                if !verifies(&path, sha256, control)? {
                    removed += remove(&path)?;
                }
            }
        }
        Ok(removed)
    }

    /// Removes every layer of these models whose content does not match its name; a shared layer is read once. Returns
    /// how many.
    ///
    /// # Errors
    /// When a file cannot be read or removed, or the user cancels.
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

    /// The layers of a model that are on disk, with the checksum and size its manifest states.
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

    /// A store with a model of two layers, and a layer that no model names.
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
    fn complete_layers_stay() {
        let (_folder, store, paths) = store();
        let control = Control::new();
        store.sync(&tag("a:b"), &control).unwrap();
        store.sync(&tag("not:there"), &control).unwrap();
        assert_eq!(store.remove_incomplete(&tag("a:b"), true, &control).unwrap(), 0);
        assert_eq!(store.remove_damaged(&[&tag("a:b"), &tag("a:b")], &control).unwrap(), 0);
        assert!(paths.iter().all(|path| path.exists()));
    }

    #[test]
    fn leftovers_of_a_power_cut_are_removed_and_nothing_else() {
        let (_folder, store, [weights, template, leftover]) = store();
        let control = Control::new();
        std::fs::write(&weights, "").unwrap();
        std::fs::write(&template, [0; 8]).unwrap();
        std::fs::write(&leftover, "left ove\0").unwrap();
        assert_eq!(store.remove_incomplete(&tag("a:b"), false, &control).unwrap(), 1, "one has another size");
        assert!(
            !weights.exists() && template.exists() && leftover.exists(),
            "a folder of others is not searched"
        );
        assert_eq!(store.remove_incomplete(&tag("a:b"), true, &control).unwrap(), 1);
        assert!(!leftover.exists() && template.exists());
        assert_eq!(store.remove_damaged(&[&tag("a:b"), &tag("a:b")], &control).unwrap(), 1);
        assert!(!template.exists());
    }

    #[test]
    fn the_user_can_stop_it() {
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
