//! How a model lies on the disk, written down when it was measured, to notice later that it is another one: any local user
//! can replace it through the server's API, and a program of this user can write its files.

use serde::{Deserialize, Serialize};

use super::Store;
use crate::checksum::Sha256;
use crate::control::Control;
use crate::models::ModelTag;
use crate::ollama::manifest::Layer;
use crate::platform::files;

/// Layers up to this size are read at every look: template, parameters, system prompt. Weights only when their time is
/// another one.
const SMALL_BYTES: u64 = 1 << 20;

/// A model as it lay on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 of its manifest, which names its layers by theirs; the engine calls it the model's digest.
    pub manifest: Sha256,
    /// Its layers, the configuration first.
    pub layers: Vec<LayerStamp>,
}

/// A layer as it lay on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerStamp {
    /// SHA-256 of its content.
    pub sha256: Sha256,
    /// Length.
    pub bytes: u64,
    /// Modification time, in nanoseconds since 1970, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_ns: Option<u64>,
}

/// What became of a model since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not there any more.
    Missing,
    /// It is another model, or one of its files has another content.
    Changed,
}

impl Store {
    /// A model as it lies on the disk now; `None` when it is not there with all its layers.
    pub fn fingerprint(&self, tag: &ModelTag) -> Option<Fingerprint> {
        let stored = self.manifest(tag).filter(|_| self.has(tag))?;
        let layers = stored.manifest.blobs().map(|layer| self.stamp(layer)).collect();
        Some(Fingerprint { manifest: Sha256::of(&stored.json), layers })
    }

    /// What became of a model since; `None` when it is the same. Reads weights only where their modification time is
    /// another one. Blocks for as long as that takes; `control` ends it early, and the model then counts as changed.
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
    fn a_model_that_was_changed_or_removed_is_noticed() {
        let (_folder, store, [weights, template]) = store();
        let before = store.fingerprint(&TAG).unwrap();
        assert_eq!(difference(&store, &before), None);
        let json = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), before);

        // As long as before, and with its time put back: small files are read.
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
        assert_eq!(difference(&store, &before), None, "another time alone is no change");

        let manifest = store.manifest_path(&TAG);
        let json = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(&manifest, json + " ").unwrap();
        assert_eq!(difference(&store, &before), Some(Difference::Changed));
        std::fs::remove_file(&manifest).unwrap();
        assert_eq!(difference(&store, &before), Some(Difference::Missing));
        assert_eq!(store.fingerprint(&TAG), None);
    }
}
