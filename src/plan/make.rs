//! Puts a candidate against a machine.
//!
//! 1. What no setting can change: is there a card, is it large enough, does the model carry the context?
//! 2. Placement: as many layers on the card as fit what is free now, less a margin.
//! 3. Does the rest fit main memory?
//! 4. Of what runs: what is slower, smaller or coarser than ACOLYTE is meant to be? Each is a reason for consent.
//!
//! A refused candidate still gets its figures, so that a person sees how far away it is.

use crate::estimate::{self, EngineSetting, Estimate, GpuFigures, MachineFigures};
use crate::figures::{Certainty, Known};
use crate::machine::{Backend, Gpu, GpuKind, Hardware};
use crate::models::KvCacheType;
use crate::plan::machine::{chosen_gpu, machine_for, nominal_vram_gb, vram_total};
use crate::plan::{Candidate, Layers, Plan, Policy, Reason, Verdict, improve};
use crate::{GIB, MIB, MIN_CONTEXT_TOKENS};

/// One candidate against one machine.
pub fn make_plan(candidate: &Candidate, hardware: &Hardware, policy: &Policy) -> Plan {
    let machine = machine_for(candidate, hardware, policy);
    let case = Case::new(candidate, hardware, policy, machine);
    let mut refusals = case.refusals_by_kind();
    let gpu_layers = case.place(case.vram_budget_bytes());
    let estimate = case.estimate(gpu_layers);
    refusals.extend(case.refusal_by_vram(gpu_layers, &estimate));

    let mut limits = Vec::new();
    match case.ram_reason(&estimate) {
        Some(reason @ Reason::RamShort { fits_when_closed: true, .. }) => limits.push(reason),
        reason => refusals.extend(reason),
    }
    limits.extend(case.limits(gpu_layers, &estimate));

    let verdict = match (refusals.is_empty(), limits.is_empty()) {
        (false, _) => Verdict::Refused,
        (true, false) => Verdict::Degraded,
        (true, true) => Verdict::Compatible,
    };
    // A refusal says all there is to say; limits of what cannot run would only distract.
    let mut reasons = if verdict == Verdict::Refused { refusals } else { limits };
    reasons.sort_by_key(Reason::weight);
    if verdict == Verdict::Compatible {
        let free = case.vram_free_bytes();
        reasons.push(Reason::Fits { spare_bytes: free.saturating_sub(estimate.memory.vram_required_bytes) });
    }
    if verdict != Verdict::Refused {
        reasons.extend(case.remarks());
    }

    let mut plan = Plan {
        candidate: candidate.clone(),
        verdict,
        grade: (verdict == Verdict::Compatible).then(|| policy.grade(case.nominal_vram_gb)),
        reasons,
        improvements: Vec::new(),
        gpu_layers,
        total_layers: case.total_layers,
        memory: estimate.memory,
        all_layers_vram_bytes: case.all_layers_vram_bytes(),
        vram_free_bytes: case.vram_free_bytes(),
        vram_free_is_assumed: (case.machine.gpus.iter())
            .any(|gpu| gpu.vram_free_bytes.certainty == Certainty::Guess),
        vram_total_bytes: case.of_all_cards(|gpu| gpu.vram_total_bytes),
        ram_available_bytes: case.machine.cpu.ram_available_bytes.value,
        ram_available_is_assumed: case.machine.cpu.ram_available_bytes.certainty == Certainty::Guess,
        speed: estimate.speed,
    };
    plan.improvements = improve::improvements(&case, &plan);
    plan
}

/// A candidate on a machine, with what is asked of it again and again.
pub(super) struct Case<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) hardware: &'a Hardware,
    pub(super) policy: &'a Policy,
    pub(super) machine: MachineFigures,
    pub(super) total_layers: u32,
    pub(super) nominal_vram_gb: u32,
    setting: EngineSetting,
}

impl<'a> Case<'a> {
    fn new(
        candidate: &'a Candidate,
        hardware: &'a Hardware,
        policy: &'a Policy,
        machine: MachineFigures,
    ) -> Self {
        let nominal = |gpu: &GpuFigures| nominal_vram_gb(gpu.vram_total_bytes, gpu.kind, policy);
        let nominal_vram_gb = machine.gpus.iter().map(nominal).fold(0, u32::saturating_add);
        let setting = EngineSetting {
            context_tokens: candidate.context_tokens,
            kv_cache_type: candidate.kv_cache_type,
            num_batch: candidate.num_batch,
            flash_attention: machine.gpus.iter().all(GpuFigures::has_flash_attention),
            gpu_layers: 0,
        };
        let total_layers = candidate.model.total_layers();
        Self { candidate, hardware, policy, machine, total_layers, nominal_vram_gb, setting }
    }

