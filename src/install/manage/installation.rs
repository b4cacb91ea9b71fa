//! What is installed and its health; starting and stopping its server; models it does not need.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::control::Control;
use crate::hardware::gpu_processes;
use crate::install::blocking::runtime;
use crate::install::change::Change;
use crate::install::change::journal::{Journal, changes};
use crate::install::engine_manifest::{Depth, EngineManifest};
use crate::install::manage::undo::is_unfinished;
use crate::install::state::documents::{Installed, PREVIOUS_MODEL, ProfileFile, SERVED_MODEL};
use crate::install::{InstallError, Lock, Paths, private_server};
use crate::models::ModelTag;
use crate::ollama::client::{Client, ClientError};
use crate::ollama::failure::EngineFailure;
use crate::ollama::release::is_same_version;
use crate::ollama::replies::{Loaded, ShowResponse};
use crate::ollama::server::{Runners, ServerError, choose_port, end_orphans, rotate_while_running};
use crate::ollama::store::{Difference, Store};
use crate::platform::listening::{Listener, PortOwner};
use crate::platform::process::{self, RunningProcess};
use crate::untrusted::UntrustedText;

/// Timeout for the graphics driver.
const DRIVER_LIMIT: Duration = Duration::from_secs(5);

/// Health of an installation.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// What is installed; `None` when nothing is.
    pub installed: Option<Installed>,
    /// Whether the last installation was interrupted.
    pub unfinished: bool,
    /// Whether our server runs.
    pub running: bool,
    /// Its version, when it answers.
    pub version: Option<UntrustedText>,
    /// The model, when it is in memory.
    pub loaded: Option<Loaded>,
    /// Who listens on the server's port.
    pub listener: Listener,
    /// The version that the server reports, where that is not the one that was measured. Nothing more is asked of it.
    pub other_version: Option<UntrustedText>,
    /// Whether the served model is the one that was measured.
    pub model: ServedModel,
    /// Processes of ours whose server was killed: they answer nobody, and keep their memory.
    pub orphans: Vec<OrphanedRunner>,
}

/// A process of the engine whose server has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrphanedRunner {
    /// Its id.
    pub pid: u32,
    /// Main memory that it holds, in bytes.
    pub ram_bytes: Option<u64>,
    /// Graphics memory that it holds, in bytes, where the driver tells.
    pub vram_bytes: Option<u64>,
}

impl OrphanedRunner {
    /// Memory that it holds, in bytes, as far as it is known.
    pub fn bytes(&self) -> u64 {
        self.ram_bytes.unwrap_or(0).saturating_add(self.vram_bytes.unwrap_or(0))
    }
}

/// Whether the served model is the one that was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServedModel {
    /// Its measurement was not recorded, or nothing is installed.
    #[default]
    Unknown,
    /// It is.
    AsMeasured,
    /// It was changed since: its files, or the parameters that the server has for it.
    Changed,
    /// It was removed.
    Missing,
}

/// One of our models that the active profile does not need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnusedModel {
    /// Its tag.
    pub tag: ModelTag,
    /// The model store it is in.
    pub models_dir: PathBuf,
    /// Bytes of its layers; those it shares with others stay when it is removed.
    pub bytes: u64,
}

/// Reads what is installed and queries its server. Blocks until the server responds, 5 seconds at most.
///
/// # Errors
/// When a document cannot be read.
pub fn health(home: &Path) -> Result<Health, InstallError> {
    let paths = Paths::new(home);
    let installed = Installed::load(home)?;
    let running = private_server::is_running(&paths);
    if running && let Err(error) = rotate_while_running(&paths.server_log()) {
        tracing::warn!(%error, "the server's log could not be rotated");
    }
    let mut health = Health {
        installed,
        unfinished: is_unfinished(&paths)?,
        running,
        version: None,
        loaded: None,
        listener: Listener::Nobody,
        other_version: None,
        model: ServedModel::Unknown,
        orphans: Vec::new(),
    };
    let runners = Runners::of(&paths.engines());
    health.orphans = orphans(&runners);
    let Some(installed) = &health.installed else { return Ok(health) };
    health.model = served_model(&installed.profile);
    health.listener = listener(&paths, installed.profile.port, running);
    if running && matches!(health.listener, Listener::Ours | Listener::Unknown) {
        let client = private_server::client(&paths, installed.profile.port)?;
        match block_on(async { Ok(ask(&client, installed).await) })? {
            Ok(said) => {
                (health.version, health.other_version) = (said.version, said.other_version);
                // The engine notices only at the next question that its runner was killed.
                health.loaded = said.loaded.filter(|_| !runners.served.is_empty());
                health.model = health.model.with(said.model);
            }
            // It ended meanwhile, and another program took its port.
            Err(by) => health.listener = Listener::Other(by),
        }
    }
    if matches!(health.model, ServedModel::Changed | ServedModel::Missing) {
        tracing::warn!(model = ?health.model, "the served model is not the one that was measured");
    }
    Ok(health)
}

