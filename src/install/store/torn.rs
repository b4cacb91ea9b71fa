//! Layers that are not what their name says: cut short or emptied by a power cut, because the engine renames a layer
//! before the disk has it, and takes whatever lies under the right name on trust ever after.
//!
//! A layer's name is its SHA-256, so it can be held against itself. That reads all of it, so it is done where something
//! is known to have gone wrong: for layers that no model names, left by a run that was cut short, and for a model that
//! the engine cannot use. What is wrong is removed, and only that is fetched again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Store, read_manifest};
use crate::control::Control;
use crate::install::InstallError;
use crate::install::fetch::{hash_file, hex};
use crate::platform::files::{self, at};

impl Store {
    /// Has the disk keep a model: what its manifest names, and the manifest itself. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// What the system says; the person's own decision.
    pub fn make_last(&self, tag: &str, control: &Control) -> Result<(), InstallError> {
        let Some(manifest) = self.manifest_path(tag).filter(|path| path.is_file()) else { return Ok(()) };
        for path in self.layers_of(tag).into_iter().map(|(path, _)| path).chain([manifest]) {
            control.check()?;
            files::sync_file(&path)?;
            for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.folder)) {
                files::sync_folder(folder);
            }
        }
        Ok(())
    }

    /// Removes layers of a model that have another length than its manifest says, and, where the folder is ours, layers
    /// that no model names and that are not what their name says. Gives back how many.
    ///
    /// # Errors
    /// What the system says; the person's own decision.
    pub fn remove_torn(&self, tag: &str, ours: bool, control: &Control) -> Result<usize, InstallError> {
        let mut torn: BTreeSet<PathBuf> = self
            .layers_of(tag)
            .into_iter()
            .filter(|(path, bytes)| files::length(path) != *bytes)
            .map(|it| it.0)
            .collect();
        if ours {
            let named: BTreeSet<PathBuf> = self
                .manifests()
                .iter()
                .filter_map(|path| read_manifest(path))
                .flat_map(|manifest| {
                    manifest.all().filter_map(|layer| self.blob(&layer.digest)).collect::<Vec<_>>()
                })
                .collect();
            let unnamed = self.blob_names().into_iter().map(|name| self.blobs().join(name));
            for path in unnamed.filter(|path| !named.contains(path)) {
                if !is_what_it_says(&path, control)? {
                    torn.insert(path);
                }
            }
        }
        remove(&torn)
    }

    /// Removes every layer of these models that is not what its name says; one they share is read once. Gives back how
    /// many.
    ///
    /// # Errors
    /// What the system says; the person's own decision.
    pub fn remove_damaged(&self, tags: &[&str], control: &Control) -> Result<usize, InstallError> {
        let layers: BTreeSet<PathBuf> =
            tags.iter().flat_map(|tag| self.layers_of(tag)).map(|(path, _)| path).collect();
        let mut damaged = BTreeSet::new();
        for path in layers {
            if !is_what_it_says(&path, control)? {
                damaged.insert(path);
            }
        }
        remove(&damaged)
    }

    /// The layers of a model that are there, with the length its manifest says.
    fn layers_of(&self, tag: &str) -> Vec<(PathBuf, u64)> {
        let manifest = self.manifest_path(tag).and_then(|path| read_manifest(&path));
        let Some(manifest) = manifest else { return Vec::new() };
        let layers = manifest.all().filter_map(|layer| Some((self.blob(&layer.digest)?, layer.size)));
        layers.filter(|(path, _)| path.exists()).collect()
    }
}

fn is_what_it_says(path: &Path, control: &Control) -> Result<bool, InstallError> {
    let hash = hash_file(path, &|| control.is_cancelled());
    control.check()?;
    let hash = hash.map_err(at(path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Ok(name == format!("sha256-{}", hex(&hash)))
}

fn remove(layers: &BTreeSet<PathBuf>) -> Result<usize, InstallError> {
    for path in layers {
        tracing::warn!(path = %path.display(), "a layer is not what its name says and is fetched again");
        files::remove_file(path)?;
    }
    Ok(layers.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// A store with a model of two layers, and a layer that no model names.
    fn store() -> (tempfile::TempDir, Store, [PathBuf; 3]) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let contents = ["weights", "template", "left over"];
        let digests = contents.map(|content| format!("sha256:{}", hex(&Sha256::digest(content).into())));
        let paths = digests.clone().map(|digest| store.blob(&digest).unwrap());
        std::fs::create_dir(folder.path().join("blobs")).unwrap();
        for (path, content) in paths.iter().zip(contents) {
            std::fs::write(path, content).unwrap();
        }
        let layers: Vec<String> = (0..2)
            .map(|n| format!("{{\"digest\":\"{}\",\"size\":{}}}", digests[n], contents[n].len()))
            .collect();
        let manifest = store.manifest_path("a:b").unwrap();
        std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        std::fs::write(manifest, format!("{{\"layers\":[{}]}}", layers.join(","))).unwrap();
        (folder, store, paths)
    }

    #[test]
    fn whole_layers_stay() {
        let (_folder, store, paths) = store();
        let control = Control::new();
        store.make_last("a:b", &control).unwrap();
        store.make_last("not:there", &control).unwrap();
        assert_eq!(store.remove_torn("a:b", true, &control).unwrap(), 0);
        assert_eq!(store.remove_damaged(&["a:b", "a:b"], &control).unwrap(), 0);
        assert!(paths.iter().all(|path| path.exists()));
    }

    #[test]
    fn what_a_power_cut_left_is_removed_and_nothing_else() {
        let (_folder, store, [weights, template, left]) = store();
        let control = Control::new();
        std::fs::write(&weights, "").unwrap();
        std::fs::write(&template, [0; 8]).unwrap();
        std::fs::write(&left, "left ove\0").unwrap();
        assert_eq!(store.remove_torn("a:b", false, &control).unwrap(), 1, "one has another length");
        assert!(
            !weights.exists() && template.exists() && left.exists(),
            "a folder of others is not searched"
        );
        assert_eq!(store.remove_torn("a:b", true, &control).unwrap(), 1);
        assert!(!left.exists() && template.exists());
        assert_eq!(store.remove_damaged(&["a:b", "a:b"], &control).unwrap(), 1);
        assert!(!template.exists());
    }

    #[test]
    fn the_person_can_stop_it() {
        let (_folder, store, paths) = store();
        let control = Control::new();
        control.cancel();
        assert!(store.remove_torn("a:b", true, &control).unwrap_err().is_cancelled());
        assert!(store.remove_damaged(&["a:b", "a:b"], &control).unwrap_err().is_cancelled());
        assert!(paths.iter().all(|path| path.exists()));
    }
}
