//! Why an installation, an undo or an uninstall stopped.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::control::Cancelled;
use crate::install::change::Change;
use crate::install::fetch::DownloadError;
use crate::install::reuse::{CopyError, NotReusable};
use crate::install::state::documents::DocumentError;
use crate::install::state::home::HomeTooLong;
use crate::install::unpack::UnpackError;
use crate::install::{LoadAttempt, LockError};
use crate::models::{EngineVersion, KvCacheType, ModelTag, ModelTagError};
use crate::ollama::client::ClientError;
use crate::ollama::http::HttpError;
use crate::ollama::registry::UnreachableCause;
use crate::ollama::release::ReleaseError;
use crate::ollama::server::ServerError;
use crate::ollama::store::{ImportError, StoreError};
use crate::platform::files::FileError;
use crate::platform::login::LoginError;
use crate::platform::ownership::OwnershipError;
use crate::untrusted::UntrustedText;

/// Why an installation, its management or its removal stopped.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The user cancelled it. What was fetched stays.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Another installer is using the same home.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file or folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// The home, or something in it, that other users own or can change.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// One of our documents.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The release list.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Creating the HTTP client for downloads.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Fetching the engine.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// Unpacking the engine.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The server's process.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Talking to the engine.
    #[error(transparent)]
    Engine(#[from] ClientError),
    /// The system provides no threads or timers.
    #[error("cannot start the async runtime: {source}")]
    Runtime {
        /// What it said.
        source: std::io::Error,
    },
    /// A worker thread panicked.
    #[error("a worker panicked: {message}")]
    WorkerPanicked {
        /// What is known of the panic.
        message: UntrustedText,
    },
    /// An installation failed, or an undo or uninstall ran, and not every change could be reverted.
    #[error("{}{} changes could not be reverted", cause.as_ref().map(|cause| format!("{cause}; ")).unwrap_or_default(), rollback.failed.len())]
    RollbackIncomplete {
        /// Why the installation failed; `None` for an undo or uninstall.
        cause: Option<Box<InstallError>>,
        /// What was reverted and what was not.
        rollback: RollbackReport,
    },
    /// The path of the home is too long for what Windows starts in it.
    #[error(transparent)]
    HomeTooLong(#[from] HomeTooLong),
    /// The engine cannot store the model under its name.
    #[error(transparent)]
    ModelName(#[from] ModelTagError),
    /// The plan refuses it.
    #[error("the plan refuses this installation")]
    Refused,
    /// It needs consent that was not given.
    #[error("this runs with limits that need consent")]
    ConsentMissing,
    /// Not enough disk space.
    #[error("{path}: {need_bytes} bytes are needed, {free_bytes} are free")]
    DiskShort {
        /// A folder on that disk.
        path: PathBuf,
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes free.
        free_bytes: u64,
    },
    /// The system starts no programs from a folder: its drive is mounted `noexec`, or a policy forbids it.
    #[error("no program can be started from {folder}")]
    ProgramsForbidden {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the model is larger than the file system or the account's limit allows.
    #[error("{folder} holds files of up to {largest_bytes} bytes, {need_bytes} are needed")]
    FileTooLarge {
        /// The folder.
        folder: PathBuf,
        /// Bytes of the largest file.
        need_bytes: u64,
        /// Bytes that a file may have.
        largest_bytes: u64,
    },
    /// The file system has no room for more files, however small.
    #[error("only {free} more files can be created in {folder}")]
    TooFewEntries {
        /// A folder on it.
        folder: PathBuf,
        /// Files and folders that can still be created.
        free: u64,
    },
    /// The loader that the engine's programs name is missing.
    #[error("the engine's loader {loader} is missing")]
    NoLoader {
        /// Where the engine expects it.
        loader: PathBuf,
    },
    /// The GNU C library is older than the one the engine was built with.
    #[error("the GNU C library is {found}, the engine needs {needed}")]
    OldCLibrary {
        /// Version of this system.
        found: String,
        /// Oldest version for the engine.
        needed: String,
    },
    /// The archive contains no engine.
    #[error("{folder} contains no engine")]
    NoProgram {
        /// The unpacked archive.
        folder: PathBuf,
    },
    /// A file of the engine differs from what was unpacked.
    #[error("{path} is damaged or missing")]
    EngineDamaged {
        /// The file.
        path: PathBuf,
    },
    /// The installed engine to reuse changed after detection.
    #[error("{program} changed: {reason}")]
    EngineChanged {
        /// Its program.
        program: PathBuf,
        /// Why it cannot be reused any more.
        reason: NotReusable,
    },
    /// The model cannot be fetched.
    #[error("cannot pull {model}: {source}")]
    Pull {
        /// Its tag.
        model: ModelTag,
        /// What the engine says.
        source: ClientError,
    },
    /// The registry served another file than the one that was planned and agreed to.
    #[error("{model} was replaced in its registry while it was being installed")]
    ModelReplaced {
        /// Its tag.
        model: ModelTag,
    },
    /// The user's file that the model was to be installed from, or one of its parts, is no longer there.
    #[error("{path} is no longer there")]
    ModelFileGone {
        /// The file.
        path: PathBuf,
    },
    /// That file is another one than the one that was planned and agreed to.
    #[error("{path} has changed")]
    ModelFileChanged {
        /// The file.
        path: PathBuf,
    },
    /// The registry gives the model to newer engines only (HTTP 412).
    #[error("{model} needs a newer engine than {engine_version}")]
    NewerEngineNeeded {
        /// Its tag.
        model: ModelTag,
        /// Version of the engine that was to pull it.
        engine_version: UntrustedText,
        /// The oldest version that may, if the registry or the catalogue states it.
        needed: Option<EngineVersion>,
    },
    /// The registry cannot be reached, and the model's only manifest is in another model store. Using it needs consent.
    #[error("{host} does not answer ({cause}), so {model} in {store} cannot be verified")]
    UnverifiedModel {
        /// Its tag.
        model: ModelTag,
        /// The model store it is in.
        store: PathBuf,
        /// Host of the registry.
        host: String,
        /// Why the registry did not answer.
        cause: UnreachableCause,
    },
    /// The engine dropped or changed a parameter.
    #[error("the engine keeps {name} as {found}, not {wanted}")]
    ParameterDropped {
        /// The parameter.
        name: &'static str,
        /// What we set.
        wanted: String,
        /// What it keeps.
        found: UntrustedText,
    },
    /// The engine reduced the context.
    #[error("the engine keeps {found_tokens} tokens of context, not {wanted_tokens}")]
    ContextClamped {
        /// Tokens requested.
        wanted_tokens: u32,
        /// Tokens it keeps.
        found_tokens: u64,
    },
    /// The loaded model is not listed.
    #[error("the engine loaded the model but does not list it")]
    NotListed,
    /// The engine put fewer layers on the GPU than requested.
    #[error("the engine put {found} of {wanted} layers on the GPU")]
    LayersDropped {
        /// What it was told.
        wanted: u32,
        /// What it did.
        found: u32,
    },
    /// The engine keeps the cache in another type.
    #[error("the engine keeps the KV cache as {found}, not {wanted}")]
    KvCacheTypeDiffers {
        /// What it was told.
        wanted: KvCacheType,
        /// What it does.
        found: UntrustedText,
    },
    /// The engine cannot load the model.
    #[error("the engine cannot load the model: {message}; {}", error_lines.join("; "))]
    LoadFailed {
        /// Its message.
        message: UntrustedText,
        /// What its log says.
        error_lines: Vec<UntrustedText>,
    },
    /// It does not fit, even with no layers on the GPU.
    #[error("the model does not fit into memory, {} placements were tried", tried.len())]
    OutOfMemory {
        /// Every attempt.
        tried: Vec<LoadAttempt>,
    },
    /// It would fit with fewer layers on the GPU, which needs consent.
    #[error(
        "the model only fits with fewer than {gpu_layers} of {total_layers} layers on the GPU, which needs consent"
    )]
    FewerLayersNeedConsent {
        /// Layers planned.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// It would fit with the experts of more blocks in main memory, which needs consent.
    #[error(
        "the model only fits with the experts of more than {n_cpu_moe} of {blocks} blocks in main memory, which needs \
         consent"
    )]
    MoreExpertsInRamNeedConsent {
        /// Blocks whose experts were in main memory when the card's memory ran out.
        n_cpu_moe: u32,
        /// All blocks.
        blocks: u32,
    },
    /// It would fit with a KV cache at 4 bits, which needs consent of its own.
    #[error("the model only fits with a KV cache at 4 bits, which needs consent")]
    FourBitsNeedConsent {
        /// Layers on the GPU in that placement.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// The login entry.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// There is no interrupted installation to undo.
    #[error("no installation in {home} was interrupted")]
    NothingToUndo {
        /// The home.
        home: PathBuf,
    },
    /// There is no interrupted installation to resume.
    #[error("no installation in {home} was interrupted, so none can be resumed")]
    NothingToContinue {
        /// The home.
        home: PathBuf,
    },
    /// An interrupted installation has to be resumed or undone first.
    #[error("an installation in {home} was interrupted and has to be resumed or undone first")]
    InterruptedBefore {
        /// The home.
        home: PathBuf,
    },
    /// A model that was to be removed stays.
    #[error("{model} stays: {why:?}")]
    ModelKept {
        /// Its tag.
        model: ModelTag,
        /// Why.
        why: KeptModel,
    },
    /// Another installer changed what is installed after it was read.
    #[error("what is installed in {home} was changed meanwhile")]
    ChangedMeanwhile {
        /// The home.
        home: PathBuf,
    },
    /// A newer version of this program is kept on the computer.
    #[error("a newer version is kept: {version}")]
    NewerIsKept {
        /// Its version.
        version: UntrustedText,
    },
    /// Nothing is installed.
    #[error("nothing is installed in {home}")]
    NotInstalled {
        /// The home.
        home: PathBuf,
    },
}

impl From<CopyError> for InstallError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::NotReusable { program, reason } => Self::EngineChanged { program, reason },
            CopyError::File(error) => Self::File(error),
            CopyError::Cancelled(cancelled) => Self::Cancelled(cancelled),
        }
    }
}

