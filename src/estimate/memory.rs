//! Memory need: weights summed by tensor, the KV cache by block, compute buffers by the engine's own formulas.
//!
//! The buffer formulas were derived from llama-server b10488 (the build in Ollama 0.32) by letting it reserve buffers
//! for models of these exact shapes. docs/estimates.md compares them, and those of older builds, with published logs.

use super::constants::EfficiencyConstants;
use super::{EngineBuild, EngineSetting, MachineFigures, MemoryNeed};
use crate::MIB;
use crate::machine::GpuBackend;
use crate::models::{Block, Cache, KvCacheType, Model, ModelArchitecture, PredictionHeads};

/// The engine makes a checkpoint after so many tokens of a prompt, and two more at its end (llama-server b10488).
const CHECKPOINT_TOKENS: u32 = 8_192;
/// Of these a model with windows or recurrent states needs at least those at the end, to continue a conversation.
pub const CHECKPOINTS_AT_THE_END: u32 = 2;

/// Which blocks are on the GPU, which of those have their routed experts in main memory, and whether the output matrix
/// is on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockPlacement {
    /// Number of blocks on the processor, counted from the first.
    pub cpu_blocks: usize,
    /// Number of blocks whose routed experts are in main memory, counted from the first; at least `cpu_blocks`.
    expert_cpu_blocks: usize,
    /// Whether the output matrix is on the GPU.
    pub output_on_gpu: bool,
}

impl BlockPlacement {
    /// BlockPlacement by the current engine: the output layer is put on the GPU first, then the last `gpu_layers - 1`
    /// blocks.
    pub fn new(architecture: &ModelArchitecture, setting: &EngineSetting, gpus: usize) -> Self {
        Self::of_build(architecture, setting, gpus, EngineBuild::Current)
    }

    /// BlockPlacement by a build of the engine; in old ones the output layer is put on the GPU last.
    pub fn of_build(
        architecture: &ModelArchitecture,
        setting: &EngineSetting,
        gpus: usize,
        build: EngineBuild,
    ) -> Self {
        let whole = |layers: u32| usize::try_from(layers).unwrap_or(usize::MAX);
        let gpu_layers = if gpus == 0 { 0 } else { whole(setting.gpu_layers) };
        let blocks = architecture.blocks.len();
        let (gpu_blocks, output_on_gpu) = match build {
            EngineBuild::OutputLast => (gpu_layers.min(blocks), gpu_layers > blocks),
            _ => (gpu_layers.saturating_sub(1).min(blocks), gpu_layers > 0),
        };
        let cpu_blocks = blocks - gpu_blocks;
        let expert_cpu_blocks = whole(setting.n_cpu_moe).clamp(cpu_blocks, blocks);
        Self { cpu_blocks, expert_cpu_blocks, output_on_gpu }
    }

    pub fn cpu<'a>(&self, architecture: &'a ModelArchitecture) -> &'a [Block] {
        architecture.blocks.get(..self.cpu_blocks).unwrap_or(&[])
    }

    pub fn gpu<'a>(&self, architecture: &'a ModelArchitecture) -> &'a [Block] {
        architecture.blocks.get(self.cpu_blocks..).unwrap_or(&[])
    }

    /// The blocks on the GPU whose routed experts are in main memory: the first ones of [`Self::gpu`].
    pub fn split<'a>(&self, architecture: &'a ModelArchitecture) -> &'a [Block] {
        architecture.blocks.get(self.cpu_blocks..self.expert_cpu_blocks).unwrap_or(&[])
    }

    /// Whether GPU and main memory both have weights of blocks.
    pub fn is_partial(&self, architecture: &ModelArchitecture) -> bool {
        self.cpu_blocks > 0 || self.split(architecture).iter().any(|block| block.expert_bytes > 0)
    }
}

