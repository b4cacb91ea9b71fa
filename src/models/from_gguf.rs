//! Converts the header of a GGUF file to a [`Model`].

use std::collections::BTreeMap;

use super::attention_pattern::AttentionPattern;
use super::gguf::{Header, Tensor, Value, is_kept};
use super::{
    Block, Cache, Experts, Licence, Model, ModelArchitecture, ModelFile, ModelName, ModelQuantisation,
    ModelSource, PredictionHeads, Quantisation, TensorType,
};
use crate::untrusted::UntrustedText;

/// Why a valid header does not describe a model that can be estimated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAModel {
    /// A key of the metadata is missing.
    #[error("the model file has no {0}")]
    Missing(UntrustedText),
    /// The token embedding is missing.
    #[error("the model file has no tensor {TOKEN_EMBEDDING}")]
    NoTokenEmbedding,
    /// A figure is out of range.
    #[error("the model file's {key} is {value}, which is out of range")]
    Impossible {
        /// The key of the metadata.
        key: UntrustedText,
        /// Its value.
        value: u64,
    },
    /// Not a language model.
    #[error("this is a file of type \"{0}\", which is not a language model")]
    OtherKind(UntrustedText),
    /// The image or audio encoder of another model (`mmproj`).
    #[error("this is the image encoder of a model")]
    Encoder,
    /// A LoRA adapter, which changes another model.
    #[error("this is an adapter for a model")]
    Adapter,
    /// An importance matrix, from which models are quantised.
    #[error("this is an importance matrix")]
    ImportanceMatrix,
    /// One part of a model that is split into several files.
    #[error("this is one of {0} parts of a model; estimating needs a file in one piece")]
    Split(u64),
    /// The tensors are larger than the file.
    #[error("the model file claims {tensor_bytes} bytes of tensors in {file_bytes} bytes")]
    LargerThanItsFile {
        /// Bytes of all tensors.
        tensor_bytes: u64,
        /// Bytes of the file.
        file_bytes: u64,
    },
}

/// Every language model has this tensor.
const TOKEN_EMBEDDING: &str = "token_embd.weight";
/// Upper limit of all widths; larger than any model's.
const MAX_WIDTH: u64 = 1 << 20;
/// Upper limit of blocks.
const MAX_BLOCKS: u64 = 1024;

impl Model {
    /// The model described by a file's header. `download_bytes` is the size of the file, or of all layers of its
    /// manifest; 0 if unknown.
    ///
    /// # Errors
    /// If the file is not a language model, is incomplete, or has figures out of range.
    pub fn from_gguf(header: &Header, name: ModelName, download_bytes: u64) -> Result<Self, NotAModel> {
        match header.text("general.type") {
            Some("mmproj" | "projector") => return Err(NotAModel::Encoder),
            Some("adapter") => return Err(NotAModel::Adapter),
            Some("imatrix") => return Err(NotAModel::ImportanceMatrix),
            _ => {}
        }
        let family = header.text("general.architecture").ok_or_else(|| missing("general.architecture"))?;
        if matches!(family, "clip" | "mmproj") {
            return Err(NotAModel::Encoder);
        }
        if AttentionPattern::writes_no_text(family) {
            return Err(NotAModel::OtherKind(family.into()));
        }
        if let Some(parts) = header.unsigned("split.count").filter(|parts| *parts > 1) {
            return Err(NotAModel::Split(parts));
        }
        let tensor_bytes = header.tensors.iter().fold(0, |sum: u64, t| sum.saturating_add(t.bytes()));
        if download_bytes > 0 && tensor_bytes > download_bytes {
            return Err(NotAModel::LargerThanItsFile { tensor_bytes, file_bytes: download_bytes });
        }
        let reader = Reader { header, family };
        let architecture = reader.architecture()?;
        let context = reader.required("context_length", u64::from(u32::MAX))?;
        let licence = header.text("general.license").unwrap_or("").to_owned();
        let free = ["apache-2.0", "mit", "bsd", "cc0", "cc-by-4.0"];
        let commercial = free.contains(&licence.to_lowercase().as_str()).then_some(true);
        Ok(Self {
            title: header
                .text("general.name")
                .filter(|name| !name.trim().is_empty())
                .unwrap_or(name.as_str())
                .to_owned()
                .into(),
            name,
            quantisation: quantisation(header),
            licence: Licence { name: licence.into(), commercial },
            trained_context_tokens: u32::try_from(context).unwrap_or(u32::MAX),
            download_bytes: download_bytes.max(tensor_bytes),
            architecture,
            image_encoder_bytes: encoder_bytes(header),
            prediction_heads: reader.prediction_heads()?,
            minimum_engine: None,
            file: ModelFile { source: ModelSource::File, sha256: None },
            local: None,
        })
    }
}

