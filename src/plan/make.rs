//! Makes the plan of a candidate on a machine.
//!
//! 1. Refusals that no setting can change: no card, card too small, context not supported by the model.
//! 2. Placement: as many layers on the card as fit the free VRAM less a margin.
//! 3. Check that the rest fits main memory.
//! 4. Limits that need consent: slower, smaller or less exact than intended.
//!
//! A refused candidate has figures too, so that the user sees how much is missing.

use crate::MIN_CONTEXT_TOKENS;
use crate::estimate::{EngineSetting, Estimate};
use crate::machine::{Gpu, Hardware};
use crate::models::{KvCacheType, ModelTag, Ratings};
use crate::plan::case::Case;
use crate::plan::consent::{ConsentTerms, Limit};
use crate::plan::disk::{DiskNeeds, Inventory};
use crate::plan::machine::{chosen_gpu, machine_for, vram_total};
use crate::plan::{Candidate, Improvement, Plan, Policy, Reason, Verdict, improve};

/// The plan of a candidate on a machine. Add the state of its drives with [`Plan::with_inventory`].
pub fn make_plan(candidate: &Candidate, hardware: &Hardware, policy: &Policy) -> Plan {
    let case = Case::new(candidate, policy, machine_for(candidate, hardware, policy));
    let gpu_layers = case.place(case.vram_budget_bytes());
    let mut refusals = refusals_by_kind(&case, hardware, gpu_layers);
    let estimate = case.estimate(gpu_layers);
    refusals.extend(case.refusal_by_vram(gpu_layers, &estimate));
    let mut limits = Vec::new();
    match case.ram_reason(&estimate) {
        Some(reason @ Reason::RamShort { fits_when_closed: true, .. }) => limits.push(reason),
        reason => refusals.extend(reason),
    }
    limits.extend(case.limits(gpu_layers, &estimate));
    plan_of(case, gpu_layers, estimate, refusals, limits).with_inventory(&Inventory::of(hardware))
}

fn plan_of(
    case: Case<'_>,
    gpu_layers: u32,
    estimate: Estimate,
    refusals: Vec<Reason>,
    limits: Vec<Reason>,
) -> Plan {
    let verdict = match (refusals.is_empty(), limits.is_empty()) {
        (false, _) => Verdict::Refused,
        (true, false) => Verdict::Degraded,
        (true, true) => Verdict::Compatible,
    };
    // Limits of a refused plan are not useful.
    let mut reasons = if verdict == Verdict::Refused { refusals } else { limits };
    reasons.sort_by_key(Reason::weight);
    if verdict == Verdict::Compatible && case.setting.n_cpu_moe == 0 {
        let spare_bytes = case.machine.vram_free_bytes().saturating_sub(estimate.memory.vram_required_bytes);
        reasons.push(if case.free_memory_is_assumed() {
            Reason::FitsIfFree { spare_bytes, free_bytes: case.machine.vram_free_bytes() }
        } else {
            Reason::Fits { spare_bytes }
        });
    }
    reasons.extend(case.unknown_architecture());
    reasons.extend(case.several_sizes());
    reasons.extend(case.arithmetic_cut());
    if verdict != Verdict::Refused {
        reasons.extend(case.remarks());
    }
    let mut plan = Plan {
        candidate: case.candidate.clone(),
        setting: EngineSetting { gpu_layers, ..case.setting },
        total_layers: case.total_layers,
        quality: Ratings::built_in().quality(&case.candidate.model, case.setting.kv_cache_type),
        memory: estimate.memory,
        speed: estimate.speed,
        all_layers_vram_bytes: case.all_layers_vram_bytes(),
        verdict,
        grade: (verdict == Verdict::Compatible).then(|| case.policy.grade(case.nominal_vram_gb)),
        reasons,
        improvements: Vec::new(),
        consent: None,
        disk_needs: DiskNeeds::default(),
        policy: case.policy.clone(),
        machine: case.machine.clone(),
    };
    plan.improvements = improve::improvements(&case, &plan);
    plan.consent = plan
        .candidate
        .model
        .tag()
        .filter(|_| verdict == Verdict::Degraded)
        .map(|tag| consent_terms(&plan, tag));
    plan
}

fn consent_terms(plan: &Plan, tag: &ModelTag) -> ConsentTerms {
    ConsentTerms {
        profile: plan.candidate.id.clone(),
        model: tag.clone(),
        context_tokens: plan.candidate.context_tokens,
        kv_cache_type: plan.setting.kv_cache_type,
        n_cpu_moe: plan.setting.n_cpu_moe,
        limits: plan.reasons.iter().filter_map(Limit::of).collect(),
        decode_tokens_per_s: plan.speed.decode_tokens_per_s,
        first_token_full_prompt_s: plan.speed.first_token_full_prompt_s,
    }
}

