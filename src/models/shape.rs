//! Computes the size of every tensor from the figures of a model's configuration.

use serde::Deserialize;

use super::quantisation::{QuantisationMix, TensorRole};
use super::{Block, Cache, Experts, ModelArchitecture, Quantisation};

/// A model's configuration, independent of its quantisation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    /// The engine's name for the architecture.
    pub family: String,
    /// Names of models of this shape (`llama3.1:8b`), by which any of their quantisations is found.
    #[serde(default)]
    pub names: Vec<String>,
    /// Source of the figures.
    #[allow(dead_code, reason = "for the people who edit the file; parsed so that it cannot be left out")]
    pub source: String,
    pub blocks: u32,
    pub embedding: u32,
    pub feed_forward: u32,
    pub heads: u32,
    pub kv_heads: u32,
    /// Size of an attention head; default `embedding / heads`.
    pub head_dim: Option<u32>,
    pub vocabulary: u32,
    #[serde(default)]
    pub tied_embeddings: bool,
    /// Trained context in tokens.
    pub trained_context_tokens: u32,
    /// Biases on the query, key and value projections.
    #[serde(default)]
    pub qkv_bias: bool,
    /// Sliding-window attention in some blocks.
    pub window: Option<Window>,
    pub experts: Option<ExpertShape>,
    /// Gated delta nets instead of attention in most blocks.
    pub delta_net: Option<DeltaNet>,
    /// The query projection also computes a gate for the output, so it is twice as wide.
    #[serde(default)]
    pub gated_attention: bool,
    /// One matrix for queries, keys and values.
    #[serde(default)]
    pub fused_qkv: bool,
    /// A feed-forward network of two matrices instead of three.
    #[serde(default)]
    pub plain_feed_forward: bool,
    /// Values per head of a gate on the attention's output; 0 without a gate.
    #[serde(default)]
    pub attention_gate: u32,
    /// Latent attention.
    pub latent: Option<Latent>,
    /// State-space blocks; `pattern` lists which blocks.
    pub mamba: Option<Mamba>,
    /// One letter per block, for models whose blocks have one function each: M state space, E experts, * attention.
    pub pattern: Option<String>,
    /// Bytes of the image encoder that usually comes with models of this shape.
    #[serde(default)]
    pub image_encoder_bytes: u64,
    /// Name of the licence the weights usually come with.
    pub licence: Option<String>,
    /// Whether that licence allows commercial use.
    pub commercial: Option<bool>,
}

/// Sliding-window attention.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// Size of the window.
    pub tokens: u32,
    /// Every n-th block has full attention.
    pub full_every: u32,
    /// Whether it is the first of n blocks instead of the last.
    #[serde(default)]
    pub full_first: bool,
    /// Query heads of full-attention blocks, if different.
    pub full_heads: Option<u32>,
    /// Whether full-attention blocks use the key matrix for the values.
    #[serde(default)]
    pub full_values_are_keys: bool,
    /// Key and value heads of full-attention blocks, if different.
    pub full_kv_heads: Option<u32>,
    /// Head size of full-attention blocks, if different.
    pub full_head_dim: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpertShape {
    pub count: u32,
    pub used: u32,
    pub feed_forward: u32,
    /// Width of the shared expert, which processes every token; 0 without one.
    #[serde(default)]
    pub shared_feed_forward: u32,
    /// Number of blocks at the start with a dense feed-forward network instead of experts.
    #[serde(default)]
    pub dense_blocks: u32,
    /// Biases on every expert.
    #[serde(default)]
    pub biases: bool,
    /// Experts have two matrices instead of three.
    #[serde(default)]
    pub plain: bool,
    /// Every block has a dense feed-forward network in addition to the experts.
    #[serde(default)]
    pub beside_dense: bool,
}

/// Latent attention: keys and values are one compressed row, queries pass through a low-rank matrix.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Latent {
    pub query_rank: u32,
    /// Compressed values of a token.
    pub key_rank: u32,
    /// Values with positional encoding, cached with them.
    pub positional: u32,
    /// Values of a head's keys without the positional ones.
    pub key: u32,
    /// Values of a head's values.
    pub value: u32,
}

