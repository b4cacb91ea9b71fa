//! The plan of a change: memory and speed before and after, and whether it needs consent. No I/O.

use crate::install::adjust::InstalledBase;
use crate::install::setting::hand::{HandSettings, SetByHand, SettingChange, SettingProblem, WantedExperts};
use crate::install::steps::placement::Placement;
use crate::install::{Agreement, InstallOptions, Request, RunnerOptions, SavedRequest};
use crate::machine::Hardware;
use crate::plan::{Candidate, Layers, Plan, Policy, Reason, Verdict, fit_experts, make_plan};

/// A change of single settings on a machine.
#[derive(Clone, Debug)]
pub struct SettingPlan {
    /// What is installed, on this machine as it is now.
    pub before: Plan,
    /// The same with the change.
    pub after: Plan,
    /// What is set by hand afterwards; `None` if everything is as planned.
    pub by_hand: Option<SetByHand>,
    /// Whether it needs a consent that the user has not given yet.
    pub needs_consent: bool,
    /// Why it may fail although it can be tried: by the estimate it does not fit the graphics memory that is free.
    pub may_fail: Option<Reason>,
    /// Whether anything changes.
    pub is_changed: bool,
    /// Nothing but this setting is loaded, not even where it does not fit.
    pub(super) is_exact: bool,
    /// What is loaded.
    pub(super) placement: Placement,
    /// The request to save, without the consent to it.
    saved: SavedRequest,
}

impl InstalledBase {
    /// Plans a change.
    ///
    /// # Errors
    /// When it contradicts the model or itself. What the machine does not allow is refused by the plan's verdict.
    pub fn plan_setting(
        &self,
        change: &SettingChange,
        hardware: &Hardware,
        policy: &Policy,
    ) -> Result<SettingPlan, SettingProblem> {
        let (profile, saved) = (&self.installed.profile, &self.saved);
        let planned = saved.by_hand.map_or_else(|| saved.setting(), |by_hand| by_hand.planned);
        let set_before = saved.by_hand.map_or_else(HandSettings::default, |by_hand| by_hand.set);
        let set = set_before.with(change, &planned, &self.model)?;
        let now = Placement::installed(profile);
        let num_batch = match (set.num_batch, change.num_batch, change.back_to_plan) {
            (Some(batch), _, _) => batch,
            (None, None, false) => profile.num_batch,
            (None, _, _) => planned.num_batch,
        };
        let candidate = Candidate {
            num_batch,
            kv_cache_type: set.kv_cache_type.unwrap_or(planned.kv_cache_type),
            context_tokens: set.context_tokens.unwrap_or(planned.context_tokens),
            ..self.candidate(policy)
        };
        let moves = change.moves_anything();
        let candidate = if moves {
            let (layers, experts) = set.placement(&planned, self.model.total_layers());
            let candidate = Candidate { layers, n_cpu_moe: 0, ..candidate };
            let n_cpu_moe = match experts {
                WantedExperts::Of(blocks) => blocks,
                WantedExperts::AsFit => fit_experts(&candidate, hardware, policy)
                    .unwrap_or(self.model.total_layers().saturating_sub(1)),
            };
            Candidate { n_cpu_moe, ..candidate }
        } else {
            Candidate {
                layers: Layers::Exactly(now.gpu_layers),
                kv_cache_type: profile.kv_cache_type,
                context_tokens: profile.context_tokens,
                ..candidate
            }
        };
        let (after, may_fail) = plan_to_try(&candidate, hardware, policy);
        let options = RunnerOptions {
            num_batch: Some(num_batch),
            ..if change.back_to_plan { RunnerOptions::default() } else { now.options }
        };
        let placement = if moves {
            Placement {
                gpu_layers: after.gpu_layers(),
                automatic: false,
                n_cpu_moe: after.setting.n_cpu_moe,
                kv_cache_type: candidate.kv_cache_type,
                options,
                ..now
            }
        } else {
            Placement { options, ..now }
        };
        let by_hand = (!set.is_empty()).then_some(SetByHand { planned, set });
        let (gpu_layers, n_cpu_moe) = match (candidate.layers, moves) {
            (_, false) => (saved.gpu_layers, saved.n_cpu_moe),
            _ if by_hand.is_none() => (planned.gpu_layers, planned.n_cpu_moe),
            (Layers::Fit, true) => (None, candidate.n_cpu_moe),
            (Layers::Exactly(layers), true) => (Some(layers), candidate.n_cpu_moe),
        };
        let to_save = SavedRequest {
            kv_cache_type: candidate.kv_cache_type,
            context_tokens: candidate.context_tokens,
            gpu_layers,
            n_cpu_moe,
            num_batch,
            by_hand,
            ..saved.clone()
        };
        Ok(SettingPlan {
            before: self.plan_now(hardware, policy),
            needs_consent: after.verdict == Verdict::Degraded && !saved.covers(&after),
            is_changed: placement != now
                || candidate.context_tokens != profile.context_tokens
                || set != set_before,
            is_exact: !change.is_left_to_memory(),
            after,
            by_hand,
            may_fail,
            placement,
            saved: to_save,
        })
    }
}

