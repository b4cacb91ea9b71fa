//! The engine's folder of models, read and cleaned without the engine: manifests that name blobs by their hash.
//!
//! `manifests/HOST/NAMESPACE/NAME/TAG` is a small JSON file; `blobs/sha256-…` are the layers it names, shared between
//! models; `blobs/sha256-…-partial*` is what an unfinished pull has.

mod torn;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ollama::registry::Reference;
use crate::platform::files::{self, FileError, at};

/// A manifest is a few kilobytes.
const LARGEST_MANIFEST_BYTES: u64 = 1 << 20;

/// A folder of models.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A model's manifest, as it lies there.
#[derive(Clone, Debug)]
pub struct StoredManifest {
    /// The file.
    pub json: Vec<u8>,
    /// Digest and bytes of each layer, the configuration among them.
    pub layers: Vec<(String, u64)>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    config: Option<Layer>,
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Debug, Deserialize)]
struct Layer {
    digest: String,
    #[serde(default)]
    size: u64,
}

impl Store {
    /// The store in this folder, which need not exist.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Whether a model is there with all its layers. Sizes are compared, hashes are not: the engine has done that.
    pub fn has(&self, tag: &str) -> bool {
        let manifest = self.manifest_path(tag).and_then(|path| read_manifest(&path));
        manifest.is_some_and(|manifest| {
            manifest.all().all(|layer| {
                blob_name(&layer.digest)
                    .is_some_and(|name| files::length(&self.blobs().join(name)) == layer.size)
            })
        })
    }

    /// Bytes of a model's layers; 0 when it is not there.
    pub fn bytes(&self, tag: &str) -> u64 {
        let manifest = self.manifest_path(tag).and_then(|path| read_manifest(&path));
        manifest.map_or(0, |manifest| manifest.all().map(|layer| layer.size).sum())
    }

    /// Bytes on the disk that unfinished pulls have fetched.
    pub fn partial_bytes(&self) -> u64 {
        self.partials()
            .iter()
            .filter_map(|path| path.metadata().ok())
            .map(|metadata| allocated(&metadata))
            .sum()
    }

    /// Gives a model another name, in place of what has that name. Where there is no model of the first name, or its
    /// manifest was cut short, nothing is renamed; true when it was.
    ///
    /// # Errors
    /// What the system says.
    pub fn rename(&self, from: &str, to: &str) -> Result<bool, FileError> {
        let (Some(from_path), Some(to_path)) = (self.manifest_path(from), self.manifest_path(to)) else {
            return Ok(false);
        };
        if read_manifest(&from_path).is_none() {
            return Ok(false);
        }
        let folder = to_path.parent().unwrap_or(&self.folder);
        files::create_folders(folder)?;
        std::fs::rename(&from_path, &to_path).map_err(at(&from_path))?;
        self.remove_empty_parents(&from_path)?;
        Ok(true)
    }

    /// Removes models, and every layer that no other model uses. With `sweep`, also layers that no model uses at all
    /// and what unfinished pulls left: only for a folder that is ours. Gives back the bytes freed.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, tags: &[impl AsRef<str>], sweep: bool) -> Result<u64, FileError> {
        let mut candidates = BTreeSet::new();
        for path in tags.iter().filter_map(|tag| self.manifest_path(tag.as_ref())) {
            // A manifest that cannot be read names no layers; its file goes all the same.
            if let Some(manifest) = read_manifest(&path) {
                candidates.extend(manifest.all().filter_map(|layer| blob_name(&layer.digest)));
            }
            files::remove_file(&path)?;
            self.remove_empty_parents(&path)?;
        }
        if sweep {
            candidates.extend(self.blob_names());
        }
        let used: BTreeSet<String> = self
            .manifests()
            .iter()
            .filter_map(|path| read_manifest(path))
            .flat_map(|manifest| {
                manifest.all().filter_map(|layer| blob_name(&layer.digest)).collect::<Vec<_>>()
            })
            .collect();
        let mut freed = 0;
        for path in candidates.difference(&used).map(|name| self.blobs().join(name)) {
            freed += files::length(&path);
            files::remove_file(&path)?;
        }
        if sweep {
            for path in self.partials() {
                freed += path.metadata().map_or(0, |metadata| allocated(&metadata));
                files::remove_file(&path)?;
            }
        }
        for folder in [self.blobs(), self.folder.join("manifests")] {
            files::remove_folder_if_empty(&folder)?;
        }
        Ok(freed)
    }

    /// A model's manifest, when it is there and names only what it may.
    pub fn manifest(&self, tag: &str) -> Option<StoredManifest> {
        let path = self.manifest_path(tag)?;
        if files::length(&path) > LARGEST_MANIFEST_BYTES {
            return None;
        }
        let json = std::fs::read(path).ok()?;
        let manifest: Manifest = serde_json::from_slice(&json).ok()?;
        let layers = manifest.all().map(|layer| (layer.digest.clone(), layer.size)).collect();
        Some(StoredManifest { json, layers })
    }

    /// The file of a layer; nothing for a text that is not a digest.
    pub fn blob(&self, digest: &str) -> Option<PathBuf> {
        blob_name(digest).map(|name| self.blobs().join(name))
    }

    fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// Where a model's manifest lies; nothing for what is no name of a model.
    pub fn manifest_path(&self, tag: &str) -> Option<PathBuf> {
        let reference = Reference::parse(tag).ok()?;
        let parts = [reference.host(), reference.namespace(), reference.name(), reference.tag()];
        Some(parts.iter().fold(self.folder.join("manifests"), |path, part| path.join(part)))
    }

    /// Every manifest: files four levels below `manifests`.
    fn manifests(&self) -> Vec<PathBuf> {
        let mut level = vec![self.folder.join("manifests")];
        for _ in 0..4 {
            level = level.iter().flat_map(|folder| children(folder)).collect();
        }
        level.retain(|path| path.is_file());
        level
    }

    fn blob_names(&self) -> Vec<String> {
        children(&self.blobs())
            .iter()
            .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
            .filter(|name| blob_name(name).as_ref() == Some(name))
            .collect()
    }

    fn partials(&self) -> Vec<PathBuf> {
        let is_partial = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("sha256-") && name.contains("-partial"))
        };
        children(&self.blobs()).into_iter().filter(is_partial).collect()
    }

    fn remove_empty_parents(&self, path: &Path) -> Result<(), FileError> {
        let top = self.folder.join("manifests");
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&top)) {
            if folder.exists() && !files::remove_folder_if_empty(folder)? {
                break;
            }
        }
        Ok(())
    }
}

