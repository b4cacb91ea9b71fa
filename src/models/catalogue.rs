//! Catalogue of known models, read from `assets/catalogue.yaml`.
//!
//! The file has two parts. `shapes` are model configurations; `models` are files of a shape offered to the user. Any
//! quantisation of a known shape ("llama3.1:8b-instruct-q8_0") is computed even if it is not offered, so that it can be
//! estimated without a download.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::names;
use super::shape::Shape;
use super::{
    EngineVersion, Licence, Model, ModelFile, ModelName, ModelQuantisation, ModelTag, PredictionHeads,
    Quantisation,
};
use crate::built_in;

/// Known models.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Offered models, in the order of the file.
    pub models: Vec<Arc<Model>>,
    /// Other tags of the same files, in lower case.
    aliases: BTreeMap<String, usize>,
    shapes: Vec<Shape>,
    /// Normalised name → index of its shape.
    shape_names: BTreeMap<Vec<String>, usize>,
}

/// Why a catalogue is not valid.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Invalid YAML, or an unknown or missing key.
    #[error("{path} is not a catalogue: {source}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The parser's error, with line and column.
        source: Box<serde_saphyr::Error>,
    },
    /// An invalid value.
    #[error("{path}, line {line}: {problem}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Line of the entry, counted from 1.
        line: u64,
        /// The key and what is wrong with its value.
        problem: CatalogueProblem,
    },
}

/// What is wrong with a value of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueProblem {
    /// A figure of a shape is out of range.
    #[error("shapes.{shape}.{key}: {value} is not from 1 to {max}")]
    OutOfRange {
        /// The shape.
        shape: String,
        /// Its key.
        key: &'static str,
        /// The figure.
        value: u32,
        /// The largest allowed figure.
        max: u32,
    },
    /// A shape's name consists of separators only.
    #[error("shapes.{shape}.names: \"{name}\" has no words")]
    NameWithoutWords {
        /// The shape.
        shape: String,
        /// The name.
        name: String,
    },
    /// Another shape has this name.
    #[error("shapes.{shape}.names: \"{name}\" is taken")]
    NameTaken {
        /// The shape.
        shape: String,
        /// The name.
        name: String,
    },
    /// A model's shape is not listed.
    #[error("models, {tag}: shape: there is no shape \"{shape}\"")]
    UnknownShape {
        /// The model.
        tag: ModelTag,
        /// The shape.
        shape: String,
    },
    /// A model's download is smaller than its tensors.
    #[error("models, {tag}: download_bytes: {download_bytes} is less than its tensors, {tensor_bytes}")]
    DownloadTooSmall {
        /// The model.
        tag: ModelTag,
        /// The size in the catalogue.
        download_bytes: u64,
        /// The size computed from the shape.
        tensor_bytes: u64,
    },
    /// A tag is listed twice.
    #[error("models, {tag}: tag: \"{duplicate}\" is listed twice")]
    DuplicateTag {
        /// The second model with it.
        tag: ModelTag,
        /// The tag, which may be one of the model's other tags.
        duplicate: ModelTag,
    },
}

/// Format of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    shapes: BTreeMap<String, Spanned<Shape>>,
    models: Vec<Spanned<CatalogueEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueEntry {
    tag: ModelTag,
    /// Other tags of the very same file.
    #[serde(default)]
    also: Vec<ModelTag>,
    title: String,
    shape: String,
    quantisation: Quantisation,
    /// Trained context of this file in tokens, if it differs from the shape's.
    trained_context_tokens: Option<u32>,
    download_bytes: u64,
    /// Bytes of the language model's tensors, if they differ from the sum computed for the quantisation.
    tensor_bytes: Option<u64>,
    /// Bytes of the image encoder among them.
    #[serde(default)]
    image_encoder_bytes: u64,
    /// Default number of tokens that its prediction heads or draft model predict.
    predicts_tokens: Option<u32>,
    /// Bytes of that draft model, where it is a file of its own.
    #[serde(default)]
    draft_model_bytes: u64,
    minimum_engine: Option<EngineVersion>,
    licence: String,
    commercial: Option<bool>,
    #[allow(dead_code, reason = "for those who edit the file; parsed so that it cannot be omitted")]
    source: String,
}

/// Upper limit of all widths: larger than any model's, and small enough that no sum overflows.
const MAX_WIDTH: u32 = 1 << 20;
/// Upper limit of blocks.
const MAX_BLOCKS: u32 = 1024;
/// Size of the metadata (mostly the vocabulary) in a typical file, for models of unknown file size.
const TYPICAL_METADATA_BYTES: u64 = 6_000_000;

