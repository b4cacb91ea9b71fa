//! Quality of a model for coding: published scores and the rule that converts them to one to five stars, both read from
//! `assets/quality.yaml`. docs/quality.md explains the rule.
//!
//! A model without scores is not rated. Nothing is derived from size, vendor or related models.

mod rule;
mod score;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

use super::names;
use super::{KvCacheType, Model, ModelQuantisation};
use crate::built_in;
pub use rule::stars;
use rule::{Benchmark, Rule};
pub use score::{Evaluator, Score};

/// Quality of a model with a quantisation of weights and KV cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// 1 to 5.
    pub stars: u8,
    /// The scores it is based on, by descending weight.
    pub basis: Vec<Score>,
    /// Whether all scores were published by the model's vendor.
    pub is_maker_only: bool,
    /// Measured losses by quantisation.
    pub losses: Vec<Loss>,
}

/// Measured loss of quality by a quantisation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Architectures it applies to.
    families: Vec<String>,
    /// KV cache type that was measured.
    pub kv_cache: Option<KvCacheType>,
    /// Quantisations of weights that were measured.
    #[serde(default)]
    weights: Vec<super::Quantisation>,
    /// Similarity of the output to the unquantised model's, 0 to 1; `None` if no loss was measured.
    pub similarity: Option<f64>,
    /// Date.
    pub date: String,
    /// Test conditions, in English.
    pub setting: String,
    /// URL of the publication.
    pub source: String,
}

/// Reported failures of a model's tool calls.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCallFailures {
    names: Vec<String>,
    /// Successful calls.
    pub worked: u32,
    /// All calls.
    pub of: u32,
    /// Date.
    pub date: String,
    /// Test conditions, in English.
    pub setting: String,
    /// URL of the report.
    pub source: String,
}

/// Published scores and the rule.
#[derive(Clone, Debug)]
pub struct Ratings {
    rule: Rule,
    benchmarks: BTreeMap<String, Benchmark>,
    losses: Vec<Loss>,
    tool_calls: Vec<ToolCallFailures>,
    models: Vec<Rated>,
    /// Normalised name → index of its model.
    names: BTreeMap<Vec<String>, usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rated {
    model: String,
    /// Names of models with these scores.
    names: Vec<String>,
    scores: Vec<Score>,
}

/// Format of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QualityFile {
    rule: Rule,
    benchmarks: Vec<Benchmark>,
    losses: Vec<Loss>,
    tool_calls: Vec<ToolCallFailures>,
    models: Vec<Rated>,
}

