//! Limits and steps of tuning. All of them are data in `assets/tuning.yaml`.

use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

use crate::built_in;

/// How a loaded model is tuned by measuring.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuningRules {
    /// Always [`crate::SCHEMA`].
    pub schema: u32,
    /// Time limit of the search.
    pub time_limit_s: TuningTimeLimits,
    /// Share by which a turn must be shorter to count as faster, 0 to 1.
    pub noise_margin: f64,
    /// The turn that settings are compared by.
    pub turn: AssistantTurn,
    /// Tokens written with each filling of the context.
    pub answer_tokens: u32,
    /// Tokens of the filled context, descending.
    pub filled_tokens: Vec<u32>,
    /// Share of the time limit within which the filled context must be read.
    pub longest_read_share: f64,
    /// Values of `num_batch`, in tokens.
    pub batches: Vec<u32>,
    /// Values of `draft_num_predict`, in tokens.
    pub drafts: Vec<u32>,
    /// Blocks whose experts move from one try to the next.
    pub expert_step: u32,
    /// Maximum number of tries with the experts of more or fewer blocks in main memory.
    pub expert_tries: usize,
    /// What counts as other work.
    pub other_work: OtherWorkLimits,
}

/// Time limit of the search, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuningTimeLimits {
    /// With layers on a GPU.
    pub with_card: u64,
    /// Without.
    pub processor_only: u64,
}

/// One turn of an assistant.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssistantTurn {
    /// Tokens of the prompt that are not in the engine's cache.
    pub prompt_tokens: f64,
    /// Tokens of the answer.
    pub answer_tokens: f64,
}

/// Limits above which other work is reported.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherWorkLimits {
    /// Processor time of other programs, as a share of all cores, 0 to 1.
    pub processor_share: f64,
    /// Graphics memory of another program, in MiB.
    pub vram_mib: u64,
}

static BUILT_IN: LazyLock<TuningRules> = LazyLock::new(|| {
    let (text, file) = (include_str!("../../assets/tuning.yaml"), "assets/tuning.yaml");
    built_in::valid(file, serde_saphyr::from_str(text))
});

impl TuningRules {
    /// The rules compiled into this program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The time limit with or without layers on a GPU.
    pub fn time_limit(&self, with_card: bool) -> Duration {
        let limits = self.time_limit_s;
        Duration::from_secs(if with_card { limits.with_card } else { limits.processor_only })
    }

    /// Tokens of the filled context: the longest that is read in time and takes at most half of the context.
    /// `read_s` returns the estimated seconds for a prompt of this many tokens.
    pub fn filled_tokens(&self, context_tokens: u32, limit: Duration, read_s: impl Fn(u32) -> f64) -> u32 {
        let longest_s = limit.as_secs_f64() * self.longest_read_share;
        let fits = |tokens: &&u32| **tokens <= context_tokens / 2;
        let in_time = |tokens: &&u32| read_s(**tokens) <= longest_s;
        let shortest = self.filled_tokens.last();
        *self.filled_tokens.iter().filter(fits).find(in_time).or(shortest).unwrap_or(&1024)
    }
}

impl AssistantTurn {
    /// Seconds of a turn, from rates in tokens per second. A rate that is unknown or zero makes it infinite.
    pub fn seconds(&self, read: f64, written_empty: f64, written_filled: f64) -> f64 {
        let half = self.answer_tokens / 2.0;
        self.prompt_tokens / read.max(0.0) + half / written_empty.max(0.0) + half / written_filled.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_plausible() {
        let rules = TuningRules::built_in();
        assert_eq!(rules.schema, crate::SCHEMA);
        assert!(rules.noise_margin > 0.0 && rules.noise_margin < 0.2);
        assert!(rules.filled_tokens.is_sorted_by(|a, b| a > b), "{:?}", rules.filled_tokens);
        assert_eq!(rules.time_limit(true), Duration::from_secs(180));
        assert!(rules.time_limit(false) > rules.time_limit(true));
    }

    #[test]
    fn the_context_is_filled_as_far_as_the_time_allows() {
        let rules = TuningRules::built_in();
        let limit = Duration::from_secs(100);
        let filled = |context, tokens_per_s: f64| {
            rules.filled_tokens(context, limit, |tokens| f64::from(tokens) / tokens_per_s)
        };
        assert_eq!(filled(32_768, 5_000.0), 8192);
        assert_eq!(filled(32_768, 600.0), 4096);
        assert_eq!(filled(8_192, 5_000.0), 4096, "no more than half of the context");
        assert_eq!(filled(32_768, 1.0), 1024, "nothing is fast enough");
    }

    #[test]
    fn a_turn_without_an_answer_never_ends() {
        let turn = AssistantTurn { prompt_tokens: 1000.0, answer_tokens: 200.0 };
        assert_eq!(turn.seconds(500.0, 50.0, 25.0), 2.0 + 2.0 + 4.0);
        assert_eq!(turn.seconds(500.0, 50.0, 0.0), f64::INFINITY);
    }
}
