//! The report on a machine: the plan of every profile, and the recommended one.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::machine::Hardware;
use crate::models::{Catalogue, KvCacheType, Model};
use crate::plan::profiles::CUSTOM_ID;
use crate::plan::{
    Candidate, Improvement, Inventory, Layers, Plan, Policy, Profile, Profiles, Reason, Verdict, make_plan,
};

/// The report on a machine: the plan of every profile, and the recommended one.
#[derive(Clone, Debug)]
pub struct Report {
    /// The best verdict any profile got.
    pub verdict: Verdict,
    /// Id of the recommended profile; `None` when all are refused.
    pub recommended: Option<String>,
    /// Reasons of the recommended profile, or those for which the machine is refused.
    pub reasons: Vec<Reason>,
    /// What would change the verdict of the machine.
    pub improvements: Vec<Improvement>,
    /// Every profile, in the order of the file.
    pub plans: Vec<Plan>,
}

/// The candidates of all profiles. Profiles whose model is not in the catalogue are left out;
/// [`Profiles::from_yaml`] refuses them.
pub fn candidates(profiles: &Profiles, catalogue: &Catalogue) -> Vec<Candidate> {
    profiles.profiles.iter().filter_map(|profile| candidate(profile, catalogue)).collect()
}

/// The candidate of the emergency mode, on the processor alone; `None` when its model is not in the catalogue.
pub fn emergency_candidate(profiles: &Profiles, catalogue: &Catalogue) -> Option<Candidate> {
    candidate(&profiles.emergency_cpu, catalogue)
}

/// The user's own choice, made for no particular size of card.
pub fn custom_candidate(
    model: Arc<Model>,
    kv_cache_type: KvCacheType,
    context_tokens: u32,
    layers: Layers,
    policy: &Policy,
) -> Candidate {
    let min_vram_gib = if layers == Layers::Exactly(0) { 0 } else { policy.refused_below_vram_gb };
    Candidate {
        id: CUSTOM_ID.to_owned(),
        model,
        context_tokens,
        kv_cache_type,
        num_batch: crate::plan::profiles::NUM_BATCH,
        layers,
        n_cpu_moe: 0,
        min_vram_gib,
        min_ram_gib: 0,
    }
}

/// The user's own model in the default setting: the usual cache type and context.
pub fn own_candidate(model: Arc<Model>, layers: Layers, policy: &Policy) -> Candidate {
    custom_candidate(model, KvCacheType::Q8_0, crate::MIN_CONTEXT_TOKENS, layers, policy)
}

/// The plans of all profiles on a machine.
pub fn plan_all(hardware: &Hardware, catalogue: &Catalogue, profiles: &Profiles) -> Report {
    let policy = &profiles.policy;
    let plans: Vec<Plan> = candidates(profiles, catalogue)
        .iter()
        .map(|candidate| make_plan(candidate, hardware, policy))
        .collect();
    Report::of(plans)
}

impl Report {
    /// The same with the user's own choice before the profiles. It is recommended if it runs, because the user asked for it.
    #[must_use]
    pub fn with_own(mut self, own: Plan) -> Self {
        if own.verdict != Verdict::Refused {
            self.verdict = own.verdict;
            self.recommended = Some(own.candidate.id.clone());
            self.reasons = own.reasons.clone();
            self.improvements = own.improvements.clone();
        }
        self.plans.insert(0, own);
        self
    }

    /// Summarises: verdict and reasons are those of the best plan, or, when all are refused, of the one closest to
    /// running.
    pub fn of(plans: Vec<Plan>) -> Self {
        let usable = plans.iter().filter(|one| one.verdict != Verdict::Refused);
        let best = usable.min_by_key(|one| preference(one));
        let nearest = best.or_else(|| plans.iter().min_by_key(|one| distance(one)));
        Self {
            verdict: best.map_or(Verdict::Refused, |one| one.verdict),
            recommended: best.map(|one| one.candidate.id.clone()),
            reasons: nearest.map(|one| one.reasons.clone()).unwrap_or_default(),
            improvements: nearest.map(|one| one.improvements.clone()).unwrap_or_default(),
            plans,
        }
    }

    /// The same with the contents of the drives.
    #[must_use]
    pub fn with_inventory(self, inventory: &Inventory) -> Self {
        let recommended = self.recommended;
        let plans = self.plans.into_iter().map(|plan| plan.with_inventory(inventory)).collect();
        let mut report = Self::of(plans);
        // The recommendation does not depend on the drives; the user's own model stays recommended.
        if let Some(own) = recommended.as_deref().and_then(|id| report.find(id)).cloned() {
            (report.reasons, report.improvements) = (own.reasons, own.improvements);
            report.verdict = own.verdict;
        }
        report.recommended = recommended;
        report
    }

    /// The plan of a profile.
    pub fn find(&self, id: &str) -> Option<&Plan> {
        self.plans.iter().find(|one| one.candidate.id == id)
    }

    /// Index of the recommended plan.
    pub fn recommended_index(&self) -> Option<usize> {
        let id = self.recommended.as_deref()?;
        self.plans.iter().position(|one| one.candidate.id == id)
    }

    /// The recommended plan.
    pub fn recommended(&self) -> Option<&Plan> {
        self.recommended_index().map(|index| &self.plans[index])
    }
}

/// Sort key, smallest is best: the verdict, then fewest drawbacks, then the larger model, then all layers on the card.
/// A larger model that is partly on the processor and still fast enough is better than a small one.
fn preference(plan: &Plan) -> (Verdict, usize, Reverse<u32>, bool) {
    let drawback = |reason: &&Reason| {
        matches!(
            reason,
            Reason::SlowDecode { .. }
                | Reason::SlowFirstToken { .. }
                | Reason::KvQ4
                | Reason::RamShort { .. }
        )
    };
    (
        plan.verdict,
        plan.reasons.iter().filter(drawback).count(),
        Reverse(plan.candidate.min_vram_gib),
        plan.gpu_layers() < plan.total_layers,
    )
}

/// Sort key for refused plans, closest to running first: whether the card or main memory is too small, then the size.
fn distance(plan: &Plan) -> (bool, u32) {
    let by_size =
        |reason: &Reason| matches!(reason, Reason::ProfileNeedsVram { .. } | Reason::ProfileNeedsRam { .. });
    (plan.reasons.iter().any(by_size), plan.candidate.min_vram_gib)
}

fn candidate(profile: &Profile, catalogue: &Catalogue) -> Option<Candidate> {
    Some(Candidate {
        id: profile.id.clone(),
        model: catalogue.find(profile.model.as_str())?,
        context_tokens: profile.context_tokens,
        kv_cache_type: profile.kv_cache_type,
        num_batch: profile.num_batch,
        layers: profile.layers,
        n_cpu_moe: 0,
        min_vram_gib: profile.min_vram_gb,
        min_ram_gib: profile.min_ram_gb,
    })
}

/// Writes into a hardware document what the recommended plan needs on each drive, and whether that fits. Without a
/// recommendation, the plan with the smallest download is used.
pub fn note_disk_needs(hardware: &mut Hardware, report: &Report) {
    let smallest = || report.plans.iter().min_by_key(|plan| plan.candidate.model.download_bytes);
    let Some(plan) = report.recommended().or_else(smallest) else { return };
    for disk in &mut hardware.disks {
        if let Some(needs) = plan.disk_needs.drives.iter().find(|needs| needs.path == disk.path) {
            disk.needed_bytes = Some(needs.needed_bytes());
            disk.fits = disk.free_bytes.map(|free| free >= needs.needed_bytes());
        }
    }
}
