//! Models on disk as the server keeps them: `manifests/HOST/NAMESPACE/MODEL/TAG` and `blobs/sha256-…`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::go;
use crate::names::Name;

/// The folder `OLLAMA_MODELS`.
#[derive(Clone)]
pub struct Store {
    pub root: PathBuf,
}

const LAYER: &str = "application/vnd.ollama.image.";

impl Store {
    pub fn open(root: PathBuf) -> Result<Self, String> {
        let store = Self { root };
        for folder in [store.blobs(), store.manifests()] {
            fs::create_dir_all(&folder).map_err(|e| format!("mkdir {}: {e}", folder.display()))?;
        }
        Ok(store)
    }

    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    fn manifests(&self) -> PathBuf {
        self.root.join("manifests")
    }

    /// Where a blob lies; `digest` is `sha256:…`.
    pub fn blob(&self, digest: &str) -> PathBuf {
        self.blobs().join(digest.replace(':', "-"))
    }

    /// A model that is here.
    pub fn model(&self, name: &Name) -> Option<Model> {
        let bytes = fs::read(name.manifest_path(&self.manifests())).ok()?;
        let manifest = serde_json::from_slice(&bytes).ok()?;
        Some(Model { name: name.clone(), digest: hex(&bytes), manifest, json: bytes, store: self.clone() })
    }

    /// Every model that is here.
    pub fn models(&self) -> Vec<Model> {
        let mut found = Vec::new();
        let root = self.manifests();
        for path in files_below(&root) {
            let parts: Vec<String> = path
                .strip_prefix(&root)
                .map(|p| p.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect())
                .unwrap_or_default();
            if let [host, namespace, model, tag] = &parts[..]
                && let Some(name) = Name::parse(&format!("{host}/{namespace}/{model}:{tag}"))
                && let Some(model) = self.model(&name)
            {
                found.push(model);
            }
        }
        found
    }

    pub fn write_manifest(&self, name: &Name, manifest: &[u8]) -> Result<(), String> {
        let path = name.manifest_path(&self.manifests());
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|e| go::file_error("mkdir", &[folder], &e))?;
        fs::write(&path, manifest).map_err(|e| go::file_error("open", &[&path], &e))
    }

    /// Stores a small blob: written under another name, then renamed. Returns its layer, and whether it existed already.
    pub fn put(&self, kind: &str, bytes: &[u8]) -> Result<(Value, bool), String> {
        let digest = format!("sha256:{}", hex(bytes));
        let path = self.blob(&digest);
        let there = path.exists();
        if !there {
            let temporary = path.with_file_name(format!("sha256-{}", std::process::id()));
            fs::write(&temporary, bytes).map_err(|e| go::file_error("open", &[&temporary], &e))?;
            fs::rename(&temporary, &path).map_err(|e| {
                // As the real one removes it: whether that succeeds or not.
                let _ = fs::remove_file(&temporary);
                go::file_error("rename", &[&temporary, &path], &e)
            })?;
        }
        Ok((json!({"mediaType": media_type(kind), "digest": digest, "size": bytes.len()}), there))
    }

    /// Removes a model's manifest, the folders it leaves empty, and its blobs that no other model uses.
    pub fn remove(&self, name: &Name) -> bool {
        let path = name.manifest_path(&self.manifests());
        if fs::remove_file(&path).is_err() {
            return false;
        }
        for folder in path.ancestors().skip(1).take(3) {
            // Fails if it contains other models.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        self.prune_blobs();
        true
    }

    /// What the server does at start without `OLLAMA_NOPRUNE`: removes unused blobs, and partial ones after an hour.
    pub fn prune(&self) {
        self.prune_blobs();
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        for path in files_below(&self.blobs()) {
            let old = fs::metadata(&path).and_then(|m| m.modified()).is_ok_and(|at| at < hour_ago);
            if is_partial(&path) && old {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn prune_blobs(&self) {
        let used: Vec<PathBuf> =
            self.models().iter().flat_map(Model::digests).map(|digest| self.blob(&digest)).collect();
        for path in files_below(&self.blobs()) {
            if !is_partial(&path) && !used.contains(&path) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// A model that is here.
pub struct Model {
    pub name: Name,
    /// SHA-256 of its manifest.
    pub digest: String,
    pub manifest: Value,
    /// The manifest as it is on the disk.
    pub json: Vec<u8>,
    store: Store,
}

impl Model {
    pub fn layers(&self) -> Vec<Value> {
        self.manifest["layers"].as_array().cloned().unwrap_or_default()
    }

    fn layer(&self, kind: &str) -> Option<Value> {
        self.layers().into_iter().find(|layer| layer["mediaType"] == media_type(kind).as_str())
    }

    fn digests(&self) -> Vec<String> {
        let layers = self.layers();
        let all = layers.iter().chain([&self.manifest["config"]]);
        all.filter_map(|layer| layer["digest"].as_str().map(str::to_owned)).collect()
    }

    pub fn size(&self) -> u64 {
        let layers: u64 = self.layers().iter().filter_map(|layer| layer["size"].as_u64()).sum();
        layers + self.manifest["config"]["size"].as_u64().unwrap_or(0)
    }

    pub fn gguf_path(&self) -> Option<PathBuf> {
        Some(self.store.blob(self.layer("model")?["digest"].as_str()?))
    }

    /// The name of the model it was created from, if any.
    pub fn parent(&self) -> String {
        self.layer("model").and_then(|l| l["from"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn blob_text(&self, kind: &str) -> Option<String> {
        fs::read_to_string(self.store.blob(self.layer(kind)?["digest"].as_str()?)).ok()
    }

    pub fn template(&self) -> String {
        self.blob_text("template").unwrap_or_default()
    }

    pub fn system(&self) -> String {
        self.blob_text("system").unwrap_or_default()
    }

    pub fn params(&self) -> serde_json::Map<String, Value> {
        let text = self.blob_text("params").unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub fn config(&self) -> Value {
        let digest = self.manifest["config"]["digest"].as_str().unwrap_or_default();
        let text = fs::read_to_string(self.store.blob(digest)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// As `/api/tags` and `/api/ps` describe it.
    pub fn details(&self) -> Value {
        let config = self.config();
        json!({
            "parent_model": "", "format": config["model_format"], "family": config["model_family"],
            "families": config["model_families"], "parameter_size": config["model_type"],
            "quantization_level": config["file_type"],
        })
    }

    pub fn modified_at(&self) -> time::OffsetDateTime {
        let path = self.name.manifest_path(&self.store.manifests());
        let modified = fs::metadata(path).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        modified.into()
    }
}

pub fn media_type(kind: &str) -> String {
    format!("{LAYER}{kind}")
}

pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn is_partial(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("-partial"))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => files.push(entry.path()),
            }
        }
    }
    files.sort();
    files
}
