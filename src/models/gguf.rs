//! Parser for the header of a GGUF file: the metadata, and the type and shape of each tensor, without the weights.
//!
//! Headers are untrusted: a local file, or the first bytes of a file in a registry. Every value is validated, no length
//! in the header leads to an unbounded allocation, and a header that ends early returns [`HeaderError::Cut`], so that the
//! caller can fetch more of it. Only the keys that somebody reads are kept ([`is_kept`]), and all that is kept together has
//! a limit: a value takes many times the memory that it takes in the file.
//!
//! The format is described in ggml's `docs/gguf.md`.

use std::collections::BTreeMap;
use std::io::Read;

use super::TensorType;
use crate::untrusted::UntrustedText;

/// Larger than any header. The vocabulary is the largest part of one and stays well below.
pub const MAX_HEADER_BYTES: u64 = 128 << 20;

/// More metadata entries, or tensors, than any model has.
const MAX_ENTRIES: u64 = 1 << 16;
/// The longest name or text that is kept, in bytes.
const MAX_TEXT_BYTES: u64 = 1 << 16;
/// The longest array that is kept, in values: enough for one per block.
const MAX_ARRAY_VALUES: u64 = 1 << 12;
/// The largest plausible tensor, in values.
const MAX_VALUES: u64 = 1 << 44;
/// The longest name of a tensor, in bytes; llama.cpp takes 63.
const MAX_NAME_BYTES: u64 = 256;
/// The most memory that what is kept may take.
const MAX_KEPT_BYTES: u64 = 32 << 20;
/// The deepest nesting of arrays. The format allows it; no known model uses it.
const MAX_ARRAY_DEPTH: u32 = 4;

/// Keys that are kept as they are.
const KEPT: &[&str] = &[
    "general.architecture",
    "general.file_type",
    "general.license",
    "general.name",
    "general.type",
    "split.count",
];

/// Keys that are kept behind the name of any architecture and a dot.
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
    /// Its metadata, as far as it is kept. Arrays and texts too long to describe the architecture are [`Value::Skipped`].
    pub metadata: BTreeMap<String, Value>,
    /// Its tensors, in the order of the file.
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
    /// An array or text that was too long to keep.
    Skipped,
}

/// A tensor as the header describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// For example `blk.0.attn_q.weight`.
    pub name: String,
    /// Type of its elements.
    pub kind: TensorType,
    /// Its shape, row length first.
    pub dimensions: Vec<u64>,
}

/// Why a header cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// It is incomplete: the file is truncated, or more of it must be fetched.
    #[error("the model file's header ends too early, after {read_bytes} bytes")]
    Cut {
        /// Bytes that were there.
        read_bytes: u64,
    },
    /// Reading failed.
    #[error("the model file's header cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// Not a GGUF file.
    #[error("this is not a GGUF model file")]
    NotGguf,
    /// An unsupported version.
    #[error("GGUF version {0} is not supported, only 2 and 3 are")]
    Version(u32),
    /// Longer than [`MAX_HEADER_BYTES`].
    #[error("the model file's header is longer than {} MiB", MAX_HEADER_BYTES >> 20)]
    TooLong,
    /// What describes the model would take more memory than any model's does.
    #[error("the model file's header describes more than any model has")]
    TooMuch,
    /// It holds an invalid value.
    #[error("the model file's header is damaged: {0}")]
    Damaged(#[from] HeaderDamage),
}

/// An invalid value of a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderDamage {
    /// More tensors than any model has.
    #[error("{0} tensors are more than any model has")]
    TooManyTensors(u64),
    /// More metadata entries than any model has.
    #[error("{0} metadata entries are more than any model has")]
    TooManyEntries(u64),
    /// The name of a key or tensor is too long to keep.
    #[error("a name is too long")]
    NameTooLong,
    /// A value, or the elements of an array, of a type that the format does not have.
    #[error("a value has the unknown type {0}")]
    ValueType(u32),
    /// Arrays in arrays, deeper than any model has them.
    #[error("arrays are nested too deeply")]
    DeepArrays,
    /// Something is wrong with one tensor.
    #[error("tensor {name:?}: {problem}")]
    Tensor {
        /// Its name.
        name: UntrustedText,
        /// What is wrong with it.
        problem: TensorProblem,
    },
}

