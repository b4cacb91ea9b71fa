//! The report on a machine: the three choices among all models, the plan of every profile, and the best profile.

use std::cmp::Reverse;

use crate::machine::Hardware;
use crate::models::Catalogue;
use crate::plan::candidates::candidates;
use crate::plan::choices::{Choice, Choices, find_choices};
use crate::plan::profiles::CUSTOM_ID;
use crate::plan::{
    Improvement, Inventory, Plan, Profiles, Reason, Role, Tip, Verdict, better_model, make_plan, tips,
};

/// The report on a machine: the three choices among all models, the plan of every profile, and the best profile.
#[derive(Clone, Debug)]
pub struct Report {
    /// The best verdict that any profile or choice got.
    pub verdict: Verdict,
    /// Id of the best profile; `None` if all are refused.
    pub recommended: Option<String>,
    /// Reasons of the best profile, or those for which the machine is refused.
    pub reasons: Vec<Reason>,
    /// What would change the verdict of the machine.
    pub improvements: Vec<Improvement>,
    /// Every profile, in the order of the file.
    pub plans: Vec<Plan>,
    /// The choices among all models of the catalogue; empty in a report on single profiles.
    pub choices: Choices,
    /// The tip to close programs for a better model than the recommended choice.
    pub better_model: Option<Tip>,
}

/// The choices for a machine, and the plans of all profiles on it.
pub fn plan_all(hardware: &Hardware, catalogue: &Catalogue, profiles: &Profiles) -> Report {
    let choices = find_choices(hardware, catalogue, profiles);
    let better_model = better_model(hardware, catalogue, profiles, &choices);
    Report { better_model, ..plan_profiles(hardware, catalogue, profiles).with_choices(choices) }
}

/// The plans of all profiles on a machine.
pub fn plan_profiles(hardware: &Hardware, catalogue: &Catalogue, profiles: &Profiles) -> Report {
    let policy = &profiles.policy;
    let plans: Vec<Plan> = candidates(profiles, catalogue)
        .iter()
        .map(|candidate| make_plan(candidate, hardware, policy))
        .collect();
    Report::of(plans)
}

impl Report {
    /// Adds the user's own choice before the profiles. It is recommended if it runs, because the user chose it.
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

    /// Summarises plans: verdict and reasons are those of the best plan or, if all are refused, of the one with the
    /// smallest shortage.
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
            choices: Choices::default(),
            better_model: None,
        }
    }

    /// The same with the choices. A machine on which a choice runs is as good as that choice.
    #[must_use]
    pub fn with_choices(mut self, choices: Choices) -> Self {
        if let Some(best) = choices.choices.iter().min_by_key(|choice| choice.plan.verdict)
            && best.plan.verdict < self.verdict
        {
            self.verdict = best.plan.verdict;
            self.reasons = best.plan.reasons.clone();
            self.improvements = best.plan.improvements.clone();
        }
        self.choices = choices;
        self
    }

    /// The same with the contents of the drives. Neither verdict nor recommendation depend on them.
    #[must_use]
    pub fn with_inventory(mut self, inventory: &Inventory) -> Self {
        self.plans = self.plans.into_iter().map(|plan| plan.with_inventory(inventory)).collect();
        self.choices = self.choices.with_inventory(inventory);
        if let Some(best) = self.recommended().cloned() {
            (self.reasons, self.improvements) = (best.reasons, best.improvements);
        }
        self
    }

    /// The choice of a role.
    pub fn choice(&self, role: Role) -> Option<&Choice> {
        self.choices.find(role)
    }

    /// The plan to install unless the user names another: of the user's own model, else the recommended choice, else the
    /// best profile.
    pub fn default_plan(&self) -> Option<&Plan> {
        let own = self.recommended().filter(|plan| plan.candidate.id == CUSTOM_ID);
        own.or_else(|| self.choice(Role::Recommended).map(|choice| &choice.plan))
            .or_else(|| self.recommended())
    }

    /// The plan to offer next: of what is installed by default, else the emergency mode; `None` where nothing runs.
    pub fn plan_to_continue_with(&self) -> Option<&Plan> {
        let runs = |plan: &&Plan| plan.verdict != Verdict::Refused;
        self.default_plan().filter(runs).or(self.choices.emergency_cpu.as_ref()).filter(runs)
    }

    /// The plan that tips are given for: the one to install by default, else one that runs once other programs are closed,
    /// else the emergency mode.
    fn plan_for_tips(&self) -> Option<&Plan> {
        let fits_when_closed = |reason: &Reason| {
            matches!(
                reason,
                Reason::VramShort { fits_when_closed: true, .. }
                    | Reason::RamShort { fits_when_closed: true, .. }
            )
        };
        let soon = || self.plans.iter().find(|plan| plan.reasons.iter().any(fits_when_closed));
        self.default_plan().or_else(soon).or(self.choices.emergency_cpu.as_ref())
    }

    /// Optimization tips for the machine that the report is about.
    pub fn tips(&self, hardware: &Hardware) -> Vec<Tip> {
        let of_plan = self.plan_for_tips().map_or_else(Vec::new, |plan| tips(plan, hardware));
        let own = self.default_plan().is_some_and(|plan| plan.candidate.id == CUSTOM_ID);
        self.better_model.iter().filter(|_| !own).cloned().chain(of_plan).collect()
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

/// Sort key for refused plans, smallest shortage first: whether the card or main memory is too small, then the size.
fn distance(plan: &Plan) -> (bool, u32) {
    let by_size =
        |reason: &Reason| matches!(reason, Reason::ProfileNeedsVram { .. } | Reason::ProfileNeedsRam { .. });
    (plan.reasons.iter().any(by_size), plan.candidate.min_vram_gib)
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