/// Reads the keys of one architecture.
struct Reader<'a> {
    header: &'a Header,
    family: &'a str,
}

impl Reader<'_> {
    fn key(&self, name: &str) -> String {
        let key = format!("{}.{name}", self.family);
        debug_assert!(is_kept(&key) || self.family.contains('.'), "{key} is not kept");
        key
    }

    /// An optional figure, at most `max`.
    fn optional(&self, name: &str, max: u64) -> Result<Option<u64>, NotAModel> {
        let key = self.key(name);
        match self.header.unsigned(&key) {
            Some(value) if value > max => Err(NotAModel::Impossible { key: key.into(), value }),
            value => Ok(value),
        }
    }

    /// A required figure from 1 to `max`.
    fn required(&self, name: &str, max: u64) -> Result<u64, NotAModel> {
        let value = self.optional(name, max)?.ok_or_else(|| missing(&self.key(name)))?;
        if value == 0 { Err(NotAModel::Impossible { key: self.key(name).into(), value }) } else { Ok(value) }
    }

    /// A figure that is given once or per block: its maximum.
    fn largest(&self, name: &str) -> Result<Option<u64>, NotAModel> {
        let key = self.key(name);
        let value = match self.header.metadata.get(&key) {
            Some(Value::Unsigned(value)) => Some(*value),
            Some(Value::Array(values)) => values
                .iter()
                .filter_map(|value| if let Value::Unsigned(value) = value { Some(*value) } else { None })
                .max(),
            _ => None,
        };
        match value {
            Some(value) if value > MAX_WIDTH => Err(NotAModel::Impossible { key: key.into(), value }),
            value => Ok(value),
        }
    }

    fn architecture(&self) -> Result<ModelArchitecture, NotAModel> {
        let embedding = self.required("embedding_length", MAX_WIDTH)?;
        // Prediction blocks are in the file but not loaded.
        let skipped = self.optional("nextn_predict_layers", MAX_BLOCKS)?.unwrap_or(0);
        let all = self.required("block_count", MAX_BLOCKS)?;
        let count = usize::try_from(all.saturating_sub(skipped).max(1)).unwrap_or(1);
        let heads = self.largest("attention.head_count")?.unwrap_or(1).max(1);
        let head_dim = self.optional("attention.key_length", MAX_WIDTH)?.unwrap_or(embedding / heads);

        let mut parts = Parts::default();
        let mut blocks: Vec<Vec<&Tensor>> = vec![Vec::new(); count];
        for tensor in &self.header.tensors {
            match block_index(&tensor.name) {
                Some(index) => {
                    if let Some(block) = blocks.get_mut(index) {
                        block.push(tensor);
                    }
                }
                None => parts.add(tensor),
            }
        }
        let embedding_tensor = parts.token_embedding.ok_or(NotAModel::NoTokenEmbedding)?;
        let output = parts.output.unwrap_or(embedding_tensor);
        let experts = match (
            self.optional("expert_count", 1 << 16)?.unwrap_or(0),
            self.optional("expert_used_count", 1 << 16)?.unwrap_or(0),
        ) {
            (0, _) | (_, 0) => None,
            (count, used) => Some(Experts { count: narrow(count), used: narrow(used.min(count)) }),
        };
        let feed_forward = match experts {
            Some(experts) => {
                let one = self.optional("expert_feed_forward_length", MAX_WIDTH)?.unwrap_or(0);
                let shared = self.optional("expert_shared_feed_forward_length", MAX_WIDTH)?.unwrap_or(0);
                one.saturating_mul(u64::from(experts.used)).saturating_add(shared)
            }
            None => self.largest("feed_forward_length")?.unwrap_or(0),
        };
        let pattern = AttentionPattern::of(self.family);
        Ok(ModelArchitecture {
            family: self.family.to_owned(),
            is_known: self.is_known(pattern),
            embedding: narrow(embedding),
            feed_forward: narrow(feed_forward),
            heads: narrow(heads),
            query_values: narrow(heads.saturating_mul(head_dim)),
            blocks: self.blocks(&blocks, pattern)?,
            experts,
            output_bytes: output.bytes().saturating_add(parts.output_rest_bytes),
            output_parameters: output.values(),
            token_embedding_bytes: embedding_tensor.bytes(),
            tied_embeddings: parts.output.is_none(),
            input_bytes: parts.input_bytes,
        })
    }

    fn blocks(&self, tensors: &[Vec<&Tensor>], pattern: AttentionPattern) -> Result<Vec<Block>, NotAModel> {
        let window = self.optional("attention.sliding_window", u64::from(u32::MAX))?;
        let window = match pattern {
            AttentionPattern::Windows(windows) => windows.tokens(window, tensors.len()),
            AttentionPattern::Listed => window.filter(|tokens| *tokens > 0),
            AttentionPattern::Full | AttentionPattern::Unknown => None,
        };
        let shared = self.optional("attention.shared_kv_layers", MAX_BLOCKS)?.unwrap_or(0);
        let own = AttentionPattern::first_shared_block(self.family)
            .unwrap_or_else(|| tensors.len().saturating_sub(usize::try_from(shared).unwrap_or(usize::MAX)));
        tensors
            .iter()
            .enumerate()
            .map(|(index, tensors)| {
                let mut block = sum_of(tensors);
                block.cache = if index >= own {
                    Cache::Shared
                } else {
                    let window = window.filter(|_| !self.has_full_attention(index, pattern));
                    self.cache(index, tensors, window.map(narrow))?
                };
                Ok(block)
            })
            .collect()
    }

    /// Whether a block of a model with windows has full attention: by the file's list where the engine follows it, else
    /// by the engine's pattern with the file's period or its own.
    fn has_full_attention(&self, index: usize, pattern: AttentionPattern) -> bool {
        let key = self.key("attention.sliding_window_pattern");
        let is_listed = matches!(self.header.metadata.get(&key), Some(Value::Array(_)));
        match pattern {
            AttentionPattern::Listed if is_listed => self.header.of_block(&key, index) != Some(1),
            AttentionPattern::Windows(windows) if windows.follows_list && is_listed => {
                self.header.of_block(&key, index) != Some(1)
            }
            AttentionPattern::Windows(windows) => {
                windows.has_full_attention(index, self.header.unsigned(&key))
            }
            AttentionPattern::Full | AttentionPattern::Listed | AttentionPattern::Unknown => true,
        }
    }

    /// Whether the attention of all blocks is known.
    fn is_known(&self, pattern: AttentionPattern) -> bool {
        let key = self.key("attention.sliding_window_pattern");
        match pattern {
            AttentionPattern::Full | AttentionPattern::Windows(_) => true,
            AttentionPattern::Listed => matches!(self.header.metadata.get(&key), Some(Value::Array(_))),
            AttentionPattern::Unknown => false,
        }
    }

    /// Multi-token prediction heads: the last blocks or, in older files, tensors named `mtp.`. Off by default in the engine.
    fn prediction_heads(&self) -> Result<Option<PredictionHeads>, NotAModel> {
        let heads = self.optional("nextn_predict_layers", MAX_BLOCKS)?.unwrap_or(0);
        let first = self.required("block_count", MAX_BLOCKS)?.saturating_sub(heads);
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let is_head = |tensor: &&Tensor| {
            tensor.name.starts_with("mtp.")
                || (heads > 0 && block_index(&tensor.name).is_some_and(|index| index >= first))
        };
        let tensors: Vec<&Tensor> = self.header.tensors.iter().filter(is_head).collect();
        if heads == 0 && tensors.is_empty() {
            return Ok(None);
        }
        let cache = self.cache(first, &tensors, None)?;
        Ok(Some(PredictionHeads {
            default_tokens: 0,
            weights_bytes: sum_of(&tensors).bytes,
            kv_values: cache.values_per_token(),
        }))
    }

    fn cache(&self, index: usize, tensors: &[&Tensor], window: Option<u32>) -> Result<Cache, NotAModel> {
        let has = |part: &str| tensors.iter().any(|tensor| tensor.name.contains(part));
        let attends = has(".attn_k.") || has(".attn_kv") || (has(".attn_qkv.") && !has(".ssm_"));
        if !attends && has(".shortconv.") {
            let kernel = self.optional("shortconv.l_cache", 1 << 12)?.unwrap_or(3);
            let embedding = self.required("embedding_length", MAX_WIDTH)?;
            return Ok(Cache::Recurrent { bytes: kernel.saturating_sub(1).saturating_mul(embedding * 4) });
        }
        if !attends && has(".ssm_") {
            let figure = |name: &str| self.optional(name, MAX_WIDTH).map(|value| value.unwrap_or(0));
            let (inner, state) = (figure("ssm.inner_size")?, figure("ssm.state_size")?);
            let mixed = inner.saturating_add(figure("ssm.group_count")?.saturating_mul(state * 2));
            let convolution = figure("ssm.conv_kernel")?.saturating_sub(1).saturating_mul(mixed);
            let values = convolution.saturating_add(state.saturating_mul(inner));
            return Ok(Cache::Recurrent { bytes: values.saturating_mul(4) });
        }
        let kv_heads_key = self.key("attention.head_count_kv");
        let heads_key = self.key("attention.head_count");
        let heads = self.header.of_block(&heads_key, index).unwrap_or(1).max(1);
        let kv_heads = self.header.of_block(&kv_heads_key, index).unwrap_or(heads);
        if !attends || kv_heads == 0 {
            return Ok(Cache::Shared);
        }
        if kv_heads > MAX_WIDTH {
            return Err(NotAModel::Impossible { key: kv_heads_key.into(), value: kv_heads });
        }
        let usual = self.required("embedding_length", MAX_WIDTH)? / heads;
        let length = |name: &str, otherwise: u64| -> Result<u64, NotAModel> {
            let narrower =
                window.map(|_| self.optional(&format!("attention.{name}_swa"), MAX_WIDTH)).transpose()?;
            let value = match narrower.flatten() {
                Some(value) => Some(value),
                None => self.optional(&format!("attention.{name}"), MAX_WIDTH)?,
            };
            Ok(value.unwrap_or(otherwise))
        };
        let k_values = narrow(kv_heads.saturating_mul(length("key_length", usual)?));
        // Latent attention caches one compressed row that contains the values.
        let latent = self.optional("attention.key_length_mla", MAX_WIDTH)?.is_some();
        let v_values =
            if latent { 0 } else { narrow(kv_heads.saturating_mul(length("value_length", usual)?)) };
        Ok(Cache::Attention { k_values, v_values, window })
    }
}

