//! The plan for the file of a model that was read after the plan was made from the catalogue's figures.

use std::sync::Arc;

use crate::estimate::{self, EngineSetting};
use crate::machine::Hardware;
use crate::models::Model;
use crate::plan::case::Case;
use crate::plan::machine::machine_for;
use crate::plan::profiles::{CUSTOM_ID, EMERGENCY_ID};
use crate::plan::search::Search;
use crate::plan::setting::Setting;
use crate::plan::{Candidate, Layers, Plan, Policy, Profiles, Role, make_plan};

/// The plan for this file of the plan's model. Context and KV cache stay as chosen. If the file runs worse than planned, and
/// the placement was found by a search, another one is searched.
pub fn plan_for_file(plan: &Plan, model: Arc<Model>, hardware: &Hardware, profiles: &Profiles) -> Plan {
    let policy = &profiles.policy;
    let same = same_setting(&plan.candidate, Arc::clone(&model), hardware, policy);
    let same = make_plan(&same, hardware, policy);
    if same.verdict <= plan.verdict {
        return same;
    }
    let searched = searched_again(&plan.candidate, &model, hardware, profiles);
    let searched = searched.map(|candidate| make_plan(&candidate, hardware, policy));
    searched.filter(|searched| searched.verdict < same.verdict).unwrap_or(same)
}

/// The best setting of the file with the same context and KV cache; `None` if the setting was not found by a search, or
/// nothing of the kind runs.
fn searched_again(
    before: &Candidate,
    model: &Arc<Model>,
    hardware: &Hardware,
    profiles: &Profiles,
) -> Option<Candidate> {
    let id = before.id.as_str();
    let search = Search::new(hardware, profiles);
    let is_same = |setting: &&Setting| {
        setting.candidate.context_tokens == before.context_tokens
            && setting.candidate.kv_cache_type == before.kv_cache_type
    };
    let settings = match Role::of_id(id) {
        Some(_) => search.settings(model),
        None if id == EMERGENCY_ID => search.settings_on_processor(model),
        None => return None,
    };
    let same: Vec<&Setting> = settings.iter().filter(is_same).collect();
    profiles.choices.worth_most(same).map(|setting| setting.candidate(id))
}

/// The smallest number of blocks whose experts must stay in main memory so that everything else of a candidate fits the
/// cards; `None` without a card, or if all experts in main memory are not enough.
pub fn fit_experts(candidate: &Candidate, hardware: &Hardware, policy: &Policy) -> Option<u32> {
    let case = Case::new(candidate, policy, machine_for(candidate, hardware, policy));
    let setting = EngineSetting { gpu_layers: case.total_layers, ..case.setting };
    estimate::fit_n_cpu_moe(&candidate.model, &setting, &case.machine, case.vram_budget_bytes())
}

