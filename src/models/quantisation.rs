//! Types that llama.cpp's `quantize` assigns to the tensors of a mixed quantisation such as `Q4_K_M`.
//!
//! The rules are those of llama.cpp b10488 (`src/llama-quant.cpp`, `llama_tensor_get_type_impl`). A "4-bit" file keeps
//! its most sensitive tensors at 5 or 6 bits, so a placement computed from the average is wrong by several layers.
//! Files made with an importance matrix may differ in a few tensors; the file's header is exact.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::TensorType;

/// A named mixture of tensor types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are llama.cpp's")]
#[allow(non_camel_case_types, reason = "llama.cpp's own spelling")]
pub enum Quantisation {
    F32,
    F16,
    BF16,
    Q8_0,
    Q6_K,
    Q5_K_M,
    Q5_K_S,
    Q5_1,
    Q5_0,
    Q4_K_M,
    Q4_K_S,
    Q4_1,
    Q4_0,
    IQ4_XS,
    IQ4_NL,
    Q3_K_L,
    Q3_K_M,
    Q3_K_S,
    Q2_K,
    /// Experts in MXFP4, the rest in 16 bits: as Ollama publishes gpt-oss.
    MXFP4,
    /// Experts in MXFP4, the rest in Q8_0: as llama.cpp converts gpt-oss.
    MXFP4_MOE,
}

/// Unknown name of a quantisation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown quantisation \"{0}\"; use one such as Q4_K_M, Q8_0 or F16")]
pub struct UnknownQuantisation(pub String);

/// Role of a tensor, as far as the rules distinguish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TensorRole {
    TokenEmbedding,
    Output,
    AttentionV,
    /// Queries, keys and values in one matrix (files of 2024 and 2025).
    AttentionQkv,
    AttentionK,
    AttentionQ,
    AttentionOutput,
    FeedForwardDown,
    FeedForwardUp,
    /// Latent attention's per-head matrices, which Ollama keeps at 8 bits.
    Latent,
    /// A matrix without a rule of its own.
    Other,
    /// Never quantised: norms, biases, routers, small convolutions.
    Exact,
}

/// The model's figures on which the rules depend.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuantisationMix {
    pub quantisation: Quantisation,
    pub blocks: u32,
    /// Number of attention-value tensors; mixtures keep more bits for the first and last of them.
    pub attention_values: u32,
    pub heads_per_kv_head: u32,
    pub experts: u32,
    pub tied_embeddings: bool,
}

impl Quantisation {
    /// All known quantisations, the most precise first.
    pub const ALL: [Self; 21] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q8_0,
        Self::Q6_K,
        Self::Q5_K_M,
        Self::Q5_K_S,
        Self::Q5_1,
        Self::Q5_0,
        Self::Q4_K_M,
        Self::Q4_K_S,
        Self::Q4_1,
        Self::Q4_0,
        Self::IQ4_XS,
        Self::IQ4_NL,
        Self::Q3_K_L,
        Self::Q3_K_M,
        Self::Q3_K_S,
        Self::Q2_K,
        Self::MXFP4,
        Self::MXFP4_MOE,
    ];

    /// The name as used in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q8_0 => "Q8_0",
            Self::Q6_K => "Q6_K",
            Self::Q5_K_M => "Q5_K_M",
            Self::Q5_K_S => "Q5_K_S",
            Self::Q5_1 => "Q5_1",
            Self::Q5_0 => "Q5_0",
            Self::Q4_K_M => "Q4_K_M",
            Self::Q4_K_S => "Q4_K_S",
            Self::Q4_1 => "Q4_1",
            Self::Q4_0 => "Q4_0",
            Self::IQ4_XS => "IQ4_XS",
            Self::IQ4_NL => "IQ4_NL",
            Self::Q3_K_L => "Q3_K_L",
            Self::Q3_K_M => "Q3_K_M",
            Self::Q3_K_S => "Q3_K_S",
            Self::Q2_K => "Q2_K",
            Self::MXFP4 => "MXFP4",
            Self::MXFP4_MOE => "MXFP4_MOE",
        }
    }

    /// The type of most tensors.
    fn base(self) -> TensorType {
        match self {
            Self::F32 => TensorType::F32,
            Self::F16 => TensorType::F16,
            Self::BF16 | Self::MXFP4 => TensorType::BF16,
            Self::Q8_0 | Self::MXFP4_MOE => TensorType::Q8_0,
            Self::Q6_K => TensorType::Q6_K,
            Self::Q5_K_M | Self::Q5_K_S => TensorType::Q5_K,
            Self::Q5_1 => TensorType::Q5_1,
            Self::Q5_0 => TensorType::Q5_0,
            Self::Q4_K_M | Self::Q4_K_S => TensorType::Q4_K,
            Self::Q4_1 => TensorType::Q4_1,
            Self::Q4_0 => TensorType::Q4_0,
            Self::IQ4_XS => TensorType::IQ4_XS,
            Self::IQ4_NL => TensorType::IQ4_NL,
            Self::Q3_K_L | Self::Q3_K_M | Self::Q3_K_S => TensorType::Q3_K,
            Self::Q2_K => TensorType::Q2_K,
        }
    }
}

