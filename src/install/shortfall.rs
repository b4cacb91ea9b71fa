//! Predictions that the measurement missed.

use serde::{Deserialize, Serialize};

use crate::figures::Range;
use crate::install::receipt_figures::{MeasuredFigures, PredictedFigures};
use crate::models::KvCacheType;
use crate::untrusted::UntrustedText;

/// Memory that exceeds the prediction by more than this share is a shortfall.
const MEMORY_TOLERANCE: f64 = 0.10;

/// Weights in main memory that differ from the prediction by more than this share are a shortfall. Where the file is
/// mapped, the engine counts the stretch of it from the first to the last of them, which holds more.
const WEIGHTS_TOLERANCE: f64 = 0.15;

/// A prediction that was missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shortfall {
    /// Less context.
    Context {
        /// Tokens predicted.
        predicted: u32,
        /// Tokens the engine keeps.
        measured: u32,
    },
    /// Fewer layers on the GPU.
    Layers {
        /// Layers predicted.
        predicted: u32,
        /// Layers on the GPU.
        measured: u32,
        /// All layers.
        total: u32,
    },
    /// The experts of another number of blocks in main memory.
    Experts {
        /// Blocks predicted.
        predicted: u32,
        /// Blocks in main memory, as the engine's buffers tell.
        measured: u32,
        /// All blocks.
        total: u32,
    },
    /// The engine's buffers do not tell how many blocks' experts are in main memory.
    ExpertsUnknown {
        /// Blocks predicted.
        predicted: u32,
    },
    /// Other weights in main memory than predicted, with experts there.
    WeightsInRam {
        /// Bytes predicted.
        predicted: u64,
        /// Bytes of the engine's buffers.
        measured: u64,
    },
    /// Another limit of the engine's cache of earlier prompts.
    PromptCache {
        /// MiB told to the engine.
        predicted: u32,
        /// MiB as the engine says.
        measured: u32,
    },
    /// Another type of KV cache.
    KvCacheType {
        /// The type predicted.
        predicted: KvCacheType,
        /// The type the engine reports.
        measured: UntrustedText,
    },
    /// The engine does not report the type of its KV cache.
    KvCacheTypeUnknown {
        /// The type configured.
        predicted: KvCacheType,
    },
    /// More graphics memory.
    Vram {
        /// Bytes predicted for the engine's buffers.
        predicted: u64,
        /// Bytes of its buffers.
        measured: u64,
    },
    /// More main memory.
    Ram {
        /// Bytes predicted.
        predicted: u64,
        /// Bytes of the engine's processes.
        measured: u64,
    },
    /// Slower.
    Speed {
        /// Tokens a second predicted.
        predicted: Range,
        /// Tokens a second measured.
        measured: f64,
    },
    /// The model wrote nothing whose speed could be measured.
    SpeedUnknown,
    /// A longer time to the first token.
    FirstToken {
        /// Seconds predicted.
        predicted: Range,
        /// Seconds measured.
        measured: f64,
        /// Length of the prompt, in tokens.
        prompt_tokens: u64,
    },
    /// A sentence in the receipt of an earlier version.
    #[serde(untagged)]
    Sentence(String),
}