/// Tensors outside the blocks.
#[derive(Default)]
struct Parts<'a> {
    token_embedding: Option<&'a Tensor>,
    output: Option<&'a Tensor>,
    output_rest_bytes: u64,
    input_bytes: u64,
}

impl<'a> Parts<'a> {
    fn add(&mut self, tensor: &'a Tensor) {
        match tensor.name.as_str() {
            TOKEN_EMBEDDING => self.token_embedding = Some(tensor),
            "output.weight" => self.output = Some(tensor),
            name if name.starts_with("output") => {
                self.output_rest_bytes = self.output_rest_bytes.saturating_add(tensor.bytes());
            }
            // Image and audio encoders in the same file are not part of the language model.
            name if is_encoder(name) || name.starts_with("mtp.") => {}
            _ => self.input_bytes = self.input_bytes.saturating_add(tensor.bytes()),
        }
    }
}

/// Whether a tensor belongs to an image or audio encoder: the engine hides these from the language model.
fn is_encoder(name: &str) -> bool {
    ["v.", "a.", "s.", "mm.", "model.vision_tower."].iter().any(|prefix| name.starts_with(prefix))
}

/// Bytes of the image and audio encoders in the file.
fn encoder_bytes(header: &Header) -> u64 {
    let encoders = header.tensors.iter().filter(|tensor| is_encoder(&tensor.name));
    encoders.fold(0, |sum, tensor| sum.saturating_add(tensor.bytes()))
}

