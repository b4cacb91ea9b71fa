//! The figures of a candidate on a machine from which verdict, reasons and improvements follow.

use crate::estimate::{self, EngineSetting, Estimate, GpuFigures, MachineFigures, MemoryNeed};
use crate::figures::{Certainty, Known};
use crate::machine::{GpuBackend, GpuKind, gpu_table};
use crate::models::{KvCacheType, Ratings};
use crate::plan::machine::{engine_setting, nominal_vram_gb};
use crate::plan::{Candidate, Layers, Policy, Reason};
use crate::untrusted::UntrustedText;
use crate::{GIB, MIB};

/// Bytes with which the engine saves each token's position in its cache of earlier prompts (llama-server b10488, from a saved
/// prompt of 30,000 tokens).
const POSITION_BYTES: u64 = 20;

/// A candidate on a machine, with its setting.
pub(super) struct Case<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) policy: &'a Policy,
    pub(super) machine: MachineFigures,
    pub(super) total_layers: u32,
    pub(super) nominal_vram_gb: u32,
    pub(super) setting: EngineSetting,
}

impl<'a> Case<'a> {
    pub(super) fn new(candidate: &'a Candidate, policy: &'a Policy, machine: MachineFigures) -> Self {
        let nominal = |gpu: &GpuFigures| nominal_vram_gb(gpu.vram_total_bytes, gpu.kind, policy);
        let nominal_vram_gb = machine.gpus.iter().map(nominal).fold(0, u32::saturating_add);
        let setting = engine_setting(candidate, &machine);
        let total_layers = candidate.model.total_layers();
        Self { candidate, policy, machine, total_layers, nominal_vram_gb, setting }
    }

    /// Whether the driver of a card does not tell how much of its memory is free.
    pub(super) fn free_memory_is_assumed(&self) -> bool {
        self.machine.gpus.iter().any(|gpu| gpu.vram_free_bytes.certainty == Certainty::Guess)
    }

    pub(super) fn gpu(&self) -> Option<&GpuFigures> {
        self.machine.gpus.first()
    }

    /// The estimate, with the main memory for the engine's cache of earlier prompts.
    pub(super) fn estimate(&self, gpu_layers: u32) -> Estimate {
        let setting = EngineSetting { gpu_layers, ..self.setting };
        let mut estimate = estimate::estimate(&self.candidate.model, &setting, &self.machine);
        let memory = &mut estimate.memory;
        self.limit_checkpoints(memory);
        memory.prompt_cache_ram_bytes = self.prompt_cache_bytes(memory);
        memory.ram_required_bytes = memory.ram_required_bytes.saturating_add(memory.prompt_cache_ram_bytes);
        estimate
    }

    /// Main memory for the cache of earlier prompts: room for one prompt that fills the context, in whole MiB, or none. The
    /// engine does not save a prompt that is larger than its limit.
    fn prompt_cache_bytes(&self, memory: &MemoryNeed) -> u64 {
        let one_prompt = memory
            .kv_gpu_bytes
            .saturating_add(memory.kv_ram_bytes)
            .saturating_add(memory.checkpoints_ram_bytes)
            .saturating_add(POSITION_BYTES * u64::from(self.setting.context_tokens));
        let wanted = one_prompt.div_ceil(MIB).saturating_mul(MIB);
        let need = self.main_memory_need(memory).saturating_add(wanted);
        let fits = need <= self.machine.cpu.ram_available_bytes.value;
        if fits && wanted <= u64::from(self.policy.prompt_cache_mib) * MIB { wanted } else { 0 }
    }

    /// Leaves as many checkpoints as main memory has room for, the engine's least at least.
    fn limit_checkpoints(&self, memory: &mut MemoryNeed) {
        let one = estimate::checkpoint_bytes(&self.candidate.model.architecture, &self.setting);
        let rest = self.main_memory_need(memory).saturating_sub(memory.checkpoints_ram_bytes);
        let room = self.machine.cpu.ram_available_bytes.value.saturating_sub(rest);
        let fit = room.checked_div(one).unwrap_or(0).max(u64::from(estimate::CHECKPOINTS_AT_THE_END));
        let bytes = one.saturating_mul(fit).min(memory.checkpoints_ram_bytes);
        memory.ram_required_bytes -= memory.checkpoints_ram_bytes - bytes;
        memory.checkpoints_ram_bytes = bytes;
    }

    /// Main memory that is taken, in bytes. Shared memory must hold the needs of both GPU and processor.
    fn main_memory_need(&self, memory: &MemoryNeed) -> u64 {
        let unified = self.gpu().is_some_and(|gpu| gpu.kind == GpuKind::Unified);
        let shared = if unified { memory.vram_required_bytes } else { 0 };
        memory.ram_required_bytes.saturating_add(shared)
    }

    /// VRAM needed for every layer, in bytes. Without a card, computed for a typical one, so that the user knows which
    /// size is needed.
    pub(super) fn all_layers_vram_bytes(&self) -> u64 {
        let setting = EngineSetting { gpu_layers: self.total_layers, ..self.setting };
        let need =
            |machine| estimate::memory_need(&self.candidate.model, &setting, machine).vram_required_bytes;
        if self.machine.gpus.is_empty() {
            need(&MachineFigures { gpus: vec![typical_card(self.policy)], cpu: self.machine.cpu.clone() })
        } else {
            need(&self.machine)
        }
    }

