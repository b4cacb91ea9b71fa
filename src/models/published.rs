//! The published file of a model, compared with the one that the catalogue describes.
//!
//! Tags move: a registry can serve another file under the same tag tomorrow. The file's own header decides what it
//! needs; the catalogue adds what a header does not state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Catalogue, LocalFileRecord, Model, ModelQuantisation, ModelSource};
use crate::untrusted::UntrustedText;

/// Share of the size that two files of the same tag may differ by before the file counts as changed: templates and
/// licences are replaced often, and sizes are shown with two digits.
const SIZE_TOLERANCE: f64 = 0.01;

/// The file of a model, as documents state it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFileRecord {
    /// `sha256:` and 64 hexadecimal digits of the weights; `None` where only the catalogue is known.
    pub digest: Option<UntrustedText>,
    /// Size of all layers in bytes.
    pub size_bytes: u64,
    /// Whether the file is another than the catalogue's; `None` for a model that the catalogue does not list, and while
    /// the file was not read.
    pub differs_from_catalogue: Option<bool>,
    /// Where the figures come from.
    pub source: ModelSource,
    /// The user's files that it was installed from, in order; absent for a model of a registry, and before it is installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LocalFileRecord>,
}

/// The offered model of the catalogue that has this model's tag.
pub fn listed_model(model: &Model) -> Option<Arc<Model>> {
    Catalogue::built_in().listed(model.tag()?)
}

/// What documents state about the file of a model.
pub fn file_record(model: &Model) -> ModelFileRecord {
    let was_read = model.file.source != ModelSource::Catalogue;
    ModelFileRecord {
        digest: model.file.sha256.map(|sha256| format!("sha256:{sha256}").into()),
        size_bytes: model.download_bytes,
        differs_from_catalogue: listed_model(model)
            .filter(|_| was_read)
            .map(|listed| model.is_other_file_than(&listed)),
        source: model.file.source,
        files: Vec::new(),
    }
}

impl Model {
    /// Whether the figures of two models with one tag are those of different files: by size, quantisation, layers,
    /// trained context or image encoder.
    pub fn is_other_file_than(&self, listed: &Self) -> bool {
        let other_size = |one: u64, other: u64| one.abs_diff(other) as f64 > other as f64 * SIZE_TOLERANCE;
        // A header that names no mixture states only the most common type.
        let other_mixture = matches!(self.quantisation, ModelQuantisation::Mixture(_))
            && self.quantisation.name() != listed.quantisation.name();
        other_mixture
            || other_size(self.download_bytes, listed.download_bytes)
            || self.total_layers() != listed.total_layers()
            || self.trained_context_tokens != listed.trained_context_tokens
            || (self.image_encoder_bytes > 0) != (listed.image_encoder_bytes > 0)
    }

    /// The model of a file, with what only the catalogue knows of it: title, licence and minimum engine.
    #[must_use]
    pub fn with_facts_of(self, known: &Self) -> Self {
        Self {
            title: known.title.clone(),
            licence: known.licence.clone(),
            minimum_engine: known.minimum_engine,
            ..self
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::models::{ModelFile, ModelName, PredictionHeads};

    fn model(name: &str) -> Model {
        (*Catalogue::built_in().find(name).unwrap()).clone()
    }

    fn read(model: Model) -> Model {
        let sha256 = Some("7".repeat(64).parse().unwrap());
        Model { file: ModelFile { source: ModelSource::Registry, sha256 }, ..model }
    }

    #[test]
    fn a_file_is_another_one_by_size_layers_context_quantisation_or_image_encoder() {
        let listed = model("qwen3.5:9b");
        assert!(!listed.is_other_file_than(&listed));
        let size = listed.download_bytes;
        assert!(!Model { download_bytes: size + size / 200, ..listed.clone() }.is_other_file_than(&listed));
        assert!(Model { download_bytes: size - size / 50, ..listed.clone() }.is_other_file_than(&listed));
        assert!(Model { trained_context_tokens: 8192, ..listed.clone() }.is_other_file_than(&listed));
        assert!(Model { image_encoder_bytes: 0, ..listed.clone() }.is_other_file_than(&listed));
        assert!(model("qwen3.5:9b-q8_0").is_other_file_than(&listed));
        let mut shorter = listed.clone();
        shorter.architecture.blocks.pop();
        assert!(shorter.is_other_file_than(&listed));
    }

    #[test]
    fn a_document_states_the_difference_only_where_both_files_are_known() {
        let listed = model("qwen2.5-coder:7b");
        let record = file_record(&listed);
        assert_eq!((record.digest, record.differs_from_catalogue), (None, None));
        assert_eq!((record.source, record.size_bytes), (ModelSource::Catalogue, listed.download_bytes));
        let record = file_record(&read(listed.clone()));
        assert!(record.digest.unwrap().starts_with("sha256:777"));
        assert_eq!((record.differs_from_catalogue, record.source), (Some(false), ModelSource::Registry));
        // Another registry that serves the library, and one with a model of its own.
        let mirrored = |name: &str| Model { name: ModelName::of(name), download_bytes: 1, ..listed.clone() };
        let differs = |name| file_record(&read(mirrored(name))).differs_from_catalogue;
        assert_eq!(differs("registry.example.org/library/qwen2.5-coder:7b"), Some(true));
        assert_eq!(differs("registry.example.org/acme/qwen2.5-coder:7b"), None);
    }

    #[test]
    fn the_catalogue_adds_what_a_header_does_not_state() {
        let known = model("qwen3.6:35b");
        assert!(known.prediction_heads.is_some_and(|heads| heads.default_tokens == 2));
        let heads = |prediction_heads| Model { prediction_heads, title: "x".into(), ..known.clone() };
        // The file of today decides on its heads.
        let off = Some(PredictionHeads { default_tokens: 0, weights_bytes: 7, kv_values: 1024 });
        let of_file = heads(off).with_facts_of(&known);
        assert_eq!((&of_file.title, of_file.prediction_heads), (&known.title, off));
        assert_eq!(heads(None).with_facts_of(&known).prediction_heads, None, "this file has none");
    }
}
