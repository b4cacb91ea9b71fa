//! Whether a better model would be recommended once programs leave the card.

use super::advisor::programs_on;
use super::rules::TipRules;
use super::tip::{ProgramMemory, RecommendedModel, Tip};
use crate::machine::{GpuKind, Hardware};
use crate::models::Catalogue;
use crate::plan::{Choices, Plan, Profiles, Role, chosen_gpu, find_choices};

/// The tip to close the programs on the card, if a model with more stars is recommended then than `now`. Searches the
/// catalogue once more, but only where programs hold memory of the card.
pub fn better_model(
    hardware: &Hardware,
    catalogue: &Catalogue,
    profiles: &Profiles,
    now: &Choices,
) -> Option<Tip> {
    let gpu = chosen_gpu(hardware, &profiles.policy).filter(|gpu| gpu.kind == GpuKind::Discrete)?;
    let index = hardware.gpus.iter().position(|one| std::ptr::eq(one, gpu))?;
    let mut programs = programs_on(gpu, hardware);
    programs.truncate(TipRules::built_in().most_programs);
    if programs.is_empty() {
        return None;
    }
    let frees_bytes: u64 = programs.iter().map(|program: &ProgramMemory| program.bytes).sum();
    let free = gpu.vram_free_bytes?.saturating_add(frees_bytes).min(gpu.vram_total_bytes?);
    let mut freed = hardware.clone();
    freed.gpus[index].vram_free_bytes = Some(free);
    let then = recommended(&find_choices(&freed, catalogue, profiles))?;
    let now = recommended(now);
    let is_better = now.as_ref().is_none_or(|now| then.stars > now.stars);
    is_better.then(|| Tip::CloseForBetterModel { gpu: gpu.name.clone(), programs, frees_bytes, now, then })
}

fn recommended(choices: &Choices) -> Option<RecommendedModel> {
    let plan: &Plan = &choices.find(Role::Recommended)?.plan;
    Some(RecommendedModel {
        title: plan.candidate.model.title.clone(),
        stars: plan.quality.as_ref()?.stars,
        decode_tokens_per_s: plan.speed.decode_tokens_per_s,
    })
}