impl Plan {
    /// The plan with the state of the drives: existing files are not downloaded again.
    #[must_use]
    pub fn with_inventory(mut self, inventory: &Inventory) -> Self {
        self.disk_needs = DiskNeeds::of(&self.candidate.model, self.needs_rocm(), inventory, &self.policy);
        self.reasons.retain(|reason| !matches!(reason, Reason::DiskShort { .. }));
        self.improvements.retain(|improvement| !matches!(improvement, Improvement::FreeDisk { .. }));
        if self.verdict != Verdict::Refused
            && let Some(drive) = self.disk_needs.shortest()
        {
            let (need_bytes, free_bytes) = (drive.needed_bytes(), drive.free_bytes.unwrap_or(0));
            self.improvements.push(Improvement::FreeDisk { frees_bytes: drive.missing_bytes() });
            self.reasons.push(Reason::DiskShort { need_bytes, free_bytes });
            self.improvements.sort_by_key(Improvement::effort);
        }
        self
    }

    /// The plan for another placement: a different number of layers on the GPU, of blocks with their experts in main memory,
    /// or another KV cache type. Every figure is recomputed. Fewer layers, more experts in main memory or a smaller cache
    /// type than planned are always degraded.
    #[must_use]
    pub fn with_placement(&self, gpu_layers: u32, n_cpu_moe: u32, kv_cache_type: KvCacheType) -> Self {
        let candidate = Candidate { kv_cache_type, n_cpu_moe, ..self.candidate.clone() };
        let case = Case::new(&candidate, &self.policy, self.machine.clone());
        let estimate = case.estimate(gpu_layers);
        let ram = case.ram_reason(&estimate);
        let limits = ram.into_iter().chain(case.limits(gpu_layers, &estimate)).collect();
        let mut plan = plan_of(case, gpu_layers, estimate, Vec::new(), limits);
        let smaller_cache = kv_cache_type != self.setting.kv_cache_type;
        let more_in_ram = gpu_layers < self.setting.gpu_layers || n_cpu_moe > self.setting.n_cpu_moe;
        if more_in_ram || smaller_cache {
            plan.verdict = plan.verdict.max(Verdict::Degraded);
            plan.grade = None;
        }
        plan.disk_needs = self.disk_needs.clone();
        plan
    }
}

/// Reasons for refusal that no placement can change.
fn refusals_by_kind(case: &Case<'_>, hardware: &Hardware, gpu_layers: u32) -> Vec<Reason> {
    let candidate = case.candidate;
    let mut reasons = Vec::new();
    reasons.extend(hardware.os.refusal().map(|refusal| Reason::EngineRefuses { refusal }));
    if !candidate.is_cpu_only() {
        reasons.extend(gpu_refusal(case, hardware, gpu_layers));
    }
    if candidate.context_tokens < MIN_CONTEXT_TOKENS {
        reasons.push(Reason::ContextBelowMinimum {
            want_tokens: candidate.context_tokens,
            minimum_tokens: MIN_CONTEXT_TOKENS,
        });
    }
    let supported_tokens = candidate.model.trained_context_tokens;
    if supported_tokens < candidate.context_tokens {
        reasons.push(Reason::ContextNotSupported { want_tokens: candidate.context_tokens, supported_tokens });
    }
    if let Some(gpu) = case.gpu().filter(|gpu| !gpu.has_flash_attention())
        && candidate.kv_cache_type.needs_flash_attention()
    {
        reasons.push(Reason::KvNeedsFlashAttention { gpu: gpu.name.as_str().into() });
    }
    let have_gib = case.policy.nominal_ram_gb(hardware.memory.total_bytes);
    if have_gib < candidate.min_ram_gib {
        reasons.push(Reason::ProfileNeedsRam { have_gib, need_gib: candidate.min_ram_gib });
    }
    reasons
}

fn gpu_refusal(case: &Case<'_>, hardware: &Hardware, gpu_layers: u32) -> Option<Reason> {
    let Some(gpu) = chosen_gpu(hardware, case.policy) else {
        // If the engine does not use a card for a reason that can be fixed, report that instead of recommending a new
        // card.
        if let Some(refusal) = hardware.gpus.iter().find_map(Gpu::refusal) {
            return Some(Reason::EngineRefuses { refusal });
        }
        return Some(Reason::NoUsableGpu {
            found: hardware.gpus.iter().map(|gpu| gpu.name.clone()).collect(),
            need_gib: case.policy.refused_below_vram_gb,
        });
    };
    if vram_total(gpu, hardware, case.policy).is_none() {
        return Some(Reason::VramUnknown { gpu: gpu.name.clone() });
    }
    let have_gib = case.nominal_vram_gb;
    let machine_needs = case.policy.refused_below_vram_gb;
    let profile_needs = case.candidate.min_vram_gib;
    if have_gib < machine_needs {
        Some(Reason::VramTooSmall { have_gib, need_gib: machine_needs })
    } else if have_gib < profile_needs && gpu_layers < case.total_layers {
        // A model that fits whole runs, whatever size of card its profile is made for.
        Some(Reason::ProfileNeedsVram { have_gib, need_gib: profile_needs })
    } else {
        None
    }
}
