//! Model files of Ollama's that are on the disk already, read without the engine.
//!
//! `manifests/HOST/NAMESPACE/NAME/TAG` is a small JSON file that names its layers; `blobs/sha256-…` are the layers,
//! shared between models. A model counts when all its layers are there with their sizes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::machine::{ModelFolder, StoredModel};

/// The registry and namespace that Ollama leaves out of names.
const USUAL_REGISTRY: &str = "registry.ollama.ai";
const USUAL_NAMESPACE: &str = "library";
/// More manifests than anybody has, and more bytes than one of them has.
const MOST_MANIFESTS: usize = 2_000;
const MOST_MANIFEST_BYTES: u64 = 256 * 1024;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    config: Option<Layer>,
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    digest: String,
    #[serde(default)]
    size: u64,
}

/// The folders in which there is at least one whole model, each folder once.
pub fn read(folders: &[PathBuf]) -> Vec<ModelFolder> {
    let mut real: Vec<PathBuf> = Vec::new();
    let mut found = Vec::new();
    for folder in folders {
        let Ok(path) = std::fs::canonicalize(folder) else { continue };
        if !real.contains(&path) {
            real.push(path);
            found.extend(read_one(folder));
        }
    }
    found
}

fn read_one(folder: &Path) -> Option<ModelFolder> {
    let mut level = vec![folder.join("manifests")];
    for _ in 0..4 {
        level = level.iter().flat_map(|parent| children(parent)).take(MOST_MANIFESTS).collect();
    }
    let mut blobs = BTreeMap::new();
    let mut models: Vec<StoredModel> = level
        .iter()
        .filter_map(|path| {
            let layers = whole_model(folder, path)?;
            let size_bytes = layers.values().sum();
            blobs.extend(layers);
            Some(StoredModel { name: name(path)?, size_bytes: Some(size_bytes) })
        })
        .collect();
    models.sort_by(|a, b| a.name.cmp(&b.name));
    let total_bytes = blobs.values().sum();
    (!models.is_empty()).then(|| ModelFolder { path: folder.to_owned(), total_bytes, models })
}

/// The layers of a manifest and their sizes, when all of them are there.
fn whole_model(folder: &Path, manifest: &Path) -> Option<BTreeMap<String, u64>> {
    let is_small = manifest.metadata().is_ok_and(|file| file.is_file() && file.len() <= MOST_MANIFEST_BYTES);
    if !is_small {
        return None;
    }
    let json = std::fs::read_to_string(manifest).ok()?;
    let manifest: Manifest = serde_json::from_str(&json).ok()?;
    let layers: Vec<Layer> = manifest.config.into_iter().chain(manifest.layers).collect();
    if layers.is_empty() {
        return None;
    }
    layers
        .into_iter()
        .map(|layer| {
            let file = blob_name(&layer.digest)?;
            let there = folder.join("blobs").join(&file).metadata().ok()?.len();
            (there == layer.size).then_some((file, there))
        })
        .collect()
}

/// `sha256:…` is the file `sha256-…`; anything else would be a path out of the folder.
fn blob_name(digest: &str) -> Option<String> {
    let hash = digest.strip_prefix("sha256:")?;
    hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| format!("sha256-{hash}"))
}

/// The tag of `…/HOST/NAMESPACE/NAME/TAG`, as Ollama writes it.
fn name(manifest: &Path) -> Option<String> {
    let mut parts = manifest.iter().rev().map(|part| part.to_str());
    let (tag, name, namespace, host) = (parts.next()??, parts.next()??, parts.next()??, parts.next()??);
    Some(match (host, namespace) {
        (USUAL_REGISTRY, USUAL_NAMESPACE) => format!("{name}:{tag}"),
        (USUAL_REGISTRY, _) => format!("{namespace}/{name}:{tag}"),
        _ => format!("{host}/{namespace}/{name}:{tag}"),
    })
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A folder with a manifest for each name and its layers; a layer's hash is repeated digits.
    fn put(folder: &Path, name: &str, layers: &[(&str, usize)]) {
        let manifest = folder.join("manifests").join(name);
        std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        std::fs::create_dir_all(folder.join("blobs")).unwrap();
        let json: Vec<String> = layers
            .iter()
            .map(|(hash, size)| {
                std::fs::write(folder.join("blobs").join(format!("sha256-{hash}")), vec![0; *size]).unwrap();
                format!(r#"{{"digest": "sha256:{hash}", "size": {size}}}"#)
            })
            .collect();
        std::fs::write(manifest, format!(r#"{{"layers": [{}]}}"#, json.join(","))).unwrap();
    }

    #[test]
    fn whole_models_are_named_as_ollama_names_them_and_shared_layers_count_once() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "registry.ollama.ai/library/qwen3/4b", &[("aa", 100), ("bb", 20)]);
        put(folder.path(), "registry.ollama.ai/library/qwen3/latest", &[("aa", 100), ("bb", 20)]);
        put(folder.path(), "registry.ollama.ai/ana/mine/1", &[("aa", 100), ("cc", 3)]);
        put(folder.path(), "hf.co/org/model/Q4_K_M", &[("dd", 7)]);
        let [found] = &read(&[folder.path().to_owned(), folder.path().join(".")])[..] else {
            unreachable!("one folder")
        };
        let names: Vec<(&str, u64)> =
            found.models.iter().map(|model| (model.name.as_str(), model.size_bytes.unwrap())).collect();
        assert_eq!(
            names,
            [("ana/mine:1", 103), ("hf.co/org/model:Q4_K_M", 7), ("qwen3:4b", 120), ("qwen3:latest", 120)]
        );
        assert_eq!(found.total_bytes, 100 + 20 + 3 + 7);
    }

    #[test]
    fn what_is_not_whole_is_no_model() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "registry.ollama.ai/library/half/1", &[("aa", 100)]);
        std::fs::write(folder.path().join("blobs/sha256-aa"), "short").unwrap();
        put(folder.path(), "registry.ollama.ai/library/gone/1", &[("bb", 1)]);
        std::fs::remove_file(folder.path().join("blobs/sha256-bb")).unwrap();
        put(folder.path(), "registry.ollama.ai/library/empty/1", &[]);
        let manifests = folder.path().join("manifests/registry.ollama.ai/library");
        std::fs::create_dir_all(manifests.join("odd")).unwrap();
        std::fs::write(manifests.join("odd/1"), "no JSON").unwrap();
        std::fs::write(manifests.join("odd/2"), r#"{"layers": [{"digest": "sha256:../../x", "size": 1}]}"#)
            .unwrap();
        assert_eq!(read(&[folder.path().to_owned(), folder.path().join("missing")]), []);
    }
}