/// Quantisation of a model's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelQuantisation {
    /// A named mixture.
    Mixture(Quantisation),
    /// An unknown mixture: the type with the most bytes.
    Mostly(TensorType),
}

impl ModelQuantisation {
    /// `Q4_K_M`, `F16`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::Mixture(mixture) => mixture.name(),
            Self::Mostly(tensor_type) => tensor_type.name(),
        }
    }

    /// Whether most tensors are K-quants or I-quants, which GPUs dequantise more slowly.
    pub fn is_k_or_i_quant(self) -> bool {
        use TensorType::{IQ4_NL, IQ4_XS, Q4_K, Q5_K, Q6_K};
        self.is_low_bit() || matches!(self.most(), Q4_K | Q5_K | Q6_K | IQ4_NL | IQ4_XS)
    }

    /// Whether most tensors have up to 3 bits per weight, which take more arithmetic per byte.
    pub fn is_low_bit(self) -> bool {
        use TensorType::{IQ1_M, IQ1_S, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS, Q2_K, Q3_K};
        matches!(self.most(), Q2_K | Q3_K | IQ1_M | IQ1_S | IQ2_S | IQ2_XS | IQ2_XXS | IQ3_S | IQ3_XXS)
    }

    /// Type of most tensors.
    fn most(self) -> TensorType {
        match self {
            Self::Mixture(mixture) => mixture.base(),
            Self::Mostly(tensor_type) => tensor_type,
        }
    }
}

impl fmt::Display for ModelQuantisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Quantisation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Quantisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Quantisation {
    type Err = UnknownQuantisation;

    /// Case-insensitive; accepts Ollama's `fp16`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name.eq_ignore_ascii_case("fp16") {
            return Ok(Self::F16);
        }
        Self::ALL
            .into_iter()
            .find(|q| q.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownQuantisation(name.to_owned()))
    }
}

impl QuantisationMix {
    /// Type of a tensor with rows of `columns` values. `ordinal` is the number of earlier tensors of the same role;
    /// `expert` whether it is a stack of experts.
    pub fn tensor_type(&self, role: TensorRole, ordinal: u32, expert: bool, columns: u64) -> TensorType {
        use Quantisation as Q;

        let base = self.quantisation.base();
        if role == TensorRole::Exact {
            return TensorType::F32;
        }
        if matches!(self.quantisation, Q::MXFP4 | Q::MXFP4_MOE) {
            return if expert { TensorType::MXFP4 } else { base };
        }
        if matches!(self.quantisation, Q::F32 | Q::F16 | Q::BF16) {
            return base;
        }
        let wanted = match role {
            TensorRole::Output => self.output_type(columns),
            TensorRole::TokenEmbedding if self.tied_embeddings => self.output_type(columns),
            TensorRole::AttentionV => self.attention_value_type(ordinal),
            TensorRole::AttentionQkv => match self.quantisation {
                Q::Q3_K_M | Q::Q3_K_L => TensorType::Q4_K,
                Q::Q4_K_M => TensorType::Q5_K,
                Q::Q5_K_M => TensorType::Q6_K,
                _ => base,
            },
            TensorRole::AttentionK if self.experts == 8 => TensorType::Q8_0,
            TensorRole::Latent => TensorType::Q8_0,
            TensorRole::FeedForwardDown => self.down_type(ordinal),
            TensorRole::AttentionOutput => self.attention_output_type(),
            _ => base,
        };
        or_fallback(wanted, columns)
    }

    fn output_type(&self, columns: u64) -> TensorType {
        let base = self.quantisation.base();
        if base == TensorType::Q8_0 || !columns.is_multiple_of(base.block_values()) {
            TensorType::Q8_0
        } else {
            TensorType::Q6_K
        }
    }

