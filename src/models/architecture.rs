//! The parts of a model on which memory and speed depend. Filled from the catalogue or from the header of a file.

use super::KvCacheType;

/// Parts of a model and their sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelArchitecture {
    /// The engine's name of the architecture: `qwen2`, `llama`, …
    pub family: String,
    /// Whether the engine's attention pattern for it is known. If not, the KV cache is computed with full attention in
    /// every block, an upper limit.
    pub is_known: bool,
    /// Width of the residual stream.
    pub embedding: u32,
    /// Width of the widest feed-forward network that processes one token (all of its active experts together).
    pub feed_forward: u32,
    /// Query heads; the maximum over the blocks.
    pub heads: u32,
    /// Values in the queries of one token: heads × head size.
    pub query_values: u32,
    /// The repeated blocks, in order.
    pub blocks: Vec<Block>,
    /// Experts, for a mixture of experts.
    pub experts: Option<Experts>,
    /// Output matrix and norm, in bytes. Read for every token, and the first part that the engine moves to the GPU.
    pub output_bytes: u64,
    /// Weights in the output matrix.
    pub output_parameters: u64,
    /// Token embedding, in bytes. One row is read per token, so it stays in main memory.
    pub token_embedding_bytes: u64,
    /// Whether the output matrix is the token embedding (loaded twice when the output is on a GPU).
    pub tied_embeddings: bool,
    /// Other tensors that only the processor uses, such as per-layer embeddings, in bytes.
    pub input_bytes: u64,
}

/// One repeated block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// All its weights, in bytes.
    pub bytes: u64,
    /// The part of `bytes` that is routed experts, of which a token reads only a share.
    pub expert_bytes: u64,
    /// Weights in matrices, experts included.
    pub parameters: u64,
    /// Weights of `parameters` that belong to experts.
    pub expert_parameters: u64,
    /// Number of matrices; each is a separate kernel launch on a GPU.
    pub matrices: u32,
    /// Its state of earlier tokens.
    pub cache: Cache,
}

impl Block {
    /// A block without tensors, to sum them up.
    pub(crate) const EMPTY: Self = Self {
        bytes: 0,
        expert_bytes: 0,
        parameters: 0,
        expert_parameters: 0,
        matrices: 0,
        cache: Cache::Shared,
    };
}

/// A block's state of earlier tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Keys and values of every token, or of the last `window` tokens.
    Attention {
        /// Values in the keys of one token.
        k_values: u32,
        /// Values in the values of one token.
        v_values: u32,
        /// Size of the attention window in tokens; `None` for full attention.
        window: Option<u32>,
    },
    /// A state of fixed size (state-space models, gated delta nets, short convolutions).
    Recurrent {
        /// Size in bytes. Always 32-bit floats, whatever the KV cache type.
        bytes: u64,
    },
    /// No state of its own: it reuses an earlier block's.
    Shared,
}

/// Experts of a mixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Experts {
    /// Experts in a block.
    pub count: u32,
    /// Experts that one token uses.
    pub used: u32,
}

impl Experts {
    /// Share of the experts' bytes that one token reads, 0 to 1.
    pub fn share(self) -> f64 {
        (f64::from(self.used) / f64::from(self.count.max(1))).clamp(0.0, 1.0)
    }

    /// Share of the experts' bytes that a batch of `tokens` tokens reads, 0 to 1, if each token's experts are
    /// independent.
    pub fn share_of_batch(self, tokens: u32) -> f64 {
        1.0 - (1.0 - self.share()).powf(f64::from(tokens.max(1)))
    }
}

impl Block {
    /// Bytes read for one token.
    pub fn active_bytes(&self, experts: Option<Experts>) -> f64 {
        let expert_bytes = self.expert_bytes.min(self.bytes);
        let share = experts.map_or(1.0, Experts::share);
        (self.bytes - expert_bytes) as f64 + expert_bytes as f64 * share
    }

    /// Weights multiplied for one token.
    pub fn active_parameters(&self, experts: Option<Experts>) -> f64 {
        let expert = self.expert_parameters.min(self.parameters);
        let share = experts.map_or(1.0, Experts::share);
        (self.parameters - expert) as f64 + expert as f64 * share
    }
}

