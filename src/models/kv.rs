//! Types of the KV cache.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::untrusted::UntrustedText;

/// Type of the KV cache. Ollama has one per server (`OLLAMA_KV_CACHE_TYPE`) and uses it for K and V.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KvCacheType {
    /// 16-bit floats, lossless.
    #[serde(rename = "f16")]
    F16,
    /// 8 bits and a scale for every 32 values: 34 bytes instead of 64.
    #[serde(rename = "q8_0")]
    Q8_0,
    /// 4 bits and a scale for every 32 values: 18 bytes instead of 64. Costs quality.
    #[serde(rename = "q4_0")]
    Q4_0,
}

/// Unknown name of a KV cache type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown KV cache type \"{0}\", use f16, q8_0 or q4_0")]
pub struct UnknownKvCacheType(pub UntrustedText);

impl KvCacheType {
    /// From the most precise to the smallest.
    pub const ALL: [Self; 3] = [Self::F16, Self::Q8_0, Self::Q4_0];

    /// The engine's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
        }
    }

    /// Bytes that a block of 32 values takes (ggml's block layouts).
    pub fn bytes_per_32_values(self) -> u64 {
        match self {
            Self::F16 => 64,
            Self::Q8_0 => 34,
            Self::Q4_0 => 18,
        }
    }

    /// The engine requires flash attention for a quantised V cache.
    pub fn needs_flash_attention(self) -> bool {
        self != Self::F16
    }
}

impl fmt::Display for KvCacheType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KvCacheType {
    type Err = UnknownKvCacheType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kv| kv.name() == name).ok_or_else(|| UnknownKvCacheType(name.into()))
    }
}
