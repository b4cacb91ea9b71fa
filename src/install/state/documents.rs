//! The documents under `llm/`: the profile that ACOLYTE reads, the consent, the receipt, and the state of our server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::install::state::home;
use crate::install::{HandSettings, Paths, Receipt};
use crate::models::{KvCacheType, ModelTag};
use crate::ollama::manifest::Manifest;
use crate::ollama::requests::{AUTOMATIC, CreateParameters};
use crate::ollama::server::{ExpertsInRam, Launch, RunnerSettings};
use crate::ollama::store::Fingerprint;
use crate::plan::{Limit, Verdict};
use crate::platform::encoding;
use crate::platform::files::{self, FileError};
use crate::platform::ownership::{self, OwnershipError};
use crate::platform::process::ProcessIdentity;
use crate::platform::regular;
use crate::untrusted::UntrustedText;

/// Maximum size. The largest document is the manifest of an engine, with some hundred bytes per file.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;

/// The name of the model that ACOLYTE uses.
pub static SERVED_MODEL: ModelTag = ModelTag::constant("registry.ollama.ai/library/acolyte:latest");
/// The previous one, kept until a change of profile is verified.
pub static PREVIOUS_MODEL: ModelTag = ModelTag::constant("registry.ollama.ai/library/acolyte:previous");

/// `profile.yaml`: which server and model ACOLYTE uses, and what to expect of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileFile {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// When it was written, RFC 3339.
    pub written_at: UntrustedText,
    /// Profile id.
    pub profile: UntrustedText,
    /// Address of the server: `http://127.0.0.1:42434`.
    pub endpoint: UntrustedText,
    /// Its port.
    pub port: u16,
    /// The model to ask for.
    pub model: ModelTag,
    /// The tag it was made from.
    pub base_model: ModelTag,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Layers on the GPU.
    pub gpu_layers: u32,
    /// All layers.
    pub total_layers: u32,
    /// The engine chooses the layers itself, because that was faster; `gpu_layers` is what it chose when measured.
    #[serde(default)]
    pub automatic_layers: bool,
    /// Prompt tokens processed at once.
    pub num_batch: u32,
    /// Threads on the processor, where tuning set them; else the engine decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_thread: Option<u32>,
    /// Tokens that are drafted at once, where tuning set it; else as the base model says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft_num_predict: Option<u32>,
    /// Whether the model's file is mapped into memory, where tuning set it; else the engine decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_mmap: Option<bool>,
    /// Blocks, counted from the first, whose routed experts stay in main memory; with `automatic_layers`, as many as the
    /// engine left there when measured, counted from the last.
    #[serde(default)]
    pub n_cpu_moe: u32,
    /// What the user set by hand (`acolyte set`); absent where everything is as planned.
    #[serde(default, skip_serializing_if = "HandSettings::is_empty")]
    pub set_by_hand: HandSettings,
    /// Most main memory for the engine's cache of earlier prompts, in MiB; 0 for no such cache. `None` in profiles of
    /// earlier versions: the engine's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_cache_mib: Option<u32>,
    /// Most checkpoints of a prompt; `None` for a model that needs none, and in profiles of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_checkpoints: Option<u32>,
    /// Whether weights in main memory may be page-locked.
    #[serde(default = "yes")]
    pub pinned_memory: bool,
    /// Whether the engine looks for cards through Vulkan only, because it finds none otherwise; written where it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vulkan_only: bool,
    /// Whether no card is meant to be used through Vulkan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_vulkan: bool,
    /// Verdict of the plan for the placement that is kept.
    pub verdict: Verdict,
    /// Whether it runs with limits that needed consent.
    pub degraded: bool,
    /// What ACOLYTE shows above each answer if degraded, in the language of the installation.
    #[serde(default)]
    pub banner: Option<String>,
    /// The limits that the banner names, to show it in another language; earlier versions did not write them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// The engine's version, as the release says.
    pub engine_version: UntrustedText,
    /// The engine's program.
    pub engine_program: PathBuf,
    /// Folder of the models.
    pub models_dir: PathBuf,
    /// Whether the server is started at login.
    pub autostart: bool,
    /// Whether graphics memory is watched from login on; written where it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watch: bool,
    /// The served model as it was measured, to notice that it was changed; earlier versions did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Fingerprint>,
}

impl ProfileFile {
    /// Parameters of the served model.
    pub fn parameters(&self) -> CreateParameters {
        CreateParameters {
            num_ctx: self.context_tokens,
            num_gpu: if self.automatic_layers { AUTOMATIC } else { i64::from(self.gpu_layers) },
            num_batch: Some(self.num_batch),
            num_thread: self.num_thread,
            draft_num_predict: self.draft_num_predict,
            use_mmap: self.use_mmap,
        }
    }