    pub(super) fn gpu(&self) -> Option<&GpuFigures> {
        self.machine.gpus.first()
    }

    pub(super) fn estimate(&self, gpu_layers: u32) -> Estimate {
        estimate::estimate(
            &self.candidate.model,
            &EngineSetting { gpu_layers, ..self.setting },
            &self.machine,
        )
    }

    /// VRAM for every layer; where there is no card, of a typical one, so that a person sees what to look for.
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

    fn vram_free_bytes(&self) -> u64 {
        self.of_all_cards(|gpu| gpu.vram_free_bytes.value)
    }

    fn of_all_cards(&self, bytes: impl Fn(&GpuFigures) -> u64) -> u64 {
        self.machine.gpus.iter().map(bytes).fold(0, u64::saturating_add)
    }

    /// Free VRAM less the margin; of shared memory also less what the model's other half takes of it.
    fn vram_budget_bytes(&self) -> u64 {
        self.budget_of(self.vram_free_bytes())
    }

    fn budget_of(&self, free_bytes: u64) -> u64 {
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

    /// What would be free of the card with other programs closed.
    pub(super) fn vram_free_when_closed_bytes(&self) -> u64 {
        self.of_all_cards(|gpu| {
            let idle = match gpu.kind {
                GpuKind::Unified => 0,
                _ => self.policy.idle_desktop_vram_mib * MIB,
            };
            gpu.vram_total_bytes.saturating_sub(idle).max(gpu.vram_free_bytes.value)
        })
    }

    /// Layers that would fit with other programs closed.
    pub(super) fn layers_when_closed(&self) -> u32 {
        self.place(self.budget_of(self.vram_free_when_closed_bytes()))
    }

    fn place(&self, budget_bytes: u64) -> u32 {
        match self.candidate.layers {
            _ if self.machine.gpus.is_empty() => 0,
            Layers::Exactly(layers) => layers.min(self.total_layers),
            Layers::Fit => {
                estimate::fit_gpu_layers(&self.candidate.model, &self.setting, &self.machine, budget_bytes)
            }
        }
    }

    /// What no placement can change.
    fn refusals_by_kind(&self) -> Vec<Reason> {
        let candidate = self.candidate;
        let mut reasons = Vec::new();
        reasons.extend(self.hardware.os.refusal().map(|refusal| Reason::EngineRefuses { refusal }));
        if !candidate.is_cpu_only() {
            reasons.extend(self.gpu_refusal());
        }
        if candidate.context_tokens < MIN_CONTEXT_TOKENS {
            reasons.push(Reason::ContextBelowMinimum {
                want_tokens: candidate.context_tokens,
                minimum_tokens: MIN_CONTEXT_TOKENS,
            });
        }
        let carried_tokens = candidate.model.trained_context_tokens;
        if carried_tokens < candidate.context_tokens {
            reasons.push(Reason::ContextNotCarried { want_tokens: candidate.context_tokens, carried_tokens });
        }
        if let Some(gpu) = self.gpu().filter(|gpu| !gpu.has_flash_attention())
            && candidate.kv_cache_type.needs_flash_attention()
        {
            reasons.push(Reason::KvNeedsFlashAttention { gpu: gpu.name.clone() });
        }
        let have_gib = self.policy.nominal_ram_gb(self.hardware.memory.total_bytes);
        if have_gib < candidate.min_ram_gib {
            reasons.push(Reason::ProfileNeedsRam { have_gib, need_gib: candidate.min_ram_gib });
        }
        reasons
    }

    fn gpu_refusal(&self) -> Option<Reason> {
        let Some(gpu) = chosen_gpu(self.hardware, self.policy) else {
            // A card that the engine leaves out for now is worth more than another one to buy.
            if let Some(refusal) = self.hardware.gpus.iter().find_map(Gpu::refusal) {
                return Some(Reason::EngineRefuses { refusal });
            }
            return Some(Reason::NoUsableGpu {
                found: self.hardware.gpus.iter().map(|gpu| gpu.name.clone()).collect(),
                need_gib: self.policy.refused_below_vram_gb,
            });
        };
        if vram_total(gpu, self.hardware, self.policy).is_none() {
            return Some(Reason::VramUnknown { gpu: gpu.name.clone() });
        }
        let have_gib = self.nominal_vram_gb;
        let machine_needs = self.policy.refused_below_vram_gb;
        let profile_needs = self.candidate.min_vram_gib;
        if have_gib < machine_needs {
            Some(Reason::VramTooSmall { have_gib, need_gib: machine_needs })
        } else if have_gib < profile_needs {
            Some(Reason::ProfileNeedsVram { have_gib, need_gib: profile_needs })
        } else {
            None
        }
    }

    fn refusal_by_vram(&self, gpu_layers: u32, estimate: &Estimate) -> Option<Reason> {
        self.gpu()?;
        let (need_bytes, free_bytes) = (estimate.memory.vram_required_bytes, self.vram_free_bytes());
        let short = match self.candidate.layers {
            Layers::Exactly(0) => false,
            Layers::Exactly(_) => need_bytes > free_bytes,
            Layers::Fit => gpu_layers == 0,
        };
        short.then(|| {
            let closed = self.vram_free_when_closed_bytes();
            match self.candidate.layers {
                Layers::Fit => Reason::VramShort {
                    need_bytes: self.all_layers_vram_bytes(),
                    free_bytes,
                    fits_when_closed: self.layers_when_closed() > 0,
                },
                Layers::Exactly(_) => {
                    Reason::VramShort { need_bytes, free_bytes, fits_when_closed: need_bytes <= closed }
                }
            }
        })
    }

    fn ram_reason(&self, estimate: &Estimate) -> Option<Reason> {
        // Memory that is shared is needed once for each side.
        let unified = self.gpu().is_some_and(|gpu| gpu.kind == GpuKind::Unified);
        let shared = if unified { estimate.memory.vram_required_bytes } else { 0 };
        let need_bytes = estimate.memory.ram_required_bytes.saturating_add(shared);
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

    /// What is less than ACOLYTE is meant to be.
    fn limits(&self, gpu_layers: u32, estimate: &Estimate) -> Vec<Reason> {
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

    /// What should be known and changes no verdict.
    fn remarks(&self) -> Vec<Reason> {
        let licence = &self.candidate.model.licence;
        let non_commercial = (licence.commercial == Some(false))
            .then(|| Reason::NonCommercial { licence: licence.name.clone() });
        let count = u32::try_from(self.machine.gpus.len()).unwrap_or(u32::MAX);
        let several = (count > 1).then(|| Reason::SeveralCards {
            count,
            together_bytes: self.of_all_cards(|gpu| gpu.vram_total_bytes),
        });
        several.into_iter().chain(non_commercial).chain(self.disk_reason()).collect()
    }

    fn disk_reason(&self) -> Option<Reason> {
        let engine = (self.policy.engine_disk_gb * 1e9) as u64;
        let need_bytes = self.candidate.model.download_bytes.saturating_add(engine);
        let free_bytes = self.hardware.disks.iter().filter_map(|disk| disk.free_bytes).max()?;
        (free_bytes < need_bytes).then_some(Reason::DiskShort { need_bytes, free_bytes })
    }
}

impl Candidate {
    /// Whether it is meant to run on the processor alone.
    pub fn is_cpu_only(&self) -> bool {
        self.layers == Layers::Exactly(0)
    }
}

impl Reason {
    /// Place in a list: the weightiest first.
    fn weight(&self) -> u8 {
        match self {
            Self::NoUsableGpu { .. }
            | Self::VramTooSmall { .. }
            | Self::VramUnknown { .. }
            | Self::EngineRefuses { .. } => 0,
            Self::ContextBelowMinimum { .. } | Self::ContextNotCarried { .. } => 1,
            Self::ProfileNeedsVram { .. } | Self::KvNeedsFlashAttention { .. } => 2,
            Self::VramShort { .. } => 3,
            Self::ProfileNeedsRam { .. } => 4,
            Self::RamShort { .. } => 5,
            Self::CpuOnly => 6,
            Self::SlowDecode { .. } => 7,
            Self::LayersOnCpu { .. } => 8,
            Self::SlowFirstToken { .. } => 9,
            Self::KvQ4 => 10,
            Self::SmallCard { .. } => 11,
            Self::Fits { .. } => 12,
            Self::SeveralCards { .. } => 13,
            Self::NonCommercial { .. } => 14,
            Self::DiskShort { .. } => 15,
        }
    }
}

fn typical_card(policy: &Policy) -> GpuFigures {
    let vram_total_bytes = u64::from(policy.premium_from_vram_gb) * GIB;
    GpuFigures {
        name: String::new(),
        kind: GpuKind::Discrete,
        backend: Backend::Cuda,
        vram_total_bytes,
        vram_free_bytes: Known { value: vram_total_bytes, certainty: Certainty::Guess },
        bandwidth_gb_s: Known {
            value: policy.typical_gpu_bandwidth_gb_s(policy.premium_from_vram_gb),
            certainty: Certainty::Guess,
        },
        compute_capability: None,
    }
}
