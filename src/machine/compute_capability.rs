//! CUDA compute capability: what an NVIDIA chip can execute, and what Ollama requires of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// CUDA compute capability, written `8.9` in documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComputeCapability {
    /// Generation: 8 is Ampere and Ada.
    pub major: u32,
    /// Variant within the generation.
    pub minor: u32,
}

impl ComputeCapability {
    /// The lowest that Ollama's CUDA libraries are built for (docs/gpu.mdx of Ollama 0.32).
    pub const LOWEST_SUPPORTED: Self = Self::new(5, 0);

    /// From its two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whether Ollama's CUDA libraries are built for it.
    pub fn is_supported(self) -> bool {
        self >= Self::LOWEST_SUPPORTED
    }

    /// Whether the engine enables flash attention, which a quantised KV cache requires (ml/device.go of Ollama 0.32:
    /// 6.0 and higher, except 7.2).
    pub fn has_flash_attention(self) -> bool {
        self >= Self::new(6, 0) && self != Self::new(7, 2)
    }
}

impl fmt::Display for ComputeCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Not a compute capability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a compute capability; expected two numbers, as in 8.9")]
pub struct InvalidComputeCapability(String);

impl FromStr for ComputeCapability {
    type Err = InvalidComputeCapability;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .trim()
            .split_once('.')
            .and_then(|(major, minor)| Some(Self::new(major.parse().ok()?, minor.parse().ok()?)));
        parsed.ok_or_else(|| InvalidComputeCapability(text.to_owned()))
    }
}

impl TryFrom<String> for ComputeCapability {
    type Error = InvalidComputeCapability;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ComputeCapability> for String {
    fn from(capability: ComputeCapability) -> Self {
        capability.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_text_in_documents_and_ordered_by_number() {
        let read: ComputeCapability = serde_json::from_str("\"12.0\"").unwrap();
        assert_eq!(read, ComputeCapability::new(12, 0));
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"12.0\"");
        assert!(read > ComputeCapability::new(8, 9));
        for wrong in ["\"\"", "\"8\"", "\"8.x\"", "\"8.9.1\"", "8.9"] {
            assert!(serde_json::from_str::<ComputeCapability>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn requirements_of_the_engine() {
        for (major, minor, supported, flash_attention) in [
            (3, 7, false, false),
            (5, 0, true, false),
            (5, 2, true, false),
            (6, 1, true, true),
            (7, 2, true, false),
            (7, 5, true, true),
            (12, 0, true, true),
        ] {
            let capability = ComputeCapability::new(major, minor);
            assert_eq!(capability.is_supported(), supported, "{capability}");
            assert_eq!(capability.has_flash_attention(), flash_attention, "{capability}");
        }
    }
}
