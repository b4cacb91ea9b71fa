//! Estimates a model's memory and speed, without I/O. The only estimator: window, terminal and monitor show the same
//! numbers.

mod bus;
mod constants;
mod efficiency;
mod layout;
mod memory;
mod prefill;
mod read_back;
mod speed;
mod types;

pub use constants::{ConstantBasis, EfficiencyConstant, EfficiencyConstants, EfficiencyError};
pub use efficiency::is_speed_assumed;
pub use memory::{
    CHECKPOINTS_AT_THE_END, checkpoint_bytes, checkpoints, fit_gpu_layers, fit_n_cpu_moe, memory_need,
    memory_need_of_build,
};
pub use read_back::n_cpu_moe_in_force;
pub use speed::{SpeedEstimator, decode, first_token_s};
pub use types::{
    CpuFigures, EngineBuild, EngineSetting, Estimate, GpuFigures, MachineFigures, MemoryNeed, Speed,
};

use crate::models::Model;

/// Estimates memory and speed of a model with a setting on a machine.
pub fn estimate(model: &Model, setting: &EngineSetting, machine: &MachineFigures) -> Estimate {
    Estimate {
        memory: memory_need(model, setting, machine),
        speed: SpeedEstimator::default().speed(model, setting, machine),
    }
}
