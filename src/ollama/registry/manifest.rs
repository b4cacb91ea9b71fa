//! The manifest of a model: its layers and their sizes.

use serde::Deserialize;

/// Of the layer that holds the weights as one GGUF file.
const MODEL_LAYER: &str = "application/vnd.ollama.image.model";

/// What a registry says a model consists of. Fields we have no use for are left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// The configuration, a blob too.
    #[serde(default)]
    pub config: Option<Layer>,
    /// Weights, template, parameters, licence.
    pub layers: Vec<Layer>,
}

/// One blob.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Layer {
    /// What it is.
    #[serde(rename = "mediaType")]
    pub media_type: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Bytes.
    pub size: u64,
}

impl Manifest {
    /// The layer with the weights.
    pub fn model_layer(&self) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.media_type == MODEL_LAYER && layer.has_digest())
    }

    /// Digest and bytes of everything that is pulled.
    pub fn digests(&self) -> Vec<(String, u64)> {
        self.config.iter().chain(&self.layers).map(|layer| (layer.digest.clone(), layer.size)).collect()
    }

    /// Bytes of everything that is pulled; a blob that several layers share is pulled once.
    pub fn download_bytes(&self) -> u64 {
        let mut blobs: Vec<&Layer> = self.layers.iter().chain(&self.config).collect();
        blobs.sort_by(|a, b| a.digest.cmp(&b.digest));
        blobs.dedup_by(|a, b| a.digest == b.digest);
        blobs.iter().fold(0u64, |sum, blob| sum.saturating_add(blob.size))
    }
}

impl Layer {
    /// Whether the digest is one: it becomes part of an address.
    fn has_digest(&self) -> bool {
        self.digest
            .strip_prefix("sha256:")
            .is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}
