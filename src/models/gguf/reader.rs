//! Reads a header from bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use super::MAX_HEADER_BYTES;
use super::error::{HeaderDamage, HeaderError, TensorProblem};
use super::header::{Header, HeaderLayout, Tensor, Value, is_kept, is_split_key};
use crate::models::TensorType;

/// Upper limit of metadata entries, and of tensors.
pub(super) const MAX_ENTRIES: u64 = 1 << 16;
/// Longer names and texts are not kept.
const MAX_TEXT_BYTES: u64 = 1 << 16;
/// Longer arrays are not kept; enough for one value per block.
const MAX_ARRAY_VALUES: u64 = 1 << 12;
/// Upper limit of a tensor, in values.
const MAX_VALUES: u64 = 1 << 44;
/// Upper limit of a tensor's name, in bytes; llama.cpp's is 63.
const MAX_NAME_BYTES: u64 = 256;
/// Upper limit of the memory of everything kept.
const MAX_KEPT_BYTES: u64 = 32 << 20;
/// Upper limit of nesting. The format allows nested arrays; no known model has them.
const MAX_ARRAY_DEPTH: u32 = 4;

impl Header {
    /// Reads the header from the first bytes of a file.
    ///
    /// # Errors
    /// [`HeaderError::Incomplete`] if the bytes end before the header does; other errors if it is not a valid header.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        Self::read(bytes)
    }

    /// Reads the header from the beginning of a file. At most [`MAX_HEADER_BYTES`] are read.
    ///
    /// # Errors
    /// Those of [`Header::parse`], and if reading fails.
    pub fn read(reader: impl Read) -> Result<Self, HeaderError> {
        let mut source = GgufSource { reader, read_bytes: 0, kept_bytes: 0 };
        if source.bytes::<4>()? != *b"GGUF" {
            return Err(HeaderError::NotGguf);
        }
        let version = source.u32()?;
        if (2..=3).contains(&version.swap_bytes()) {
            return Err(HeaderError::BigEndian);
        }
        if !(2..=3).contains(&version) {
            return Err(HeaderError::Version(version));
        }
        let tensor_count = source.count(HeaderDamage::TooManyTensors)?;
        let entry_count = source.count(HeaderDamage::TooManyEntries)?;
        let mut metadata = BTreeMap::new();
        let entries_start = source.read_bytes;
        let mut split_entries = Vec::new();
        for _ in 0..entry_count {
            let start = source.read_bytes;
            let key = source.name(MAX_TEXT_BYTES)?;
            let is_about_parts = is_split_key(&key);
            let kind = source.u32()?;
            if is_kept(&key) {
                source.keep(key.len() as u64)?;
                let value = source.value(kind, 0)?;
                metadata.insert(key, value);
            } else {
                source.skip_value(kind, 0)?;
            }
            if is_about_parts {
                source.keep(size_of::<Range<u64>>() as u64)?;
                split_entries.push(start..source.read_bytes);
            }
        }
        let entries = entries_start..source.read_bytes;
        let mut tensors: Vec<Tensor> = Vec::new();
        for _ in 0..tensor_count {
            tensors.push(source.tensor()?);
        }
        let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(damaged(name, TensorProblem::Twice));
        }
        let layout = HeaderLayout { version, entry_count, entries, split_entries, end: source.read_bytes };
        Ok(Self { metadata, tensors, layout })
    }
}

/// Reads little-endian values and counts the bytes read.
struct GgufSource<R> {
    reader: R,
    read_bytes: u64,
    /// Memory of what was kept so far.
    kept_bytes: u64,
}

impl<R: Read> GgufSource<R> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), HeaderError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => return Err(HeaderError::Incomplete { read_bytes: self.read_bytes }),
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

    /// Counts memory before it is allocated.
    fn keep(&mut self, bytes: u64) -> Result<(), HeaderError> {
        self.kept_bytes = self.kept_bytes.saturating_add(bytes);
        if self.kept_bytes > MAX_KEPT_BYTES { Err(HeaderError::TooMuch) } else { Ok(()) }
    }

    /// A text, or `None` if it was longer than `max_bytes` and skipped.
    fn text(&mut self, max_bytes: u64) -> Result<Option<String>, HeaderError> {
        let length = self.u64()?;
        if length > max_bytes {
            self.skip(length)?;
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.fill(&mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn name(&mut self, max_bytes: u64) -> Result<String, HeaderError> {
        self.text(max_bytes)?.ok_or(HeaderDamage::NameTooLong.into())
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
        // No capacity is reserved: the length is untrusted.
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    /// Type and number of an array's elements.
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
        // Every element takes bytes of the file, so the header's limit ends this loop.
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
        let offset = self.u64()?;
        self.keep((size_of::<Tensor>() + name.len() + size_of_val(dimensions.as_slice())) as u64)?;
        Ok(Tensor { name, kind, dimensions, offset })
    }
}

/// Bytes of a value of a fixed-size type.
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
