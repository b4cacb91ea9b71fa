//! Published scores.

use serde::{Deserialize, Serialize};

/// One published score.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Name of the benchmark.
    pub benchmark: String,
    /// The score as published.
    pub score: f64,
    /// The best possible score: 100 for percentages, else the number of tasks.
    #[serde(skip)]
    pub most: f64,
    /// Who measured it.
    pub evaluator: Evaluator,
    /// When, as far as it is known: `2026-10`.
    pub date: String,
    /// Conditions, in English.
    pub setting: String,
    /// Where it was published.
    pub source: String,
}

/// Who measured a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evaluator {
    /// Somebody who sells no model.
    Independent,
    /// The maker of another model, in a table beside its own, or somebody who is not named.
    OtherMaker,
    /// The model's own maker.
    Maker,
}