    fn attention_value_type(&self, ordinal: u32) -> TensorType {
        use Quantisation as Q;

        let grouped = self.heads_per_kv_head >= 4;
        let mut kind = match self.quantisation {
            Q::Q2_K if grouped => TensorType::Q4_K,
            Q::Q2_K => TensorType::Q3_K,
            Q::Q3_K_M if ordinal < 2 => TensorType::Q5_K,
            Q::Q3_K_M => TensorType::Q4_K,
            Q::Q3_K_L => TensorType::Q5_K,
            Q::IQ4_NL | Q::IQ4_XS if grouped => TensorType::Q5_K,
            Q::Q4_K_M | Q::Q5_K_M if more_bits(ordinal, self.attention_values) => TensorType::Q6_K,
            Q::Q4_K_S if ordinal < 4 => TensorType::Q5_K,
            other => other.base(),
        };
        // llama.cpp treats models with 80 blocks and grouped heads as "70B".
        if self.blocks == 80
            && self.heads_per_kv_head > 1
            && matches!(kind, TensorType::Q3_K | TensorType::Q4_K)
        {
            kind = TensorType::Q5_K;
        }
        if self.experts == 8 { TensorType::Q8_0 } else { kind }
    }

    fn down_type(&self, ordinal: u32) -> TensorType {
        use Quantisation as Q;

        let blocks = self.blocks;
        match self.quantisation {
            Q::Q2_K => TensorType::Q3_K,
            Q::Q3_K_M if ordinal < blocks / 16 => TensorType::Q5_K,
            Q::Q3_K_M => TensorType::Q4_K,
            Q::Q3_K_L => TensorType::Q5_K,
            Q::Q4_K_M | Q::Q5_K_M if more_bits(ordinal, blocks) => TensorType::Q6_K,
            Q::IQ4_NL | Q::IQ4_XS | Q::Q4_K_S if ordinal < blocks / 8 => TensorType::Q5_K,
            other => other.base(),
        }
    }

    fn attention_output_type(&self) -> TensorType {
        use Quantisation as Q;

        match self.quantisation {
            Q::Q2_K | Q::Q3_K_S | Q::Q3_K_M | Q::IQ4_NL | Q::Q4_K_S | Q::Q4_K_M | Q::IQ4_XS
                if self.experts == 8 =>
            {
                TensorType::Q5_K
            }
            Q::Q2_K => TensorType::Q3_K,
            Q::Q3_K_M => TensorType::Q4_K,
            Q::Q3_K_L => TensorType::Q5_K,
            other => other.base(),
        }
    }
}

/// Whether tensor `i` of `n` is in the half that has more bits.
fn more_bits(i: u32, n: u32) -> bool {
    let eighth = n / 8;
    i < eighth || i >= n.saturating_mul(7) / 8 || (i - eighth) % 3 == 2
}

/// `wanted`, or a fallback type if a row is not a whole number of its blocks.
fn or_fallback(wanted: TensorType, columns: u64) -> TensorType {
    if columns.is_multiple_of(wanted.block_values()) {
        return wanted;
    }
    let smaller = match wanted {
        TensorType::IQ4_XS => TensorType::IQ4_NL,
        TensorType::Q2_K | TensorType::Q3_K => TensorType::Q4_0,
        TensorType::Q4_K => TensorType::Q5_0,
        TensorType::Q5_K => TensorType::Q5_1,
        TensorType::Q6_K => TensorType::Q8_0,
        _ => TensorType::F16,
    };
    if columns.is_multiple_of(smaller.block_values()) { smaller } else { TensorType::F16 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        for q in Quantisation::ALL {
            assert_eq!(q.name().to_lowercase().parse::<Quantisation>().unwrap(), q);
        }
        assert_eq!("fp16".parse::<Quantisation>().unwrap(), Quantisation::F16);
        assert!("q4_k_xl".parse::<Quantisation>().is_err());
    }

    #[test]
    fn half_of_the_blocks_get_more_bits() {
        // The layers that llama.cpp's quantize prints for a model of 28 blocks.
        let high: Vec<u32> = (0..28).filter(|i| more_bits(*i, 28)).collect();
        assert_eq!(high, [0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27]);
    }

    #[test]
    fn rows_that_are_not_whole_blocks_use_the_fallback_type() {
        assert_eq!(or_fallback(TensorType::Q4_K, 896), TensorType::Q5_0);
        assert_eq!(or_fallback(TensorType::Q6_K, 896), TensorType::Q8_0);
        assert_eq!(or_fallback(TensorType::Q6_K, 33), TensorType::F16);
        assert_eq!(or_fallback(TensorType::Q4_K, 4096), TensorType::Q4_K);
    }
}
