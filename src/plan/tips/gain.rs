//! The figures of a plan before and after a change.

use serde::Serialize;

use super::rules::TipRules;
use crate::figures::Range;
use crate::plan::{Plan, Verdict};

/// The plan on the machine as it is, and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TipGain {
    /// As it is.
    pub before: TipFigures,
    /// After the change.
    pub after: TipFigures,
}

/// Figures of a plan by which tips are judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TipFigures {
    /// The verdict.
    pub verdict: Verdict,
    /// Layers on the GPU.
    pub gpu_layers: u32,
    /// All layers.
    pub total_layers: u32,
    /// Blocks whose experts are in main memory.
    pub n_cpu_moe: u32,
    /// Graphics memory needed, in bytes.
    pub vram_required_bytes: u64,
    /// Main memory for the cache of earlier prompts, in bytes; 0 if it is off.
    pub prompt_cache_ram_bytes: u64,
    /// Speed with an empty context.
    pub decode_tokens_per_s: Range,
    /// Speed with a full context.
    pub decode_at_full_context_tokens_per_s: Range,
    /// Seconds to the first token of a full prompt.
    pub first_token_full_prompt_s: Range,
}

impl TipFigures {
    /// The figures of a plan.
    pub fn of(plan: &Plan) -> Self {
        Self {
            verdict: plan.verdict,
            gpu_layers: plan.gpu_layers(),
            total_layers: plan.total_layers,
            n_cpu_moe: plan.setting.n_cpu_moe,
            vram_required_bytes: plan.memory.vram_required_bytes,
            prompt_cache_ram_bytes: plan.memory.prompt_cache_ram_bytes,
            decode_tokens_per_s: plan.speed.decode_tokens_per_s,
            decode_at_full_context_tokens_per_s: plan.speed.decode_at_full_context_tokens_per_s,
            first_token_full_prompt_s: plan.speed.first_token_full_prompt_s,
        }
    }
}

impl TipGain {
    /// Whether it runs only after the change.
    pub fn makes_it_run(&self) -> bool {
        self.before.verdict == Verdict::Refused && self.after.verdict != Verdict::Refused
    }

    /// Whether answers are faster by the share that the rules ask for.
    pub fn is_faster(&self) -> bool {
        self.is_faster_when_empty()
            || self.speeds_up(|figures| figures.decode_at_full_context_tokens_per_s)
                && self.is_no_slower_when_empty()
    }

    /// Whether answers are so much faster with an empty context.
    pub fn is_faster_when_empty(&self) -> bool {
        self.speeds_up(|figures| figures.decode_tokens_per_s)
    }

    /// Whether answers with an empty context do not lose the share that a gain would need.
    pub fn is_no_slower_when_empty(&self) -> bool {
        let least = 1.0 - TipRules::built_in().least_gain;
        self.after.decode_tokens_per_s.mid >= self.before.decode_tokens_per_s.mid * least
    }

    fn speeds_up(&self, of: fn(&TipFigures) -> Range) -> bool {
        of(&self.after).mid >= of(&self.before).mid * (1.0 + TipRules::built_in().least_gain)
    }

    /// Whether the wait for the first token is shorter by the share that the rules ask for.
    pub fn waits_less(&self) -> bool {
        let (before, after) = (self.before.first_token_full_prompt_s, self.after.first_token_full_prompt_s);
        after.mid <= before.mid * (1.0 - TipRules::built_in().least_shorter_wait)
    }

    /// Whether there is room for the cache of earlier prompts only after the change.
    pub fn adds_prompt_cache(&self) -> bool {
        self.before.prompt_cache_ram_bytes == 0 && self.after.prompt_cache_ram_bytes > 0
    }

    /// Whether the change matters and makes no verdict worse.
    pub fn is_worth_it(&self) -> bool {
        let (before, after) = (self.before.verdict, self.after.verdict);
        after != Verdict::Refused
            && after <= before
            && (after < before || self.is_faster() || self.waits_less() || self.adds_prompt_cache())
    }
}
