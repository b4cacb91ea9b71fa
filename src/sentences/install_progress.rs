//! Sentences about the progress of an installation.

use serde::{Deserialize, Serialize};

use crate::MIB;
use crate::install::change::Change;
use crate::install::event::Activity;
use crate::install::{Event, FinishedBy, InstallError, Receipt, RollbackReport, Shortfall, Step, StepState};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// An event with its message in the user's language. `--json` prints one per line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgressMessage {
    /// The step.
    pub step: Step,
    /// Its state.
    pub state: StepState,
    /// Bytes done, for steps that move bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_done: Option<u64>,
    /// Total bytes, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// Bytes per second, averaged over the last seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_s: Option<f64>,
    /// Seconds left at that rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
    /// What happens.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// In the last event of a success: the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Box<Receipt>>,
    /// In the last event of a failure that could not be rolled back completely: what was reverted and what was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackMessage>,
}

/// A rollback that could not finish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollbackMessage {
    /// Changes that were reverted.
    pub reverted: Vec<Change>,
    /// Changes that were not reverted.
    pub failed: Vec<RevertFailureMessage>,
    /// The command that finishes it, once the causes are removed.
    pub finished_by: FinishedBy,
}

/// A change that could not be reverted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RevertFailureMessage {
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// Why it was not reverted.
    pub cause: String,
}

impl ProgressMessage {
    /// Makes the message of an event.
    pub fn new(event: &Event, text: Text) -> Self {
        let (receipt, rollback) = match &event.activity {
            Activity::Finished(receipt) => (Some(receipt.clone()), None),
            Activity::Ended(error) => match &**error {
                InstallError::RollbackIncomplete { rollback, .. } => {
                    (None, Some(RollbackMessage::new(rollback, text)))
                }
                _ => (None, None),
            },
            _ => (None, None),
        };
        Self {
            step: event.step,
            state: event.state,
            bytes_done: event.bytes.map(|bytes| bytes.done),
            bytes_total: event.bytes.and_then(|bytes| bytes.total),
            bytes_per_s: event.bytes.and_then(|bytes| bytes.per_s),
            seconds_left: event.bytes.and_then(|bytes| bytes.seconds_left),
            message: event.activity.words(text),
            receipt,
            rollback,
        }
    }
}

impl RollbackMessage {
    fn new(rollback: &RollbackReport, text: Text) -> Self {
        let failed = rollback.failed.iter().map(|failure| RevertFailureMessage {
            change: failure.change.clone(),
            cause: failure.cause.explain(text),
        });
        Self {
            reverted: rollback.reverted.clone(),
            failed: failed.collect(),
            finished_by: rollback.finished_by,
        }
    }
}