impl Manifest {
    fn all(&self) -> impl Iterator<Item = &Layer> {
        self.config.iter().chain(&self.layers)
    }
}

fn read_manifest(path: &Path) -> Option<Manifest> {
    serde_json::from_slice(&std::fs::read(path).map_err(at(path)).ok()?).ok()
}

/// The file of a blob; nothing for a text that is not a SHA-256, so that no manifest can name a file elsewhere.
fn blob_name(digest: &str) -> Option<String> {
    let hex = digest.strip_prefix("sha256:").or_else(|| digest.strip_prefix("sha256-"))?;
    let is_hash = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| format!("sha256-{hex}"))
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}

/// Bytes a file really takes: the engine makes the whole file before it has fetched any of it.
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

    fn digest(n: u8) -> String {
        format!("sha256:{}", format!("{n:02x}").repeat(32))
    }

    struct Bench {
        folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let bench = Self { folder: tempfile::tempdir().unwrap() };
            files::create_folders(&bench.folder.path().join("blobs")).unwrap();
            bench
        }

        fn store(&self) -> Store {
            Store::new(self.folder.path())
        }

        fn model(&self, tag: &str, layers: &[u8]) {
            let layer = |n: &u8| format!("{{\"digest\":\"{}\",\"size\":{n}}}", digest(*n));
            let list: Vec<String> = layers.iter().map(layer).collect();
            let path = self.store().manifest_path(tag).unwrap();
            files::create_folders(path.parent().unwrap()).unwrap();
            std::fs::write(&path, format!("{{\"schemaVersion\":2,\"layers\":[{}]}}", list.join(",")))
                .unwrap();
            layers.iter().for_each(|n| self.blob(&digest(*n).replace(':', "-"), (*n).into()));
        }

        fn blob(&self, name: &str, bytes: usize) {
            std::fs::write(self.folder.path().join("blobs").join(name), vec![0; bytes]).unwrap();
        }

        fn blobs(&self) -> Vec<String> {
            let mut names = self.store().blob_names();
            names.sort();
            names.iter().map(|name| name[7..9].to_owned()).collect()
        }
    }

    #[test]
    fn a_model_is_there_only_with_all_its_layers() {
        let bench = Bench::new();
        let store = bench.store();
        assert!(!store.has("qwen2.5-coder:7b"));
        bench.model("qwen2.5-coder:7b", &[1, 2]);
        assert!(store.has("qwen2.5-coder:7b") && store.has("registry.ollama.ai/library/qwen2.5-coder:7b"));
        assert_eq!(store.bytes("qwen2.5-coder:7b"), 3);
        bench.blob(&digest(2).replace(':', "-"), 1);
        assert!(!store.has("qwen2.5-coder:7b"), "one layer is too short");
    }

    #[test]
    fn shared_layers_stay_and_foreign_files_too() {
        let bench = Bench::new();
        bench.model("127.0.0.1:5055/acolyte/gemma3:270m", &[1, 2]);
        bench.model("acolyte:latest", &[1, 3]);
        bench.model("own:latest", &[2, 9]);
        bench.blob(&digest(7).replace(':', "-"), 7);
        bench.blob(&format!("{}-partial-0", digest(8).replace(':', "-")), 10);
        bench.blob("notes.txt", 3);
        let freed =
            bench.store().remove(&["127.0.0.1:5055/acolyte/gemma3:270m", "acolyte:latest"], false).unwrap();
        assert_eq!((freed, bench.blobs()), (4, vec!["02".to_owned(), "07".to_owned(), "09".to_owned()]));
        assert!(!bench.folder.path().join("manifests/127.0.0.1:5055").exists());
        assert!(bench.store().has("own:latest"));

        bench.store().remove(&["own:latest"], true).unwrap();
        assert_eq!(bench.blobs(), Vec::<String>::new());
        assert!(!bench.folder.path().join("manifests").exists());
        let left: Vec<_> = children(&bench.folder.path().join("blobs"));
        assert_eq!(left, [bench.folder.path().join("blobs/notes.txt")], "not ours");
    }

    #[test]
    fn a_manifest_cannot_name_files_elsewhere() {
        for digest in ["sha256:../../x", "../x", "sha256:", "md5:00", &format!("sha256:{}/", "0".repeat(63))]
        {
            assert_eq!(blob_name(digest), None, "{digest}");
        }
    }
}
