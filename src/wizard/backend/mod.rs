//! What the window asks others to do, and what comes back.
//!
//! The window's thread never waits: every call of [`Backend`] that could take time starts a worker thread and returns,
//! and the worker sends [`Message`]s through an [`Outbox`], which also wakes the window. Tests put a scripted backend
//! in the place of the real one.

mod dialogs;
mod live;
mod reports;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::control::Control;
use crate::hardware::evidence::Evidence;
use crate::install::manage::undo::Unfinished;
use crate::install::reuse::InstalledEngine;
use crate::install::{EngineSource, Event, Receipt, Request, SavedRequest};
use crate::machine::Hardware;
use crate::models::Model;
use crate::ollama::http::HttpOptions;
use crate::ollama::release::Release;
use crate::plan::{Candidate, Plan, Report};
use crate::text::Text;
use crate::wizard::Settings;

pub(super) use dialogs::REPORT_NAME;
pub use live::Live;

/// What detection found, and what follows from it.
#[derive(Debug)]
pub struct Found {
    /// The machine.
    pub hardware: Hardware,
    /// What its sources said; `None` when the machine came from a file.
    pub evidence: Option<Evidence>,
    /// Every profile against it.
    pub report: Report,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What a report tells of besides the settings and logs here.
#[derive(Clone, Debug, Default)]
pub struct ReportContents {
    /// The machine on the pages; this one is asked when there is none.
    pub found: Option<Arc<Found>>,
    /// What the installation on the page has logged.
    pub log: Option<String>,
    /// What it measured.
    pub receipt: Option<Receipt>,
}

/// Where an installation would go, before the person changes anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Our folder.
    pub home: PathBuf,
    /// Folder of the models.
    pub models_dir: PathBuf,
}

/// Where the engine comes from, before the person changes anything.
#[derive(Clone, Debug, Default)]
pub struct EngineDefaults {
    /// As the program was started.
    pub source: EngineSource,
    /// The newest release was asked for.
    pub wants_newest: bool,
    /// An engine that is here, recent enough, and may be used.
    pub here: Option<InstalledEngine>,
}

/// An installation of ours.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Profile id.
    pub profile: String,
    /// Tag of the model.
    pub model: String,
    /// Our folder.
    pub home: PathBuf,
    /// Port of the private server.
    pub port: u16,
    /// Whether the server starts at login.
    pub autostart: bool,
    /// The banner of a degraded installation.
    pub banner: Option<String>,
    /// The receipt, when the installation got so far.
    pub receipt: Option<Receipt>,
    /// Version of the engine.
    pub engine_version: String,
    /// What was asked for then, to be done again by a repair or an update.
    pub asked: Option<Box<SavedRequest>>,
}

/// How an installation is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct InstallationHealth {
    /// Whether the server answers.
    pub running: bool,
    /// Version of the engine, as it says itself.
    pub engine_version: Option<String>,
    /// Bytes the model takes in memory; `None` while it is not loaded.
    pub loaded_bytes: Option<u64>,
    /// What is wrong, in the person's language; empty when all is well.
    pub problems: Vec<String>,
}

/// What can be done to an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManageAction {
    /// Start the server.
    Start,
    /// Stop it.
    Stop,
    /// Take back an installation that was cut short.
    Undo,
    /// Remove everything that was installed.
    Remove {
        /// Leave the models where they are.
        keep_models: bool,
    },
}

/// An error, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerError(pub String);

/// What workers send to the window.
#[derive(Debug)]
pub enum Message {
    /// Whether there is an installation.
    Installation(Result<Option<Installation>, WorkerError>),
    /// The last installation was cut short.
    CutShort(Box<Unfinished>),
    /// Everything that is installed was looked at.
    Looked,
    /// Detection ended.
    Detected(Result<Arc<Found>, WorkerError>),
    /// A typed model reference was looked up.
    ModelFound {
        /// What was typed.
        reference: String,
        /// The model.
        model: Result<Arc<Model>, WorkerError>,
    },
    /// The installation moves.
    InstallEvent(Event),
    /// The installation ended.
    InstallEnded(Result<Receipt, InstallEnd>),
    /// A piece of an answer.
    AnswerPart(String),
    /// An answer ended.
    AnswerEnded(Result<AnswerFigures, WorkerError>),
    /// How the installation is doing.
    Health(Result<InstallationHealth, WorkerError>),
    /// Something was done to the installation.
    Managed(ManageAction, Result<(), WorkerError>),
    /// A dialog for a folder or file was closed.
    PathPicked(PathField, Option<PathBuf>),
    /// The newest release of the engine was looked for.
    NewestFound(Result<Box<Release>, WorkerError>),
    /// A report was written, or the dialog for it closed without a choice.
    ReportSaved(Result<Option<PathBuf>, WorkerError>),
    /// Something could not be opened.
    OpenFailed(WorkerError),
}

/// Which folder or file a dialog was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathField {
    /// Our folder.
    Home,
    /// The models' folder.
    Models,
    /// An archive of the engine.
    Archive,
    /// Certificates to trust.
    Certificates,
}

impl PathField {
    /// Whether a file is wanted, not a folder.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Archive | Self::Certificates)
    }
}