/// What runners without a server hold. The graphics driver is asked only if there are any.
fn orphans(runners: &Runners) -> Vec<OrphanedRunner> {
    if runners.orphans.is_empty() {
        return Vec::new();
    }
    let on_cards = gpu_processes(DRIVER_LIMIT);
    let of_card = |pid: u32| -> Option<u64> {
        let used: Vec<u64> = on_cards
            .iter()
            .filter(|found| found.pid == Some(pid))
            .filter_map(|found| found.used_bytes)
            .collect();
        (!used.is_empty()).then(|| used.iter().sum())
    };
    let orphan = |found: &RunningProcess| {
        let pid = found.identity.pid;
        OrphanedRunner { pid, ram_bytes: process::memory_of_tree(pid), vram_bytes: of_card(pid) }
    };
    runners.orphans.iter().map(orphan).collect()
}

/// Who listens on the server's port. If none of our servers runs, an unknown listener does not matter.
fn listener(paths: &Paths, port: u16, running: bool) -> Listener {
    match private_server::listener(paths, port) {
        Listener::Unknown if !running => Listener::Nobody,
        listener => listener,
    }
}

/// What the server says of itself and of the served model.
#[derive(Default)]
struct Said {
    version: Option<UntrustedText>,
    other_version: Option<UntrustedText>,
    loaded: Option<Loaded>,
    model: ServedModel,
}

/// Asks the server. One that does not respond says nothing. The error is another program that took its port meanwhile.
async fn ask(client: &Client, installed: &Installed) -> Result<Said, PortOwner> {
    let mut said = Said::default();
    match answered(client.version().await)? {
        Ok(version) if is_same_version(&version, installed.measured_version()) => {
            said.version = Some(version);
        }
        other => return Ok(Said { other_version: other.ok(), ..said }),
    }
    let loaded = answered(client.ps().await)?.unwrap_or_default();
    said.loaded = loaded.into_iter().find(|model| SERVED_MODEL.is(&model.name));
    said.model = match answered(client.show(&SERVED_MODEL).await)? {
        Ok(shown) if has_parameters(&shown, &installed.profile) => ServedModel::AsMeasured,
        Ok(_) => ServedModel::Changed,
        Err(error) if error.failure() == Some(EngineFailure::ModelMissing) => ServedModel::Missing,
        Err(_) => ServedModel::Unknown,
    };
    Ok(said)
}

fn answered<T>(answer: Result<T, ClientError>) -> Result<Result<T, ClientError>, PortOwner> {
    match answer {
        Err(ClientError::Stranger { by, .. }) => Err(by),
        other => Ok(other),
    }
}

/// Whether a model has the parameters that it was created with.
fn has_parameters(shown: &ShowResponse, profile: &ProfileFile) -> bool {
    profile.parameters().shown().iter().all(|(name, set)| shown.parameter(name) == Some(set.as_str()))
}

/// Whether the served model's files are those that were measured.
fn served_model(profile: &ProfileFile) -> ServedModel {
    let Some(before) = &profile.served else { return ServedModel::Unknown };
    match Store::new(&profile.models_dir).difference(&SERVED_MODEL, before, &Control::new()) {
        None => ServedModel::AsMeasured,
        Some(Difference::Changed) => ServedModel::Changed,
        Some(Difference::Missing) => ServedModel::Missing,
    }
}

impl ServedModel {
    /// Combines two results: the worse one counts.
    fn with(self, other: Self) -> Self {
        let rank = |model: &Self| match model {
            Self::Unknown => 0,
            Self::AsMeasured => 1,
            Self::Changed => 2,
            Self::Missing => 3,
        };
        std::cmp::max_by_key(self, other, rank)
    }
}

/// What is installed.
///
/// # Errors
/// When nothing is, or a document cannot be read.
pub fn installed(home: &Path) -> Result<Installed, InstallError> {
    Installed::load(home)?.ok_or_else(|| InstallError::NotInstalled { home: home.to_owned() })
}

/// A client of the installed server, after verifying that the listener is ours and has the measured version.
///
/// # Errors
/// When nothing is installed, another process or none listens on its port, or it reports another version.
pub fn client(home: &Path) -> Result<Client, InstallError> {
    let installed = installed(home)?;
    let (paths, port) = (Paths::new(home), installed.profile.port);
    // With a client of its own: connections do not outlive the runtime they were made in.
    let asking = private_server::client(&paths, port)?;
    let found = block_on(async { Ok(asking.version().await?) })?;
    let expected = installed.measured_version();
    if !is_same_version(&found, expected) {
        return Err(ServerError::OtherVersion { port, found, expected: expected.into() }.into());
    }
    private_server::client(&paths, port)
}

