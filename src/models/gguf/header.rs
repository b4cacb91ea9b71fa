//! Contents of a header, and which of its keys are kept.

use std::collections::BTreeMap;

use crate::models::TensorType;

/// Keys that are kept.
const KEPT: &[&str] = &[
    "general.architecture",
    "general.file_type",
    "general.license",
    "general.name",
    "general.type",
    "split.count",
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

/// The header of a GGUF file.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Metadata of the keys that are kept. Arrays and texts that are too long are [`Value::Skipped`].
    pub metadata: BTreeMap<String, Value>,
    /// Tensors in the order of the file.
    pub tensors: Vec<Tensor>,
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
}

impl Header {
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
