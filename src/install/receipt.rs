//! The receipt of an installation: prediction and measurement.

use serde::{Deserialize, Serialize};

use crate::install::receipt_figures::{MeasuredFigures, PredictedFigures};
use crate::install::{EngineRecord, Shortfall, TuningReport};
use crate::models::{KvCacheType, ModelFileRecord, ModelTag};
use crate::ollama::failure::EngineFailure;
use crate::plan::{Candidate, Plan, Verdict};
use crate::untrusted::UntrustedText;

/// Speeds of the planned placement and of the one the engine chooses itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacementComparison {
    /// With the planned number of layers, in tokens a second.
    pub explicit_tokens_per_s: f64,
    /// With the engine's own choice, in tokens a second.
    pub automatic_tokens_per_s: f64,
    /// Whether the engine's own choice was faster and is kept.
    pub automatic_kept: bool,
}

/// One attempt at loading the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadAttempt {
    /// Layers on the GPU.
    pub gpu_layers: u32,
    /// Blocks whose routed experts are in main memory.
    #[serde(default)]
    pub n_cpu_moe: u32,
    /// KV cache type.
    pub kv_cache_type: KvCacheType,
    /// Whether weights in main memory could be page-locked; written where they could not.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub pinned_memory: bool,
    /// How it ended.
    pub outcome: LoadOutcome,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

/// How an attempt at loading ended. A string in documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum LoadOutcome {
    /// Loaded with the requested layers.
    Loaded,
    /// Loaded with layers that the engine chose.
    LoadedAutomatic,
    /// Memory ran out: the card's, as far as the engine tells.
    OutOfMemory,
    /// Main memory ran out.
    OutOfMainMemory,
    /// Any other failure.
    Failed {
        /// The engine's message.
        message: UntrustedText,
    },
}

impl LoadOutcome {
    /// Whether the model was loaded.
    pub fn is_loaded(&self) -> bool {
        matches!(self, Self::Loaded | Self::LoadedAutomatic)
    }
}

const LOADED: &str = "ok";
const LOADED_AUTOMATIC: &str = "ok, layers chosen by the engine";
const OUT_OF_MEMORY: &str = "out of memory";
const OUT_OF_MAIN_MEMORY: &str = "out of main memory";

impl From<LoadOutcome> for String {
    fn from(outcome: LoadOutcome) -> Self {
        match outcome {
            LoadOutcome::Loaded => LOADED.to_owned(),
            LoadOutcome::LoadedAutomatic => LOADED_AUTOMATIC.to_owned(),
            LoadOutcome::OutOfMemory => OUT_OF_MEMORY.to_owned(),
            LoadOutcome::OutOfMainMemory => OUT_OF_MAIN_MEMORY.to_owned(),
            LoadOutcome::Failed { message } => message.into(),
        }
    }
}

/// Receipts of earlier versions hold the engine's message also when memory ran out.
impl From<String> for LoadOutcome {
    fn from(outcome: String) -> Self {
        match outcome.as_str() {
            LOADED => Self::Loaded,
            LOADED_AUTOMATIC => Self::LoadedAutomatic,
            OUT_OF_MAIN_MEMORY => Self::OutOfMainMemory,
            message if EngineFailure::of(message) == EngineFailure::OutOfMemory => Self::OutOfMemory,
            message if EngineFailure::of(message) == EngineFailure::OutOfMainMemory => Self::OutOfMainMemory,
            _ => Self::Failed { message: outcome.into() },
        }
    }
}

/// `receipt.json`: prediction and measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Always [`crate::SCHEMA`].
    pub schema: u32,
    /// When it was written, RFC 3339.
    pub written_at: UntrustedText,
    /// Profile id.
    pub profile: UntrustedText,
    /// Tag of the model.
    pub model: ModelTag,
    /// The file that the plan was made for; `None` in receipts of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_file: Option<ModelFileRecord>,
    /// Version of the engine, as it reports itself.
    pub engine_version: UntrustedText,
    /// Where the engine came from; `None` in receipts of earlier versions.
    #[serde(default)]
    pub engine: Option<EngineRecord>,
    /// Port of the private server.
    pub port: u16,
    /// The prediction, for the placement that is kept.
    pub predicted: PredictedFigures,
    /// The prediction for the placement that was planned, where another one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_choice: Option<PredictedFigures>,
    /// The measurement.
    pub measured: MeasuredFigures,
    /// Verdict of the plan.
    pub verdict: Verdict,
    /// Every attempt at loading, in order.
    #[serde(rename = "tried")]
    pub attempts: Vec<LoadAttempt>,
    /// The planned placement and the engine's own, if some layers are on the processor and both were measured.
    #[serde(rename = "placements", default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<PlacementComparison>,
    /// What tuning tried and kept; `None` in receipts of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningReport>,
    /// Predictions that the measurement missed.
    #[serde(rename = "misses")]
    pub shortfalls: Vec<Shortfall>,
}

impl Receipt {
    /// The requested plan in the placement that is kept: with fewer layers, more experts in main memory or a smaller KV
    /// cache when memory ran out.
    pub fn kept_plan(&self, requested: Plan) -> Plan {
        let PredictedFigures { gpu_layers, n_cpu_moe, kv_cache_type, num_batch, .. } = self.predicted;
        let num_batch = num_batch.unwrap_or(requested.candidate.num_batch);
        let planned = (requested.gpu_layers(), requested.setting.n_cpu_moe, requested.setting.kv_cache_type);
        if (gpu_layers, n_cpu_moe, kv_cache_type) == planned && num_batch == requested.candidate.num_batch {
            return requested;
        }
        let candidate = Candidate { num_batch, ..requested.candidate.clone() };
        Plan { candidate, ..requested }.with_placement(gpu_layers, n_cpu_moe, kv_cache_type)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_strings_and_old_ones_are_read() {
        let failed = LoadOutcome::Failed { message: "unsupported cache type".into() };
        let ended = [LoadOutcome::OutOfMemory, LoadOutcome::OutOfMainMemory, failed];
        for outcome in [LoadOutcome::Loaded, LoadOutcome::LoadedAutomatic].into_iter().chain(ended) {
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(serde_json::from_str::<LoadOutcome>(&json).unwrap(), outcome, "{json}");
        }
        let attempt = LoadAttempt {
            gpu_layers: 49,
            n_cpu_moe: 20,
            kv_cache_type: KvCacheType::Q8_0,
            pinned_memory: false,
            outcome: LoadOutcome::Loaded,
        };
        let json = serde_json::to_string(&attempt).unwrap();
        assert_eq!(serde_json::from_str::<LoadAttempt>(&json).unwrap(), attempt, "{json}");
        let earlier = r#"{"gpu_layers":29,"kv_cache_type":"q8_0","outcome":"ok"}"#;
        let earlier: LoadAttempt = serde_json::from_str(earlier).unwrap();
        assert_eq!((earlier.n_cpu_moe, earlier.pinned_memory), (0, true));
        let old = "\"model failed to load: cudaMalloc failed: out of memory\"";
        assert_eq!(serde_json::from_str::<LoadOutcome>(old).unwrap(), LoadOutcome::OutOfMemory);
    }
}