/// Why an installation ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallEnd {
    /// The person stopped it.
    Cancelled,
    /// It failed; what happened and what to do.
    Failed(WorkerError),
    /// Memory ran out; it may fit with a KV cache at 4 bits, which the person must agree to first.
    FourBits(WorkerError),
}

/// What was measured on one answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerFigures {
    /// Tokens written a second; `None` when the answer was stopped.
    pub tokens_per_s: Option<f64>,
    /// Seconds to the first token; `None` when none came.
    pub first_token_s: Option<f64>,
}

/// Where workers put their messages. Sending wakes the window.
#[derive(Clone)]
pub struct Outbox {
    sender: Sender<Message>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Outbox {
    /// Messages go to `sender`; `wake` is called after each.
    pub fn new(sender: Sender<Message>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { sender, wake }
    }

    /// Sends a message. The window may be gone by now; then nobody is left to be told.
    pub fn send(&self, message: Message) {
        if self.sender.send(message).is_ok() {
            (self.wake)();
        }
    }
}

/// What the window asks others to do. No call waits; what takes time is answered by a [`Message`].
pub trait Backend {
    /// Where things go unless the person says otherwise.
    fn places(&self) -> Places;
    /// Version of the engine that would be installed; `None` when the list of releases cannot be read.
    fn engine_version(&self) -> Option<String>;
    /// Bytes of the archive of [`Backend::engine_version`] for this machine; `None` when unknown.
    fn engine_download_bytes(&self, hardware: &Hardware) -> Option<u64>;
    /// Where the engine comes from, as the program was started, and an engine on this machine that could be used.
    fn source(&self, hardware: &Hardware) -> EngineDefaults;
    /// Looks for the newest release → [`Message::NewestFound`].
    fn find_newest(&self, source: EngineSource, text: Text, outbox: Outbox);
    /// Looks for an installation → [`Message::Installation`], and [`Message::CutShort`] where there is reason to.
    fn look_for_installation(&self, text: Text, outbox: Outbox);
    /// Detects and assesses → [`Message::Detected`].
    fn detect(&self, models_dir: PathBuf, text: Text, outbox: Outbox);
    /// The models that can be chosen besides the profiles'.
    fn catalogue(&self) -> Vec<Arc<Model>>;
    /// A candidate of the person's own; arithmetic only.
    fn custom(&self, custom: &CustomModel) -> Candidate;
    /// One candidate against a machine; arithmetic only.
    fn make_plan(&self, candidate: &Candidate, hardware: &Hardware) -> Plan;
    /// The machine as the estimator sees it.
    fn machine(&self, hardware: &Hardware) -> crate::estimate::MachineFigures;
    /// The same for a choice that may need several cards.
    fn machine_for(&self, choice: &Plan, hardware: &Hardware) -> crate::estimate::MachineFigures;
    /// The text a person consents to.
    fn consent_text(&self, plan: &Plan, text: Text) -> String;
    /// The banner shown above each answer, for a degraded choice.
    fn banner(&self, plan: &Plan, text: Text) -> Option<String>;
    /// Free bytes on the disk of a folder; `None` when unknown. Quick.
    fn free_bytes(&self, folder: &Path) -> Option<u64>;
    /// What starts the server at login on this system, in words.
    fn login_kind(&self, text: Text) -> String;
    /// Looks up a typed reference → [`Message::ModelFound`].
    fn find_model(&self, reference: String, http: HttpOptions, text: Text, outbox: Outbox);
    /// Installs → [`Message::InstallEvent`]s, then [`Message::InstallEnded`].
    fn install(&self, request: Request, text: Text, control: Control, outbox: Outbox);
    /// Asks the installed model → [`Message::AnswerPart`]s, then [`Message::AnswerEnded`].
    fn ask(&self, port: u16, prompt: String, text: Text, control: Control, outbox: Outbox);
    /// Reads how an installation is doing → [`Message::Health`].
    fn health(&self, home: PathBuf, text: Text, outbox: Outbox);
    /// Changes an installation → [`Message::Managed`].
    fn manage(&self, home: PathBuf, action: ManageAction, text: Text, outbox: Outbox);
    /// Opens a dialog for a folder or file → [`Message::PathPicked`].
    fn pick_path(&self, of: PathField, start: PathBuf, outbox: Outbox);
    /// Opens a dialog for a file and writes the report there → [`Message::ReportSaved`].
    fn save_report_as(&self, about: ReportContents, text: Text, outbox: Outbox);
    /// Writes the report to a typed path → [`Message::ReportSaved`].
    fn save_report(&self, about: ReportContents, path: PathBuf, text: Text, outbox: Outbox);
    /// Keeps how the window looks for the next start, where something is installed.
    fn remember(&self, settings: Settings);
    /// Shows a web page in the system's browser.
    fn open_link(&self, url: &'static str, text: Text, outbox: Outbox);
    /// Shows a folder in the system's file manager.
    fn open_folder(&self, folder: PathBuf, text: Text, outbox: Outbox);
}

/// The person's own choice of a model.
#[derive(Clone, Debug)]
pub struct CustomModel {
    /// The model.
    pub model: Arc<Model>,
    /// Type of the KV cache.
    pub kv_cache_type: crate::models::KvCacheType,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Layers on the GPU; `None` for as many as fit.
    pub gpu_layers: Option<u32>,
}
