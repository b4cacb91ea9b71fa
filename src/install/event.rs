//! What an installation reports while it runs. Events hold data; [`crate::sentences`] makes the messages.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::install::fetch::DownloadWait;
use crate::install::{InstallError, Receipt, TriedSetting, TuneDimension, TuneTry};
use crate::models::{KvCacheType, ModelTag};
use crate::ollama::client::ClientError;
use crate::platform::files::HeldFile;
use crate::platform::listening::PortOwner;

/// The steps of an installation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Disk space, folders, port.
    Check,
    /// Download the engine's archive and verify it.
    FetchEngine,
    /// Unpack it into a staging folder and move it to its place.
    UnpackEngine,
    /// Start the private server.
    StartServer,
    /// Pull the model.
    PullModel,
    /// Create `acolyte:latest`.
    CreateModel,
    /// Load it and verify what the engine does.
    LoadModel,
    /// Search for the fastest setting; measure speed and time to the first token.
    Measure,
    /// Enable start at login.
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

/// State of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It began.
    Started,
    /// It is running.
    Running,
    /// It waits for something.
    Waiting,
    /// It is done.
    Done,
    /// There was nothing to do.
    Skipped,
    /// It failed.
    Failed,
    /// The user cancelled it.
    Cancelled,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// The step.
    pub step: Step,
    /// Its state.
    pub state: StepState,
    /// Bytes moved, for steps that move bytes.
    pub bytes: Option<ByteProgress>,
    /// What happens.
    pub activity: Activity,
}

/// Progress in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteProgress {
    /// Bytes done.
    pub done: u64,
    /// Total bytes, if known.
    pub total: Option<u64>,
    /// Bytes per second, averaged over the last seconds.
    pub per_s: Option<f64>,
    /// Seconds left at that rate.
    pub seconds_left: Option<f64>,
}