/// The port of the installed server and who listens on it; `None` if nothing is installed.
///
/// # Errors
/// When a document cannot be read.
pub fn port_listener(home: &Path) -> Result<Option<(u16, Listener)>, InstallError> {
    let Some(installed) = Installed::load(home)? else { return Ok(None) };
    let (paths, port) = (Paths::new(home), installed.profile.port);
    Ok(Some((port, listener(&paths, port, private_server::is_running(&paths)))))
}

/// Starts the installed server and waits until it responds; a running one is kept.
///
/// # Errors
/// When nothing is installed, a file of the engine is damaged, its port is taken, it does not start, or it reports another
/// version than was measured.
pub fn start(home: &Path, control: &Control) -> Result<Health, InstallError> {
    let (paths, _lock, installed) = open(home)?;
    let launch = installed.launch(&paths);
    block_on(async {
        let measured = installed.measured_version();
        let running = private_server::running(&paths, &launch).await?;
        if running.is_some_and(|server| server.require_version(measured).is_ok()) {
            end_orphans(&paths.engines())?;
            return Ok(());
        }
        verify_engine(&paths, &launch.program, control)?;
        private_server::stop(&paths).await?;
        choose_port(Some(launch.port), None, &[])?;
        let server = control.or_cancelled(private_server::start_again(&paths, &launch)).await??;
        if let Err(error) = server.require_version(measured) {
            private_server::stop(&paths).await?;
            return Err(error.into());
        }
        Ok(())
    })?;
    health(home)
}

/// Stops the installed server with its child processes.
///
/// # Errors
/// When nothing is installed or a process cannot be stopped.
pub fn stop(home: &Path) -> Result<Health, InstallError> {
    let (paths, _lock, _) = open(home)?;
    block_on(async { private_server::stop(&paths).await })?;
    end_orphans(&paths.engines())?;
    health(home)
}

/// Models we fetched that the active profile does not need.
///
/// # Errors
/// When a document cannot be read.
pub fn unused_models(home: &Path) -> Result<Vec<UnusedModel>, InstallError> {
    let paths = Paths::new(home);
    let Some(installed) = Installed::load(home)? else { return Ok(Vec::new()) };
    let pulled = changes(&Journal::read(&paths)?).into_iter().filter_map(|change| match change {
        Change::PullModel { tag, models_dir } => Some((tag, models_dir)),
        _ => None,
    });
    let unused = pulled.filter(|(tag, models_dir)| {
        let needed = *tag == installed.profile.base_model && *models_dir == installed.profile.models_dir;
        !needed && Store::new(models_dir).has(tag)
    });
    Ok(unused
        .map(|(tag, models_dir)| UnusedModel { bytes: Store::new(&models_dir).bytes(&tag), tag, models_dir })
        .collect())
}

/// Removes models that the active profile does not need. Shared layers stay. Returns the bytes freed.
///
/// # Errors
/// When nothing is installed or a file cannot be removed.
pub fn remove_unused_models(home: &Path) -> Result<u64, InstallError> {
    let (_, _lock, _) = open(home)?;
    let mut freed = 0;
    for model in unused_models(home)? {
        freed += Store::new(&model.models_dir).remove(&[&model.tag, &PREVIOUS_MODEL], false)?;
    }
    Ok(freed)
}

fn open(home: &Path) -> Result<(Paths, Lock, Installed), InstallError> {
    let paths = Paths::new(home);
    let installed =
        Installed::load(home)?.ok_or_else(|| InstallError::NotInstalled { home: home.to_owned() })?;
    let lock = Lock::take(&paths.lock(), paths.home())?;
    Ok((paths, lock, installed))
}

/// Checks the engine's files for damage since they were unpacked, such as by a power cut or a virus scanner.
fn verify_engine(paths: &Paths, program: &Path, control: &Control) -> Result<(), InstallError> {
    let folder = program.ancestors().find(|folder| folder.parent() == Some(&paths.engines()));
    let damaged = match folder.and_then(|folder| Some((folder, EngineManifest::load(folder)?))) {
        Some((folder, manifest)) => manifest.first_damaged(folder, Depth::Quick, control)?,
        None => (!program.is_file()).then(|| program.to_owned()),
    };
    damaged.map_or(Ok(()), |path| Err(InstallError::EngineDamaged { path }))
}

fn block_on<T>(work: impl Future<Output = Result<T, InstallError>>) -> Result<T, InstallError> {
    runtime()?.block_on(work)
}
