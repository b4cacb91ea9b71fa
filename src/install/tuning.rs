//! What tuning tried and kept, as the receipt has it.

use serde::{Deserialize, Serialize};

use crate::machine::Slowdown;
use crate::models::KvCacheType;
use crate::untrusted::UntrustedText;

/// Options of the runner, as parameters of the served model. `None` leaves an option to the engine or to the tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunnerOptions {
    /// Prompt tokens processed at once.
    pub num_batch: Option<u32>,
    /// Threads on the processor.
    pub num_thread: Option<u32>,
    /// Tokens that are drafted at once by heads for multi-token prediction or a drafting model; 0 switches it off.
    pub draft_num_predict: Option<u32>,
    /// Whether the model's file is mapped into memory.
    pub use_mmap: Option<bool>,
}

/// What a try changes, compared with the best setting before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuneDimension {
    /// Nothing: the setting to begin with, which is the plan's or, when memory ran out, what was loaded instead.
    Start,
    /// Everything but the context: what the engine does by itself.
    EngineDefaults,
    /// The engine places the layers; where it did so before, they are placed as it did, but fixed.
    Placement,
    /// Experts of more or fewer blocks in main memory.
    Experts,
    /// Multi-token prediction.
    Draft,
    /// Prompt tokens processed at once.
    Batch,
    /// Threads on the processor.
    Threads,
    /// Mapping the model's file.
    Mmap,
}

/// A setting that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedSetting {
    /// Layers on the GPU; with `automatic_layers`, as the engine chose them.
    pub gpu_layers: u32,
    /// The engine chooses the layers.
    pub automatic_layers: bool,
    /// Blocks whose routed experts are in main memory.
    pub n_cpu_moe: u32,
    /// KV cache type.
    pub kv_cache_type: KvCacheType,
    /// Options of the runner that were set.
    #[serde(flatten)]
    pub options: RunnerOptions,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuneTry {
    /// What it changes.
    pub changes: TuneDimension,
    /// The setting.
    pub setting: TriedSetting,
    /// What the engine says is in force; `None` where it does not say, and where the model was not loaded.
    pub in_force: RunnerOptions,
    /// How it ended.
    pub outcome: TuneOutcome,
    /// Seconds it took, loading included.
    pub seconds: f64,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TuneOutcome {
    /// It was measured.
    Measured(TriedSpeed),
    /// It failed.
    Failed(TuneFailure),
    /// The user skipped the rest of the tuning.
    Skipped,
}

/// The speed of a setting, as the engine counts and times tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedSpeed {
    /// Tokens written per second with a nearly empty context.
    pub empty_tokens_per_s: f64,
    /// Tokens written per second with a filled context.
    pub filled_tokens_per_s: f64,
    /// Prompt tokens read per second.
    pub prompt_tokens_per_s: f64,
    /// Tokens of the filled context.
    pub filled_tokens: u64,
    /// Seconds of a turn, by which settings are compared ([`crate::install::TuningRules::turn`]).
    pub turn_s: f64,
}

/// Why a try failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum TuneFailure {
    /// The card's memory ran out.
    OutOfMemory,
    /// Main memory ran out, or the system killed the engine's runner.
    OutOfMainMemory,
    /// The runner ended while it answered.
    RunnerEnded,
    /// The server ended.
    ServerEnded,
    /// The answer ended without its last line.
    AnswerCutShort,
    /// The engine sent nothing for this long.
    Silent {
        /// The timeout, in seconds.
        seconds: u64,
    },
    /// It was not done within the time left.
    TimeLimit {
        /// The time it had, in seconds.
        seconds: u64,
    },
    /// The model wrote nothing.
    NothingWritten,
    /// The engine does not say where it put the experts, so nothing could be promised of the setting.
    PlacementUnknown,
    /// The engine did something else than it was told.
    NotAsTold {
        /// What.
        message: UntrustedText,
    },
    /// Anything else.
    Refused {
        /// What the engine says.
        message: UntrustedText,
    },
}

/// How the search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuningEnd {
    /// Everything that could matter was tried.
    Complete,
    /// The time was over.
    TimeUp,
    /// The user skipped the rest.
    Skipped,
    /// Not wanted: only the setting to begin with was measured.
    Off,
}