impl From<StoreError> for InstallError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::File(error) => Self::File(error),
            StoreError::Cancelled(cancelled) => Self::Cancelled(cancelled),
        }
    }
}

impl From<ImportError> for InstallError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::File(error) => Self::File(error),
            ImportError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            ImportError::Gone { path } => Self::ModelFileGone { path },
            ImportError::Changed { path } => Self::ModelFileChanged { path },
        }
    }
}

impl InstallError {
    /// Whether the user cancelled it and everything was reverted.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Cancelled(_)
                | Self::Download(DownloadError::Cancelled(_))
                | Self::Unpack(UnpackError::Cancelled(_))
        )
    }
}

/// Why a model stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptModel {
    /// It is not there.
    Missing,
    /// The installation needs it.
    InUse,
    /// It is not ours, or another Ollama uses its store.
    NotOurs,
}

/// What a rollback did.
#[derive(Debug, Default)]
pub struct RollbackReport {
    /// Changes that were reverted, in that order.
    pub reverted: Vec<Change>,
    /// Changes that were not.
    pub failed: Vec<RevertFailure>,
    /// The command that finishes it.
    pub finished_by: FinishedBy,
}

/// The command that finishes a rollback once the cause of its failure is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishedBy {
    /// `acolyte undo`.
    #[default]
    Undo,
    /// `acolyte uninstall`.
    Uninstall,
    /// `acolyte keep --remove`.
    RemoveKept,
}