/// Memory need of a model with a setting on a machine, for the current engine. VRAM is the sum over all GPUs.
pub fn memory_need(model: &Model, setting: &EngineSetting, machine: &MachineFigures) -> MemoryNeed {
    memory_need_of_build(model, setting, machine, EngineBuild::Current)
}

/// Memory need for another build of the engine; see [`memory_need`].
pub fn memory_need_of_build(
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    build: EngineBuild,
) -> MemoryNeed {
    let architecture = &model.architecture;
    let placement = BlockPlacement::of_build(architecture, setting, machine.gpus.len(), build);
    let gpus = u64::try_from(machine.gpus.len()).unwrap_or(u64::MAX);
    let (on_gpu, on_cpu) = (placement.gpu(architecture), placement.cpu(architecture));
    let weights = |blocks: &[Block]| sum(blocks.iter().map(|block| block.bytes));
    let cache = |blocks: &[Block]| sum(blocks.iter().map(|block| cache_bytes(block, setting)));
    let experts_in_ram = sum(placement.split(architecture).iter().map(expert_bytes));

    let checkpoints = match build {
        EngineBuild::Current => {
            checkpoint_bytes(architecture, setting).saturating_mul(u64::from(checkpoints(setting)))
        }
        _ => 0,
    };
    let mut need = MemoryNeed {
        weights_gpu_bytes: weights(on_gpu).saturating_sub(experts_in_ram),
        kv_gpu_bytes: cache(on_gpu),
        weights_ram_bytes: sum([
            weights(on_cpu),
            experts_in_ram,
            architecture.token_embedding_bytes,
            architecture.input_bytes,
        ]),
        kv_ram_bytes: cache(on_cpu),
        checkpoints_ram_bytes: checkpoints,
        ..MemoryNeed::default()
    };
    let computed = compute_buffer_bytes(architecture, setting, build, !on_gpu.is_empty());
    let mut least_overhead = 0;
    if placement.output_on_gpu {
        need.weights_gpu_bytes = need.weights_gpu_bytes.saturating_add(architecture.output_bytes);
    } else if !architecture.tied_embeddings {
        need.weights_ram_bytes = need.weights_ram_bytes.saturating_add(architecture.output_bytes);
    }
    // Ollama before 0.30 computes prompts on the GPU even when all weights are in main memory.
    let computes_on_gpu = placement.output_on_gpu
        || !on_gpu.is_empty()
        || (gpus > 0 && matches!(build, EngineBuild::OwnRunner | EngineBuild::OutputLast));
    if computes_on_gpu {
        let partial = placement.is_partial(architecture);
        let streamed = if partial { streamed_bytes(architecture, placement, setting, build) } else { 0 };
        need.compute_gpu_bytes = computed.saturating_mul(gpus).saturating_add(streamed);
        // The engine loads the image encoder together with layers on a GPU (`--mmproj`).
        need.weights_gpu_bytes = need.weights_gpu_bytes.saturating_add(model.image_encoder_bytes);
        let drivers = machine.gpus.iter().map(|gpu| driver_bytes(gpu.backend));
        least_overhead = sum(drivers.clone().map(|(least, _)| least));
        need.overhead_gpu_bytes = sum(drivers.map(|(_, most)| most));
        need.compute_ram_bytes = host_buffer_bytes(architecture, setting, build);
        if partial && build == EngineBuild::Current {
            need.compute_ram_bytes = need.compute_ram_bytes.saturating_add(computed);
        }
        need.overhead_ram_bytes = 600 * MIB;
    } else {
        need.compute_ram_bytes = computed;
        need.overhead_ram_bytes = 300 * MIB;
    }
    let heads = model.prediction_heads.filter(|heads| heads.default_tokens > 0);
    if let Some(heads) = heads.filter(|_| build == EngineBuild::Current) {
        let copies = |blocks| recurrent_bytes(blocks).saturating_mul(u64::from(heads.default_tokens));
        let drafting = draft_bytes(architecture, heads, setting, computes_on_gpu);
        let (gpu, ram) = if computes_on_gpu { (drafting, 0) } else { (0, drafting) };
        need.draft_gpu_bytes = gpu.saturating_add(copies(on_gpu));
        need.draft_ram_bytes = ram.saturating_add(copies(on_cpu));
    }
    need.vram_required_bytes = sum([
        need.weights_gpu_bytes,
        need.kv_gpu_bytes,
        need.compute_gpu_bytes,
        need.draft_gpu_bytes,
        need.overhead_gpu_bytes,
    ]);
    need.vram_low_bytes = need.vram_required_bytes - need.overhead_gpu_bytes + least_overhead;
    need.ram_required_bytes = sum([
        need.weights_ram_bytes,
        need.kv_ram_bytes,
        need.compute_ram_bytes,
        need.draft_ram_bytes,
        need.checkpoints_ram_bytes,
        need.overhead_ram_bytes,
    ]);
    need
}