/// What an installation is doing, with its figures.
#[derive(Clone, Debug)]
pub enum Activity {
    /// Checking folders and free disk space.
    Checking,
    /// The disk has enough free space.
    Checked {
        /// Bytes to download and unpack; 0 when everything is here.
        bytes: u64,
    },
    /// Verifying every file of the engine that is in place.
    VerifyingEngine,
    /// A file of that engine is damaged or missing, so it is unpacked again.
    RepairingEngine {
        /// The file.
        path: PathBuf,
    },
    /// Fetching a version of the engine.
    FetchingEngine {
        /// The version.
        version: String,
    },
    /// Downloading one of its archives.
    FetchingArchive {
        /// The archive's name.
        name: String,
    },
    /// The download waits.
    DownloadWaits(DownloadWait),
    /// Every archive is downloaded and verified.
    EngineFetched,
    /// This version is installed already.
    EngineInPlace {
        /// The version.
        version: String,
    },
    /// An engine installed elsewhere on this computer is copied.
    ReusingEngine {
        /// Its program.
        program: PathBuf,
    },
    /// Archives that the user named are used.
    UsingArchives,
    /// Copying the engine.
    CopyingEngine,
    /// Unpacking the engine.
    Unpacking,
    /// Another program has a file open that is to be moved.
    FileHeld(HeldFile),
    /// Syncing the unpacked files to disk.
    SyncingEngine,
    /// The engine is in its folder.
    Unpacked {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing had to be unpacked.
    NothingToUnpack,
    /// Starting the private server.
    StartingServer,
    /// A port is taken; another one is used.
    PortSkipped {
        /// The port that is taken.
        port: u16,
        /// Who listens there, if the system reports it.
        by: Option<PortOwner>,
        /// The port that is used.
        chosen: u16,
    },
    /// The server answers, but the system does not tell whether our process is the one that listens.
    ServerUnconfirmed {
        /// Its port.
        port: u16,
    },
    /// The server answers.
    ServerStarted {
        /// Its version.
        version: String,
        /// Its port.
        port: u16,
    },
    /// The running server has the right settings and is kept.
    ServerKept {
        /// Its port.
        port: u16,
    },
    /// Restarting the server with network settings for the registry.
    EnablingRegistryAccess,
    /// Restarting it without them.
    DisablingRegistryAccess,
    /// Pulling a model.
    Pulling {
        /// Its tag.
        model: ModelTag,
    },
    /// Copying the user's file of a model.
    CopyingModelFile {
        /// The file, or its first part.
        path: PathBuf,
    },
    /// The registry has sent nothing for a while.
    PullStalled {
        /// For how long, in seconds.
        seconds: u64,
    },
    /// The engine failed at a pull, or at another change of its models, and is asked again.
    RetryingEngine {
        /// Why it failed.
        cause: Arc<ClientError>,
    },
    /// The engine verifies what it pulled.
    VerifyingPull,
    /// The user paused the installation.
    Paused,
    /// Looking for the model's layers in other model stores.
    LookingForLayers,
    /// The model was copied or linked from another model store.
    ModelReused {
        /// Its tag.
        model: ModelTag,
    },
    /// Damaged layers are fetched again.
    RefetchingLayers {
        /// How many.
        count: usize,
    },
    /// Verifying the model's checksums.
    VerifyingModel,
    /// The model is downloaded already.
    ModelInPlace {
        /// Its tag.
        model: ModelTag,
    },
    /// The model is complete.
    Pulled {
        /// Its tag.
        model: ModelTag,
    },
    /// Creating the served model.
    CreatingModel {
        /// Its name.
        model: ModelTag,
    },
    /// It was created and its parameters were read back.
    ModelCreated {
        /// Its name.
        model: ModelTag,
    },
    /// Loading the model.
    Loading,
    /// Still loading.
    StillLoading {
        /// Seconds so far.
        seconds: f64,
    },
    /// Memory ran out; retrying with fewer layers on the GPU.
    FewerLayers {
        /// Layers on the GPU.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// The card's memory ran out; retrying with the experts of more blocks in main memory.
    MoreExpertsInRam {
        /// Blocks whose experts are in main memory.
        n_cpu_moe: u32,
        /// All blocks.
        blocks: u32,
    },
    /// Main memory ran out; retrying with the experts of fewer blocks there.
    FewerExpertsInRam {
        /// Blocks whose experts are in main memory.
        n_cpu_moe: u32,
        /// All blocks.
        blocks: u32,
    },
    /// The driver did not page-lock as much main memory as asked; retrying with memory that is not locked.
    WithoutPinnedMemory,
    /// The engine found no card through CUDA or ROCm; retrying through Vulkan.
    ThroughVulkan,
    /// Memory ran out; retrying with a smaller KV cache.
    SmallerCache {
        /// Its type.
        kv_cache_type: KvCacheType,
        /// Layers on the GPU.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// Memory is left; trying more layers on the GPU.
    MoreLayers {
        /// Layers on the GPU.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// The model is loaded.
    Loaded {
        /// Tokens of context the engine keeps.
        context_tokens: u64,
        /// Type of the KV cache, if the engine reports it.
        kv_cache_type: Option<String>,
        /// Share of the model's bytes on the GPU, 0 to 1, if the engine reports it.
        gpu_share: Option<f64>,
    },
    /// Trying a setting.
    Tuning {
        /// Number of the try, from 1.
        number: u32,
        /// What it changes.
        changes: TuneDimension,
        /// The setting.
        setting: TriedSetting,
    },
    /// A setting was tried.
    Tried {
        /// The try.
        tried: Box<TuneTry>,
        /// Whether it is the best so far.
        is_best: bool,
    },
    /// Measuring the speed.
    MeasuringSpeed,
    /// Measuring the time to the first token.
    MeasuringFirstToken {
        /// Length of the prompt, in tokens.
        tokens: u32,
        /// The predicted time, in seconds.
        expected_s: crate::figures::Range,
    },
    /// The engine is still generating.
    StillMeasuring {
        /// Seconds so far.
        seconds: f64,
    },
    /// Everything was measured.
    Measured {
        /// Tokens per second, if any were generated.
        tokens_per_s: Option<f64>,
        /// Seconds to the first token, if it was measured.
        first_token_s: Option<f64>,
        /// Length of the prompt, in tokens.
        prompt_tokens: u64,
    },
    /// Enabling start at login.
    EnablingAutostart,
    /// Start at login is not wanted; an entry of an earlier installation is looked for.
    CheckingAutostart,
    /// The server starts at login.
    AutostartEnabled,
    /// The user declined it.
    AutostartSkipped,
    /// The service manager could not run the server, so it is not started at login.
    AutostartRefused {
        /// Why.
        cause: Arc<InstallError>,
    },
    /// Writing the documents.
    WritingReceipt,
    /// The installation succeeded. The last event.
    Finished(Box<Receipt>),
    /// It failed or was cancelled. The last event.
    Ended(Arc<InstallError>),
}