/// Why a file of scores is invalid.
#[derive(Debug, thiserror::Error)]
pub enum RatingsError {
    /// Invalid YAML, or an unknown or missing key.
    #[error("{path} holds no scores: {source}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The parser's error, with line and column.
        source: Box<serde_saphyr::Error>,
    },
    /// An invalid value.
    #[error("{path}, {entry}: {problem}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The benchmark or model.
        entry: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Ratings {
    /// The built-in scores and rule.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Ratings> = LazyLock::new(|| {
            let (text, file) = (include_str!("../../assets/quality.yaml"), "assets/quality.yaml");
            built_in::valid(file, Ratings::from_yaml(text, Path::new(file)))
        });
        &BUILT_IN
    }

    /// Reads scores and rule from text; `path` is only used in errors.
    ///
    /// # Errors
    /// If the text is not valid YAML, a key is unknown or missing, or a value is invalid ([`RatingsError`]).
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self, RatingsError> {
        let file: QualityFile = serde_saphyr::from_str(text)
            .map_err(|source| RatingsError::Format { path: path.to_owned(), source: Box::new(source) })?;
        let wrong = |entry: &str, problem| RatingsError::Value {
            path: path.to_owned(),
            entry: entry.to_owned(),
            problem,
        };
        let mut benchmarks = BTreeMap::new();
        for benchmark in file.benchmarks {
            if let Some(problem) = benchmark.problem() {
                return Err(wrong(&benchmark.name, problem));
            }
            benchmarks.insert(benchmark.name.clone(), benchmark);
        }
        let mut models = file.models;
        let mut known_as = BTreeMap::new();
        for (index, rated) in models.iter_mut().enumerate() {
            for score in &mut rated.scores {
                let benchmark = benchmarks
                    .get(&score.benchmark)
                    .ok_or_else(|| wrong(&rated.model, "a score of a benchmark that is not listed"))?;
                score.most = benchmark.most;
                if !(0.0..=score.most).contains(&score.score) {
                    return Err(wrong(&rated.model, "a score outside its benchmark's range"));
                }
            }
            if rated.scores.is_empty() {
                return Err(wrong(&rated.model, "no score"));
            }
            for name in &rated.names {
                let (words, _) = names::split(name).ok_or_else(|| wrong(name, "no words"))?;
                if known_as.insert(words, index).is_some_and(|other| other != index) {
                    return Err(wrong(name, "two models have this name"));
                }
            }
        }
        Ok(Self {
            rule: file.rule,
            benchmarks,
            losses: file.losses,
            tool_calls: file.tool_calls,
            models,
            names: known_as,
        })
    }

    /// Quality of a model with a KV cache type; `None` without scores.
    pub fn quality(&self, model: &Model, kv_cache: KvCacheType) -> Option<Quality> {
        let rated = self.rated(model)?;
        let losses: Vec<Loss> = self.losses_of(model, kv_cache).cloned().collect();
        let mut basis = rated.scores.clone();
        let weight = |score: &Score| self.rule.weight_of(score, self.benchmarks.get(&score.benchmark));
        basis.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        Some(Quality {
            stars: stars(self.points_of(rated, model, kv_cache)),
            is_maker_only: rule::is_maker_only(&rated.scores),
            basis,
            losses,
        })
    }

    /// Quality in stars as a fraction, 0 to 5, by which models are compared; `None` without scores.
    pub fn points(&self, model: &Model, kv_cache: KvCacheType) -> Option<f64> {
        self.rated(model).map(|rated| self.points_of(rated, model, kv_cache))
    }

    fn rated(&self, model: &Model) -> Option<&Rated> {
        let (words, _) = names::split(model.name.as_str())?;
        self.models.get(*self.names.get(&words)?)
    }

    fn points_of(&self, rated: &Rated, model: &Model, kv_cache: KvCacheType) -> f64 {
        let less = self.losses_of(model, kv_cache).map(|loss| self.rule.stars_less(loss.similarity)).sum();
        self.rule.points(&rated.scores, &self.benchmarks, less)
    }

    /// The measured loss that makes the model unusable with this KV cache type, which is then never chosen automatically.
    pub fn unusable_with<'a>(&'a self, model: &'a Model, kv_cache: KvCacheType) -> Option<&'a Loss> {
        let makes_unusable =
            |loss: &&Loss| self.rule.stars_less(loss.similarity) >= rule::UNUSABLE_STARS_LOST;
        self.losses_of(model, kv_cache).filter(|loss| loss.kv_cache.is_some()).find(makes_unusable)
    }

    /// Reported failures of the model's tool calls.
    pub fn tool_call_failures(&self, model: &Model) -> Option<&ToolCallFailures> {
        let (words, _) = names::split(model.name.as_str())?;
        let named = |name: &String| names::split(name).is_some_and(|(other, _)| other == words);
        self.tool_calls.iter().find(|failures| failures.names.iter().any(named))
    }

    fn losses_of<'a>(&'a self, model: &'a Model, kv_cache: KvCacheType) -> impl Iterator<Item = &'a Loss> {
        let mixture = match model.quantisation {
            ModelQuantisation::Mixture(mixture) => Some(mixture),
            ModelQuantisation::Mostly(_) => None,
        };
        self.losses.iter().filter(move |loss| {
            let family = loss.families.contains(&model.architecture.family);
            let weights = mixture.is_some_and(|mixture| loss.weights.contains(&mixture));
            family && (loss.kv_cache == Some(kv_cache) || weights)
        })
    }
}
