//! Where the parts of a model are, how its KV cache is kept, which options its runner has, and what its server is told
//! of that.

use crate::install::{LoadAttempt, LoadOutcome, ProfileFile, RunnerOptions, TriedSetting};
use crate::machine::GpuBackend;
use crate::models::KvCacheType;
use crate::ollama::server::{ExpertsInRam, Launch, RunnerSettings};
use crate::plan::{Candidate, Plan};

/// A placement of the served model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Layers on the GPU; with `automatic`, as the engine chose them.
    pub gpu_layers: u32,
    /// The engine chooses the layers itself.
    pub automatic: bool,
    /// Blocks, counted from the first, whose routed experts stay in main memory; with `automatic`, as many as the engine
    /// left there, counted from the last.
    pub n_cpu_moe: u32,
    /// Type of the KV cache; one for the whole server.
    pub kv_cache_type: KvCacheType,
    /// Weights in main memory may be page-locked.
    pub pinned_memory: bool,
    /// The engine looks for cards through Vulkan only.
    pub vulkan_only: bool,
    /// Options of the runner.
    pub options: RunnerOptions,
}

impl Placement {
    /// The placement that a plan chose.
    pub fn of(plan: &Plan) -> Self {
        Self {
            gpu_layers: plan.gpu_layers(),
            automatic: false,
            n_cpu_moe: plan.setting.n_cpu_moe,
            kv_cache_type: plan.candidate.kv_cache_type,
            pinned_memory: true,
            vulkan_only: is_through_vulkan_instead(plan),
            options: RunnerOptions { num_batch: Some(plan.candidate.num_batch), ..RunnerOptions::default() },
        }
    }

    /// The placement of what is installed.
    pub fn installed(profile: &ProfileFile) -> Self {
        Self {
            gpu_layers: profile.gpu_layers,
            automatic: profile.automatic_layers,
            n_cpu_moe: profile.n_cpu_moe,
            kv_cache_type: profile.kv_cache_type,
            pinned_memory: profile.pinned_memory,
            vulkan_only: profile.vulkan_only,
            options: RunnerOptions {
                num_batch: Some(profile.num_batch),
                num_thread: profile.num_thread,
                draft_num_predict: profile.draft_num_predict,
                use_mmap: profile.use_mmap,
            },
        }
    }

    /// The plan for this placement: the one given, or one with figures of its own where that chose another placement.
    pub fn planned(self, plan: &Plan) -> Plan {
        let num_batch = self.options.num_batch.unwrap_or(plan.candidate.num_batch);
        if self.is_where(Self::of(plan)) && num_batch == plan.candidate.num_batch {
            return plan.clone();
        }
        let candidate = Candidate { num_batch, ..plan.candidate.clone() };
        let plan = Plan { candidate, ..plan.clone() };
        plan.with_placement(self.gpu_layers, self.n_cpu_moe, self.kv_cache_type)
    }

    /// Whether another placement has the same layers and experts in the same places, and the same KV cache.
    pub fn is_where(self, other: Self) -> bool {
        self.gpu_layers == other.gpu_layers
            && self.n_cpu_moe == other.n_cpu_moe
            && self.kv_cache_type == other.kv_cache_type
    }

    /// As the receipt has it.
    pub fn tried(self) -> TriedSetting {
        TriedSetting {
            gpu_layers: self.gpu_layers,
            automatic_layers: self.automatic,
            n_cpu_moe: self.n_cpu_moe,
            kv_cache_type: self.kv_cache_type,
            options: self.options,
        }
    }

    /// How a server for this placement is started, all else as in `launch`.
    pub fn launch(self, plan: &Plan, launch: &Launch) -> Launch {
        let planned = self.planned(plan);
        let told = if self.automatic { 0 } else { self.n_cpu_moe };
        let runner = RunnerSettings {
            experts_in_ram: ExpertsInRam::of(told, planned.total_blocks()),
            prompt_cache_mib: Some(planned.prompt_cache_mib()),
            context_checkpoints: planned.context_checkpoints(),
            pinned_memory: self.pinned_memory,
            vulkan_only: self.vulkan_only,
            without_vulkan: !self.vulkan_only
                && plan.machine.gpus.iter().all(|gpu| gpu.backend != GpuBackend::Vulkan),
        };
        Launch { kv_cache_type: self.kv_cache_type, runner, ..launch.clone() }
    }

    /// An attempt at loading it.
    pub fn attempted(self, outcome: LoadOutcome) -> LoadAttempt {
        LoadAttempt {
            gpu_layers: self.gpu_layers,
            n_cpu_moe: self.n_cpu_moe,
            kv_cache_type: self.kv_cache_type,
            pinned_memory: self.pinned_memory,
            outcome,
        }
    }
}

/// Whether a plan uses NVIDIA's cards through Vulkan, because the engine is known not to find them through CUDA.
fn is_through_vulkan_instead(plan: &Plan) -> bool {
    let gpus = &plan.machine.gpus;
    let is_nvidia = |backend: GpuBackend| backend == GpuBackend::Cuda;
    gpus.iter().all(|gpu| gpu.backend == GpuBackend::Vulkan)
        && gpus.iter().any(|gpu| gpu.row.is_some_and(|row| is_nvidia(row.backend)))
}
