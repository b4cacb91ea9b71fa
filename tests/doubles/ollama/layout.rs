//! Where the bytes of a model go, by llama.cpp's rules: the output layer first, then the last blocks; the token
//! embedding stays in main memory; the cache lies beside its block.

use crate::gguf::Gguf;

pub const MIB: u64 = 1 << 20;

/// What the runner is started with.
#[derive(Clone, Debug)]
pub struct EngineSetting {
    pub context: u64,
    pub batch: u64,
    /// `-ngl`; `None` when it was left out.
    pub gpu_layers: Option<u64>,
    pub k_type: String,
    pub v_type: String,
    /// `--n-cpu-moe` or `--cpu-moe`, from the environment. `None` when neither is set.
    pub n_cpu_moe: Option<u64>,
}

/// One group of layers with caches of the same length.
pub struct CacheGroup {
    pub cells: u64,
    pub layers: u64,
    pub k_bytes: u64,
    pub v_bytes: u64,
    pub gpu_bytes: u64,
    pub cpu_bytes: u64,
}

/// Where everything is.
pub struct Layout {
    pub gpu_layers: u64,
    pub total_layers: u64,
    /// Layers on the GPU whose experts the runner itself left in main memory.
    pub overflowing: u64,
    pub weights_gpu: u64,
    pub weights_cpu: u64,
    pub caches: Vec<CacheGroup>,
    pub compute_gpu: u64,
    pub compute_cpu: u64,
    pub output_bytes: u64,
}

impl Layout {
    /// Lays a model out. Without a GPU every layer stays in main memory, whatever was asked.
    pub fn new(model: &Gguf, setting: &EngineSetting, gpu_free: Option<u64>) -> Self {
        let total = model.blocks() + 1;
        let first = |n_cpu_moe: u64| move |block: u64| block < n_cpu_moe;
        let told = first(setting.n_cpu_moe.unwrap_or(0));
        let margin = 1024 * MIB;
        let fits = |layout: &Self, free: u64| layout.gpu_bytes() + margin <= free;
        match (gpu_free, setting.gpu_layers) {
            (None, _) => Self::with_layers(model, setting, 0, told),
            (Some(_), Some(layers)) => Self::with_layers(model, setting, layers.min(total), told),
            // Told where tensors go, the runner fits nothing.
            (Some(_), None) if setting.n_cpu_moe.is_some() => Self::with_layers(model, setting, total, told),
            (Some(free), None) => {
                // Of a mixture first the experts of the last blocks go to main memory, then whole layers.
                let last = |count: u64| move |block: u64| block >= model.blocks() - count;
                let mixture = model.bytes_where(is_expert) > 0;
                let counts = 0..=if mixture { model.blocks() } else { 0 };
                let by_experts = counts
                    .map(|count| {
                        let layout = Self::with_layers(model, setting, total, last(count));
                        Self { overflowing: count, ..layout }
                    })
                    .find(|layout| fits(layout, free));
                let by_layers = || {
                    let layouts = (0..=total).rev().map(|n| Self::with_layers(model, setting, n, last(0)));
                    layouts.into_iter().find(|layout| fits(layout, free))
                };
                by_experts.or_else(by_layers).unwrap_or_else(|| Self::with_layers(model, setting, 0, last(0)))
            }
        }
    }

    pub fn gpu_bytes(&self) -> u64 {
        self.weights_gpu + self.compute_gpu + self.caches.iter().map(|c| c.gpu_bytes).sum::<u64>()
    }