/// What is wrong with a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
    /// Another tensor has its name.
    #[error("it is there twice")]
    Twice,
    /// Not 1 to 4 dimensions.
    #[error("it has {0} dimensions")]
    Dimensions(u32),
    /// A length of 0, or one that makes it larger than any tensor.
    #[error("it has a side of {0}")]
    Length(u64),
    /// A type we do not know.
    #[error("it has the unknown type {0}")]
    Type(u32),
    /// Its rows are not a whole number of blocks of its type.
    #[error("a row is not a whole number of {} blocks", .0.name())]
    Row(TensorType),
}

impl Header {
    /// Reads the header from the first bytes of a file.
    ///
    /// # Errors
    /// [`HeaderError::Cut`] when the bytes end before the header does; the others when it is not a valid header.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        Self::read(bytes)
    }

    /// Reads the header from the beginning of a file. At most [`MAX_HEADER_BYTES`] are read.
    ///
    /// # Errors
    /// As [`Header::parse`], and when reading fails.
    pub fn read(reader: impl Read) -> Result<Self, HeaderError> {
        let mut source = Source { reader, read_bytes: 0, kept_bytes: 0 };
        if source.bytes::<4>()? != *b"GGUF" {
            return Err(HeaderError::NotGguf);
        }
        let version = source.u32()?;
        if !(2..=3).contains(&version) {
            return Err(HeaderError::Version(version));
        }
        let tensor_count = source.count(HeaderDamage::TooManyTensors)?;
        let entry_count = source.count(HeaderDamage::TooManyEntries)?;
        let mut metadata = BTreeMap::new();
        for _ in 0..entry_count {
            let key = source.name(MAX_TEXT_BYTES)?;
            let kind = source.u32()?;
            if is_kept(&key) {
                source.keep(key.len() as u64)?;
                let value = source.value(kind, 0)?;
                metadata.insert(key, value);
            } else {
                source.skip_value(kind, 0)?;
            }
        }
        let mut tensors: Vec<Tensor> = Vec::new();
        for _ in 0..tensor_count {
            tensors.push(source.tensor()?);
        }
        let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(damaged(name, TensorProblem::Twice));
        }
        Ok(Self { metadata, tensors })
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

    /// The value for block `index` of a number that the metadata holds once for all blocks, or per block.
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
    /// Number of its values. Cannot overflow: parsing checked it.
    pub fn values(&self) -> u64 {
        self.dimensions.iter().fold(1, |product, n| u64::saturating_mul(product, *n))
    }

    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        self.kind.bytes(self.values())
    }
}

/// Reads little-endian values and counts the bytes read.
struct Source<R> {
    reader: R,
    read_bytes: u64,
    /// Memory that what was kept so far takes.
    kept_bytes: u64,
}

