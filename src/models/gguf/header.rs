//! Contents of a header, and which of its keys are kept.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::models::TensorType;

/// Keys that are kept.
const KEPT: &[&str] = &[
    "general.alignment",
    "general.architecture",
    "general.file_type",
    "general.license",
    "general.name",
    "general.type",
    "split.count",
    "split.no",
    "split.tensors.count",
    "tokenizer.chat_template",
];

/// Keys that are kept with any architecture's name and a dot before them.
const KEPT_OF_ARCHITECTURE: &[&str] = &[
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.key_length_mla",
    "attention.key_length_swa",
    "attention.shared_kv_layers",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attention.value_length",
    "attention.value_length_swa",
    "block_count",
    "context_length",
    "embedding_length",
    "expert_count",
    "expert_feed_forward_length",
    "expert_shared_feed_forward_length",
    "expert_used_count",
    "feed_forward_length",
    "nextn_predict_layers",
    "shortconv.l_cache",
    "ssm.conv_kernel",
    "ssm.group_count",
    "ssm.inner_size",
    "ssm.state_size",
];

/// Whether the value of a key of the metadata is kept.
pub fn is_kept(key: &str) -> bool {
    let of_architecture = key.split_once('.').is_some_and(|(_, name)| KEPT_OF_ARCHITECTURE.contains(&name));
    of_architecture || KEPT.contains(&key)
}

/// Whether a key of the metadata describes the parts of a model that is split into several files.
pub(super) fn is_split_key(key: &str) -> bool {
    const KEYS: [&str; 3] = ["split.no", "split.count", "split.tensors.count"];
    KEYS.contains(&key) || key.split_once('.').is_some_and(|(_architecture, name)| KEYS.contains(&name))
}

/// The header of a GGUF file.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Metadata of the keys that are kept. Arrays and texts that are too long are [`Value::Skipped`].
    pub metadata: BTreeMap<String, Value>,
    /// Tensors in the order of the file.
    pub tensors: Vec<Tensor>,
    /// Where its parts are.
    pub layout: HeaderLayout,
}

/// Where the parts of a header are in its file. Positions are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderLayout {
    /// Version of the format.
    pub version: u32,
    /// Number of entries of the metadata.
    pub entry_count: u64,
    /// The entries.
    pub entries: Range<u64>,
    /// Those entries that describe the parts of a split file.
    pub split_entries: Vec<Range<u64>>,
    /// Where the header ends.
    pub end: u64,
}

/// A value of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A non-negative integer, or a boolean as 0 or 1.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list of the above.
    Array(Vec<Value>),
    /// An array or text that is too long.
    Skipped,
}

/// Description of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// For example `blk.0.attn_q.weight`.
    pub name: String,
    /// Type of its elements.
    pub kind: TensorType,
    /// Shape, row length first.
    pub dimensions: Vec<u64>,
    /// Where its data begins in the data of all tensors, in bytes.
    pub offset: u64,
}

/// Alignment of tensors in a file that does not state it, in bytes.
const DEFAULT_ALIGNMENT: u64 = 32;
/// Upper limit of the alignment; larger than any file's.
const MAX_ALIGNMENT: u64 = 1 << 16;

impl Header {
    /// Whether it has a chat template.
    pub fn has_chat_template(&self) -> bool {
        self.metadata.contains_key("tokenizer.chat_template")
    }

    /// Alignment of tensors in bytes.
    pub fn alignment(&self) -> u64 {
        let stated = self.unsigned("general.alignment");
        stated.filter(|bytes| (1..=MAX_ALIGNMENT).contains(bytes)).unwrap_or(DEFAULT_ALIGNMENT)
    }

    /// Where the data begins in the file.
    pub fn data_start(&self) -> u64 {
        self.layout.end.next_multiple_of(self.alignment())
    }

    /// Size of a file with all of its tensors.
    pub fn file_bytes(&self) -> u64 {
        let ends = self.tensors.iter().map(|tensor| tensor.offset.saturating_add(tensor.bytes()));
        ends.max().map_or(self.layout.end, |end| self.data_start().saturating_add(end))
    }

    /// A non-negative integer of the metadata.
    pub fn unsigned(&self, key: &str) -> Option<u64> {
        match self.metadata.get(key)? {
            Value::Unsigned(value) => Some(*value),
            _ => None,
        }
    }

    /// A text of the metadata.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.metadata.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Value for block `index` of a number that is stored once for all blocks or per block.
    pub fn of_block(&self, key: &str, index: usize) -> Option<u64> {
        match self.metadata.get(key)? {
            Value::Unsigned(value) => Some(*value),
            Value::Array(values) => match values.get(index)? {
                Value::Unsigned(value) => Some(*value),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Tensor {
    /// Number of values. Cannot overflow, because parsing checked it.
    pub fn values(&self) -> u64 {
        self.dimensions.iter().fold(1, |product, n| u64::saturating_mul(product, *n))
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        self.kind.bytes(self.values())
    }
}
