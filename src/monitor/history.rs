//! The samples of the last minutes, for a graph.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::monitor::sampler::Sample;

/// How full a card was at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    /// Time before the latest sample.
    pub ago: Duration,
    /// Share in use by all programs, 0 to 1.
    pub used_share: f64,
    /// Share in use by our model, 0 to 1, where that is known.
    pub model_share: Option<f64>,
}

/// Samples of the last minutes, the latest last.
#[derive(Clone, Debug)]
pub struct SampleHistory {
    span: Duration,
    samples: VecDeque<Sample>,
}

impl SampleHistory {
    /// Keeps samples for this long.
    pub fn of_last(span: Duration) -> Self {
        Self { span, samples: VecDeque::new() }
    }

    /// Adds a sample, and drops those that are too old.
    pub fn push(&mut self, sample: Sample) {
        let now = sample.at;
        self.samples.push_back(sample);
        let old = |sample: &Sample| now.saturating_duration_since(sample.at) > self.span;
        while self.samples.front().is_some_and(old) {
            self.samples.pop_front();
        }
    }

    /// The latest sample.
    pub fn latest(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// How full a card was (by [`crate::monitor::VramUse::adapter`]), the latest last. Looks at which it was missing are left
    /// out.
    pub fn of_card(&self, adapter: usize) -> impl Iterator<Item = HistoryPoint> {
        let latest: Option<Instant> = self.samples.back().map(|sample| sample.at);
        self.samples.iter().filter_map(move |sample| {
            let card = sample.gpus.iter().find(|card| card.memory.adapter == adapter)?;
            let total = card.memory.total_bytes.max(1) as f64;
            Some(HistoryPoint {
                ago: latest?.saturating_duration_since(sample.at),
                used_share: card.memory.share(),
                model_share: card.model_bytes.map(|bytes| bytes as f64 / total),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::sampler::CardSample;
    use crate::monitor::vram::VramUse;

    #[test]
    fn old_samples_are_dropped_and_cards_kept_apart() {
        let begun = Instant::now();
        let mut history = SampleHistory::of_last(Duration::from_secs(10));
        for second in [0, 5, 10, 15] {
            let card = |adapter: usize, used_bytes| CardSample {
                memory: VramUse { adapter, gpu: "card".into(), used_bytes, total_bytes: 100 },
                model_bytes: (adapter == 0).then_some(second),
            };
            let gpus = if second == 10 { vec![card(0, 50)] } else { vec![card(0, 50), card(1, second)] };
            let at = begun + Duration::from_secs(second);
            history.push(Sample { at, gpus, model: None });
        }
        let of = |adapter| history.of_card(adapter).collect::<Vec<_>>();
        let point = |ago, used_share, model_share| HistoryPoint {
            ago: Duration::from_secs(ago),
            used_share,
            model_share,
        };
        assert_eq!(of(0), [point(10, 0.5, Some(0.05)), point(5, 0.5, Some(0.1)), point(0, 0.5, Some(0.15))]);
        assert_eq!(of(1), [point(10, 0.05, None), point(0, 0.15, None)]);
    }
}
