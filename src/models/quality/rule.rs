//! The rule that converts scores to stars. Its figures are in `assets/quality.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::score::{Evaluator, Score};

/// A KV cache type that costs this many stars makes the model unusable.
pub(super) const UNUSABLE_STARS_LOST: f64 = 2.0;
const MAX_STARS: f64 = 5.0;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    weights: Weights,
    /// Factor for scores published by the model's vendor.
    maker_factor: f64,
    maker_only: MakerOnly,
    similarity: Vec<SimilarityStep>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    independent: f64,
    other_maker: f64,
    maker: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MakerOnly {
    stars_less: f64,
    most_stars: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SimilarityStep {
    below: f64,
    stars_less: f64,
}

/// A benchmark, its weight and its scale.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Benchmark {
    pub name: String,
    weight: f64,
    /// The best possible score.
    pub most: f64,
    /// Percent of `most` for 1, 2, 3, 4 and 5 stars.
    stars_at: [f64; 5],
}

impl Benchmark {
    /// What is wrong with its values.
    pub fn problem(&self) -> Option<&'static str> {
        let ascends = self.stars_at.array_windows().all(|[a, b]| a < b);
        let [first, ..] = self.stars_at;
        if first <= 0.0 || !ascends {
            Some("stars_at does not ascend from above 0")
        } else if !(self.weight > 0.0 && self.most > 0.0) {
            Some("weight and most must be above 0")
        } else {
            None
        }
    }

    /// Stars for a score in percent, as a fraction. Below the first star a fraction of it, so that
    /// weak models can be compared.
    fn stars_for(&self, percent: f64) -> f64 {
        let [first, ..] = self.stars_at;
        let mut stars = (percent / first).clamp(0.0, 1.0);
        for [from, to] in self.stars_at.array_windows() {
            stars += ((percent - from) / (to - from)).clamp(0.0, 1.0);
        }
        stars
    }
}

impl Rule {
    /// Weight of a score, by its evaluator and benchmark.
    pub fn weight_of(&self, score: &Score, benchmark: Option<&Benchmark>) -> f64 {
        let evaluator = match score.evaluator {
            Evaluator::Independent => self.weights.independent,
            Evaluator::OtherMaker => self.weights.other_maker,
            Evaluator::Maker => self.weights.maker,
        };
        evaluator * benchmark.map_or(0.0, |benchmark| benchmark.weight)
    }

    /// Stars as a fraction, 0 to 5: the weighted mean of the scores, minus the `less` stars lost by quantisation.
    pub fn points(&self, scores: &[Score], benchmarks: &BTreeMap<String, Benchmark>, less: f64) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for score in scores {
            let Some(benchmark) = benchmarks.get(&score.benchmark) else { continue };
            let factor = if score.evaluator == Evaluator::Maker { self.maker_factor } else { 1.0 };
            let weight = self.weight_of(score, Some(benchmark));
            sum += weight * benchmark.stars_for(score.score / score.most * 100.0 * factor);
            weights += weight;
        }
        let mean = if weights > 0.0 { sum / weights } else { 0.0 };
        let (mean, most) = if is_maker_only(scores) {
            (mean - self.maker_only.stars_less, self.maker_only.most_stars)
        } else {
            (mean, MAX_STARS)
        };
        (mean.min(most) - less).clamp(0.0, MAX_STARS)
    }

    /// Stars lost by a similarity of the output below 1.
    pub fn stars_less(&self, similarity: Option<f64>) -> f64 {
        let Some(similarity) = similarity else { return 0.0 };
        let steps = self.similarity.iter().filter(|step| similarity < step.below);
        steps.map(|step| step.stars_less).fold(0.0, f64::max)
    }
}

pub(super) fn is_maker_only(scores: &[Score]) -> bool {
    scores.iter().all(|score| score.evaluator == Evaluator::Maker)
}

/// The nearest whole number of stars, 1 to 5.
pub fn stars(points: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 5")]
    let stars = points.round().clamp(1.0, MAX_STARS) as u8;
    stars
}
