//! Just enough of a GGUF reader to play loading a model: its metadata, and the size of every tensor.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value, json};

/// A tensor, by name and bytes.
pub struct Tensor {
    pub name: String,
    pub shape: Vec<u64>,
    pub type_name: &'static str,
    pub bytes: u64,
}

/// What a file says of itself.
pub struct Gguf {
    /// Metadata; arrays are `null`, as the server shows them.
    pub meta: Map<String, Value>,
    pub tensors: Vec<Tensor>,
}

/// More than any header holds; keeps a broken file from asking for all memory.
const MAX_ITEMS: u64 = 1 << 24;

impl Gguf {
    pub fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut reader = Reader(BufReader::new(file));
        reader.gguf().map_err(|e| format!("{}: {e}", path.display()))
    }

    pub fn architecture(&self) -> &str {
        self.meta.get("general.architecture").and_then(Value::as_str).unwrap_or("unknown")
    }

    /// A number of the architecture: `block_count`, `context_length`, `attention.head_count`, …
    pub fn number(&self, key: &str) -> Option<u64> {
        let value = self.meta.get(&format!("{}.{key}", self.architecture()))?;
        value.as_u64()
    }

    pub fn blocks(&self) -> u64 {
        self.number("block_count").unwrap_or(0)
    }

    pub fn trained_context(&self) -> u64 {
        self.number("context_length").unwrap_or(2048)
    }

    /// Bytes of the tensors whose name is chosen.
    pub fn bytes_where(&self, chosen: impl Fn(&str) -> bool) -> u64 {
        self.tensors.iter().filter(|t| chosen(&t.name)).map(|t| t.bytes).sum()
    }
}

struct Reader<R>(R);

impl<R: Read> Reader<R> {
    fn gguf(&mut self) -> std::io::Result<Gguf> {
        if &self.bytes::<4>()? != b"GGUF" {
            return Err(std::io::Error::other("no GGUF"));
        }
        let _version = self.u32()?;
        let (tensor_count, meta_count) = (self.u64()?.min(MAX_ITEMS), self.u64()?.min(MAX_ITEMS));
        let mut meta = Map::new();
        for _ in 0..meta_count {
            let key = self.text()?;
            let kind = self.u32()?;
            let value = self.value(kind)?;
            meta.insert(key, value);
        }
        let mut tensors = Vec::new();
        for _ in 0..tensor_count {
            tensors.push(self.tensor()?);
        }
        Ok(Gguf { meta, tensors })
    }

    fn tensor(&mut self) -> std::io::Result<Tensor> {
        let name = self.text()?;
        let dimensions = self.u32()?.min(8);
        let shape: Vec<u64> = (0..dimensions).map(|_| self.u64()).collect::<std::io::Result<_>>()?;
        let (type_name, values, block_bytes) = tensor_type(self.u32()?);
        let _offset = self.u64()?;
        let elements = shape.iter().fold(1_u64, |all, n| all.saturating_mul(*n));
        Ok(Tensor { name, shape, type_name, bytes: elements.div_ceil(values).saturating_mul(block_bytes) })
    }

    fn value(&mut self, kind: u32) -> std::io::Result<Value> {
        Ok(match kind {
            0 => json!(self.bytes::<1>()?[0]),
            1 => json!(i8::from_le_bytes(self.bytes()?)),
            2 => json!(u16::from_le_bytes(self.bytes()?)),
            3 => json!(i16::from_le_bytes(self.bytes()?)),
            4 => json!(self.u32()?),
            5 => json!(i32::from_le_bytes(self.bytes()?)),
            6 => json!(f32::from_le_bytes(self.bytes()?)),
            7 => json!(self.bytes::<1>()?[0] != 0),
            8 => json!(self.text()?),
            9 => {
                let kind = self.u32()?;
                for _ in 0..self.u64()?.min(MAX_ITEMS) {
                    self.value(kind)?;
                }
                Value::Null
            }
            10 => json!(self.u64()?),
            11 => json!(i64::from_le_bytes(self.bytes()?)),
            12 => json!(f64::from_le_bytes(self.bytes()?)),
            other => return Err(std::io::Error::other(format!("metadata type {other}"))),
        })
    }

    fn text(&mut self) -> std::io::Result<String> {
        let length = self.u64()?.min(MAX_ITEMS);
        let mut text = Vec::new();
        Read::take(&mut self.0, length).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn u32(&mut self) -> std::io::Result<u32> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> std::io::Result<u64> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn bytes<const N: usize>(&mut self) -> std::io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Name, values a block and bytes a block of ggml's tensor types.
fn tensor_type(number: u32) -> (&'static str, u64, u64) {
    match number {
        0 => ("F32", 1, 4),
        2 => ("Q4_0", 32, 18),
        3 => ("Q4_1", 32, 20),
        6 => ("Q5_0", 32, 22),
        7 => ("Q5_1", 32, 24),
        8 => ("Q8_0", 32, 34),
        10 => ("Q2_K", 256, 84),
        11 => ("Q3_K", 256, 110),
        12 => ("Q4_K", 256, 144),
        13 => ("Q5_K", 256, 176),
        14 => ("Q6_K", 256, 210),
        30 => ("BF16", 1, 2),
        _ => ("F16", 1, 2),
    }
}