    /// Free VRAM less the margin, in bytes; with shared memory also less the model's need of main memory.
    pub(super) fn vram_budget_bytes(&self) -> u64 {
        self.budget_of(self.machine.vram_free_bytes())
    }

    pub(super) fn budget_of(&self, free_bytes: u64) -> u64 {
        let Some(gpu) = self.gpu() else { return 0 };
        let shared = if gpu.kind == GpuKind::Unified {
            let setting = EngineSetting { gpu_layers: self.total_layers, ..self.setting };
            let ram =
                estimate::memory_need(&self.candidate.model, &setting, &self.machine).ram_required_bytes;
            self.machine.cpu.ram_available_bytes.value.saturating_sub(ram)
        } else {
            u64::MAX
        };
        let cards = u64::try_from(self.machine.gpus.len()).unwrap_or(u64::MAX);
        let margin = (self.policy.vram_margin_mib * MIB).saturating_mul(cards);
        free_bytes.min(shared).saturating_sub(margin)
    }

    /// VRAM that would be free with other programs closed, in bytes.
    pub(super) fn vram_free_when_closed_bytes(&self) -> u64 {
        self.machine.sum_over_gpus(|gpu| {
            let idle = match gpu.kind {
                GpuKind::Unified => 0,
                _ => self.policy.idle_desktop_vram_mib * MIB,
            };
            gpu.vram_total_bytes.saturating_sub(idle).max(gpu.vram_free_bytes.value)
        })
    }

    /// Number of layers that would fit with other programs closed.
    pub(super) fn layers_when_closed(&self) -> u32 {
        self.place(self.budget_of(self.vram_free_when_closed_bytes()))
    }

    pub(super) fn place(&self, budget_bytes: u64) -> u32 {
        match self.candidate.layers {
            _ if self.machine.gpus.is_empty() => 0,
            _ if self.setting.n_cpu_moe > 0 => self.total_layers,
            Layers::Exactly(layers) => layers.min(self.total_layers),
            Layers::Fit => {
                estimate::fit_gpu_layers(&self.candidate.model, &self.setting, &self.machine, budget_bytes)
            }
        }
    }

    pub(super) fn refusal_by_vram(&self, gpu_layers: u32, estimate: &Estimate) -> Option<Reason> {
        self.gpu()?;
        let (need_bytes, free_bytes) = (estimate.memory.vram_required_bytes, self.machine.vram_free_bytes());
        // With experts in main memory all layers are on the card.
        let is_fixed = self.setting.n_cpu_moe > 0 || self.candidate.layers != Layers::Fit;
        let short = match self.candidate.layers {
            Layers::Exactly(0) => false,
            _ if is_fixed => need_bytes > free_bytes,
            _ => gpu_layers == 0,
        };
        short.then(|| {
            let closed = self.vram_free_when_closed_bytes();
            if is_fixed {
                return Reason::VramShort { need_bytes, free_bytes, fits_when_closed: need_bytes <= closed };
            }
            Reason::VramShort {
                need_bytes: self.all_layers_vram_bytes(),
                free_bytes,
                fits_when_closed: self.layers_when_closed() > 0,
            }
        })
    }

    pub(super) fn ram_reason(&self, estimate: &Estimate) -> Option<Reason> {
        let need_bytes = self.main_memory_need(&estimate.memory);
        let have_bytes = self.machine.cpu.ram_available_bytes.value;
        let at_best = self
            .machine
            .cpu
            .ram_total_bytes
            .saturating_sub(self.policy.reserved_ram_gb * GIB)
            .max(have_bytes);
        (need_bytes > have_bytes).then_some(Reason::RamShort {
            need_bytes,
            have_bytes,
            fits_when_closed: need_bytes <= at_best,
        })
    }

    /// The reasons for which consent is needed.
    pub(super) fn limits(&self, gpu_layers: u32, estimate: &Estimate) -> Vec<Reason> {
        let policy = self.policy;
        let decode = estimate.speed.decode_tokens_per_s;
        let first_token_s = estimate.speed.first_token_full_prompt_s.mid;
        let mut reasons = Vec::new();
        if self.candidate.is_cpu_only() {
            reasons.push(Reason::CpuOnly);
        } else {
            if gpu_layers < self.total_layers {
                reasons.push(Reason::LayersOnCpu {
                    cpu_layers: self.total_layers - gpu_layers,
                    total_layers: self.total_layers,
                    decode_tokens_per_s: decode,
                    all_on_gpu_tokens_per_s: self.estimate(self.total_layers).speed.decode_tokens_per_s,
                });
            }
            if self.nominal_vram_gb < policy.degraded_below_vram_gb {
                reasons.push(Reason::SmallCard {
                    have_gib: self.nominal_vram_gb,
                    comfortable_gib: policy.degraded_below_vram_gb,
                });
            }
        }
        if self.candidate.kv_cache_type == KvCacheType::Q4_0 {
            reasons.push(Reason::KvQ4);
        }
        if decode.mid < policy.slow_below_tokens_per_s {
            reasons
                .push(Reason::SlowDecode { tokens_per_s: decode.mid, limit: policy.slow_below_tokens_per_s });
        }
        if first_token_s > policy.slow_above_first_token_s {
            reasons.push(Reason::SlowFirstToken {
                seconds: first_token_s,
                limit: policy.slow_above_first_token_s,
            });
        }
        reasons
    }