impl Catalogue {
    /// The built-in catalogue.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Catalogue> = LazyLock::new(|| {
            let (text, file) = (include_str!("../../assets/catalogue.yaml"), "assets/catalogue.yaml");
            built_in::valid(file, Catalogue::from_yaml(text, Path::new(file)))
        });
        &BUILT_IN
    }

    /// Reads a catalogue from text; `path` is only used in errors.
    ///
    /// # Errors
    /// If the text is not valid YAML, a key is unknown or missing, or a value is invalid ([`CatalogueProblem`]).
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self, CatalogueError> {
        let file: CatalogueFile = serde_saphyr::from_str(text)
            .map_err(|source| CatalogueError::Format { path: path.to_owned(), source: Box::new(source) })?;
        let wrong = |line: u64, problem| CatalogueError::Value { path: path.to_owned(), line, problem };

        let mut catalogue = Self::empty();
        let mut shape_of = BTreeMap::new();
        for (name, shape) in file.shapes {
            let line = shape.referenced.line();
            if let Some((key, value, max)) = out_of_range(&shape.value) {
                return Err(wrong(line, CatalogueProblem::OutOfRange { shape: name, key, value, max }));
            }
            let index = catalogue.shapes.len();
            for known_as in &shape.value.names {
                let Some((words, _)) = names::split(known_as) else {
                    let problem = CatalogueProblem::NameWithoutWords { shape: name, name: known_as.clone() };
                    return Err(wrong(line, problem));
                };
                if catalogue.shape_names.insert(words, index).is_some_and(|other| other != index) {
                    let problem = CatalogueProblem::NameTaken { shape: name, name: known_as.clone() };
                    return Err(wrong(line, problem));
                }
            }
            shape_of.insert(name, index);
            catalogue.shapes.push(shape.value);
        }
        for entry in file.models {
            let line = entry.referenced.line();
            let entry = entry.value;
            let tag = || entry.tag.clone();
            let shape = shape_of
                .get(&entry.shape)
                .and_then(|index| catalogue.shapes.get(*index))
                .ok_or_else(|| CatalogueProblem::UnknownShape { tag: tag(), shape: entry.shape.clone() })
                .map_err(|problem| wrong(line, problem))?;
            let mut architecture = shape.architecture(entry.quantisation);
            if let Some(tensor_bytes) = entry.tensor_bytes {
                architecture.set_tensor_bytes(tensor_bytes);
            }
            let tensor_bytes = architecture.file_tensor_bytes();
            let rest = entry.download_bytes.saturating_sub(entry.image_encoder_bytes);
            if rest < tensor_bytes / 100 * 95 {
                let download_bytes = entry.download_bytes;
                let problem = CatalogueProblem::DownloadTooSmall { tag: tag(), download_bytes, tensor_bytes };
                return Err(wrong(line, problem));
            }
            // The weights of heads in the same file are among its `tensor_bytes`, and a head attends like the last block.
            let kv_values = match entry.draft_model_bytes {
                0 => architecture.blocks.last().map_or(0, |block| block.cache.values_per_token()),
                _ => 0,
            };
            let prediction_heads = entry.predicts_tokens.map(|default_tokens| PredictionHeads {
                default_tokens,
                weights_bytes: entry.draft_model_bytes,
                kv_values,
            });
            let model = Model {
                name: ModelName::Tag(entry.tag.clone()),
                title: entry.title.clone().into(),
                quantisation: ModelQuantisation::Mixture(entry.quantisation),
                licence: Licence { name: entry.licence.clone().into(), commercial: entry.commercial },
                trained_context_tokens: entry.trained_context_tokens.unwrap_or(shape.trained_context_tokens),
                download_bytes: entry.download_bytes,
                architecture,
                image_encoder_bytes: entry.image_encoder_bytes,
                prediction_heads,
                minimum_engine: entry.minimum_engine,
                file: ModelFile::CATALOGUE,
                local: None,
            };
            let index = catalogue.models.len();
            for listed in std::iter::once(&entry.tag).chain(&entry.also) {
                if catalogue.aliases.insert(lower_case(listed), index).is_some() {
                    let problem = CatalogueProblem::DuplicateTag { tag: tag(), duplicate: listed.clone() };
                    return Err(wrong(line, problem));
                }
            }
            catalogue.models.push(Arc::new(model));
        }
        Ok(catalogue)
    }

    /// The model with a tag: an offered one, or any quantisation of a known shape. `None` for any other model; see
    /// [`Model::from_gguf`].
    pub fn find(&self, name: &str) -> Option<Arc<Model>> {
        let model_name = ModelName::of(name.trim());
        if let ModelName::Tag(tag) = &model_name
            && let Some(model) = self.offered(&lower_case(tag))
        {
            return Some(model);
        }
        let (words, quantisation) = names::split(name)?;
        let shape = self.shapes.get(self.shape_of(&words)?)?;
        // Every published quantisation of gpt-oss keeps its experts in MXFP4, as trained.
        let quantisation = if shape.family == "gpt-oss" {
            Quantisation::MXFP4_MOE
        } else {
            quantisation.unwrap_or(Quantisation::Q4_K_M)
        };
        let architecture = shape.architecture(quantisation);
        Some(Arc::new(Model {
            title: name.trim().into(),
            name: model_name,
            quantisation: ModelQuantisation::Mixture(quantisation),
            licence: Licence {
                name: shape.licence.clone().unwrap_or_default().into(),
                commercial: shape.commercial,
            },
            trained_context_tokens: shape.trained_context_tokens,
            download_bytes: architecture
                .file_tensor_bytes()
                .saturating_add(TYPICAL_METADATA_BYTES)
                .saturating_add(shape.image_encoder_bytes),
            architecture,
            image_encoder_bytes: shape.image_encoder_bytes,
            prediction_heads: None,
            minimum_engine: None,
            file: ModelFile::CATALOGUE,
            local: None,
        }))
    }

    /// The offered model with a tag, also in another registry that mirrors Ollama's library: `host/library/name:tag`.
    pub fn listed(&self, tag: &ModelTag) -> Option<Arc<Model>> {
        self.offered(&lower_case(tag)).or_else(|| self.offered(&tag.in_library()?.to_lowercase()))
    }

    fn offered(&self, tag: &str) -> Option<Arc<Model>> {
        self.aliases.get(tag).and_then(|index| self.models.get(*index)).map(Arc::clone)
    }

    /// Index of the shape whose name is `words`, or whose name they contain: a fine-tune's name is usually its base
    /// model's with words added.
    fn shape_of(&self, words: &[String]) -> Option<usize> {
        if let Some(index) = self.shape_names.get(words) {
            return Some(*index);
        }
        let mut found: Option<(usize, usize)> = None;
        for (name, index) in &self.shape_names {
            let sizes = |words: &[String]| words.iter().filter(|word| names::is_size(word)).count();
            let contained = name.iter().all(|word| words.contains(word));
            // A single letter marks another architecture ("granite-4.0-h-1b").
            let other_architecture =
                words.iter().any(|word| word.len() == 1 && word.bytes().all(|b| b.is_ascii_alphabetic()));
            if other_architecture
                || name.len() < 2
                || sizes(name) == 0
                || !contained
                || sizes(name) != sizes(words)
            {
                continue;
            }
            match found {
                Some((length, _)) if length > name.len() => {}
                Some((length, other)) if length == name.len() && other != *index => return None,
                _ => found = Some((name.len(), *index)),
            }
        }
        found.map(|(_, index)| index)
    }

    fn empty() -> Self {
        Self {
            models: Vec::new(),
            aliases: BTreeMap::new(),
            shapes: Vec::new(),
            shape_names: BTreeMap::new(),
        }
    }
}

