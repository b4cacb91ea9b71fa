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
    /// Date as far as known, for example `2026-10`.
    pub date: String,
    /// Test conditions, in English.
    pub setting: String,
    /// URL of the publication.
    pub source: String,
}

/// Who measured a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evaluator {
    /// Someone who sells no model.
    Independent,
    /// The vendor of another model, for comparison with its own, or unknown.
    OtherMaker,
    /// The model's vendor.
    Maker,
}