/// Index of a tensor's block: 12 for `blk.12.attn_q.weight`.
fn block_index(name: &str) -> Option<usize> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

fn sum_of(tensors: &[&Tensor]) -> Block {
    let mut block = Block::EMPTY;
    for tensor in tensors {
        let matrix = tensor.dimensions.len() > 1 && tensor.name.ends_with(".weight");
        let (bytes, values) = (tensor.bytes(), if matrix { tensor.values() } else { 0 });
        block.bytes = block.bytes.saturating_add(bytes);
        block.parameters = block.parameters.saturating_add(values);
        block.matrices = block.matrices.saturating_add(u32::from(matrix));
        if tensor.name.contains("_exps.") {
            block.expert_bytes = block.expert_bytes.saturating_add(bytes);
            block.expert_parameters = block.expert_parameters.saturating_add(values);
        }
    }
    block
}

/// The mixture that the file states, else the tensor type with the most bytes.
fn quantisation(header: &Header) -> ModelQuantisation {
    use Quantisation::{
        BF16, F16, F32, IQ4_NL, IQ4_XS, MXFP4_MOE, Q2_K, Q3_K_L, Q3_K_M, Q3_K_S, Q4_0, Q4_1, Q4_K_M, Q4_K_S,
        Q5_0, Q5_1, Q5_K_M, Q5_K_S, Q6_K, Q8_0,
    };
    // Numbers of llama.cpp's `llama_ftype`.
    let named = header.unsigned("general.file_type").and_then(|number| {
        Some(match number {
            0 => F32,
            1 => F16,
            2 => Q4_0,
            3 => Q4_1,
            7 => Q8_0,
            8 => Q5_0,
            9 => Q5_1,
            10 => Q2_K,
            11 => Q3_K_S,
            12 => Q3_K_M,
            13 => Q3_K_L,
            14 => Q4_K_S,
            15 => Q4_K_M,
            16 => Q5_K_S,
            17 => Q5_K_M,
            18 => Q6_K,
            25 => IQ4_NL,
            30 => IQ4_XS,
            32 => BF16,
            38 => MXFP4_MOE,
            _ => return None,
        })
    });
    if let Some(mixture) = named {
        return ModelQuantisation::Mixture(mixture);
    }
    let mut bytes: BTreeMap<&str, (u64, TensorType)> = BTreeMap::new();
    for tensor in &header.tensors {
        let sum = bytes.entry(tensor.kind.name()).or_insert((0, tensor.kind));
        sum.0 = sum.0.saturating_add(tensor.bytes());
    }
    let most = bytes.into_values().max_by_key(|(bytes, _)| *bytes);
    ModelQuantisation::Mostly(most.map_or(TensorType::F32, |(_, tensor_type)| tensor_type))
}

fn missing(what: &str) -> NotAModel {
    NotAModel::Missing(what.into())
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