impl Activity {
    /// What happens.
    pub fn words(&self, text: Text) -> String {
        let unknown = || say!(text, "install-unknown");
        match self {
            Self::Checking => say!(text, "install-checking"),
            Self::Checked { bytes: 0 } => say!(text, "install-checked-nothing"),
            Self::Checked { bytes } => say!(text, "install-checked", size = text.file_size(*bytes)),
            Self::VerifyingEngine => say!(text, "install-engine-checking"),
            Self::RepairingEngine { path } => {
                say!(text, "install-engine-repairing", path = UntrustedText::path(path))
            }
            Self::FetchingEngine { version } => say!(text, "install-fetching", version = version.as_str()),
            Self::FetchingArchive { name } => say!(text, "install-fetching-file", name = name.as_str()),
            Self::DownloadWaits(waiting) => waiting.explain(text),
            Self::EngineFetched => say!(text, "install-fetched"),
            Self::EngineInPlace { version } => {
                say!(text, "install-fetch-skipped", version = version.as_str())
            }
            Self::ReusingEngine { program } => {
                say!(text, "install-fetch-installed", path = UntrustedText::path(program))
            }
            Self::UsingArchives => say!(text, "install-fetch-archive"),
            Self::CopyingEngine => say!(text, "install-copying"),
            Self::Unpacking => say!(text, "install-unpacking"),
            Self::FileHeld(held) => held.explain(text),
            Self::SyncingEngine => say!(text, "install-unpack-syncing"),
            Self::Unpacked { path } => say!(text, "install-unpacked", path = UntrustedText::path(path)),
            Self::NothingToUnpack => say!(text, "install-unpack-skipped"),
            Self::StartingServer => say!(text, "install-starting-server"),
            Self::PortSkipped { port, by, chosen } => {
                let another = || say!(text, "install-another-program");
                let by = by.as_ref().map_or_else(another, |owner| owner.describe(text));
                let (port, chosen) = (port.to_string(), chosen.to_string());
                say!(text, "install-port-skipped", port = port, by = by, chosen = chosen)
            }
            Self::ServerUnconfirmed { port } => {
                say!(text, "install-server-unconfirmed", port = port.to_string())
            }
            Self::ServerStarted { version, port } => {
                say!(text, "install-server-started", port = port.to_string(), version = version.as_str())
            }
            Self::ServerKept { port } => say!(text, "install-server-kept", port = port.to_string()),
            Self::EnablingRegistryAccess => say!(text, "install-server-with-proxy"),
            Self::DisablingRegistryAccess => say!(text, "install-server-without-proxy"),
            Self::Pulling { model } if model.is_of_file() => {
                say!(text, "install-pulling-file", model = model.shown())
            }
            Self::Pulling { model } => say!(text, "install-pulling", model = model.as_str()),
            Self::CopyingModelFile { path } => {
                say!(text, "install-copying-file", path = UntrustedText::path(path))
            }
            Self::PullStalled { seconds } => {
                say!(text, "install-pull-stalled", duration = text.duration(*seconds as f64))
            }
            Self::RetryingEngine { cause } => say!(text, "install-pull-again", cause = cause.explain(text)),
            Self::VerifyingPull => say!(text, "install-pull-verifying"),
            Self::Paused => say!(text, "install-paused"),
            Self::LookingForLayers => say!(text, "install-looking-for-layers"),
            Self::ModelReused { model } => say!(text, "install-pull-reused", model = model.as_str()),
            Self::RefetchingLayers { count } => say!(text, "install-pull-repairing", count = *count),
            Self::VerifyingModel => say!(text, "install-model-checking"),
            Self::ModelInPlace { model } => say!(text, "install-pull-skipped", model = model.shown()),
            Self::Pulled { model } => say!(text, "install-pulled", model = model.shown()),
            Self::CreatingModel { model } => say!(text, "install-creating", model = model.as_str()),
            Self::ModelCreated { model } => say!(text, "install-created", model = model.as_str()),
            Self::Loading => say!(text, "install-loading"),
            Self::StillLoading { seconds } => {
                say!(text, "install-loading-since", duration = text.duration(*seconds))
            }
            Self::FewerLayers { gpu_layers, total_layers } => {
                say!(text, "install-fewer-layers", layers = *gpu_layers, total = *total_layers)
            }
            Self::MoreExpertsInRam { n_cpu_moe, blocks } => {
                say!(text, "install-more-experts-in-ram", blocks = *n_cpu_moe, total = *blocks)
            }
            Self::FewerExpertsInRam { n_cpu_moe, blocks } => {
                say!(text, "install-fewer-experts-in-ram", blocks = *n_cpu_moe, total = *blocks)
            }
            Self::ThroughVulkan => say!(text, "install-through-vulkan"),
            Self::WithoutPinnedMemory => say!(text, "install-without-pinned-memory"),
            Self::SmallerCache { kv_cache_type, gpu_layers, total_layers } => say!(
                text,
                "install-smaller-cache",
                kv = kv_cache_type.name(),
                layers = *gpu_layers,
                total = *total_layers
            ),
            Self::MoreLayers { gpu_layers, total_layers } => {
                say!(text, "install-more-layers", layers = *gpu_layers, total = *total_layers)
            }
            Self::Loaded { context_tokens, kv_cache_type, gpu_share } => say!(
                text,
                "install-loaded",
                tokens = text.count(*context_tokens),
                kv = kv_cache_type.clone().unwrap_or_else(unknown),
                share = gpu_share.map_or_else(unknown, |share| text.percent(share))
            ),
            Self::Tuning { number, changes, setting } => {
                say!(text, "install-tuning", number = *number, what = setting.words(*changes, text))
            }
            Self::Tried { tried, is_best } => tried.words(*is_best, text),
            Self::MeasuringSpeed => say!(text, "install-measuring-speed"),
            Self::MeasuringFirstToken { tokens, expected_s } => say!(
                text,
                "install-measuring-wait",
                tokens = text.count((*tokens).into()),
                seconds = text.range(*expected_s)
            ),
            Self::StillMeasuring { seconds } => {
                say!(text, "install-measuring-since", duration = text.duration(*seconds))
            }
            Self::Measured { tokens_per_s, first_token_s, prompt_tokens } => say!(
                text,
                "install-measured",
                speed = tokens_per_s.map_or_else(unknown, |speed| text.figure(speed)),
                wait = first_token_s.map_or_else(unknown, |wait| text.figure(wait)),
                tokens = text.count(*prompt_tokens)
            ),
            Self::EnablingAutostart => say!(text, "install-login"),
            Self::CheckingAutostart => say!(text, "install-login-checking"),
            Self::AutostartEnabled => say!(text, "install-login-done"),
            Self::AutostartSkipped => say!(text, "install-login-skipped"),
            Self::AutostartRefused { cause } => {
                say!(text, "install-login-refused", cause = cause.explain(text))
            }
            Self::WritingReceipt => say!(text, "install-writing-receipt"),
            Self::Finished(_) => say!(text, "install-finished"),
            Self::Ended(error) => error.explain(text),
        }
    }
}