impl SettingPlan {
    /// Whether it cannot be tried at all.
    pub fn is_refused(&self) -> bool {
        self.after.verdict == Verdict::Refused
    }

    /// Whether the consent of the installation covers it.
    pub(super) fn agreed_before(&self) -> bool {
        self.after.verdict == Verdict::Degraded && !self.needs_consent
    }

    /// What is applied, with the user's consent; `None` without a consent that it needs, where it is refused, and where the
    /// model cannot be pulled.
    pub(super) fn request(&self, base: &InstalledBase, has_agreed: bool) -> Option<Request> {
        if self.is_refused() || self.needs_consent && !has_agreed {
            return None;
        }
        let saved = &base.saved;
        let agreement = Agreement {
            limits: self.after.verdict == Verdict::Degraded,
            fewer_layers: saved.accept_degraded || has_agreed,
            kv_q4: saved.accept_kv_q4,
            unverified_model: saved.accept_unverified_model,
        };
        // The user's setting is measured, and nothing else is searched for.
        let options = InstallOptions { tune: false, ..base.options.clone() };
        let request = Request::new(self.after.clone(), agreement, options)?;
        Some(Request { by_hand: self.by_hand, ..request })
    }

    /// The request to save.
    pub(super) fn saved(&self) -> SavedRequest {
        let consent = match (self.after.verdict, self.needs_consent) {
            (Verdict::Degraded, true) => self.after.consent.clone(),
            (Verdict::Degraded, false) => self.saved.consent.clone(),
            _ => None,
        };
        SavedRequest { consent, ..self.saved.clone() }
    }
}

/// The plan of a candidate. What is refused for the free graphics memory alone can be tried: the estimate may be too high,
/// and a failure restores the setting before.
fn plan_to_try(candidate: &Candidate, hardware: &Hardware, policy: &Policy) -> (Plan, Option<Reason>) {
    let plan = make_plan(candidate, hardware, policy);
    let is_short = |reason: &&Reason| matches!(reason, Reason::VramShort { .. });
    let is_refusal = |reason: &&Reason| {
        !matches!(
            reason,
            Reason::ArchitectureUnknown { .. } | Reason::SeveralSizes { .. } | Reason::ArithmeticCut { .. }
        )
    };
    let may_be_tried = plan.verdict == Verdict::Refused
        && plan.gpu_layers() > 0
        && plan.reasons.iter().filter(is_refusal).all(|reason| is_short(&reason));
    if !may_be_tried {
        return (plan, None);
    }
    let why = plan.reasons.iter().find(is_short).cloned();
    let tried = plan.with_placement(plan.gpu_layers(), plan.setting.n_cpu_moe, candidate.kv_cache_type);
    (tried, why)
}
