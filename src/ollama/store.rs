//! The engine's model store, read and cleaned without the engine.
//!
//! `manifests/HOST/NAMESPACE/NAME/TAG` is a small JSON file that lists the model's layers; `blobs/sha256-…` are the
//! layers, shared between models; `blobs/sha256-…-partial*` are the partial files of unfinished pulls.

mod fingerprint;
mod import;
mod verify;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use fingerprint::{Difference, Fingerprint, LayerStamp};
pub use import::{ImportError, require_unchanged};

use crate::checksum::Sha256;
use crate::control::Cancelled;
use crate::models::ModelTag;
use crate::ollama::manifest::{Layer, Manifest, StoredManifest};
use crate::platform::files::{self, FileError, renaming};
use crate::platform::regular;

/// Upper limit of a manifest; usual ones are a few kilobytes.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Upper limit of listed models.
const MAX_LISTED_MODELS: usize = 2_000;
/// Upper limit of entries on one level of a store's manifests. Links back into the store multiply without end.
const MAX_ENTRIES: usize = 20_000;

/// A model store.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// Why verifying or syncing a model failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file could not be read, synced or removed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Cancelled by the user.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Store {
    /// The store in this folder, which need not exist.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Whether a model and all its layers exist. Compares sizes, not checksums.
    pub fn has(&self, tag: &ModelTag) -> bool {
        self.manifest(tag).is_some_and(|stored| self.is_complete(&stored.manifest))
    }

    /// Size of a model's layers in bytes; 0 if it does not exist.
    pub fn bytes(&self, tag: &ModelTag) -> u64 {
        self.manifest(tag).map_or(0, |stored| stored.manifest.blobs().map(|blob| blob.size).sum())
    }

    /// Complete models sorted by tag, at most 2,000. Files that are not manifests are skipped.
    pub fn models(&self) -> Vec<(ModelTag, Manifest)> {
        let mut models: Vec<_> = self
            .manifest_files()
            .iter()
            .take(MAX_LISTED_MODELS)
            .filter_map(|path| {
                let (tag, manifest) = (tag_of(path)?, read(path)?.manifest);
                self.is_complete(&manifest).then_some((tag, manifest))
            })
            .collect();
        models.sort_by_cached_key(|(tag, _)| tag.as_str().to_owned());
        models
    }

    /// Size on disk of the partial files of unfinished pulls, in bytes.
    pub fn partial_bytes(&self) -> u64 {
        self.partials()
            .iter()
            .filter_map(|path| path.metadata().ok())
            .map(|metadata| allocated(&metadata))
            .sum()
    }

    /// Renames a model and replaces an existing one. Returns false if the model has no readable manifest.
    ///
    /// # Errors
    /// If a file or folder cannot be changed.
    pub fn rename(&self, from: &ModelTag, to: &ModelTag) -> Result<bool, FileError> {
        let (from_path, to_path) = (self.manifest_path(from), self.manifest_path(to));
        if read(&from_path).is_none() {
            return Ok(false);
        }
        let folder = to_path.parent().unwrap_or(&self.folder);
        files::create_folders(folder)?;
        files::rename(&from_path, &to_path).map_err(renaming(&from_path))?;
        self.remove_empty_parents(&from_path)?;
        Ok(true)
    }

    /// Removes models and their unshared layers. With `sweep`, also unused layers and partial files; only for a store
    /// of ours. Returns the freed bytes.
    ///
    /// # Errors
    /// If a file or folder cannot be removed.
    pub fn remove(&self, tags: &[&ModelTag], sweep: bool) -> Result<u64, FileError> {
        let mut candidates = BTreeSet::new();
        for path in tags.iter().map(|tag| self.manifest_path(tag)) {
            // An unreadable manifest is removed too; its layers are unknown.
            if let Some(stored) = read(&path) {
                candidates.extend(stored.manifest.blobs().map(|blob| self.blob(blob.sha256)));
            }
            files::remove_file(&path)?;
            self.remove_empty_parents(&path)?;
        }
        if sweep {
            candidates.extend(self.blobs().into_iter().map(|(path, _)| path));
        }
        // What might be in use stays.
        let unused = match self.used_blobs() {
            Some(used) => candidates.difference(&used).cloned().collect(),
            None => BTreeSet::new(),
        };
        let mut freed = 0;
        // What a killed import left, also in a store that is not ours alone.
        files::remove_file(&self.temporary())?;
        for path in &unused {
            freed += files::length(path);
            files::remove_file(path)?;
        }
        if sweep {
            for path in self.partials() {
                freed += path.metadata().map_or(0, |metadata| allocated(&metadata));
                files::remove_file(&path)?;
            }
        }
        for folder in self.parts() {
            files::remove_folder_if_empty(&folder)?;
        }
        Ok(freed)
    }

    /// A model's manifest; `None` if it does not exist or is invalid.
    pub fn manifest(&self, tag: &ModelTag) -> Option<StoredManifest> {
        read(&self.manifest_path(tag))
    }

    /// Writes the manifest of another store's model. Its layers must exist already.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_manifest(&self, tag: &ModelTag, manifest: &StoredManifest) -> Result<(), FileError> {
        self.write_manifest_json(tag, &manifest.json)
    }

    fn write_manifest_json(&self, tag: &ModelTag, json: &[u8]) -> Result<(), FileError> {
        let path = self.manifest_path(tag);
        if let Some(folder) = path.parent() {
            files::create_folders(folder)?;
        }
        files::write_whole(&path, json)
    }

    /// The file of a layer, which need not exist.
    pub fn blob(&self, sha256: Sha256) -> PathBuf {
        self.blob_folder().join(format!("sha256-{sha256}"))
    }

    /// Whether a layer exists with its full size.
    pub fn has_blob(&self, layer: &Layer) -> bool {
        self.blob(layer.sha256).metadata().is_ok_and(|file| file.is_file() && file.len() == layer.size)
    }

    /// The file of a model's manifest, which need not exist.
    pub fn manifest_path(&self, tag: &ModelTag) -> PathBuf {
        let parts = [tag.host(), tag.namespace(), tag.name(), tag.tag()];
        parts.iter().fold(self.manifest_folder(), |path, part| path.join(part))
    }

    fn is_complete(&self, manifest: &Manifest) -> bool {
        !manifest.layers.is_empty() && manifest.blobs().all(|layer| self.has_blob(layer))
    }

    fn blob_folder(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    fn manifest_folder(&self) -> PathBuf {
        self.folder.join("manifests")
    }

    /// Files four levels below `manifests`.
    fn manifest_files(&self) -> Vec<PathBuf> {
        self.some_manifest_files().0
    }

    /// The same, and whether these are all.
    fn some_manifest_files(&self) -> (Vec<PathBuf>, bool) {
        let (mut level, mut are_all) = (vec![self.manifest_folder()], true);
        for _ in 0..4 {
            level = level.iter().flat_map(|folder| entries(folder)).take(MAX_ENTRIES + 1).collect();
            are_all &= level.len() <= MAX_ENTRIES;
            level.truncate(MAX_ENTRIES);
        }
        level.retain(|path| path.is_file());
        (level, are_all)
    }

    /// Layers that any model uses; `None` if there are too many manifests to tell. Where the folder of layers is a link, the
    /// store it leads to uses them too.
    fn used_blobs(&self) -> Option<BTreeSet<PathBuf>> {
        let (mut manifests, mut are_all) = self.some_manifest_files();
        if let Some(shared) = self.store_of_linked_blobs() {
            let (theirs, are_all_theirs) = shared.some_manifest_files();
            manifests.extend(theirs);
            are_all &= are_all_theirs;
        }
        if !are_all {
            return None;
        }
        let layers = manifests.iter().filter_map(|path| read(path)).flat_map(|stored| {
            let blobs: Vec<Sha256> = stored.manifest.blobs().map(|blob| blob.sha256).collect();
            blobs
        });
        Some(layers.map(|sha256| self.blob(sha256)).collect())
    }

    /// Whether the store, its layers or its manifests are elsewhere, behind a link: what else is there is not ours.
    pub fn is_linked(&self) -> bool {
        [self.folder.clone(), self.blob_folder(), self.manifest_folder()].iter().any(|part| part.is_symlink())
    }

    /// Its folders of layers and manifests, which need not exist.
    pub fn parts(&self) -> [PathBuf; 2] {
        [self.blob_folder(), self.manifest_folder()]
    }

    fn store_of_linked_blobs(&self) -> Option<Self> {
        let blobs = self.blob_folder();
        let target = blobs.is_symlink().then(|| std::fs::canonicalize(&blobs).ok()).flatten()?;
        target.parent().map(Self::new)
    }

    /// Complete layers, with the checksum in their names. Other files are ignored.
    fn blobs(&self) -> Vec<(PathBuf, Sha256)> {
        let named = |path: PathBuf| {
            let sha256 = path.file_name()?.to_str()?.strip_prefix("sha256-")?.parse().ok()?;
            Some((path, sha256))
        };
        children(&self.blob_folder()).into_iter().filter_map(named).collect()
    }

    fn partials(&self) -> Vec<PathBuf> {
        let is_partial = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("sha256-") && name.contains("-partial"))
        };
        children(&self.blob_folder()).into_iter().filter(is_partial).collect()
    }

    fn remove_empty_parents(&self, path: &Path) -> Result<(), FileError> {
        let top = self.manifest_folder();
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&top)) {
            if folder.exists() && !files::remove_folder_if_empty(folder)? {
                break;
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Option<StoredManifest> {
    let json = regular::read(path, MAX_MANIFEST_BYTES).ok()?;
    let manifest = serde_json::from_slice(&json).ok()?;
    Some(StoredManifest { json, manifest })
}

/// The tag of `…/HOST/NAMESPACE/NAME/TAG`.
fn tag_of(manifest: &Path) -> Option<ModelTag> {
    let mut parts = manifest.iter().rev().map(|part| part.to_str());
    let (tag, name, namespace, host) = (parts.next()??, parts.next()??, parts.next()??, parts.next()??);
    ModelTag::parse(&format!("{host}/{namespace}/{name}:{tag}")).ok()
}

fn children(folder: &Path) -> Vec<PathBuf> {
    entries(folder).collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok().map(|entry| entry.path()))
}

/// Bytes that a file occupies. Its length is not usable, because the engine creates files at full length before the
/// download.
fn allocated(metadata: &std::fs::Metadata) -> u64 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        metadata.blocks() * 512
    }
    #[cfg(not(unix))]
    metadata.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tag(text: &str) -> ModelTag {
        ModelTag::parse(text).unwrap()
    }

    fn checksum(n: u8) -> Sha256 {
        [n; 32].into()
    }

    struct StoreBench {
        folder: tempfile::TempDir,
    }

    impl StoreBench {
        fn new() -> Self {
            let bench = Self { folder: tempfile::tempdir().unwrap() };
            files::create_folders(&bench.folder.path().join("blobs")).unwrap();
            bench
        }

        fn store(&self) -> Store {
            Store::new(self.folder.path())
        }

        fn model(&self, name: &str, layers: &[u8]) {
            let layer = |n: &u8| format!("{{\"digest\":\"sha256:{}\",\"size\":{n}}}", checksum(*n));
            let list: Vec<String> = layers.iter().map(layer).collect();
            let path = self.store().manifest_path(&tag(name));
            files::create_folders(path.parent().unwrap()).unwrap();
            std::fs::write(&path, format!("{{\"schemaVersion\":2,\"layers\":[{}]}}", list.join(",")))
                .unwrap();
            layers.iter().for_each(|n| self.blob(&format!("sha256-{}", checksum(*n)), (*n).into()));
        }

        fn blob(&self, name: &str, bytes: usize) {
            std::fs::write(self.folder.path().join("blobs").join(name), vec![0; bytes]).unwrap();
        }

        fn blobs(&self) -> Vec<Sha256> {
            let mut blobs: Vec<Sha256> = self.store().blobs().iter().map(|(_, sha256)| *sha256).collect();
            blobs.sort();
            blobs
        }
    }

    /// Links that lead back into the store would be a hundred million manifests.
    #[cfg(unix)]
    #[test]
    fn manifests_that_multiply_through_links_are_not_counted_and_cost_no_layer() {
        let bench = StoreBench::new();
        bench.model("mine:latest", &[4]);
        let store = bench.store();
        let manifests = bench.folder.path().join("manifests");
        for n in 0..100 {
            std::os::unix::fs::symlink(".", manifests.join(format!("link{n}"))).unwrap();
        }
        let (listed, are_all) = store.some_manifest_files();
        assert!(listed.len() <= MAX_ENTRIES && !are_all);
        assert!(store.models().len() <= MAX_LISTED_MODELS);
        assert_eq!(store.remove(&[&tag("mine:latest")], true).unwrap(), 0, "others may use its layers");
        assert!(store.blob(checksum(4)).exists());
    }

    #[test]
    fn a_model_exists_only_with_all_its_layers() {
        let bench = StoreBench::new();
        let store = bench.store();
        assert!(!store.has(&tag("qwen2.5-coder:7b")));
        bench.model("qwen2.5-coder:7b", &[1, 2]);
        assert!(
            store.has(&tag("qwen2.5-coder:7b"))
                && store.has(&tag("registry.ollama.ai/library/qwen2.5-coder:7b"))
        );
        assert_eq!(store.bytes(&tag("qwen2.5-coder:7b")), 3);
        bench.blob(&format!("sha256-{}", checksum(2)), 1);
        assert!(!store.has(&tag("qwen2.5-coder:7b")), "one layer is too short");
        bench.model("empty:1", &[]);
        assert!(!store.has(&tag("empty:1")), "a manifest without layers is not a model");
    }

    #[test]
    fn complete_models_are_listed_as_ollama_names_them() {
        let bench = StoreBench::new();
        bench.model("qwen3", &[1, 2]);
        bench.model("ana/mine:1", &[1, 3]);
        bench.model("hf.co/org/model:Q4_K_M", &[4]);
        bench.model("half:1", &[5]);
        bench.blob(&format!("sha256-{}", checksum(5)), 1);
        let odd = bench.folder.path().join("manifests/registry.ollama.ai/library/odd");
        files::create_folders(&odd).unwrap();
        std::fs::write(odd.join("1"), "no JSON").unwrap();
        std::fs::write(odd.join("2"), r#"{"layers": [{"digest": "sha256:../../x", "size": 1}]}"#).unwrap();
        let listed: Vec<(String, u64)> = bench
            .store()
            .models()
            .iter()
            .map(|(tag, manifest)| (tag.to_string(), manifest.download_bytes()))
            .collect();
        assert_eq!(
            listed,
            [
                ("ana/mine:1".to_owned(), 4),
                ("hf.co/org/model:Q4_K_M".to_owned(), 4),
                ("qwen3:latest".to_owned(), 3)
            ]
        );
    }

    #[test]
    fn shared_layers_and_foreign_files_are_kept() {
        let bench = StoreBench::new();
        bench.model("127.0.0.1:5055/acolyte/gemma3:270m", &[1, 2]);
        bench.model("acolyte:latest", &[1, 3]);
        bench.model("own:latest", &[2, 9]);
        bench.blob(&format!("sha256-{}", checksum(7)), 7);
        bench.blob(&format!("sha256-{}-partial-0", checksum(8)), 10);
        bench.blob("notes.txt", 3);
        let freed = bench
            .store()
            .remove(&[&tag("127.0.0.1:5055/acolyte/gemma3:270m"), &tag("acolyte:latest")], false)
            .unwrap();
        assert_eq!((freed, bench.blobs()), (4, vec![checksum(2), checksum(7), checksum(9)]));
        assert!(!bench.folder.path().join("manifests/127.0.0.1:5055").exists());
        assert!(bench.store().has(&tag("own:latest")));

        bench.store().remove(&[&tag("own:latest")], true).unwrap();
        assert_eq!(bench.blobs(), []);
        assert!(!bench.folder.path().join("manifests").exists());
        let left: Vec<_> = children(&bench.folder.path().join("blobs"));
        assert_eq!(left, [bench.folder.path().join("blobs/notes.txt")], "not ours");
    }

    /// Only the layers are on another drive, where another server's store uses some of them.
    #[cfg(unix)]
    #[test]
    fn layers_behind_a_link_that_another_store_uses_stay() {
        let (bench, theirs) = (StoreBench::new(), StoreBench::new());
        theirs.model("theirs:latest", &[1, 2]);
        let blobs = bench.folder.path().join("blobs");
        std::fs::remove_dir(&blobs).unwrap();
        std::os::unix::fs::symlink(theirs.folder.path().join("blobs"), &blobs).unwrap();
        assert!(bench.store().is_linked() && !theirs.store().is_linked());
        bench.model("acolyte:latest", &[1, 3]);
        bench.store().remove(&[&tag("acolyte:latest")], false).unwrap();
        assert_eq!(theirs.blobs(), [checksum(1), checksum(2)]);
        assert!(theirs.store().has(&tag("theirs:latest")) && blobs.is_symlink());
    }

    #[test]
    fn a_manifest_cannot_refer_to_files_outside_the_store() {
        for digest in ["sha256:../../x", "../x", "sha256:", "md5:00", &format!("sha256:{}/", "0".repeat(63))]
        {
            let json = format!(r#"{{"layers":[{{"digest":"{digest}","size":1}}]}}"#);
            assert!(serde_json::from_str::<Manifest>(&json).is_err(), "{digest}");
        }
    }
}