impl Shortfall {
    /// Prediction and measurement, in a sentence.
    pub fn words(&self, text: Text) -> String {
        match self {
            Self::Context { predicted, measured } => say!(
                text,
                "install-shortfall-context",
                promised = text.count((*predicted).into()),
                measured = text.count((*measured).into())
            ),
            Self::Layers { predicted, measured, total } => {
                say!(
                    text,
                    "install-shortfall-layers",
                    promised = *predicted,
                    measured = *measured,
                    total = *total
                )
            }
            Self::Experts { predicted, measured, total } => say!(
                text,
                "install-shortfall-experts",
                promised = *predicted,
                measured = *measured,
                total = *total
            ),
            Self::ExpertsUnknown { predicted } => {
                say!(text, "install-shortfall-experts-unknown", promised = *predicted)
            }
            Self::WeightsInRam { predicted, measured } => say!(
                text,
                "install-shortfall-weights-in-ram",
                promised = text.memory(*predicted),
                measured = text.memory(*measured)
            ),
            Self::PromptCache { predicted, measured } => say!(
                text,
                "install-shortfall-prompt-cache",
                promised = text.memory(u64::from(*predicted) * MIB),
                measured = text.memory(u64::from(*measured) * MIB)
            ),
            Self::KvCacheType { predicted, measured } => {
                say!(text, "install-shortfall-kv", promised = predicted.name(), measured = measured.as_str())
            }
            Self::KvCacheTypeUnknown { predicted } => {
                say!(text, "install-shortfall-kv-unknown", promised = predicted.name())
            }
            Self::Vram { predicted, measured } => say!(
                text,
                "install-shortfall-vram",
                promised = text.memory(*predicted),
                measured = text.memory(*measured)
            ),
            Self::Ram { predicted, measured } => say!(
                text,
                "install-shortfall-ram",
                promised = text.memory(*predicted),
                measured = text.memory(*measured)
            ),
            Self::Speed { predicted, measured } => say!(
                text,
                "install-shortfall-speed",
                promised = text.range(*predicted),
                measured = text.figure(*measured)
            ),
            Self::SpeedUnknown => say!(text, "install-shortfall-speed-unknown"),
            Self::FirstToken { predicted, measured, prompt_tokens } => say!(
                text,
                "install-shortfall-wait",
                tokens = text.count(*prompt_tokens),
                promised = text.range(*predicted),
                measured = text.figure(*measured)
            ),
            Self::Sentence(sentence) => sentence.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Range;
    use crate::text::Language;

    #[test]
    fn a_shortfall_names_both_figures() {
        let text = Text::new(Language::English);
        let context = Shortfall::Context { predicted: 32_768, measured: 16_384 }.words(text);
        assert!(context.contains("16,384") && context.contains("32,768"), "{context}");
        let predicted = Range { low: 38.0, mid: 44.0, high: 50.0 };
        let speed = Shortfall::Speed { predicted, measured: 12.0 }.words(text);
        assert!(speed.contains("12.0") && speed.contains("38–50"), "{speed}");
    }
}