impl Shortfall {
    /// Compares the prediction with the measurement. A better measurement is not a shortfall. Layers, experts in
    /// main memory and KV cache are compared with the first choice if another placement was kept. `driver_bytes`: the part of the predicted VRAM that the
    /// driver takes, which is in no buffer of the engine.
    pub fn find(
        predicted: &PredictedFigures,
        first_choice: Option<&PredictedFigures>,
        measured: &MeasuredFigures,
        driver_bytes: u64,
    ) -> Vec<Self> {
        let chosen = first_choice.unwrap_or(predicted);
        let context = measured
            .context_tokens
            .filter(|tokens| *tokens < predicted.context_tokens)
            .map(|measured| Self::Context { predicted: predicted.context_tokens, measured });
        let (layers, total) = (chosen.gpu_layers, chosen.total_layers);
        let layers = measured
            .gpu_layers
            .filter(|measured| *measured < layers.min(total))
            .map(|measured| Self::Layers { predicted: layers, measured, total });
        let experts = experts(predicted, chosen, measured);
        let weights = measured
            .weights_ram_bytes
            .zip(predicted.weights_ram_bytes)
            .filter(|_| predicted.n_cpu_moe > 0)
            .filter(|(measured, predicted)| {
                (*measured as f64 / (*predicted).max(1) as f64 - 1.0).abs() > WEIGHTS_TOLERANCE
            })
            .map(|(measured, predicted)| Self::WeightsInRam { predicted, measured });
        let prompt_cache = measured
            .prompt_cache_mib
            .zip(predicted.prompt_cache_mib)
            .filter(|(measured, predicted)| measured != predicted)
            .map(|(measured, predicted)| Self::PromptCache { predicted, measured });
        let kv = chosen.kv_cache_type;
        let kv = match &measured.kv_cache_type {
            Some(found) if *found != kv.name() => {
                Some(Self::KvCacheType { predicted: kv, measured: found.clone() })
            }
            Some(_) => None,
            None => Some(Self::KvCacheTypeUnknown { predicted: kv }),
        };
        let buffers = predicted.vram_bytes.saturating_sub(driver_bytes);
        let vram = measured
            .vram_bytes
            .filter(|bytes| exceeds(*bytes, buffers))
            .map(|measured| Self::Vram { predicted: buffers, measured });
        let ram = measured
            .ram_bytes
            .filter(|bytes| exceeds(*bytes, predicted.ram_bytes))
            .map(|measured| Self::Ram { predicted: predicted.ram_bytes, measured });
        let speed = match measured.decode_tokens_per_s {
            Some(measured) if measured < predicted.decode_tokens_per_s.low => {
                Some(Self::Speed { predicted: predicted.decode_tokens_per_s, measured })
            }
            Some(_) => None,
            None => Some(Self::SpeedUnknown),
        };
        let first_token = measured
            .first_token_s
            .filter(|seconds| *seconds > predicted.first_token_s.high)
            .map(|seconds| Self::FirstToken {
                predicted: predicted.first_token_s,
                measured: seconds,
                prompt_tokens: measured.first_token_prompt_tokens.unwrap_or(0),
            });
        let placed = [context, layers, experts, weights, kv];
        let figures = [vram, ram, prompt_cache, speed, first_token];
        placed.into_iter().chain(figures).flatten().collect()
    }
}

/// Fewer experts in main memory than planned is better, unless the engine put them on the card by itself: then they may
/// not be where the next load finds room.
fn experts(
    predicted: &PredictedFigures,
    chosen: &PredictedFigures,
    measured: &MeasuredFigures,
) -> Option<Shortfall> {
    match measured.n_cpu_moe {
        Some(blocks) if blocks > chosen.n_cpu_moe || blocks != predicted.n_cpu_moe => {
            let total = predicted.total_layers.saturating_sub(1);
            Some(Shortfall::Experts { predicted: chosen.n_cpu_moe, measured: blocks, total })
        }
        None if predicted.n_cpu_moe > 0 && predicted.gpu_layers >= predicted.total_layers => {
            Some(Shortfall::ExpertsUnknown { predicted: predicted.n_cpu_moe })
        }
        _ => None,
    }
}