/// A change that could not be reverted.
#[derive(Debug)]
pub struct RevertFailure {
    /// The change.
    pub change: Change,
    /// Why.
    pub cause: RevertProblem,
}

/// Why a change could not be reverted.
#[derive(Debug)]
pub enum RevertProblem {
    /// Reverting it failed.
    Failed(Box<InstallError>),
    /// It was not attempted, because the server that uses it could not be stopped.
    ServerStillRuns,
}

impl RollbackReport {
    /// The error an installation ends with: its cause alone, or with what could not be reverted.
    pub fn after(self, cause: InstallError) -> InstallError {
        if self.failed.is_empty() {
            return cause;
        }
        InstallError::RollbackIncomplete { cause: Some(Box::new(cause)), rollback: self }
    }

    /// An error when something could not be reverted.
    ///
    /// # Errors
    /// [`InstallError::RollbackIncomplete`].
    pub fn into_result(self) -> Result<(), InstallError> {
        if self.failed.is_empty() {
            return Ok(());
        }
        Err(InstallError::RollbackIncomplete { cause: None, rollback: self })
    }

    /// Records how reverting a change ended.
    pub(super) fn add(&mut self, change: Change, outcome: Result<(), InstallError>) {
        match outcome {
            Ok(()) => self.reverted.push(change),
            Err(error) => {
                tracing::warn!(%error, ?change, "a change could not be reverted");
                self.failed.push(RevertFailure { change, cause: RevertProblem::Failed(Box::new(error)) });
            }
        }
    }
}
