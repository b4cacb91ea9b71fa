//! Fingerprint of a model's files, recorded when it was measured, to detect changes: any local user can replace it
//! through the server's API, and any program of this user can write its files.

use serde::{Deserialize, Serialize};

use super::Store;
use crate::checksum::Sha256;
use crate::control::Control;
use crate::models::ModelTag;
use crate::ollama::manifest::Layer;
use crate::platform::files;

/// Layers up to this size (template, parameters, system prompt) are read at every check, weights only if their
/// modification time differs.
const SMALL_BYTES: u64 = 1 << 20;

/// State of a model's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 of its manifest, which contains those of the layers; the engine's digest of the model.
    pub manifest: Sha256,
    /// Layers, the configuration first.
    pub layers: Vec<LayerStamp>,
}

/// State of a layer's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerStamp {
    /// SHA-256 of the content.
    pub sha256: Sha256,
    /// Length in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since the Unix epoch, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_ns: Option<u64>,
}

/// How a model differs from its fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It no longer exists.
    Missing,
    /// It is a different model, or the content of a file differs.
    Changed,
}

impl Store {
    /// Fingerprint of a model; `None` if it or a layer does not exist.
    pub fn fingerprint(&self, tag: &ModelTag) -> Option<Fingerprint> {
        let stored = self.manifest(tag).filter(|_| self.has(tag))?;
        let layers = stored.manifest.blobs().map(|layer| self.stamp(layer)).collect();
        Some(Fingerprint { manifest: Sha256::of(&stored.json), layers })
    }

    /// How a model differs from a fingerprint; `None` if it is unchanged. Weights are read only if their modification
    /// time differs. Blocks. After cancellation through `control` the model counts as changed.
    pub fn difference(&self, tag: &ModelTag, before: &Fingerprint, control: &Control) -> Option<Difference> {
        let Some(stored) = self.manifest(tag) else { return Some(Difference::Missing) };
        if Sha256::of(&stored.json) != before.manifest || !self.has(tag) {
            return Some(Difference::Changed);
        }
        let is_same = |layer: &Layer| {
            let now = self.stamp(layer);
            let untouched =
                layer.size > SMALL_BYTES && now.modified_ns.is_some() && before.layers.contains(&now);
            untouched
                || files::sha256(&self.blob(layer.sha256), &|| control.is_cancelled())
                    .is_ok_and(|sha256| sha256 == layer.sha256)
        };
        (!stored.manifest.blobs().all(is_same)).then_some(Difference::Changed)
    }

    fn stamp(&self, layer: &Layer) -> LayerStamp {
        let modified = self.blob(layer.sha256).metadata().and_then(|file| file.modified()).ok();
        let since_1970 = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let modified_ns = since_1970.and_then(|since| u64::try_from(since.as_nanos()).ok());
        LayerStamp { sha256: layer.sha256, bytes: layer.size, modified_ns }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    static TAG: ModelTag = ModelTag::constant("registry.ollama.ai/library/acolyte:latest");

    /// A store with a model of large weights and a small template.
    fn store() -> (tempfile::TempDir, Store, [PathBuf; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let contents = [vec![7; (SMALL_BYTES + 1) as usize], b"{{ .Prompt }}".to_vec()];
        std::fs::create_dir(folder.path().join("blobs")).unwrap();
        let mut layers = Vec::new();
        let paths = contents.map(|content| {
            let sha256 = Sha256::of(&content);
            std::fs::write(store.blob(sha256), &content).unwrap();
            layers.push(format!(r#"{{"digest":"sha256:{sha256}","size":{}}}"#, content.len()));
            store.blob(sha256)
        });
        let manifest = store.manifest_path(&TAG);
        std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        std::fs::write(manifest, format!(r#"{{"layers":[{}]}}"#, layers.join(","))).unwrap();
        (folder, store, paths)
    }

    fn difference(store: &Store, before: &Fingerprint) -> Option<Difference> {
        store.difference(&TAG, before, &Control::new())
    }

    #[test]
    fn a_changed_or_removed_model_is_detected() {
        let (_folder, store, [weights, template]) = store();
        let before = store.fingerprint(&TAG).unwrap();
        assert_eq!(difference(&store, &before), None);
        let json = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), before);

        // Same length and modification time: small files are read.
        let modified = template.metadata().unwrap().modified().unwrap();
        std::fs::write(&template, b"{{ .Evil!! }}").unwrap();
        std::fs::File::options().write(true).open(&template).unwrap().set_modified(modified).unwrap();
        assert_eq!(difference(&store, &before), Some(Difference::Changed));
        std::fs::write(&template, b"{{ .Prompt }}").unwrap();
        assert_eq!(difference(&store, &before), None);

        let mut bytes = std::fs::read(&weights).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&weights, &bytes).unwrap();
        assert_eq!(difference(&store, &before), Some(Difference::Changed));
        bytes[100] ^= 1;
        std::fs::write(&weights, &bytes).unwrap();
        assert_eq!(difference(&store, &before), None, "a different time alone is not a change");

        let manifest = store.manifest_path(&TAG);
        let json = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(&manifest, json + " ").unwrap();
        assert_eq!(difference(&store, &before), Some(Difference::Changed));
        std::fs::remove_file(&manifest).unwrap();
        assert_eq!(difference(&store, &before), Some(Difference::Missing));
        assert_eq!(store.fingerprint(&TAG), None);
    }
}
