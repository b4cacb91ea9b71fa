//! Ollama models that are on disk already, read without the engine. A model counts when all its layers are present with
//! the right sizes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::machine::{ModelFolder, StoredModel};
use crate::ollama::store::Store;

/// The folders with at least one complete model, each once.
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
    let mut blobs = BTreeMap::new();
    let models: Vec<StoredModel> = Store::new(folder)
        .models()
        .into_iter()
        .map(|(tag, manifest)| {
            let layers: BTreeMap<_, _> = manifest.blobs().map(|layer| (layer.sha256, layer.size)).collect();
            let size_bytes = layers.values().sum();
            blobs.extend(layers);
            StoredModel { name: tag.to_string().into(), size_bytes: Some(size_bytes) }
        })
        .collect();
    let total_bytes = blobs.values().sum();
    (!models.is_empty()).then(|| ModelFolder { path: folder.to_owned(), total_bytes, models })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Writes a manifest for `name` and its layers into a folder; a layer's hash is a repeated digit.
    fn put(folder: &Path, name: &str, layers: &[(&str, usize)]) {
        let manifest = folder.join("manifests").join(name);
        std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        std::fs::create_dir_all(folder.join("blobs")).unwrap();
        let json: Vec<String> = layers
            .iter()
            .map(|(digit, size)| {
                let hash = digit.repeat(32);
                std::fs::write(folder.join("blobs").join(format!("sha256-{hash}")), vec![0; *size]).unwrap();
                format!(r#"{{"digest": "sha256:{hash}", "size": {size}}}"#)
            })
            .collect();
        std::fs::write(manifest, format!(r#"{{"layers": [{}]}}"#, json.join(","))).unwrap();
    }

    #[test]
    fn complete_models_are_named_as_ollama_names_them_and_shared_layers_count_once() {
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
    fn an_incomplete_model_is_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "registry.ollama.ai/library/half/1", &[("aa", 100)]);
        std::fs::write(folder.path().join("blobs/sha256-".to_owned() + &"aa".repeat(32)), "short").unwrap();
        put(folder.path(), "registry.ollama.ai/library/gone/1", &[("bb", 1)]);
        std::fs::remove_file(folder.path().join("blobs/sha256-".to_owned() + &"bb".repeat(32))).unwrap();
        put(folder.path(), "registry.ollama.ai/library/empty/1", &[]);
        let manifests = folder.path().join("manifests/registry.ollama.ai/library");
        std::fs::create_dir_all(manifests.join("odd")).unwrap();
        std::fs::write(manifests.join("odd/1"), "no JSON").unwrap();
        std::fs::write(manifests.join("odd/2"), r#"{"layers": [{"digest": "sha256:../../x", "size": 1}]}"#)
            .unwrap();
        assert_eq!(read(&[folder.path().to_owned(), folder.path().join("missing")]), []);
    }
}
