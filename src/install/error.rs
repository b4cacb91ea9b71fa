//! Why an installation stopped, and what the person can do about it.

use std::path::PathBuf;

use crate::control::Cancelled;
use crate::install::fetch::DownloadError;
use crate::install::state::documents::DocumentError;
use crate::install::unpack::UnpackError;
use crate::install::{LockError, Tried};
use crate::models::KvCacheType;
use crate::ollama::client::ClientError;
use crate::ollama::failure::EngineFailure;
use crate::ollama::http::HttpError;
use crate::ollama::release::ReleaseError;
use crate::ollama::server::ServerError;
use crate::ollama::store::StoreError;
use crate::platform::files::FileError;
use crate::platform::login::LoginError;
use crate::say;
use crate::text::Text;

/// Why an installation, its management or its removal stopped.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The person stopped it. What was fetched stays.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Another installer works in the same home.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file or folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// A document of ours.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The list of the release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The HTTP client for downloads.
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
    /// The system gives us no threads or timers.
    #[error("cannot begin: {source}")]
    Runtime {
        /// What it said.
        source: std::io::Error,
    },
    /// The plan says no.
    #[error("the plan refuses this")]
    Refused,
    /// It needs a consent that was not given.
    #[error("this runs with limits that need consent")]
    ConsentMissing,
    /// Not enough room.
    #[error("{path}: {need_bytes} bytes are needed, {free_bytes} are free")]
    DiskShort {
        /// A folder on that disk.
        path: PathBuf,
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes free.
        free_bytes: u64,
    },
    /// The archive holds no engine.
    #[error("no program of the engine in {folder}")]
    NoProgram {
        /// The unpacked archive.
        folder: PathBuf,
    },
    /// A file of the engine is not what was unpacked.
    #[error("{path} is damaged or missing")]
    EngineDamaged {
        /// The file.
        path: PathBuf,
    },
    /// The model cannot be fetched.
    #[error("cannot pull {model}: {source}")]
    Pull {
        /// Its tag.
        model: String,
        /// What the engine says.
        source: ClientError,
    },
    /// The engine dropped or changed a parameter.
    #[error("the engine keeps {name} as {found}, not {wanted}")]
    ParameterDropped {
        /// The parameter.
        name: &'static str,
        /// What we set.
        wanted: i64,
        /// What it keeps.
        found: String,
    },
    /// The engine cut the context.
    #[error("the engine gives {found_tokens} tokens of context, not {wanted_tokens}")]
    ContextClamped {
        /// What was promised.
        wanted_tokens: u32,
        /// What it gives.
        found_tokens: u64,
    },
    /// The loaded model is not listed.
    #[error("the engine loaded the model but does not list it")]
    NotListed,
    /// The engine put fewer layers on the GPU than it was told.
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
        found: String,
    },
    /// The engine cannot load the model.
    #[error("the engine cannot load the model: {message}; {}", complaints.join("; "))]
    LoadFailed {
        /// Its message.
        message: String,
        /// What its log says.
        complaints: Vec<String>,
    },
    /// It does not fit, however few layers are on the GPU.
    #[error("the model does not fit the memory, {} placements were tried", tried.len())]
    OutOfMemory {
        /// Every attempt.
        tried: Vec<Tried>,
    },
    /// It would fit with fewer layers on the GPU, which needs consent.
    #[error(
        "the model only fits with fewer than {gpu_layers} of {total_layers} layers on the GPU, which needs consent"
    )]
    FewerLayersNeedConsent {
        /// What was promised.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// It would fit with a KV cache at 4 bits, which needs consent of its own.
    #[error("the model only fits with a KV cache at 4 bits, which needs consent")]
    FourBitsNeedConsent {
        /// Layers on the GPU it would have.
        gpu_layers: u32,
        /// All layers.
        total_layers: u32,
    },
    /// The entry among the things started at login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// No installation was cut short.
    #[error("no installation in {home} was cut short")]
    NothingToUndo {
        /// The home.
        home: PathBuf,
    },
    /// Nothing is installed.
    #[error("nothing is installed in {home}")]
    NotInstalled {
        /// The home.
        home: PathBuf,
    },
}

impl From<StoreError> for InstallError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::File(error) => Self::File(error),
            StoreError::Cancelled(cancelled) => Self::Cancelled(cancelled),
        }
    }
}