/// State-space blocks (Mamba 2).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mamba {
    pub inner: u32,
    pub state: u32,
    pub groups: u32,
    pub heads: u32,
    pub convolution: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeltaNet {
    /// Every n-th block has full attention.
    pub full_every: u32,
    pub key_heads: u32,
    pub value_heads: u32,
    pub head_dim: u32,
    pub convolution: u32,
}

/// Sum of a block's tensors.
struct Sum<'a> {
    rules: &'a QuantisationMix,
    block: Block,
}

impl Sum<'_> {
    /// A matrix of `rows` rows of `columns` values.
    fn matrix(&mut self, role: TensorRole, ordinal: u32, columns: u64, rows: u64) {
        let values = columns.saturating_mul(rows);
        let bytes = self.rules.tensor_type(role, ordinal, false, columns).bytes(values);
        self.block.bytes = self.block.bytes.saturating_add(bytes);
        self.block.parameters = self.block.parameters.saturating_add(values);
        self.block.matrices += 1;
    }

    /// A stack of matrices, one per expert.
    fn experts(&mut self, role: TensorRole, ordinal: u32, columns: u64, rows: u64, count: u64) {
        let values = columns.saturating_mul(rows).saturating_mul(count);
        let bytes = self.rules.tensor_type(role, ordinal, true, columns).bytes(values);
        self.block.bytes = self.block.bytes.saturating_add(bytes);
        self.block.expert_bytes = self.block.expert_bytes.saturating_add(bytes);
        self.block.parameters = self.block.parameters.saturating_add(values);
        self.block.expert_parameters = self.block.expert_parameters.saturating_add(values);
        self.block.matrices += 1;
    }

    /// 32-bit floats: norms, biases, routers.
    fn exact(&mut self, values: u64) {
        self.block.bytes = self.block.bytes.saturating_add(values.saturating_mul(4));
    }
}

impl Shape {
    /// The architecture in a quantisation.
    pub fn architecture(&self, quantisation: Quantisation) -> ModelArchitecture {
        let embedding = u64::from(self.embedding);
        let vocabulary = u64::from(self.vocabulary);
        let rules = QuantisationMix {
            quantisation,
            blocks: self.blocks,
            attention_values: self.blocks,
            heads_per_kv_head: self.heads / self.kv_heads.max(1),
            experts: self.experts.as_ref().map_or(0, |e| e.count),
            tied_embeddings: self.tied_embeddings,
        };
        let embedding_values = embedding.saturating_mul(vocabulary);
        let embedding_type = rules.tensor_type(TensorRole::TokenEmbedding, 0, false, embedding);
        let output_type = rules.tensor_type(TensorRole::Output, 0, false, embedding);
        let experts = self.experts.as_ref();
        let active_experts = experts
            .map_or(0, |e| e.feed_forward.saturating_mul(e.used).saturating_add(e.shared_feed_forward));
        ModelArchitecture {
            family: self.family.clone(),
            is_known: true,
            embedding: self.embedding,
            feed_forward: match experts {
                Some(experts) if experts.beside_dense => active_experts.saturating_add(self.feed_forward),
                Some(_) => active_experts,
                None => self.feed_forward,
            },
            heads: self.heads,
            query_values: self.heads.saturating_mul(self.head_dim()),
            blocks: (0..self.blocks).map(|i| self.block(i, &rules)).collect(),
            experts: experts.map(|e| Experts { count: e.count, used: e.used }),
            output_bytes: output_type.bytes(embedding_values).saturating_add(embedding.saturating_mul(4)),
            output_parameters: embedding_values,
            token_embedding_bytes: embedding_type.bytes(embedding_values),
            tied_embeddings: self.tied_embeddings,
            input_bytes: 0,
        }
    }

    /// Size of an attention head.
    fn head_dim(&self) -> u32 {
        self.head_dim.unwrap_or(self.embedding / self.heads.max(1))
    }

    fn block(&self, index: u32, rules: &QuantisationMix) -> Block {
        let embedding = u64::from(self.embedding);
        let mut sum = Sum { rules, block: Block::EMPTY };
        if let Some(pattern) = &self.pattern {
            sum.exact(embedding);
            match pattern.as_bytes().get(usize::try_from(index).unwrap_or(usize::MAX)) {
                Some(b'M') => self.state_space(index, &mut sum),
                Some(b'E') => self.networks(index, &mut sum),
                _ => self.attention(index, &mut sum),
            }
            return sum.block;
        }
        let norms = if self.family.starts_with("gemma") { 4 } else { 2 };
        sum.exact(embedding.saturating_mul(norms));
        match (&self.delta_net, &self.latent) {
            (Some(net), _) if !every(net.full_every, index) => self.delta_net(net, index, &mut sum),
            (_, Some(latent)) => self.latent_attention(latent, index, &mut sum),
            _ => self.attention(index, &mut sum),
        }
        self.networks(index, &mut sum);
        sum.block
    }