/// The largest number of layers, as the engine counts them, that fits `vram_budget_bytes` of all GPUs together.
/// `setting.gpu_layers` is ignored. The budget is split over the GPUs in proportion to their free VRAM. A layer is not
/// split, so each GPU may leave up to one layer's worth unused.
pub fn fit_gpu_layers(
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    vram_budget_bytes: u64,
) -> u32 {
    if machine.gpus.is_empty() {
        return 0;
    }
    let fits = |layers: u32| {
        let setting = EngineSetting { gpu_layers: layers, ..*setting };
        let need = memory_need(model, &setting, machine);
        need.vram_required_bytes <= vram_budget_bytes
            && (machine.gpus.len() == 1 || fits_on_each(model, &setting, machine, &need, vram_budget_bytes))
    };
    let total = model.total_layers();
    // With every layer on the GPU no weights are streamed, so all layers can fit even if one fewer does not.
    if fits(total) {
        return total;
    }
    let (mut low, mut high) = (0, total);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

/// The smallest number of blocks whose routed experts must stay in main memory (`n_cpu_moe`) so that all layers fit
/// `vram_budget_bytes` of all GPUs together. `None` without a GPU, or if all experts in main memory are not enough.
/// `setting.gpu_layers` and `setting.n_cpu_moe` are ignored.
pub fn fit_n_cpu_moe(
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    vram_budget_bytes: u64,
) -> Option<u32> {
    let all = model.total_layers();
    let fits = |n_cpu_moe: u32| {
        let setting = EngineSetting { gpu_layers: all, n_cpu_moe, ..*setting };
        let need = memory_need(model, &setting, machine);
        need.vram_required_bytes <= vram_budget_bytes
            && (machine.gpus.len() == 1 || fits_on_each(model, &setting, machine, &need, vram_budget_bytes))
    };
    let blocks = all.saturating_sub(1);
    if machine.gpus.is_empty() || !(fits(0) || fits(blocks)) {
        return None;
    }
    // With no experts in main memory none are streamed, so 0 can fit even if 1 does not.
    if fits(0) {
        return Some(0);
    }
    let (mut low, mut high) = (0, blocks);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// Whether the layers can be distributed over several GPUs: the output matrix on the last one, then block by block from
/// the end towards the first. Each GPU also holds the driver's memory and a compute buffer.
fn fits_on_each(
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    need: &MemoryNeed,
    vram_budget_bytes: u64,
) -> bool {
    let architecture = &model.architecture;
    let placement = BlockPlacement::new(architecture, setting, machine.gpus.len());
    let computed = compute_buffer_bytes(architecture, setting, EngineBuild::Current, true);
    let streamed = if placement.is_partial(architecture) {
        streamed_bytes(architecture, placement, setting, EngineBuild::Current)
    } else {
        0
    };
    let free_together = sum(machine.gpus.iter().map(|gpu| gpu.vram_free_bytes.value)).max(1);
    let mut budgets = machine.gpus.iter().rev().map(|gpu| {
        let share = u128::from(vram_budget_bytes) * u128::from(gpu.vram_free_bytes.value);
        let share = u64::try_from(share / u128::from(free_together)).unwrap_or(u64::MAX);
        share.saturating_sub(sum([driver_bytes(gpu.backend).1, computed]))
    });
    let on_last = sum([streamed, model.image_encoder_bytes, need.draft_gpu_bytes]);
    let mut budget = budgets.next().unwrap_or(0).saturating_sub(on_last);
    let split = placement.split(architecture).len();
    let blocks = placement.gpu(architecture).iter().enumerate().rev().map(|(index, block)| {
        let in_ram = if index < split { expert_bytes(block) } else { 0 };
        block.bytes.saturating_sub(in_ram).saturating_add(cache_bytes(block, setting))
    });
    std::iter::once(architecture.output_bytes).chain(blocks).all(|bytes| {
        loop {
            if let Some(left) = budget.checked_sub(bytes) {
                budget = left;
                return true;
            }
            match budgets.next() {
                Some(next) => budget = next,
                None => return false,
            }
        }
    })
}

/// Weights, KV cache and buffers of what drafts tokens. The cache is of 16 bits whatever the model's is, and there is a second
/// compute buffer (llama-server b10488). That of the heads was measured smaller than the model's.
fn draft_bytes(
    architecture: &ModelArchitecture,
    heads: PredictionHeads,
    setting: &EngineSetting,
    attends_here: bool,
) -> u64 {
    let cache = u64::from(heads.kv_values) * 2 * u64::from(setting.context_tokens);
    let buffer = compute_buffer_bytes(architecture, setting, EngineBuild::Current, attends_here);
    sum([heads.weights_bytes, cache, buffer])
}

/// Recurrent states, of which the engine keeps one more for each drafted token, to return to the last accepted one.
fn recurrent_bytes(blocks: &[Block]) -> u64 {
    let state = |block: &Block| match block.cache {
        Cache::Recurrent { bytes } => bytes,
        Cache::Attention { .. } | Cache::Shared => 0,
    };
    sum(blocks.iter().map(state))
}

/// Main memory for one checkpoint of what later tokens overwrite: windows and recurrent states. 0 for a model without them.
pub fn checkpoint_bytes(architecture: &ModelArchitecture, setting: &EngineSetting) -> u64 {
    let overwritten = architecture.blocks.iter().filter(|block| block.cache.is_overwritten());
    sum(overwritten.map(|block| cache_bytes(block, setting)))
}

/// Checkpoints that the engine makes of a prompt that fills the context.
pub fn checkpoints(setting: &EngineSetting) -> u32 {
    setting.context_tokens / CHECKPOINT_TOKENS + CHECKPOINTS_AT_THE_END
}

/// Compute buffer of one batch, on the device that computes it.
fn compute_buffer_bytes(
    architecture: &ModelArchitecture,
    setting: &EngineSetting,
    build: EngineBuild,
    attends_here: bool,
) -> u64 {
    let batch = u64::from(setting.num_batch.max(1));
    let context = u64::from(setting.context_tokens);
    let embedding = u64::from(architecture.embedding);
    let width = embedding.saturating_add(u64::from(architecture.feed_forward));
    let with_flash = context.saturating_mul(2).saturating_add(width.saturating_mul(12));
    let without_logits = if setting.flash_attention {
        with_flash
    } else {
        let heads = u64::from(architecture.heads).saturating_add(1);
        let kv = architecture.blocks.iter().map(|b| kv_values(b.cache)).max().unwrap_or(0);
        let scores = context.saturating_mul(heads);
        let rows = embedding.saturating_mul(4).saturating_add(kv);
        with_flash.max(scores.saturating_add(rows).saturating_mul(4))
    };
    let logits = embedding.saturating_add(architecture.vocabulary());
    let per_token = match build {
        EngineBuild::Current => without_logits,
        EngineBuild::AllLogits => without_logits.max(logits.saturating_mul(4)),
        // The attention mask has 32 bits and is kept while the logits are computed. Up to 8,192 tokens it reuses freed
        // memory, so this overestimates by 22 MiB there.
        EngineBuild::OwnRunner | EngineBuild::OutputLast => {
            let mask = context.saturating_add(embedding.saturating_mul(2));
            let mask = if attends_here && setting.flash_attention { mask } else { 0 };
            without_logits.max(logits.saturating_add(mask).saturating_mul(4))
        }
    };
    batch.saturating_mul(per_token)
}

/// Pinned main memory that transfers batches to the GPU.
fn host_buffer_bytes(architecture: &ModelArchitecture, setting: &EngineSetting, build: EngineBuild) -> u64 {
    let batch = u64::from(setting.num_batch.max(1));
    let context = u64::from(setting.context_tokens);
    let embedding = u64::from(architecture.embedding);
    let per_token = match build {
        EngineBuild::OwnRunner | EngineBuild::OutputLast => {
            context.saturating_add(embedding).saturating_mul(4)
        }
        EngineBuild::Current | EngineBuild::AllLogits => {
            context.saturating_mul(2).saturating_add(embedding.saturating_mul(8))
        }
    };
    batch.saturating_mul(per_token)
}

/// GPU buffer for weights in main memory: large batches are still computed on the GPU, which receives one block's
/// weights and then its KV cache at 16 bits. An upper bound: measurements of seven placements of three models at 8,192
/// and 32,768 tokens are up to 130 MiB lower (docs/estimates.md). Of a block's experts it receives one tensor at a time:
/// two thirds of them where gate and up are one tensor.
fn streamed_bytes(
    architecture: &ModelArchitecture,
    placement: BlockPlacement,
    setting: &EngineSetting,
    build: EngineBuild,
) -> u64 {
    let on_cpu = placement.cpu(architecture);
    let output =
        if placement.output_on_gpu || build == EngineBuild::Current { 0 } else { architecture.output_bytes };
    let (blocks, experts) = if build == EngineBuild::Current {
        let whole = on_cpu.iter().map(|block| block.bytes.max(streamed_cache_bytes(block, setting))).max();
        let experts = placement.split(architecture).iter().map(|block| expert_bytes(block) / 3 * 2).max();
        (whole.unwrap_or(0), experts.unwrap_or(0))
    } else {
        (0, 0)
    };
    output.max(blocks).max(experts)
}

/// The KV cache as it is sent to the GPU for a prompt: at 16 bits, whatever type it is stored in.
fn streamed_cache_bytes(block: &Block, setting: &EngineSetting) -> u64 {
    cache_bytes(block, &EngineSetting { kv_cache_type: KvCacheType::F16, ..*setting })
}

fn expert_bytes(block: &Block) -> u64 {
    block.expert_bytes.min(block.bytes)
}

fn cache_bytes(block: &Block, setting: &EngineSetting) -> u64 {
    block.cache.bytes(setting.context_tokens, setting.num_batch, setting.kv_cache_type)
}

fn kv_values(cache: Cache) -> u64 {
    match cache {
        Cache::Attention { k_values, v_values, .. } => {
            u64::from(k_values).saturating_add(u64::from(v_values))
        }
        Cache::Recurrent { .. } | Cache::Shared => 0,
    }
}

/// The least and the most VRAM that the driver takes for a computing process.
fn driver_bytes(backend: GpuBackend) -> (u64, u64) {
    let driver = EfficiencyConstants::built_in().driver(backend);
    let bytes = |mib: f64| (mib * MIB as f64) as u64;
    (bytes(driver.driver_low_mib), bytes(driver.driver_high_mib))
}

fn sum(parts: impl IntoIterator<Item = u64>) -> u64 {
    parts.into_iter().fold(0, u64::saturating_add)
}