    /// Whether the served model, as it was measured, was made of this model of a store; `None` if it was made of none of
    /// that tag there. Parameters are merged into a layer of their own, so they are not compared.
    pub fn was_made_of(&self, tag: &ModelTag, models_dir: &Path, manifest: &Manifest) -> Option<bool> {
        const PARAMETERS: &str = "application/vnd.ollama.image.params";
        if self.base_model != *tag || self.models_dir != models_dir {
            return None;
        }
        let served = self.served.as_ref()?;
        let mut layers = manifest.layers.iter().filter(|layer| layer.media_type != PARAMETERS);
        Some(layers.all(|layer| served.layers.iter().any(|kept| kept.sha256 == layer.sha256)))
    }

    /// What only the runner's environment says.
    pub fn runner(&self) -> RunnerSettings {
        let told = if self.automatic_layers { 0 } else { self.n_cpu_moe };
        RunnerSettings {
            experts_in_ram: ExpertsInRam::of(told, self.total_layers.saturating_sub(1)),
            prompt_cache_mib: self.prompt_cache_mib,
            context_checkpoints: self.context_checkpoints,
            pinned_memory: self.pinned_memory,
            vulkan_only: self.vulkan_only,
            without_vulkan: self.without_vulkan,
        }
    }
}

/// Pinned memory is the engine's default.
fn yes() -> bool {
    true
}

/// `consent.json`: the text that the user agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentFile {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// When, RFC 3339.
    pub agreed_at: String,
    /// Profile id.
    pub profile: String,
    /// The model.
    pub model: ModelTag,
    /// The whole text, in the language of the installation.
    pub text: String,
}

/// `server.json`: the server we started last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFile {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The engine's program.
    pub program: PathBuf,
    /// Its port.
    pub port: u16,
    /// Folder of the models.
    pub models_dir: PathBuf,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// What only the runner's environment says.
    #[serde(default)]
    pub runner: RunnerSettings,
    /// Its process; `None` when the service manager starts it.
    #[serde(default)]
    pub process: Option<ProcessIdentity>,
}

impl ServerFile {
    /// Reads it; `None` when no server was started.
    ///
    /// # Errors
    /// When it exists but cannot be read, or names a program that is not ours.
    pub fn load(paths: &Paths, file: &Path) -> Result<Option<Self>, DocumentError> {
        let Some(server) = read_json::<Self>(file)? else { return Ok(None) };
        require_engine(paths, file, &server.program)?;
        require_absolute(file, &server.models_dir)?;
        Ok(Some(server))
    }

    /// The file of a server started with these settings.
    pub fn new(launch: &Launch, process: Option<ProcessIdentity>) -> Self {
        Self {
            schema: SCHEMA,
            program: launch.program.clone(),
            port: launch.port,
            models_dir: launch.models_dir.clone(),
            kv_cache_type: launch.kv_cache_type,
            runner: launch.runner,
            process,
        }
    }

    /// The settings to start it with.
    pub fn launch(&self, paths: &Paths) -> Launch {
        Launch {
            program: self.program.clone(),
            port: self.port,
            models_dir: self.models_dir.clone(),
            kv_cache_type: self.kv_cache_type,
            runner: self.runner,
            home: paths.engine_home(),
            log: paths.server_log(),
            network: BTreeMap::new(),
        }
    }
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// Other users own it or can change it, or the folder it is in.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// It names a path that is not ours.
    #[error("{document} names {path}, which is not ours")]
    ForeignPath {
        /// The document, or the journal.
        document: PathBuf,
        /// The path, or the name of a model.
        path: PathBuf,
    },
    /// It is not a valid document.
    #[error("{path} is not valid: {cause}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        cause: UntrustedText,
    },
}

/// What is installed under a home.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// The active profile.
    pub profile: ProfileFile,
    /// The last receipt.
    pub receipt: Option<Receipt>,
}

impl Installed {
    /// Reads what is installed; `None` when nothing is.
    ///
    /// # Errors
    /// When a document exists but cannot be read.
    pub fn load(home: &Path) -> Result<Option<Self>, DocumentError> {
        let paths = Paths::new(home);
        home::require_ours(&paths)?;
        Self::from_files(&paths, &paths.profile(), &paths.receipt())
    }

    /// The version that its server reported when it was measured; without a receipt, the one that the release names.
    pub fn measured_version(&self) -> &str {
        self.receipt.as_ref().map_or(&self.profile.engine_version, |receipt| &receipt.engine_version)
    }