    /// Feed-forward network, experts, or both.
    fn networks(&self, index: u32, sum: &mut Sum<'_>) {
        let experts = self.experts.as_ref().filter(|experts| index >= experts.dense_blocks);
        if let Some(experts) = experts {
            self.expert_network(experts, index, sum);
        }
        if experts.is_none_or(|experts| experts.beside_dense) {
            self.feed_forward(index, u64::from(self.feed_forward), self.plain_feed_forward, sum);
        }
    }

    fn attention(&self, index: u32, sum: &mut Sum<'_>) {
        let embedding = u64::from(self.embedding);
        let window = self.window.as_ref();
        let full = window.is_none_or(|w| {
            if w.full_first { index.is_multiple_of(w.full_every) } else { every(w.full_every, index) }
        });
        let own =
            |full_value: Option<u32>, usual: u32| if full { full_value.unwrap_or(usual) } else { usual };
        let head_dim = own(window.and_then(|w| w.full_head_dim), self.head_dim());
        let kv_heads = own(window.and_then(|w| w.full_kv_heads), self.kv_heads);
        let kv = u64::from(kv_heads).saturating_mul(u64::from(head_dim));
        let heads = own(window.and_then(|w| w.full_heads), self.heads);
        let q = u64::from(heads).saturating_mul(u64::from(head_dim));
        let q_rows = if self.gated_attention { q.saturating_mul(2) } else { q };
        if self.fused_qkv {
            let rows = q_rows.saturating_add(kv.saturating_mul(2));
            sum.matrix(TensorRole::AttentionQkv, index, embedding, rows);
        } else {
            sum.matrix(TensorRole::AttentionQ, index, embedding, q_rows);
            sum.matrix(TensorRole::AttentionK, index, embedding, kv);
            if !(full && window.is_some_and(|w| w.full_values_are_keys)) {
                sum.matrix(TensorRole::AttentionV, index, embedding, kv);
            }
        }
        if self.attention_gate > 0 {
            let gate = u64::from(heads).saturating_mul(u64::from(self.attention_gate));
            sum.matrix(TensorRole::Other, index, embedding, gate);
        }
        sum.matrix(TensorRole::AttentionOutput, index, q, embedding);
        if self.qkv_bias {
            sum.exact(q.saturating_add(kv.saturating_mul(2)));
        }
        let normalised = ["gemma3", "gemma4", "qwen3", "laguna", "muse"];
        if normalised.iter().any(|family| self.family.starts_with(family)) {
            sum.exact(2 * u64::from(head_dim));
        }
        let values = u32::try_from(kv).unwrap_or(u32::MAX);
        let window = window.filter(|_| !full).map(|w| w.tokens);
        sum.block.cache = Cache::Attention { k_values: values, v_values: values, window };
    }

    /// The tensors and the state of a gated delta net (llama.cpp `src/models/qwen35.cpp`).
    fn delta_net(&self, net: &DeltaNet, index: u32, sum: &mut Sum<'_>) {
        let embedding = u64::from(self.embedding);
        let head_dim = u64::from(net.head_dim);
        let (key, value) = (u64::from(net.key_heads) * head_dim, u64::from(net.value_heads) * head_dim);
        let mixed = key.saturating_mul(2).saturating_add(value);
        sum.matrix(TensorRole::AttentionV, index, embedding, mixed);
        sum.matrix(TensorRole::Other, index, embedding, value);
        sum.matrix(TensorRole::Other, index, embedding, u64::from(net.value_heads));
        sum.matrix(TensorRole::Other, index, embedding, u64::from(net.value_heads));
        sum.matrix(TensorRole::Other, index, value, embedding);
        sum.exact(mixed.saturating_mul(u64::from(net.convolution)));
        sum.exact(2 * u64::from(net.value_heads) + head_dim);
        let convolution = mixed.saturating_mul(u64::from(net.convolution.saturating_sub(1)));
        let state = value.saturating_mul(head_dim);
        sum.block.cache = Cache::Recurrent { bytes: convolution.saturating_add(state).saturating_mul(4) };
    }

