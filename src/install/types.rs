//! What an installation is asked to do, what it reports while it runs, and the receipt it ends with.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::figures::Range;
use crate::install::{EngineRecord, EngineSource, Paths};
use crate::models::KvCacheType;
use crate::plan::{ConsentTerms, Plan, Verdict};

/// The steps of an installation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Disk space, folders, port.
    Check,
    /// Download the engine's archive and verify it.
    FetchEngine,
    /// Unpack it beside its place and move it there.
    UnpackEngine,
    /// Start the private server.
    StartServer,
    /// Pull the model.
    PullModel,
    /// Create `acolyte:latest`.
    CreateModel,
    /// Load it and read back what the engine really does.
    LoadModel,
    /// Generate, and measure speed and first token.
    Measure,
    /// Have the server started at login.
    StartAtLogin,
    /// Write profile, consent and receipt.
    WriteReceipt,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 10] = [
        Self::Check,
        Self::FetchEngine,
        Self::UnpackEngine,
        Self::StartServer,
        Self::PullModel,
        Self::CreateModel,
        Self::LoadModel,
        Self::Measure,
        Self::StartAtLogin,
        Self::WriteReceipt,
    ];
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It began.
    Started,
    /// It goes on.
    Running,
    /// It waits for something; the message says for what.
    Waiting,
    /// It is done.
    Done,
    /// There was nothing to do.
    Skipped,
    /// It failed; the message says why and what to do.
    Failed,
    /// The person stopped it.
    Cancelled,
}

/// One line of progress. With `--json`, one of these a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The step.
    pub step: Step,
    /// Where it is.
    pub state: StepState,
    /// Bytes done, for steps that move bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_done: Option<u64>,
    /// Bytes in all, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// Bytes a second, over the last seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_s: Option<f64>,
    /// Seconds left at that rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
    /// What is being done, in the person's language.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// On the very last event: the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Box<Receipt>>,
}

/// Where things come from and go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstallOptions {
    /// Our folder (`~/.acolyte`, `ACOLYTE_HOME`, `--home`).
    pub home: PathBuf,
    /// Folder of the models; `home/models` unless the person picked another.
    pub models_dir: PathBuf,
    /// A port the person insists on; otherwise the first free one of the range.
    pub port: Option<u16>,
    /// Start the server at login.
    pub autostart: bool,
    /// Where the engine comes from, and how the outside world is reached.
    pub source: EngineSource,
    /// Plain http for the model's registry (`--insecure-registry`).
    pub insecure_registry: bool,
}

/// What the user agreed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// The limits of the plan ([`Plan::consent`]).
    pub limits: bool,
    /// Fewer layers on the GPU than planned, should the engine run out of memory. Without it and without
    /// [`Agreement::limits`] such an installation ends with an error that asks.
    pub fewer_layers: bool,
    /// A KV cache at 4 bits, should the engine run out of memory. `None` when the user was not asked; the installation
    /// then ends with an error that asks.
    pub kv_q4: Option<bool>,
}

/// What to install.
#[derive(Clone, Debug)]
pub struct Request {
    /// What was chosen, with everything that was promised.
    pub plan: Plan,
    /// What the user agreed to.
    pub agreement: Agreement,
    /// Where from and where to.
    pub options: InstallOptions,
}

impl Request {
    /// A request for a plan, with the user's choices.
    pub fn new(plan: Plan, agreement: Agreement, options: InstallOptions) -> Self {
        Self { plan, agreement, options }
    }

    /// What the user agreed to, when the plan needs consent and has it.
    pub fn consent(&self) -> Option<&ConsentTerms> {
        self.plan.consent.as_ref().filter(|_| self.agreement.limits)
    }
}

impl InstallOptions {
    /// What is usual under this home: the built-in release, the models beside it, started at login.
    pub fn usual(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            models_dir: Paths::new(home).models(),
            port: None,
            autostart: true,
            source: EngineSource::default(),
            insecure_registry: false,
        }
    }
}

/// What was promised, copied from the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedFigures {
    /// Tokens of context.
    pub context_tokens: u32,
    /// Layers on the GPU and in all.
    pub gpu_layers: u32,
    /// Layers in all.
    pub total_layers: u32,
    /// KV cache type.
    pub kv_cache_type: KvCacheType,
    /// VRAM, in bytes.
    pub vram_bytes: u64,
    /// Main memory, in bytes.
    pub ram_bytes: u64,
    /// Share of the model's bytes on the GPU, 0 to 1.
    pub gpu_share: f64,
    /// Tokens written a second, context nearly empty.
    pub decode_tokens_per_s: Range,
    /// Seconds to the first token of a full prompt.
    pub first_token_full_prompt_s: Range,
    /// Seconds to the first token of a prompt as long as the measured one.
    pub first_token_s: Range,
}

/// What was measured or read back. `None` where the engine did not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeasuredFigures {
    /// Tokens of context the engine really keeps.
    pub context_tokens: Option<u32>,
    /// Layers the engine says it put on the GPU.
    pub gpu_layers: Option<u32>,
    /// Share of the model's bytes on the GPU, 0 to 1.
    pub gpu_share: Option<f64>,
    /// KV cache type in force, read from the engine's log or command line.
    pub kv_cache_type: Option<String>,
    /// Buffers on the GPU, in bytes.
    pub vram_bytes: Option<u64>,
    /// Memory of the engine's processes, in bytes.
    pub ram_bytes: Option<u64>,
    /// Tokens written a second.
    pub decode_tokens_per_s: Option<f64>,
    /// Prompt tokens read a second.
    pub prefill_tokens_per_s: Option<f64>,
    /// Seconds to the first token of the measured prompt.
    pub first_token_s: Option<f64>,
    /// Length of the measured prompt, in tokens.
    pub first_token_prompt_tokens: Option<u64>,
}

/// Our placement of layers beside the one the engine chooses by itself, in tokens written a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placements {
    /// With the number of layers we chose.
    pub explicit_tokens_per_s: f64,
    /// With the engine's own choice.
    pub automatic_tokens_per_s: f64,
    /// Whether the engine's own choice was faster and is kept.
    pub automatic_kept: bool,
}

/// One attempt at loading the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Layers on the GPU.
    pub gpu_layers: u32,
    /// KV cache type.
    pub kv_cache_type: KvCacheType,
    /// `ok`, or what went wrong.
    pub outcome: String,
}

/// `receipt.json`: the promise beside the measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Always [`crate::SCHEMA`].
    pub schema: u32,
    /// When it was written, RFC 3339.
    pub written_at: String,
    /// Profile id.
    pub profile: String,
    /// Tag of the model.
    pub model: String,
    /// Version of the engine, as it says itself.
    pub engine_version: String,
    /// Where the engine came from and how sure that is; `None` in receipts of earlier versions of this program.
    #[serde(default)]
    pub engine: Option<EngineRecord>,
    /// Port of the private server.
    pub port: u16,
    /// The promise.
    pub predicted: PredictedFigures,
    /// The measurement.
    pub measured: MeasuredFigures,
    /// Verdict of the plan.
    pub verdict: Verdict,
    /// Every attempt at loading.
    pub tried: Vec<Tried>,
    /// Our placement beside the engine's own, where some layers are on the processor and both were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placements: Option<Placements>,
    /// Promises that were missed, each said in a sentence.
    pub misses: Vec<String>,
}