/// A tag in the form in which tags are compared.
fn lower_case(tag: &ModelTag) -> String {
    tag.as_str().to_lowercase()
}

/// Key, value and upper limit of the first figure of a shape that is out of range.
fn out_of_range(shape: &Shape) -> Option<(&'static str, u32, u32)> {
    let of = |key, value: u32, max: u32| (value == 0 || value > max).then_some((key, value, max));
    of("blocks", shape.blocks, MAX_BLOCKS)
        .or_else(|| of("embedding", shape.embedding, MAX_WIDTH))
        .or_else(|| of("feed_forward", shape.feed_forward, MAX_WIDTH))
        .or_else(|| of("heads", shape.heads, MAX_WIDTH))
        .or_else(|| of("kv_heads", shape.kv_heads, shape.heads))
        .or_else(|| of("vocabulary", shape.vocabulary, 1 << 24))
        .or_else(|| of("trained_context_tokens", shape.trained_context_tokens, 1 << 30))
        .or_else(|| shape.head_dim.and_then(|dim| of("head_dim", dim, MAX_WIDTH)))
        .or_else(|| shape.window.as_ref().and_then(|w| of("window.tokens", w.tokens, 1 << 30)))
        .or_else(|| {
            let experts = shape.experts.as_ref()?;
            of("experts.count", experts.count, 1 << 16)
                .or_else(|| of("experts.used", experts.used, experts.count))
                .or_else(|| of("experts.feed_forward", experts.feed_forward, MAX_WIDTH))
        })
        .or_else(|| {
            let latent = shape.latent.as_ref()?;
            of("latent.query_rank", latent.query_rank, MAX_WIDTH)
                .or_else(|| of("latent.key_rank", latent.key_rank, MAX_WIDTH))
                .or_else(|| of("latent.positional", latent.positional, MAX_WIDTH))
                .or_else(|| of("latent.key", latent.key, MAX_WIDTH))
                .or_else(|| of("latent.value", latent.value, MAX_WIDTH))
        })
        .or_else(|| {
            let mamba = shape.mamba.as_ref()?;
            of("mamba.inner", mamba.inner, MAX_WIDTH)
                .or_else(|| of("mamba.state", mamba.state, MAX_WIDTH))
                .or_else(|| of("mamba.groups", mamba.groups, 1 << 16))
                .or_else(|| of("mamba.heads", mamba.heads, 1 << 16))
                .or_else(|| of("mamba.convolution", mamba.convolution, 1 << 10))
        })
        .or_else(|| {
            let net = shape.delta_net.as_ref()?;
            of("delta_net.key_heads", net.key_heads, 1 << 16)
                .or_else(|| of("delta_net.value_heads", net.value_heads, 1 << 16))
                .or_else(|| of("delta_net.head_dim", net.head_dim, MAX_WIDTH))
                .or_else(|| of("delta_net.convolution", net.convolution, 1 << 10))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn the_built_in_catalogue_is_valid_and_finds_its_own() {
        let catalogue = Catalogue::built_in();
        assert!(catalogue.models.len() >= 15);
        for model in &catalogue.models {
            assert_eq!(catalogue.find(model.name.as_str()).as_ref(), Some(model));
            assert!(model.trained_context_tokens >= crate::MIN_CONTEXT_TOKENS, "{}", model.title);
        }
        for shape in &catalogue.shapes {
            for name in &shape.names {
                assert!(catalogue.find(name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn any_quantisation_of_a_known_shape_is_found() {
        let catalogue = Catalogue::built_in();
        let model = catalogue.find("qwen2.5-coder:7b-instruct-q5_K_M").unwrap();
        assert_eq!((model.quantisation.name(), model.total_layers()), ("Q5_K_M", 29));
        for name in ["Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "llama3.1:8b-instruct-q4_0", "Llama-2-7B Q4_0"]
        {
            assert_eq!(catalogue.find(name).map(|m| m.total_layers()), Some(33), "{name}");
        }
        assert_eq!(catalogue.find("nothing-like-it:7b"), None);
        assert_eq!(catalogue.find(""), None);
    }

    #[test]
    fn an_error_names_file_line_and_key() {
        let of = |text: &str| Catalogue::from_yaml(text, Path::new("mine.yaml")).unwrap_err().to_string();
        let shape = "{family: llama, blocks: 1, embedding: 256, feed_forward: 256, heads: 1, kv_heads: 1, \
                     vocabulary: 10, trained_context_tokens: 10, source: none";
        let unknown = of(&format!("models: []\nshapes:\n  a:\n    {shape}, wheels: 4}}\n"));
        assert!(unknown.contains("mine.yaml") && unknown.contains("wheels"), "{unknown}");
        assert!(unknown.contains('4'), "{unknown}");
        let zero =
            of(&format!("models: []\nshapes:\n  a:\n    {}}}\n", shape.replace("blocks: 1", "blocks: 0")));
        assert!(zero.contains("line 4") && zero.contains("shapes.a.blocks"), "{zero}");
        let missing = of(
            "shapes: {}\nmodels:\n  - {tag: x, title: X, shape: a, quantisation: Q8_0, download_bytes: 1,\n     \
             licence: MIT, source: none}\n",
        );
        assert!(missing.contains("line 3") && missing.contains("no shape \"a\""), "{missing}");
        assert!(of("models: [").contains("mine.yaml"));
        assert!(of("").contains("mine.yaml"));
    }
}
