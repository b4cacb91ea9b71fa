//! Every setting in which a model runs on a machine: context × type of KV cache × placement × batch.
//!
//! Settings that cannot win are not tried: where all layers and a 16-bit cache fit the card, nothing else is; larger
//! contexts only while the weights' placement keeps everything, or everything but experts, on the card.

use std::sync::Arc;

use crate::MIN_CONTEXT_TOKENS;
use crate::estimate::{self, EngineSetting, GpuFigures, MachineFigures};
use crate::machine::Hardware;
use crate::models::{KvCacheType, Model, Ratings};
use crate::plan::candidates::custom_candidate;
use crate::plan::case::Case;
use crate::plan::machine::machines;
use crate::plan::setting::Setting;
use crate::plan::{Candidate, ChoiceRules, Layers, Policy, Profiles};

/// A search on one machine.
pub(super) struct Search<'a> {
    policy: &'a Policy,
    rules: &'a ChoiceRules,
    /// The best card alone, then all cards of its kind; empty without a usable card.
    with_cards: Vec<MachineFigures>,
    processor: MachineFigures,
}

impl<'a> Search<'a> {
    pub fn new(hardware: &Hardware, profiles: &'a Profiles) -> Self {
        let (with_cards, processor) = machines(hardware, &profiles.policy);
        Self { policy: &profiles.policy, rules: &profiles.choices, with_cards, processor }
    }

    /// The settings in which a model runs with the cards of the machine.
    pub fn settings(&self, model: &Arc<Model>) -> Vec<Setting> {
        let mut found = Vec::new();
        for context_tokens in self.contexts(model) {
            let before = found.len();
            let mut grows = false;
            for kv_cache_type in self.kv_cache_types(model) {
                let model = Arc::clone(model);
                let wanted = custom_candidate(model, kv_cache_type, context_tokens, Layers::Fit, self.policy);
                let whole = self.with_cards.iter().find_map(|machine| self.whole(&wanted, machine));
                if let Some(whole) = whole {
                    found.push(whole);
                    grows = true;
                    break;
                }
                // Where one card does not hold the model, the plan is made for all of them together.
                let Some(machine) = self.with_cards.last() else { continue };
                for &num_batch in &self.rules.batches {
                    let wanted = Candidate { num_batch, ..wanted.clone() };
                    let experts = self.experts_in_ram(&wanted, machine);
                    grows |= experts.is_some();
                    if experts.is_none() && context_tokens > MIN_CONTEXT_TOKENS {
                        continue;
                    }
                    found.extend(experts.or_else(|| self.partial(&wanted, machine)));
                }
            }
            if !grows || found.len() == before {
                break;
            }
        }
        found
    }

    /// The settings in which a model runs on the processor alone, with the smallest context.
    pub fn settings_on_processor(&self, model: &Arc<Model>) -> Vec<Setting> {
        if model.trained_context_tokens < MIN_CONTEXT_TOKENS {
            return Vec::new();
        }
        let types = self.kv_cache_types(model).into_iter();
        let of_type = |kv_cache_type| {
            let model = Arc::clone(model);
            let layers = Layers::Exactly(0);
            custom_candidate(model, kv_cache_type, MIN_CONTEXT_TOKENS, layers, self.policy)
        };
        types.filter_map(|kv| self.setting(&of_type(kv), &self.processor, 0, false)).collect()
    }

    fn contexts(&self, model: &Model) -> impl Iterator<Item = u32> {
        let carried = model.trained_context_tokens;
        self.rules.contexts.iter().copied().filter(move |tokens| *tokens <= carried)
    }

    /// Types of KV cache to try, the most exact first. Four bits are the user's own choice.
    fn kv_cache_types(&self, model: &Model) -> Vec<KvCacheType> {
        let mut gpus = self.with_cards.iter().flat_map(|machine| &machine.gpus);
        let mut types = vec![KvCacheType::F16];
        if gpus.all(GpuFigures::has_flash_attention)
            && Ratings::built_in().unusable_with(model, KvCacheType::Q8_0).is_none()
        {
            types.push(KvCacheType::Q8_0);
        }
        types
    }

    /// Everything on the cards of `machine`.
    fn whole(&self, candidate: &Candidate, machine: &MachineFigures) -> Option<Setting> {
        let case = Case::new(candidate, self.policy, machine.clone());
        let all = case.total_layers;
        (case.place(case.vram_budget_bytes()) == all).then_some(())?;
        self.setting_of(&case, all, true)
    }

    /// All layers on the cards, and as few experts in main memory as the cards' memory allows.
    fn experts_in_ram(&self, candidate: &Candidate, machine: &MachineFigures) -> Option<Setting> {
        candidate.model.architecture.experts?;
        let case = Case::new(candidate, self.policy, machine.clone());
        let setting = EngineSetting { gpu_layers: case.total_layers, ..case.setting };
        let budget = case.vram_budget_bytes();
        let n_cpu_moe = estimate::fit_n_cpu_moe(&candidate.model, &setting, machine, budget)?;
        let layers = Layers::Exactly(case.total_layers);
        let candidate = Candidate { n_cpu_moe, layers, ..candidate.clone() };
        self.setting(&candidate, machine, case.total_layers, n_cpu_moe == 0)
    }

    /// As many layers as fit on the cards, the rest on the processor.
    fn partial(&self, candidate: &Candidate, machine: &MachineFigures) -> Option<Setting> {
        let case = Case::new(candidate, self.policy, machine.clone());
        let layers = case.place(case.vram_budget_bytes());
        (layers > 0).then_some(())?;
        self.setting_of(&case, layers, false)
    }

    fn setting(
        &self,
        candidate: &Candidate,
        machine: &MachineFigures,
        gpu_layers: u32,
        is_whole: bool,
    ) -> Option<Setting> {
        self.setting_of(&Case::new(candidate, self.policy, machine.clone()), gpu_layers, is_whole)
    }

    /// The setting of a case; `None` where main memory is too small.
    fn setting_of(&self, case: &Case<'_>, gpu_layers: u32, is_whole: bool) -> Option<Setting> {
        let candidate = case.candidate;
        let estimate = case.estimate(gpu_layers);
        if case.ram_reason(&estimate).is_some() {
            return None;
        }
        let speed = estimate.speed;
        let filled = if candidate.context_tokens == MIN_CONTEXT_TOKENS {
            speed.decode_at_full_context_tokens_per_s
        } else {
            let setting = EngineSetting { gpu_layers, ..case.setting };
            estimate::decode(&candidate.model, &setting, &case.machine, MIN_CONTEXT_TOKENS)
        };
        Some(Setting {
            candidate: candidate.clone(),
            is_whole,
            needs_consent: gpu_layers < case.total_layers
                || speed.decode_tokens_per_s.mid < self.policy.slow_below_tokens_per_s
                || speed.first_token_full_prompt_s.mid > self.policy.slow_above_first_token_s,
            points: Ratings::built_in().points(&candidate.model, candidate.kv_cache_type),
            tokens_per_s: (speed.decode_tokens_per_s.mid * filled.mid).sqrt(),
            first_token_s: speed.first_token_full_prompt_s.mid,
        })
    }
}