impl Cache {
    /// Bytes reserved for `context_tokens` tokens. With a window, the engine reserves a ring buffer for the window and
    /// one batch, padded to 256 cells.
    pub fn bytes(self, context_tokens: u32, num_batch: u32, kv: KvCacheType) -> u64 {
        match self {
            Self::Attention { k_values, v_values, window } => {
                let cells = u64::from(cells(context_tokens, num_batch, window));
                let values = |n: u32| {
                    let row = u128::from(n) * u128::from(kv.bytes_per_32_values()) / 32;
                    u64::try_from(row * u128::from(cells)).unwrap_or(u64::MAX)
                };
                values(k_values).saturating_add(values(v_values))
            }
            Self::Recurrent { bytes } => bytes,
            Self::Shared => 0,
        }
    }

    /// Keys and values that are kept for each token; 0 for a state whose size does not depend on the context.
    pub fn values_per_token(self) -> u32 {
        match self {
            Self::Attention { k_values, v_values, .. } => k_values.saturating_add(v_values),
            Self::Recurrent { .. } | Self::Shared => 0,
        }
    }

    /// Whether later tokens overwrite it, so that an earlier state is kept as a checkpoint only.
    pub fn is_overwritten(self) -> bool {
        matches!(self, Self::Recurrent { .. } | Self::Attention { window: Some(_), .. })
    }

    /// Bytes read to generate one token after `depth_tokens` tokens.
    pub fn bytes_read(self, depth_tokens: u32, kv: KvCacheType) -> f64 {
        match self {
            Self::Attention { k_values, v_values, window } => {
                let tokens = window.map_or(depth_tokens, |w| depth_tokens.min(w));
                let values = f64::from(k_values) + f64::from(v_values);
                f64::from(tokens) * values * kv.bytes_per_32_values() as f64 / 32.0
            }
            // Read and written back.
            Self::Recurrent { bytes } => 2.0 * bytes as f64,
            Self::Shared => 0.0,
        }
    }
}

/// Cells (one per token) that the engine reserves for a block.
pub(crate) fn cells(context_tokens: u32, num_batch: u32, window: Option<u32>) -> u32 {
    let padded = |n: u32| n.checked_next_multiple_of(256).unwrap_or(u32::MAX);
    let all = padded(context_tokens);
    window.map_or(all, |w| padded(w.saturating_add(num_batch)).min(all))
}

impl ModelArchitecture {
    /// Size of the vocabulary: rows of the output matrix.
    pub fn vocabulary(&self) -> u64 {
        self.output_parameters / u64::from(self.embedding.max(1))
    }

    /// Adjusts the blocks so that [`Self::file_tensor_bytes`] is the known size, `tensor_bytes`. The difference is
    /// spread evenly over the experts of all blocks, or over all blocks of a model without experts.
    pub(super) fn set_tensor_bytes(&mut self, tensor_bytes: u64) {
        let computed = self.file_tensor_bytes();
        let with_experts = self.blocks.iter().any(|block| block.expert_bytes > 0);
        let takes = |block: &&mut Block| block.expert_bytes > 0 || !with_experts;
        let count = self.blocks.iter_mut().filter(takes).count();
        let difference = tensor_bytes.abs_diff(computed) / u64::try_from(count).unwrap_or(1).max(1);
        for block in self.blocks.iter_mut().filter(takes) {
            let changed = |bytes: u64| {
                if tensor_bytes > computed {
                    bytes.saturating_add(difference)
                } else {
                    bytes.saturating_sub(difference)
                }
            };
            block.bytes = changed(block.bytes);
            if with_experts {
                block.expert_bytes = changed(block.expert_bytes);
            }
        }
    }

    /// Bytes of all tensors in the file.
    pub fn file_tensor_bytes(&self) -> u64 {
        let output = if self.tied_embeddings {
            // The output matrix is the token embedding; only the output norm is a separate tensor.
            u64::from(self.embedding).saturating_mul(4)
        } else {
            self.output_bytes
        };
        self.blocks
            .iter()
            .fold(output, |sum, block| sum.saturating_add(block.bytes))
            .saturating_add(self.token_embedding_bytes)
            .saturating_add(self.input_bytes)
    }
}