fn exceeds(measured: u64, predicted: u64) -> bool {
    measured as f64 > predicted as f64 * (1.0 + MEMORY_TOLERANCE)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::GIB;

    fn predicted() -> PredictedFigures {
        let range = |low, mid, high| Range { low, mid, high };
        PredictedFigures {
            context_tokens: 32_768,
            gpu_layers: 29,
            total_layers: 29,
            n_cpu_moe: 0,
            num_batch: Some(512),
            kv_cache_type: KvCacheType::Q8_0,
            vram_bytes: 6 * GIB,
            ram_bytes: 2 * GIB,
            weights_ram_bytes: Some(GIB),
            prompt_cache_mib: Some(952),
            gpu_share: 0.9,
            decode_tokens_per_s: range(38.0, 44.0, 50.0),
            first_token_full_prompt_s: range(10.0, 14.0, 20.0),
            first_token_s: range(1.0, 1.4, 2.0),
        }
    }

    fn measured() -> MeasuredFigures {
        MeasuredFigures {
            context_tokens: Some(32_768),
            gpu_layers: Some(29),
            n_cpu_moe: None,
            num_batch: Some(512),
            num_thread: Some(8),
            draft_num_predict: Some(0),
            use_mmap: Some(true),
            gpu_share: Some(0.9),
            kv_cache_type: Some("q8_0".into()),
            vram_bytes: Some(5 * GIB),
            weights_gpu_bytes: Some(4 * GIB),
            weights_ram_bytes: Some(GIB / 3),
            prompt_cache_mib: Some(952),
            context_checkpoints: None,
            ram_bytes: Some(GIB),
            decode_tokens_per_s: Some(60.0),
            prefill_tokens_per_s: Some(1000.0),
            first_token_s: Some(0.5),
            first_token_prompt_tokens: Some(4096),
        }
    }

    #[test]
    fn better_than_predicted_is_no_shortfall() {
        assert_eq!(Shortfall::find(&predicted(), None, &measured(), GIB / 2), []);
    }

    #[test]
    fn every_shortfall_is_found_and_survives_the_receipt() {
        let bad = MeasuredFigures {
            context_tokens: Some(16_384),
            gpu_layers: Some(20),
            kv_cache_type: None,
            vram_bytes: Some(7 * GIB),
            prompt_cache_mib: Some(8192),
            ram_bytes: Some(3 * GIB),
            decode_tokens_per_s: Some(12.0),
            first_token_s: Some(9.0),
            ..measured()
        };
        let found = Shortfall::find(&predicted(), None, &bad, GIB / 2);
        assert_eq!(found.len(), 8, "{found:#?}");
        assert_eq!(found[0], Shortfall::Context { predicted: 32_768, measured: 16_384 });
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Shortfall>>(&json).unwrap(), found, "{json}");
    }

    #[test]
    fn a_step_down_is_compared_with_its_own_figures_and_is_a_shortfall() {
        let stepped_down = PredictedFigures { gpu_layers: 25, ..predicted() };
        let figures = MeasuredFigures { gpu_layers: Some(25), ..measured() };
        assert_eq!(Shortfall::find(&stepped_down, None, &figures, GIB / 2), []);
        let found = Shortfall::find(&stepped_down, Some(&predicted()), &figures, GIB / 2);
        assert_eq!(found, [Shortfall::Layers { predicted: 29, measured: 25, total: 29 }]);
    }

    #[test]
    fn experts_are_compared_with_the_plan_and_what_is_not_known_is_said() {
        let planned = PredictedFigures { n_cpu_moe: 20, ..predicted() };
        let find = |predicted: &PredictedFigures, first: Option<&PredictedFigures>, n_cpu_moe, weights| {
            let weights_ram_bytes = Some(weights);
            let figures = MeasuredFigures { n_cpu_moe, weights_ram_bytes, ..measured() };
            let found = Shortfall::find(predicted, first, &figures, GIB / 2);
            let json = serde_json::to_string(&found).unwrap();
            assert_eq!(serde_json::from_str::<Vec<Shortfall>>(&json).unwrap(), found, "{json}");
            found
        };
        assert_eq!(find(&planned, None, Some(20), GIB + GIB / 10), []);
        let experts = |predicted, measured| Shortfall::Experts { predicted, measured, total: 28 };
        assert_eq!(find(&planned, None, Some(28), GIB), [experts(20, 28)]);
        assert_eq!(find(&planned, None, Some(0), GIB), [experts(20, 0)], "the engine was not told");
        assert_eq!(find(&planned, None, None, GIB), [Shortfall::ExpertsUnknown { predicted: 20 }]);
        let other = Shortfall::WeightsInRam { predicted: GIB, measured: GIB / 2 };
        assert_eq!(find(&planned, None, Some(20), GIB / 2), [other]);
        assert_eq!(find(&predicted(), None, Some(3), GIB), [experts(0, 3)], "experts that nobody asked for");

        let stepped_down = PredictedFigures { n_cpu_moe: 24, ..predicted() };
        assert_eq!(find(&stepped_down, Some(&planned), Some(24), GIB), [experts(20, 24)]);
        let fewer = PredictedFigures { n_cpu_moe: 16, ..predicted() };
        assert_eq!(find(&fewer, Some(&planned), Some(16), GIB), [], "fewer than planned is better");
    }

    #[test]
    fn sentences_of_earlier_receipts_are_read() {
        let read: Vec<Shortfall> = serde_json::from_str(r#"["Slower than promised."]"#).unwrap();
        assert_eq!(read, [Shortfall::Sentence("Slower than promised.".to_owned())]);
    }
}