impl InstallError {
    /// Whether the person stopped it.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Cancelled(_)
                | Self::Download(DownloadError::Cancelled(_))
                | Self::Unpack(UnpackError::Cancelled(_))
        )
    }

    /// What happened and what to do, in the person's words.
    pub fn explain(&self, text: Text) -> String {
        match self {
            _ if self.is_cancelled() => say!(text, "install-cancelled"),
            Self::Cancelled(_) => say!(text, "install-cancelled"),
            Self::Lock(LockError::Busy { home }) => {
                say!(text, "install-busy", home = home.display().to_string())
            }
            Self::Lock(LockError::File(error)) | Self::File(error) => error.explain(text),
            Self::Document(DocumentError::File(error)) => error.explain(text),
            Self::Document(DocumentError::Format { path, cause }) => say!(
                text,
                "install-document-damaged",
                path = path.display().to_string(),
                cause = cause.clone()
            ),
            Self::Release(error) => error.explain(text),
            Self::Http(error) => error.explain(text),
            Self::Download(error) => error.explain(text),
            Self::Unpack(error) => error.explain(text),
            Self::Server(error) => error.explain(text),
            Self::Engine(error) => error.explain(text),
            Self::Runtime { source } => say!(text, "install-no-runtime", cause = source.to_string()),
            Self::Refused => say!(text, "install-refused"),
            Self::ConsentMissing => say!(text, "install-consent-missing"),
            Self::DiskShort { path, need_bytes, free_bytes } => say!(
                text,
                "install-disk-short",
                path = path.display().to_string(),
                need = text.file_size(*need_bytes),
                free = text.file_size(*free_bytes)
            ),
            Self::NoProgram { folder } => {
                say!(text, "install-no-program", path = folder.display().to_string())
            }
            Self::EngineDamaged { path } => {
                say!(text, "install-engine-damaged", path = path.display().to_string())
            }
            Self::Pull { model, source } => explain_pull(model, source, text),
            Self::ParameterDropped { name, wanted, found } => say!(
                text,
                "install-parameter-dropped",
                name = *name,
                wanted = wanted.to_string(),
                found = found.clone()
            ),
            Self::ContextClamped { wanted_tokens, found_tokens } => say!(
                text,
                "install-context-clamped",
                wanted = text.count(u64::from(*wanted_tokens)),
                found = text.count(*found_tokens)
            ),
            Self::NotListed => say!(text, "install-not-listed"),
            Self::LayersDropped { wanted, found } => {
                say!(text, "install-layers-dropped", wanted = *wanted, found = *found)
            }
            Self::KvCacheTypeDiffers { wanted, found } => {
                say!(text, "install-kv-differs", wanted = wanted.name(), found = found.clone())
            }
            Self::LoadFailed { message, complaints } => {
                say!(text, "install-load-failed", message = message.clone(), lines = complaints.join("\n"))
            }
            Self::OutOfMemory { tried } => {
                say!(text, "install-out-of-memory", count = tried.len())
            }
            Self::FewerLayersNeedConsent { gpu_layers, total_layers } => {
                say!(text, "install-fewer-layers-need-consent", layers = *gpu_layers, total = *total_layers)
            }
            Self::FourBitsNeedConsent { gpu_layers, total_layers } => {
                say!(text, "install-four-bits-need-consent", layers = *gpu_layers, total = *total_layers)
            }
            Self::Login(error) => say!(text, "install-login-failed", cause = error.explain(text)),
            Self::NothingToUndo { home } => {
                say!(text, "install-nothing-to-undo", home = home.display().to_string())
            }
            Self::NotInstalled { home } => {
                say!(text, "install-not-installed", home = home.display().to_string())
            }
        }
    }
}

/// The engine's messages about pulls are technical; the common ones get sentences of our own.
fn explain_pull(model: &str, source: &ClientError, text: Text) -> String {
    let model = model.to_owned();
    match source.failure() {
        Some(EngineFailure::ModelMissing) => say!(text, "install-pull-missing", model = model),
        Some(EngineFailure::DiskFull) => say!(text, "install-pull-disk-full", model = model),
        Some(EngineFailure::PlainHttp) => say!(text, "install-pull-plain-http", model = model),
        _ => say!(text, "install-pull-failed", model = model, cause = source.explain(text)),
    }
}
