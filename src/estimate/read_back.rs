//! The placement in force, from what the engine says of its buffers.

use super::memory::memory_need;
use super::{EngineSetting, MachineFigures};
use crate::models::Model;

/// The number of blocks whose routed experts are in main memory, from the bytes of weights that the engine put on the
/// GPUs with all layers there. It is the number for which the weights are computed to be nearest, so it tolerates half the
/// experts of a block. `None` where no number comes that near, and for a model without experts.
pub fn n_cpu_moe_in_force(
    model: &Model,
    setting: &EngineSetting,
    machine: &MachineFigures,
    weights_gpu_bytes: u64,
) -> Option<u32> {
    model.architecture.experts?;
    let all = model.total_layers();
    let weights = |n_cpu_moe: u32| {
        let setting = EngineSetting { gpu_layers: all, n_cpu_moe, ..*setting };
        let need = memory_need(model, &setting, machine);
        // The image encoder's buffers are not among those of the weights.
        need.weights_gpu_bytes.saturating_sub(model.image_encoder_bytes)
    };
    let experts = model.architecture.blocks.iter().map(|block| block.expert_bytes.min(block.bytes)).max()?;
    let difference = |n_cpu_moe: u32| weights(n_cpu_moe).abs_diff(weights_gpu_bytes);
    let nearest = (0..all).min_by_key(|n_cpu_moe| difference(*n_cpu_moe))?;
    (difference(nearest) <= experts / 2).then_some(nearest)
}