    fn with_layers(
        model: &Gguf,
        setting: &EngineSetting,
        gpu_layers: u64,
        experts_in_ram: impl Fn(u64) -> bool,
    ) -> Self {
        let blocks = model.blocks();
        let first_gpu_block = (blocks + 1).saturating_sub(gpu_layers.max(1)).min(blocks);
        let on_gpu = |name: &str| {
            gpu_layers > 0
                && match block_of(name) {
                    Some(block) if is_expert(name) && experts_in_ram(block) => false,
                    Some(block) => block >= first_gpu_block,
                    None => name.starts_with("output"),
                }
        };
        let tied = model.bytes_where(|name| name == "output.weight") == 0;
        let embedding = model.bytes_where(|name| name == "token_embd.weight");
        let weights_gpu = model.bytes_where(on_gpu) + if gpu_layers > 0 && tied { embedding } else { 0 };
        let (compute_gpu, compute_cpu) = compute(model, setting, gpu_layers > 0);
        Self {
            gpu_layers,
            total_layers: blocks + 1,
            overflowing: 0,
            weights_gpu,
            weights_cpu: model.bytes_where(|name| !on_gpu(name)),
            caches: caches(model, setting, first_gpu_block, gpu_layers > 0),
            compute_gpu,
            compute_cpu,
            output_bytes: vocabulary(model) * 4,
        }
    }
}

/// Routed experts: `ffn_(up|down|gate|gate_up)_exps`. Shared ones end in `_shexp`.
fn is_expert(tensor: &str) -> bool {
    tensor.contains("_exps.")
}

fn block_of(tensor: &str) -> Option<u64> {
    tensor.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

fn vocabulary(model: &Gguf) -> u64 {
    let embedding = model.tensors.iter().find(|t| t.name == "token_embd.weight");
    embedding.and_then(|t| t.shape.get(1).copied()).unwrap_or(0)
}

/// The mask of the whole context and the widest activations, for a batch.
fn compute(model: &Gguf, setting: &EngineSetting, gpu: bool) -> (u64, u64) {
    let embedding = model.number("embedding_length").unwrap_or(0);
    let feed_forward = model.number("feed_forward_length").unwrap_or(0);
    let mask = setting.context * setting.batch * 2;
    let activations = setting.batch * 4 * (3 * feed_forward + 4 * embedding);
    if gpu { (mask + activations, mask + setting.batch * 4 * embedding) } else { (0, mask + activations) }
}

fn caches(model: &Gguf, setting: &EngineSetting, first_gpu_block: u64, gpu: bool) -> Vec<CacheGroup> {
    let heads = model.number("attention.head_count").unwrap_or(1).max(1);
    let head = model.number("embedding_length").unwrap_or(0) / heads;
    let kv_heads = model.number("attention.head_count_kv").unwrap_or(heads);
    let k = kv_heads * model.number("attention.key_length").unwrap_or(head);
    let v = kv_heads * model.number("attention.value_length").unwrap_or(head);
    let window = model.number("attention.sliding_window").unwrap_or(0);
    // Gemma 3 looks at everything in each sixth block only.
    let slides =
        |block: u64| window > 0 && model.architecture() == "gemma3" && !(block + 1).is_multiple_of(6);
    let window_cells = (window + setting.batch).next_multiple_of(256).min(setting.context);
    [(setting.context, false), (window_cells, true)]
        .into_iter()
        .filter_map(|(cells, sliding)| {
            let blocks: Vec<u64> = (0..model.blocks()).filter(|b| slides(*b) == sliding).collect();
            let gpu_blocks = blocks.iter().filter(|b| gpu && **b >= first_gpu_block).count() as u64;
            let layers = blocks.len() as u64;
            let one_k = cache_bytes(&setting.k_type, cells * k);
            let one_v = cache_bytes(&setting.v_type, cells * v);
            (layers > 0).then(|| CacheGroup {
                cells,
                layers,
                k_bytes: one_k * layers,
                v_bytes: one_v * layers,
                gpu_bytes: (one_k + one_v) * gpu_blocks,
                cpu_bytes: (one_k + one_v) * (layers - gpu_blocks),
            })
        })
        .collect()
}

/// The types llama.cpp takes for its cache, with the bytes of 32 values.
pub const CACHE_TYPES: [(&str, u64); 9] = [
    ("f32", 128),
    ("f16", 64),
    ("bf16", 64),
    ("q8_0", 34),
    ("q4_0", 18),
    ("q4_1", 20),
    ("iq4_nl", 18),
    ("q5_0", 22),
    ("q5_1", 24),
];

fn cache_bytes(cache_type: &str, values: u64) -> u64 {
    let per_32 = CACHE_TYPES.iter().find(|(name, _)| *name == cache_type).map_or(64, |(_, bytes)| *bytes);
    values / 32 * per_32
}