/// The same setting for this file. Where experts stay in main memory, as many do as the cards' memory requires; the user's
/// own number is only raised.
fn same_setting(before: &Candidate, model: Arc<Model>, hardware: &Hardware, policy: &Policy) -> Candidate {
    let total = model.total_layers();
    let layers = match before.layers {
        Layers::Exactly(layers) if layers > 0 && layers >= before.model.total_layers() => {
            Layers::Exactly(total)
        }
        Layers::Exactly(layers) => Layers::Exactly(layers.min(total)),
        Layers::Fit => Layers::Fit,
    };
    let has_experts = model.architecture.experts.is_some();
    let n_cpu_moe = if has_experts { before.n_cpu_moe.min(total.saturating_sub(1)) } else { 0 };
    let candidate = Candidate { model, layers, n_cpu_moe, ..before.clone() };
    if candidate.n_cpu_moe == 0 {
        return candidate;
    }
    let n_cpu_moe = match fit_experts(&candidate, hardware, policy) {
        Some(fitting) if candidate.id == CUSTOM_ID => fitting.max(n_cpu_moe),
        Some(fitting) => fitting,
        None => n_cpu_moe,
    };
    Candidate { n_cpu_moe, ..candidate }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::GIB;
    use crate::machine::{Gpu, GpuKind, MainMemory};
    use crate::models::Catalogue;
    use crate::plan::{Verdict, find_choices, plan_profiles};

    /// 8 GB of graphics memory and 32 GB of main memory.
    fn desktop() -> Hardware {
        let memory =
            MainMemory { total_bytes: 32 * GIB, available_bytes: Some(28 * GIB), bandwidth_gb_s: Some(60.0) };
        Hardware::with(memory, vec![Gpu::named("NVIDIA GeForce RTX 4060", GpuKind::Discrete, Some(8 * GIB))])
    }

    /// The same model with this share more in each block.
    fn larger(model: &Model, percent: u64) -> Arc<Model> {
        let mut model = model.clone();
        for block in &mut model.architecture.blocks {
            block.bytes += block.bytes * percent / 100;
            block.expert_bytes += block.expert_bytes * percent / 100;
        }
        Arc::new(model)
    }

    fn recommended() -> Plan {
        let choices = find_choices(&desktop(), Catalogue::built_in(), Profiles::built_in());
        choices.find(Role::Recommended).unwrap().plan.clone()
    }

    #[test]
    fn the_same_file_leaves_every_plan_as_it_was() {
        let (hardware, catalogue, profiles) = (desktop(), Catalogue::built_in(), Profiles::built_in());
        let choices = find_choices(&hardware, catalogue, profiles);
        let plans = plan_profiles(&hardware, catalogue, profiles).plans;
        let choices = choices.choices.into_iter().map(|choice| choice.plan).chain(choices.emergency_cpu);
        for before in plans.into_iter().chain(choices) {
            let now = plan_for_file(&before, before.candidate.model.clone(), &hardware, profiles);
            assert_eq!((&now.candidate, now.verdict), (&before.candidate, before.verdict));
            assert_eq!(now.consent, before.consent);
        }
    }

    #[test]
    fn a_larger_file_leaves_more_experts_in_main_memory() {
        let before = recommended();
        assert!(before.setting.n_cpu_moe > 0, "a mixture with experts in main memory is recommended here");
        let file = larger(&before.candidate.model, 10);
        let now = plan_for_file(&before, file, &desktop(), Profiles::built_in());
        assert!(now.setting.n_cpu_moe > before.setting.n_cpu_moe && now.verdict != Verdict::Refused);
        assert_eq!(now.candidate.context_tokens, before.candidate.context_tokens);
    }

    #[test]
    fn the_users_own_number_is_only_raised() {
        let before = recommended();
        let own = |n_cpu_moe| {
            let candidate = Candidate { id: CUSTOM_ID.to_owned(), n_cpu_moe, ..before.candidate.clone() };
            make_plan(&candidate, &desktop(), &Profiles::built_in().policy)
        };
        let now = |n_cpu_moe, percent| {
            let file = larger(&before.candidate.model, percent);
            plan_for_file(&own(n_cpu_moe), file, &desktop(), Profiles::built_in()).setting.n_cpu_moe
        };
        let (found, all) = (before.setting.n_cpu_moe, before.total_blocks());
        assert_eq!(now(all, 0), all, "more than needed stays as chosen");
        assert!(now(found, 10) > found);
    }

    #[test]
    fn other_layers_and_no_experts_are_no_contradiction() {
        let before = recommended();
        let dense = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let now = plan_for_file(&before, dense.clone(), &desktop(), Profiles::built_in());
        assert_eq!((now.setting.n_cpu_moe, now.total_layers), (0, dense.total_layers()));
        assert!(now.gpu_layers() <= now.total_layers);
        let huge = larger(&dense, 2000);
        assert_eq!(
            plan_for_file(&now, huge, &desktop(), Profiles::built_in()).verdict,
            Verdict::Refused,
            "what does not fit is refused"
        );
    }
}
