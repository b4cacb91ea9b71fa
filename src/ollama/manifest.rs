//! The manifest of a model, in a registry and on disk: its layers and their sizes.

use serde::{Deserialize, Deserializer};

use crate::checksum::Sha256;

/// Media type of the layer that holds the weights as one GGUF file.
pub(super) const MODEL_LAYER: &str = "application/vnd.ollama.image.model";
/// Media type of the layer that holds the image encoder.
const PROJECTOR_LAYER: &str = "application/vnd.ollama.image.projector";
/// Media type of the layer that holds a small model which drafts tokens for the large one.
const DRAFT_LAYER: &str = "application/vnd.ollama.image.draft";
/// Media type of the layer that holds the parameters, as JSON.
const PARAMETERS_LAYER: &str = "application/vnd.ollama.image.params";
/// Tokens that the engine lets a separate draft model predict where the parameters do not say (0.32.15,
/// `api.DefaultOptions`). Heads in the model's own file are off then.
const DEFAULT_DRAFT_TOKENS: u32 = 4;

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

/// The parameters of a model that a plan depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LayerParameters {
    /// Tokens that are drafted at once.
    #[serde(default)]
    draft_num_predict: Option<i64>,
}

impl LayerParameters {
    /// Largest layer that is read, in bytes; usual ones have a few hundred.
    pub const MAX_BYTES: u64 = 1 << 20;

    /// Parses the layer. One that cannot be parsed says nothing: the engine decides what becomes of it.
    pub fn parse(json: &[u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_default()
    }
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

    /// Bytes of the draft model among the layers; `None` without one.
    pub fn draft_model_bytes(&self) -> Option<u64> {
        self.layers.iter().find(|layer| layer.media_type == DRAFT_LAYER).map(|layer| layer.size)
    }

    /// The layer with the parameters.
    pub fn parameters_layer(&self) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.media_type == PARAMETERS_LAYER)
    }

    /// Tokens that are drafted at once by default, with these parameters.
    pub fn draft_tokens(&self, parameters: &LayerParameters) -> u32 {
        let otherwise = if self.draft_model_bytes().is_some() { DEFAULT_DRAFT_TOKENS } else { 0 };
        parameters.draft_num_predict.map_or(otherwise, |tokens| u32::try_from(tokens).unwrap_or(0))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_drafted_by_default_with_a_draft_model_only() {
        let layer = |kind: &str| {
            let digest = format!("sha256:{}", "7".repeat(64));
            serde_json::json!({"mediaType": format!("application/vnd.ollama.image.{kind}"), "digest": digest, "size": 9})
        };
        let manifest = |kinds: &[&str]| -> Manifest {
            let layers: Vec<_> = kinds.iter().map(|kind| layer(kind)).collect();
            serde_json::from_value(serde_json::json!({"layers": layers})).unwrap()
        };
        let (alone, with_draft) = (manifest(&["model", "params"]), manifest(&["model", "draft"]));
        assert_eq!((alone.draft_model_bytes(), with_draft.draft_model_bytes()), (None, Some(9)));
        assert!(alone.parameters_layer().is_some() && with_draft.parameters_layer().is_none());
        let (silent, three) =
            (LayerParameters::default(), LayerParameters::parse(br#"{"draft_num_predict": 3}"#));
        assert_eq!((alone.draft_tokens(&silent), with_draft.draft_tokens(&silent)), (0, 4));
        assert_eq!((alone.draft_tokens(&three), with_draft.draft_tokens(&three)), (3, 3));
        for odd in ["", "[]", "{\"draft_num_predict\":\"4\"}", "{\"draft_num_predict\":-1}"] {
            assert_eq!(alone.draft_tokens(&LayerParameters::parse(odd.as_bytes())), 0, "{odd}");
        }
    }
}