    /// Reason that the model's architecture is unknown. Also for refused plans, because it may be the cause.
    pub(super) fn unknown_architecture(&self) -> Option<Reason> {
        let architecture = &self.candidate.model.architecture;
        (!architecture.is_known)
            .then(|| Reason::ArchitectureUnknown { family: UntrustedText::new(&architecture.family) })
    }

    /// Reasons that do not affect the verdict.
    pub(super) fn remarks(&self) -> Vec<Reason> {
        let licence = &self.candidate.model.licence;
        let non_commercial = (licence.commercial == Some(false))
            .then(|| Reason::NonCommercial { licence: licence.name.to_string() });
        let count = u32::try_from(self.machine.gpus.len()).unwrap_or(u32::MAX);
        let several = (count > 1)
            .then(|| Reason::SeveralCards { count, together_bytes: self.machine.vram_total_bytes() });
        let blocks = self.setting.n_cpu_moe;
        let experts = (blocks > 0 && self.gpu().is_some())
            .then(|| Reason::ExpertsInRam { blocks, total_blocks: self.total_layers.saturating_sub(1) });
        let (ratings, model) = (Ratings::built_in(), &self.candidate.model);
        let is_formatted = FORMATTED_BY_ENGINE.contains(&model.architecture.family.as_str());
        let unformatted = model.local.as_ref().filter(|local| !local.has_chat_template && !is_formatted);
        let unformatted = unformatted.map(|_| Reason::NoChatTemplate);
        let kv_cache_type = self.setting.kv_cache_type;
        let lost = ratings.unusable_with(model, kv_cache_type).and_then(|loss| loss.similarity);
        let lost = lost.map(|similarity| Reason::KvQualityLost { kv_cache_type, similarity });
        let tools = ratings
            .tool_call_failures(model)
            .map(|trouble| Reason::ToolCallsUnreliable { worked: trouble.worked, of: trouble.of });
        let of_model = lost.into_iter().chain(tools).chain(unformatted);
        experts.into_iter().chain(of_model).chain(several).chain(non_commercial).collect()
    }

    /// The reasons that the arithmetic of a card is cut. Also for refused plans.
    pub(super) fn arithmetic_cut(&self) -> impl Iterator<Item = Reason> {
        self.machine.gpus.iter().filter_map(|gpu| {
            let share = gpu.row?.stock_share?;
            Some(Reason::ArithmeticCut { gpu: gpu.name.as_str().into(), share })
        })
    }

    /// The reasons that a card's name stands for several sizes, if its memory is known by its name alone. Also for refused
    /// plans, because a larger card may not be refused.
    pub(super) fn several_sizes(&self) -> impl Iterator<Item = Reason> {
        self.machine.gpus.iter().filter_map(|gpu| self.sizes_of(gpu))
    }

    fn sizes_of(&self, gpu: &GpuFigures) -> Option<Reason> {
        let is_discrete = gpu.kind == GpuKind::Discrete && gpu.vram_total_certainty == Certainty::Table;
        let sizes = is_discrete.then(|| gpu_table::sizes(&gpu.name)).filter(|sizes| sizes.len() > 1)?;
        let gib = |bytes: u64| self.policy.nominal_vram_gb(bytes);
        Some(Reason::SeveralSizes {
            gpu: gpu.name.as_str().into(),
            sizes_gib: sizes.into_iter().map(gib).collect(),
            planned_gib: gib(gpu.vram_total_bytes),
        })
    }
}

/// Architectures whose conversations the engine formats by itself, whatever the file says (`createModel` in Ollama's
/// `server/create.go`).
const FORMATTED_BY_ENGINE: [&str; 5] =
    ["gemma4", "laguna", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni"];

fn typical_card(policy: &Policy) -> GpuFigures {
    let vram_total_bytes = u64::from(policy.premium_from_vram_gb) * GIB;
    GpuFigures {
        name: String::new(),
        kind: GpuKind::Discrete,
        backend: GpuBackend::Cuda,
        vram_total_bytes,
        vram_total_certainty: Certainty::Guess,
        compute_share: 1.0,
        vram_free_bytes: Known { value: vram_total_bytes, certainty: Certainty::Guess },
        bandwidth_gb_s: Known {
            value: policy.typical_gpu_bandwidth_gb_s(policy.premium_from_vram_gb),
            certainty: Certainty::Guess,
        },
        row: None,
        compute_capability: None,
        bus_gb_s: Known { value: policy.assumed_bus_gb_s, certainty: Certainty::Guess },
    }
}