/// Other work on the computer while it was measured. The measured speeds may be lower for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OtherWork {
    /// Other programs used the processor.
    Processor {
        /// Share of all cores, 0 to 1; the highest of all tries.
        share: f64,
    },
    /// Another program used a card.
    GpuProgram {
        /// Its file name.
        program: UntrustedText,
        /// Graphics memory it used, in bytes.
        bytes: u64,
    },
    /// Less graphics memory was free than when the plan was made.
    LessGpuMemory {
        /// How much less, in bytes.
        bytes: u64,
    },
    /// A card lowered its clocks.
    CardSlowed {
        /// Its name.
        gpu: UntrustedText,
        /// Why.
        by: Slowdown,
        /// Its temperature in degrees Celsius.
        temperature_c: Option<u32>,
    },
    /// The server had another model in memory.
    OtherModel {
        /// Its name.
        model: UntrustedText,
    },
}

/// What was tried and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningReport {
    /// How the search ended.
    pub end: TuningEnd,
    /// Seconds it took.
    pub seconds: f64,
    /// Its time limit, in seconds.
    pub limit_s: u64,
    /// Share by which a turn had to be shorter to count as faster.
    pub noise_margin: f64,
    /// Every try, in order.
    pub tries: Vec<TuneTry>,
    /// Index of the kept one in `tries`; `None` if none could be measured.
    pub kept: Option<usize>,
    /// How many times as fast a turn is as with the engine's own defaults; `None` if those were not measured.
    pub times_engine_defaults: Option<f64>,
    /// Other work on the computer.
    pub other_work: Vec<OtherWork>,
}

impl TuneTry {
    /// Its speed, if it was measured.
    pub fn speed(&self) -> Option<TriedSpeed> {
        match self.outcome {
            TuneOutcome::Measured(speed) => Some(speed),
            _ => None,
        }
    }
}

impl TuningReport {
    /// The kept try.
    pub fn kept_try(&self) -> Option<&TuneTry> {
        self.tries.get(self.kept?)
    }

    /// The last measured try that changes this.
    pub fn measured(&self, changes: TuneDimension) -> Option<TriedSpeed> {
        self.tries.iter().rev().filter(|tried| tried.changes == changes).find_map(TuneTry::speed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_written_and_read_again() {
        let setting = TriedSetting {
            gpu_layers: 49,
            automatic_layers: false,
            n_cpu_moe: 40,
            kv_cache_type: KvCacheType::Q8_0,
            options: RunnerOptions {
                num_batch: Some(1024),
                use_mmap: Some(false),
                ..RunnerOptions::default()
            },
        };
        let speed = TriedSpeed {
            empty_tokens_per_s: 30.0,
            filled_tokens_per_s: 20.0,
            prompt_tokens_per_s: 900.0,
            filled_tokens: 4100,
            turn_s: 11.5,
        };
        let outcomes = [
            TuneOutcome::Measured(speed),
            TuneOutcome::Failed(TuneFailure::OutOfMainMemory),
            TuneOutcome::Failed(TuneFailure::Silent { seconds: 60 }),
            TuneOutcome::Failed(TuneFailure::Refused { message: "no".into() }),
            TuneOutcome::Skipped,
        ];
        let tries: Vec<TuneTry> = outcomes
            .into_iter()
            .map(|outcome| TuneTry {
                changes: TuneDimension::Batch,
                setting,
                in_force: RunnerOptions::default(),
                outcome,
                seconds: 1.5,
            })
            .collect();
        let report = TuningReport {
            end: TuningEnd::Complete,
            seconds: 100.0,
            limit_s: 180,
            noise_margin: 0.03,
            tries,
            kept: Some(0),
            times_engine_defaults: Some(1.4),
            other_work: vec![OtherWork::Processor { share: 0.4 }],
        };
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["tries"][0]["setting"]["num_batch"], 1024, "{json:#}");
        assert_eq!(json["tries"][2]["outcome"]["reason"], "silent", "{json:#}");
        assert_eq!(serde_json::from_value::<TuningReport>(json).unwrap(), report);
        assert_eq!(report.kept_try().and_then(TuneTry::speed), Some(speed));
        assert_eq!(report.measured(TuneDimension::Start), None);
    }
}
