//! Tensor types and their block layouts in ggml.

/// Type of a tensor's elements. The discriminants are ggml's own, as found in GGUF files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are ggml's and say all there is to say")]
#[allow(non_camel_case_types, reason = "ggml's own spelling is the one people search for")]
pub enum TensorType {
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    IQ2_XXS = 16,
    IQ2_XS = 17,
    IQ3_XXS = 18,
    IQ1_S = 19,
    IQ4_NL = 20,
    IQ3_S = 21,
    IQ2_S = 22,
    IQ4_XS = 23,
    I8 = 24,
    I16 = 25,
    I32 = 26,
    I64 = 27,
    F64 = 28,
    IQ1_M = 29,
    BF16 = 30,
    TQ1_0 = 34,
    TQ2_0 = 35,
    MXFP4 = 39,
    NVFP4 = 40,
    Q1_0 = 41,
    Q2_0 = 42,
}

/// Type, its name, values in a block, bytes of a block.
const LAYOUTS: [(TensorType, &str, u64, u64); 33] = [
    (TensorType::F32, "F32", 1, 4),
    (TensorType::F16, "F16", 1, 2),
    (TensorType::Q4_0, "Q4_0", 32, 18),
    (TensorType::Q4_1, "Q4_1", 32, 20),
    (TensorType::Q5_0, "Q5_0", 32, 22),
    (TensorType::Q5_1, "Q5_1", 32, 24),
    (TensorType::Q8_0, "Q8_0", 32, 34),
    (TensorType::Q2_K, "Q2_K", 256, 84),
    (TensorType::Q3_K, "Q3_K", 256, 110),
    (TensorType::Q4_K, "Q4_K", 256, 144),
    (TensorType::Q5_K, "Q5_K", 256, 176),
    (TensorType::Q6_K, "Q6_K", 256, 210),
    (TensorType::IQ2_XXS, "IQ2_XXS", 256, 66),
    (TensorType::IQ2_XS, "IQ2_XS", 256, 74),
    (TensorType::IQ3_XXS, "IQ3_XXS", 256, 98),
    (TensorType::IQ1_S, "IQ1_S", 256, 50),
    (TensorType::IQ4_NL, "IQ4_NL", 32, 18),
    (TensorType::IQ3_S, "IQ3_S", 256, 110),
    (TensorType::IQ2_S, "IQ2_S", 256, 82),
    (TensorType::IQ4_XS, "IQ4_XS", 256, 136),
    (TensorType::I8, "I8", 1, 1),
    (TensorType::I16, "I16", 1, 2),
    (TensorType::I32, "I32", 1, 4),
    (TensorType::I64, "I64", 1, 8),
    (TensorType::F64, "F64", 1, 8),
    (TensorType::IQ1_M, "IQ1_M", 256, 56),
    (TensorType::BF16, "BF16", 1, 2),
    (TensorType::TQ1_0, "TQ1_0", 256, 54),
    (TensorType::TQ2_0, "TQ2_0", 256, 66),
    (TensorType::MXFP4, "MXFP4", 32, 17),
    (TensorType::NVFP4, "NVFP4", 64, 36),
    (TensorType::Q1_0, "Q1_0", 128, 18),
    (TensorType::Q2_0, "Q2_0", 64, 18),
];

impl TensorType {
    fn layout(self) -> (TensorType, &'static str, u64, u64) {
        LAYOUTS.into_iter().find(|(kind, ..)| *kind == self).unwrap_or(LAYOUTS[0])
    }

    /// The type with ggml's number `id`, if known.
    pub fn from_ggml(id: u32) -> Option<Self> {
        LAYOUTS.into_iter().map(|(kind, ..)| kind).find(|kind| *kind as u32 == id)
    }

    /// ggml's name, for example `Q4_K`.
    pub fn name(self) -> &'static str {
        self.layout().1
    }

    /// Values in a block. A row must be a whole number of blocks.
    pub fn block_values(self) -> u64 {
        self.layout().2
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> u64 {
        self.layout().3
    }

    /// Bytes of `values` values; saturates.
    pub fn bytes(self, values: u64) -> u64 {
        let (_, _, block_values, block_bytes) = self.layout();
        let bytes = u128::from(values) * u128::from(block_bytes) / u128::from(block_values);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_to_its_type() {
        for (kind, name, values, bytes) in LAYOUTS {
            assert_eq!(TensorType::from_ggml(kind as u32), Some(kind));
            assert_eq!((kind.name(), kind.bytes(values)), (name, bytes));
        }
        // 4 and 5 are retired types that no engine supports.
        assert_eq!((TensorType::from_ggml(4), TensorType::from_ggml(u32::MAX)), (None, None));
    }

    #[test]
    fn bytes_never_overflow() {
        assert_eq!(TensorType::F64.bytes(u64::MAX), u64::MAX);
        assert_eq!(TensorType::Q4_K.bytes(256 * 10), 1440);
    }
}
