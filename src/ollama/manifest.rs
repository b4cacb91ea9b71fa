//! The manifest of a model, in a registry and on disk: its layers and their sizes.

use serde::{Deserialize, Deserializer};

use crate::checksum::Sha256;

/// Media type of the layer that holds the weights as one GGUF file.
const MODEL_LAYER: &str = "application/vnd.ollama.image.model";
/// Media type of the layer that holds the image encoder.
const PROJECTOR_LAYER: &str = "application/vnd.ollama.image.projector";
/// Media type of the layer that holds a small model which drafts tokens for the large one.
const DRAFT_LAYER: &str = "application/vnd.ollama.image.draft";

/// The blobs of a model. Unused fields are skipped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// The configuration, which is also a blob.
    #[serde(default)]
    pub config: Option<Layer>,
    /// Weights, template, parameters, licence.
    pub layers: Vec<Layer>,
}

/// A model's manifest with the bytes it was read from.
#[derive(Clone, Debug)]
pub struct StoredManifest {
    /// The unchanged bytes of the file or response.
    pub json: Vec<u8>,
    /// The parsed manifest.
    pub manifest: Manifest,
}

/// One blob.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Layer {
    /// Media type; empty if omitted.
    #[serde(default, rename = "mediaType")]
    pub media_type: String,
    /// Checksum of the content. In JSON `sha256:` and 64 hexadecimal digits, so it is safe in paths and URLs.
    #[serde(rename = "digest", deserialize_with = "digest")]
    pub sha256: Sha256,
    /// Size in bytes.
    #[serde(default)]
    pub size: u64,
}

impl Manifest {
    /// The layer with the weights.
    pub fn model_layer(&self) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.media_type == MODEL_LAYER)
    }

    /// Bytes of the layers that hold image encoders.
    pub fn image_encoder_bytes(&self) -> u64 {
        let encoders = self.layers.iter().filter(|layer| layer.media_type == PROJECTOR_LAYER);
        encoders.fold(0, |sum, layer| sum.saturating_add(layer.size))
    }

    /// Whether a draft model is among the layers.
    pub fn has_draft(&self) -> bool {
        self.layers.iter().any(|layer| layer.media_type == DRAFT_LAYER)
    }

    /// All blobs: the configuration, then the layers. May contain duplicates.
    pub fn blobs(&self) -> impl Iterator<Item = &Layer> {
        self.config.iter().chain(&self.layers)
    }

    /// Bytes to download. Duplicate blobs count once.
    pub fn download_bytes(&self) -> u64 {
        let mut blobs: Vec<&Layer> = self.blobs().collect();
        blobs.sort_by_key(|blob| blob.sha256);
        blobs.dedup_by_key(|blob| blob.sha256);
        blobs.iter().fold(0u64, |sum, blob| sum.saturating_add(blob.size))
    }
}

/// Accepts `sha256:…` and, as the engine does, `sha256-…`.
fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
    use serde::de::Error as _;
    let text = String::deserialize(deserializer)?;
    let hex = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256-"));
    hex.ok_or_else(|| D::Error::custom("the digest is not a SHA-256"))?.parse().map_err(D::Error::custom)
}
