//! The plan, which pages, terminal, installation and receipt read.

use crate::estimate::{self, EngineSetting, MachineFigures, MemoryNeed, Speed, is_speed_assumed};
use crate::figures::Certainty;
use crate::machine::GpuBackend;
use crate::models::Quality;
use crate::plan::consent::ConsentTerms;
use crate::plan::disk::DiskNeeds;
use crate::plan::{Candidate, Grade, Improvement, Policy, Reason, Verdict};

/// A candidate on a machine: setting, memory and disk needs, speed, and verdict.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The candidate.
    pub candidate: Candidate,
    /// The engine's setting: context, KV cache type, batch, flash attention, layers on the GPU.
    pub setting: EngineSetting,
    /// Figures of the machine with their certainty, and each GPU's row of the table.
    pub machine: MachineFigures,
    /// All layers: blocks + 1.
    pub total_layers: u32,
    /// Quality of the model with this KV cache type, by published scores; `None` if it is not rated.
    pub quality: Option<Quality>,
    /// Memory need.
    pub memory: MemoryNeed,
    /// Estimated speed.
    pub speed: Speed,
    /// VRAM it would need with every layer on the GPU, in bytes; shown for a refused profile.
    pub all_layers_vram_bytes: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Grade of a compatible plan.
    pub grade: Option<Grade>,
    /// Reasons of the verdict, the most important first.
    pub reasons: Vec<Reason>,
    /// What would change the verdict, the easiest first.
    pub improvements: Vec<Improvement>,
    /// Terms that the user must agree to; `None` unless degraded.
    pub consent: Option<ConsentTerms>,
    /// Disk needs per drive.
    pub disk_needs: DiskNeeds,
    /// The limits and assumptions it was made with.
    pub policy: Policy,
}

impl Plan {
    /// Layers on the GPU, as the engine counts them.
    pub fn gpu_layers(&self) -> u32 {
        self.setting.gpu_layers
    }

    /// Blocks in all; the routed experts of each may be in main memory.
    pub fn total_blocks(&self) -> u32 {
        self.total_layers.saturating_sub(1)
    }

    /// Most main memory for the engine's cache of earlier prompts, in MiB; 0 for no such cache.
    pub fn prompt_cache_mib(&self) -> u32 {
        u32::try_from(self.memory.prompt_cache_ram_bytes / crate::MIB).unwrap_or(u32::MAX)
    }

    /// Most checkpoints of a prompt that the engine may keep; `None` for a model that needs none.
    pub fn context_checkpoints(&self) -> Option<u32> {
        let one = estimate::checkpoint_bytes(&self.candidate.model.architecture, &self.setting);
        let count = self.memory.checkpoints_ram_bytes.checked_div(one)?;
        Some(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Whether the engine needs its archive for AMD cards.
    pub fn needs_rocm(&self) -> bool {
        self.gpu_layers() > 0 && self.machine.gpus.iter().any(|gpu| gpu.backend == GpuBackend::Rocm)
    }

    /// Share of the layers that are on the GPU, 0 to 1.
    pub fn gpu_layer_share(&self) -> f64 {
        f64::from(self.gpu_layers()) / f64::from(self.total_layers.max(1))
    }

    /// The reasons that need consent, the most important first; the banner lists them.
    pub fn limits(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(|reason| reason.is_limit())
    }

    /// The reasons for which figures or answers may be worse than said: what is not known of the model's file.
    pub fn doubts(&self) -> impl Iterator<Item = &Reason> {
        let is_doubt =
            |reason: &&Reason| matches!(reason, Reason::ArchitectureUnknown { .. } | Reason::NoChatTemplate);
        self.reasons.iter().filter(is_doubt)
    }

    /// Free VRAM of the cards it is planned on, in bytes; 0 without a GPU.
    pub fn vram_free_bytes(&self) -> u64 {
        self.machine.vram_free_bytes()
    }

    /// Whether the free VRAM is assumed, because the driver does not report it.
    pub fn vram_free_is_assumed(&self) -> bool {
        self.machine.gpus.iter().any(|gpu| gpu.vram_free_bytes.certainty == Certainty::Guess)
    }

    /// Whether the speeds are assumed from related chips, because no chip of a card's family was measured.
    pub fn speed_is_assumed(&self) -> bool {
        self.gpu_layers() > 0 && self.machine.gpus.iter().any(is_speed_assumed)
    }

    /// Total VRAM of the cards it is planned on, in bytes; 0 without a GPU.
    pub fn vram_total_bytes(&self) -> u64 {
        self.machine.vram_total_bytes()
    }

    /// Main memory currently available to programs, in bytes.
    pub fn ram_available_bytes(&self) -> u64 {
        self.machine.cpu.ram_available_bytes.value
    }

    /// Whether the available main memory is assumed, because the system does not report it.
    pub fn ram_available_is_assumed(&self) -> bool {
        self.machine.cpu.ram_available_bytes.certainty == Certainty::Guess
    }
}