impl<R: Read> Source<R> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), HeaderError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => return Err(HeaderError::Cut { read_bytes: self.read_bytes }),
                Ok(n) => {
                    filled += n;
                    self.read_bytes += n as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(HeaderError::Read(error)),
            }
            if self.read_bytes > MAX_HEADER_BYTES {
                return Err(HeaderError::TooLong);
            }
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, HeaderError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Result<u64, HeaderError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn count(&mut self, too_many: fn(u64) -> HeaderDamage) -> Result<u64, HeaderError> {
        let count = self.u64()?;
        if count > MAX_ENTRIES { Err(too_many(count).into()) } else { Ok(count) }
    }

    fn skip(&mut self, mut bytes: u64) -> Result<(), HeaderError> {
        if bytes > MAX_HEADER_BYTES {
            return Err(HeaderError::TooLong);
        }
        let mut buffer = [0; 4096];
        while bytes > 0 {
            let part = usize::try_from(bytes).unwrap_or(usize::MAX).min(buffer.len());
            self.fill(&mut buffer[..part])?;
            bytes -= part as u64;
        }
        Ok(())
    }

    /// Counts memory that is about to be kept.
    fn keep(&mut self, bytes: u64) -> Result<(), HeaderError> {
        self.kept_bytes = self.kept_bytes.saturating_add(bytes);
        if self.kept_bytes > MAX_KEPT_BYTES { Err(HeaderError::TooMuch) } else { Ok(()) }
    }

    /// A text, or `None` when it is longer than `longest` and was skipped.
    fn text(&mut self, longest: u64) -> Result<Option<String>, HeaderError> {
        let length = self.u64()?;
        if length > longest {
            self.skip(length)?;
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.fill(&mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn name(&mut self, longest: u64) -> Result<String, HeaderError> {
        self.text(longest)?.ok_or(HeaderDamage::NameTooLong.into())
    }

    fn value(&mut self, kind: u32, depth: u32) -> Result<Value, HeaderError> {
        self.keep(size_of::<Value>() as u64)?;
        let signed = |value: i64| u64::try_from(value).map_or(Value::Signed(value), Value::Unsigned);
        Ok(match kind {
            0 | 7 => Value::Unsigned(u64::from(self.bytes::<1>()?[0])),
            1 => signed(i64::from(i8::from_le_bytes(self.bytes()?))),
            2 => Value::Unsigned(u64::from(u16::from_le_bytes(self.bytes()?))),
            3 => signed(i64::from(i16::from_le_bytes(self.bytes()?))),
            4 => Value::Unsigned(u64::from(self.u32()?)),
            5 => signed(i64::from(i32::from_le_bytes(self.bytes()?))),
            6 => Value::Float(f64::from(f32::from_le_bytes(self.bytes()?))),
            8 => match self.text(MAX_TEXT_BYTES)? {
                Some(text) => {
                    self.keep(text.len() as u64)?;
                    Value::Text(text)
                }
                None => Value::Skipped,
            },
            9 => self.array(depth)?,
            10 => Value::Unsigned(self.u64()?),
            11 => signed(i64::from_le_bytes(self.bytes()?)),
            12 => Value::Float(f64::from_le_bytes(self.bytes()?)),
            other => return Err(HeaderDamage::ValueType(other).into()),
        })
    }

    fn array(&mut self, depth: u32) -> Result<Value, HeaderError> {
        let (kind, length) = self.array_head(depth)?;
        if length > MAX_ARRAY_VALUES {
            self.skip_array(kind, length, depth)?;
            return Ok(Value::Skipped);
        }
        // Not reserved beforehand: a length is only a claim.
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    /// Type and number of an array's values.
    fn array_head(&mut self, depth: u32) -> Result<(u32, u64), HeaderError> {
        if depth >= MAX_ARRAY_DEPTH {
            return Err(HeaderDamage::DeepArrays.into());
        }
        Ok((self.u32()?, self.u64()?))
    }

    fn skip_value(&mut self, kind: u32, depth: u32) -> Result<(), HeaderError> {
        match kind {
            8 => {
                let text_bytes = self.u64()?;
                self.skip(text_bytes)
            }
            9 => {
                let (kind, length) = self.array_head(depth)?;
                self.skip_array(kind, length, depth)
            }
            _ => self.skip(width(kind).ok_or(HeaderDamage::ValueType(kind))?),
        }
    }

    fn skip_array(&mut self, kind: u32, length: u64, depth: u32) -> Result<(), HeaderError> {
        if let Some(width) = width(kind) {
            return self.skip(length.saturating_mul(width));
        }
        // Each takes some bytes of the file, so the length of the header ends this.
        for _ in 0..length {
            self.skip_value(kind, depth + 1)?;
        }
        Ok(())
    }

    fn tensor(&mut self) -> Result<Tensor, HeaderError> {
        let name = self.name(MAX_NAME_BYTES)?;
        let dimension_count = self.u32()?;
        if !(1..=4).contains(&dimension_count) {
            return Err(damaged(&name, TensorProblem::Dimensions(dimension_count)));
        }
        let mut dimensions = Vec::new();
        let mut values = 1_u64;
        for _ in 0..dimension_count {
            let dimension = self.u64()?;
            values = values
                .checked_mul(dimension)
                .filter(|n| *n <= MAX_VALUES && *n > 0)
                .ok_or_else(|| damaged(&name, TensorProblem::Length(dimension)))?;
            dimensions.push(dimension);
        }
        let kind = self.u32()?;
        let kind = TensorType::from_ggml(kind).ok_or_else(|| damaged(&name, TensorProblem::Type(kind)))?;
        if dimensions.first().is_some_and(|row| !row.is_multiple_of(kind.block_values())) {
            return Err(damaged(&name, TensorProblem::Row(kind)));
        }
        let _offset = self.u64()?;
        self.keep((size_of::<Tensor>() + name.len() + size_of_val(dimensions.as_slice())) as u64)?;
        Ok(Tensor { name, kind, dimensions })
    }
}

/// Bytes of a value of a type of fixed length.
fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn damaged(name: &str, problem: TensorProblem) -> HeaderError {
    HeaderDamage::Tensor { name: name.into(), problem }.into()
}