    /// How its server is started.
    pub fn launch(&self, paths: &Paths) -> Launch {
        let profile = &self.profile;
        Launch {
            program: profile.engine_program.clone(),
            port: profile.port,
            models_dir: profile.models_dir.clone(),
            kv_cache_type: profile.kv_cache_type,
            runner: profile.runner(),
            home: paths.engine_home(),
            log: paths.server_log(),
            network: BTreeMap::new(),
        }
    }

    /// Reads these two files; `None` when there is no profile.
    ///
    /// # Errors
    /// As [`Installed::load`].
    pub fn from_files(paths: &Paths, profile: &Path, receipt: &Path) -> Result<Option<Self>, DocumentError> {
        let Some(read) = read_yaml::<ProfileFile>(profile)? else { return Ok(None) };
        require_engine(paths, profile, &read.engine_program)?;
        require_absolute(profile, &read.models_dir)?;
        Ok(Some(Self { profile: read, receipt: read_json(receipt)? }))
    }
}

/// Accepts only a program below our engines folder.
fn require_engine(paths: &Paths, document: &Path, program: &Path) -> Result<(), DocumentError> {
    let program_below = paths.below(program).map(|below| paths.home().join(below));
    let is_ours =
        program_below.is_some_and(|below| below.starts_with(paths.engines()) && below != paths.engines());
    if is_ours { Ok(()) } else { Err(foreign(document, program)) }
}

/// Accepts only an absolute path without `..`.
///
/// # Errors
/// When it is any other path.
pub fn require_absolute(document: &Path, folder: &Path) -> Result<(), DocumentError> {
    let is_plain =
        folder.is_absolute() && !folder.components().any(|part| part == std::path::Component::ParentDir);
    if is_plain { Ok(()) } else { Err(foreign(document, folder)) }
}

/// The error of a document that names this path.
pub fn foreign(document: &Path, path: &Path) -> DocumentError {
    DocumentError::ForeignPath { document: document.to_owned(), path: path.to_owned() }
}

/// Reads a JSON document; `None` when it does not exist.
///
/// # Errors
/// When it cannot be read or is invalid.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, DocumentError> {
    read(path)?
        .map(|text| {
            serde_json::from_str(&text).map_err(|error| DocumentError::Format {
                path: path.to_owned(),
                cause: error.to_string().into(),
            })
        })
        .transpose()
}

/// Reads a YAML document; `None` when it does not exist.
///
/// # Errors
/// When it cannot be read or is invalid.
pub fn read_yaml<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, DocumentError> {
    read(path)?
        .map(|text| {
            serde_saphyr::from_str(&text).map_err(|error| DocumentError::Format {
                path: path.to_owned(),
                cause: error.to_string().into(),
            })
        })
        .transpose()
}

/// A document as indented JSON.
///
/// # Errors
/// Never for our documents: they hold nothing that JSON cannot.
pub fn to_json(path: &Path, document: &impl Serialize) -> Result<Vec<u8>, FileError> {
    let mut json = serde_json::to_vec_pretty(document).map_err(|error| files::writing(path)(error.into()))?;
    json.push(b'\n');
    Ok(json)
}

/// A document as YAML.
///
/// # Errors
/// Never for our documents: they hold nothing that YAML cannot.
pub fn to_yaml(path: &Path, document: &impl Serialize) -> Result<Vec<u8>, FileError> {
    serde_saphyr::to_string(document)
        .map(String::into_bytes)
        .map_err(|error| files::writing(path)(std::io::Error::other(error.to_string())))
}

fn read(path: &Path) -> Result<Option<String>, DocumentError> {
    let Some(bytes) = read_document(path)? else { return Ok(None) };
    encoding::decode(bytes)
        .map(Some)
        .map_err(|error| DocumentError::Format { path: path.to_owned(), cause: error.to_string().into() })
}

/// Reads one of our documents as it is; `None` when it does not exist.
///
/// # Errors
/// As [`read_trusted`].
pub fn read_document(path: &Path) -> Result<Option<Vec<u8>>, DocumentError> {
    read_trusted(path, MAX_DOCUMENT_BYTES)
}

/// Reads one of our files; `None` when it does not exist.
///
/// # Errors
/// When it cannot be read, is larger than the limit, or other users own it or can change it.
pub fn read_trusted(path: &Path, limit_bytes: u64) -> Result<Option<Vec<u8>>, DocumentError> {
    let file = match regular::open_no_link(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(files::reading(path)(error).into()),
    };
    ownership::require_own_open_file(&file, path)?;
    Ok(Some(regular::read_open(file, limit_bytes).map_err(files::reading(path))?))
}

#[cfg(test)]
mod tests;
