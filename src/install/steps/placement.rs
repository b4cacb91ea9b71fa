//! Where the parts of a model are, how its KV cache is kept, and what its server is told of that.

use crate::install::{LoadAttempt, LoadOutcome};
use crate::models::KvCacheType;
use crate::ollama::server::{ExpertsInRam, Launch, RunnerSettings};
use crate::plan::Plan;

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
        }
    }

    /// The plan for this placement: the one given, or one with figures of its own where that chose another placement.
    pub fn planned(self, plan: &Plan) -> Plan {
        let chosen = Self::of(plan);
        let same = self.gpu_layers == chosen.gpu_layers
            && self.n_cpu_moe == chosen.n_cpu_moe
            && self.kv_cache_type == chosen.kv_cache_type;
        if same {
            return plan.clone();
        }
        plan.with_placement(self.gpu_layers, self.n_cpu_moe, self.kv_cache_type)
    }

    /// How a server for this placement is started, all else as in `launch`.
    pub fn launch(self, plan: &Plan, launch: &Launch) -> Launch {
        let planned = self.planned(plan);
        let told = if self.automatic { 0 } else { self.n_cpu_moe };
        let runner = RunnerSettings {
            experts_in_ram: ExpertsInRam::of(told, planned.total_blocks()),
            prompt_cache_mib: Some(planned.prompt_cache_mib()),
            pinned_memory: self.pinned_memory,
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