    /// Latent attention caches one compressed row per token (llama.cpp `src/models/deepseek2.cpp`).
    fn latent_attention(&self, latent: &Latent, index: u32, sum: &mut Sum<'_>) {
        let embedding = u64::from(self.embedding);
        let (heads, rank) = (u64::from(self.heads), u64::from(latent.key_rank));
        let query = heads.saturating_mul(u64::from(latent.key) + u64::from(latent.positional));
        let row = rank + u64::from(latent.positional);
        sum.matrix(TensorRole::Other, index, embedding, u64::from(latent.query_rank));
        sum.matrix(TensorRole::Other, index, u64::from(latent.query_rank), query);
        sum.matrix(TensorRole::Other, index, embedding, row);
        sum.matrix(TensorRole::Latent, index, u64::from(latent.key), rank.saturating_mul(heads));
        sum.matrix(TensorRole::Latent, index, rank, heads.saturating_mul(u64::from(latent.value)));
        sum.matrix(
            TensorRole::AttentionOutput,
            index,
            heads.saturating_mul(u64::from(latent.value)),
            embedding,
        );
        sum.exact(u64::from(latent.query_rank) + rank);
        let k_values = latent.key_rank.saturating_add(latent.positional);
        sum.block.cache = Cache::Attention { k_values, v_values: 0, window: None };
    }

    /// The tensors and the state of a state-space block (llama.cpp `src/models/nemotron-h.cpp`).
    fn state_space(&self, index: u32, sum: &mut Sum<'_>) {
        let Some(mamba) = &self.mamba else { return };
        let embedding = u64::from(self.embedding);
        let (inner, heads) = (u64::from(mamba.inner), u64::from(mamba.heads));
        let mixed = inner + 2 * u64::from(mamba.groups) * u64::from(mamba.state);
        sum.matrix(TensorRole::Other, index, embedding, inner + mixed + heads);
        sum.matrix(TensorRole::Other, index, inner, embedding);
        sum.exact(mixed.saturating_mul(u64::from(mamba.convolution) + 1));
        sum.exact(3 * heads + inner);
        let convolution = mixed.saturating_mul(u64::from(mamba.convolution.saturating_sub(1)));
        let state = inner.saturating_mul(u64::from(mamba.state));
        sum.block.cache = Cache::Recurrent { bytes: convolution.saturating_add(state).saturating_mul(4) };
    }

    fn feed_forward(&self, index: u32, width: u64, plain: bool, sum: &mut Sum<'_>) {
        let embedding = u64::from(self.embedding);
        if !plain {
            sum.matrix(TensorRole::FeedForwardUp, index, embedding, width);
        }
        sum.matrix(TensorRole::FeedForwardUp, index, embedding, width);
        sum.matrix(TensorRole::FeedForwardDown, index, width, embedding);
    }

    fn expert_network(&self, experts: &ExpertShape, index: u32, sum: &mut Sum<'_>) {
        let embedding = u64::from(self.embedding);
        let (width, count) = (u64::from(experts.feed_forward), u64::from(experts.count));
        if !experts.plain {
            sum.experts(TensorRole::FeedForwardUp, index, embedding, width, count);
        }
        sum.experts(TensorRole::FeedForwardUp, index, embedding, width, count);
        sum.experts(TensorRole::FeedForwardDown, index, width, embedding, count);
        sum.exact(embedding.saturating_mul(count));
        if experts.biases {
            let biases = embedding.saturating_add(width.saturating_mul(2)).saturating_mul(count);
            sum.exact(biases);
            sum.block.expert_bytes = sum.block.expert_bytes.saturating_add(biases.saturating_mul(4));
            sum.exact(embedding.saturating_add(count));
        }
        if experts.shared_feed_forward > 0 {
            self.feed_forward(index, u64::from(experts.shared_feed_forward), experts.plain, sum);
            sum.exact(embedding);
        }
    }
}

/// Whether block `index` is the last of `n`.
fn every(n: u32, index: u32) -> bool {
    n <= 1 || (index % n) == n - 1
}
