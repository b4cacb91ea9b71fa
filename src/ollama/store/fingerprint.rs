//! Fingerprint of a model's files, recorded when it was measured, to detect changes: any local user can replace it
//! through the server's API, and any program of this user can write its files.

use serde::{Deserialize, Serialize};

use super::Store;
use crate::checksum::Sha256;
use crate::control::Control;
use crate::models::ModelTag;
use crate::ollama::manifest::Layer;
use crate::platform::files;

/// Layers up to this size (template, parameters, system prompt) are read at every check, weights only if their file or one
/// of its times differs.
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
    /// When content or rights last changed (`ctime`), in nanoseconds since 1970. Unlike the modification time, no program
    /// can set it. Unix only; earlier versions did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_ns: Option<u64>,
    /// Inode number of its file. Unix only; earlier versions did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
}

impl LayerStamp {
    /// Whether the file that is there now is the one that was stamped, untouched, as far as the stamp tells.
    fn is_untouched(&self, now: &Self) -> bool {
        let agrees = |before: Option<u64>, now| before.is_none() || before == now;
        (self.sha256, self.bytes, self.modified_ns) == (now.sha256, now.bytes, now.modified_ns)
            && now.modified_ns.is_some()
            && agrees(self.changed_ns, now.changed_ns)
            && agrees(self.inode, now.inode)
    }
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

    /// How a model differs from a fingerprint; `None` if it is unchanged. Weights are read only if their file or one of its
    /// times differs. Blocks. After cancellation through `control` the model counts as changed.
    pub fn difference(&self, tag: &ModelTag, before: &Fingerprint, control: &Control) -> Option<Difference> {
        let Some(stored) = self.manifest(tag) else { return Some(Difference::Missing) };
        if Sha256::of(&stored.json) != before.manifest || !self.has(tag) {
            return Some(Difference::Changed);
        }
        let is_same = |layer: &Layer| {
            let now = self.stamp(layer);
            let untouched =
                layer.size > SMALL_BYTES && before.layers.iter().any(|before| before.is_untouched(&now));
            untouched
                || files::sha256(&self.blob(layer.sha256), &|| control.is_cancelled())
                    .is_ok_and(|sha256| sha256 == layer.sha256)
        };
        (!stored.manifest.blobs().all(is_same)).then_some(Difference::Changed)
    }

    fn stamp(&self, layer: &Layer) -> LayerStamp {
        let found = self.blob(layer.sha256).metadata().ok();
        let modified = found.as_ref().and_then(|file| file.modified().ok());
        let since_1970 = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let modified_ns = since_1970.and_then(|since| u64::try_from(since.as_nanos()).ok());
        let (changed_ns, inode) = found.as_ref().map_or((None, None), identity);
        LayerStamp { sha256: layer.sha256, bytes: layer.size, modified_ns, changed_ns, inode }
    }
}

/// Change time and inode number.
#[cfg(unix)]
fn identity(found: &std::fs::Metadata) -> (Option<u64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt as _;
    let changed_ns = i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec());
    (u64::try_from(changed_ns).ok(), Some(found.ino()))
}

#[cfg(not(unix))]
fn identity(_found: &std::fs::Metadata) -> (Option<u64>, Option<u64>) {
    (None, None)
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

    /// Whoever can write the weights can set their modification time back. The change time stays.
    #[cfg(unix)]
    #[test]
    fn a_modification_time_that_was_set_back_hides_nothing() {
        let (_folder, store, [weights, _]) = store();
        let before = store.fingerprint(&TAG).unwrap();
        let modified = std::fs::metadata(&weights).unwrap().modified().unwrap();
        let set_back = |path: &PathBuf| {
            std::fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
        };
        let good = std::fs::read(&weights).unwrap();
        let mut evil = good.clone();
        evil[1_000_000] ^= 1;
        wait_for_another_change_time(&weights);
        std::fs::write(&weights, &evil).unwrap();
        set_back(&weights);
        assert_eq!(difference(&store, &before), Some(Difference::Changed));
        // Another file under the name.
        let other = weights.with_extension("other");
        std::fs::write(&weights, &good).unwrap();
        std::fs::write(&other, &evil).unwrap();
        set_back(&other);
        std::fs::rename(&other, &weights).unwrap();
        assert_eq!(difference(&store, &before), Some(Difference::Changed));
        // The same content is the same model, whatever its times; so is a stamp of an earlier version.
        std::fs::write(&weights, &good).unwrap();
        assert_eq!(difference(&store, &before), None);
        let mut now = store.fingerprint(&TAG).unwrap();
        now.layers.iter_mut().for_each(|layer| (layer.changed_ns, layer.inode) = (None, None));
        assert_eq!(difference(&store, &now), None);
    }

    /// Until the clock of the file system, which has steps of milliseconds, shows a later time than that of a file.
    #[cfg(unix)]
    fn wait_for_another_change_time(file: &PathBuf) {
        let changed = |path: &PathBuf| identity(&std::fs::metadata(path).unwrap()).0;
        let probe = file.with_extension("probe");
        while {
            std::fs::write(&probe, "").unwrap();
            changed(&probe) <= changed(file)
        } {}
        std::fs::remove_file(&probe).unwrap();
    }
}
