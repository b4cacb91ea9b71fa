//! What a backend answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::command::{ManageAction, ModelReference, PathField};
use super::detected::{Detected, SettingSource};
use super::error::WorkerError;
use super::look::LiveLook;
use crate::install::keep::KeptFile;
use crate::install::manage::ModelOnDrive;
use crate::install::manage::keep::KeepPreview;
use crate::install::manage::kept::Kept;
use crate::install::manage::undo::Unfinished;
use crate::install::manage::uninstall::Removal;
use crate::install::updates::Updates;
use crate::install::{Event, InstallOptions, Installed, PublishedModel, Receipt, SavedRequest};
use crate::models::Model;
use crate::ollama::release::Release;
use crate::plan::{Inventory, Tip};
use crate::platform::listening::PortOwner;
use crate::untrusted::UntrustedText;

/// What a backend sends to the window.
#[derive(Debug)]
pub enum Message {
    /// Version of the engine that would be installed.
    EngineVersion(String),
    /// Whether there is an installation.
    Installation(Result<Option<Installation>, WorkerError>),
    /// The last installation was interrupted.
    Interrupted(Box<Unfinished>),
    /// Detection ended.
    Detected(Result<Arc<Detected>, WorkerError>),
    /// What was found on the drives that an installation with these options would use.
    Inventory(Box<InstallOptions>, Inventory),
    /// The file of a model was read, for an installation with these options.
    ModelRead {
        /// The options.
        options: Box<InstallOptions>,
        /// The model as it was known before.
        asked: Arc<Model>,
        /// The model of the file.
        published: Result<PublishedModel, WorkerError>,
    },
    /// A model of the user's own was looked up.
    ModelFound {
        /// What was typed or picked.
        reference: ModelReference,
        /// The model.
        model: Result<Arc<Model>, WorkerError>,
    },
    /// Progress of the installation.
    InstallEvent(Event),
    /// This program was kept on the computer after the installation.
    ProgramKept(Result<Box<Kept>, WorkerError>),
    /// The installation ended.
    InstallEnded(Result<Box<Receipt>, WorkerError>),
    /// A piece of an answer.
    AnswerPart(String),
    /// An answer ended.
    AnswerEnded(Result<AnswerFigures, WorkerError>),
    /// The installation was checked.
    Health(Result<InstallationHealth, WorkerError>),
    /// The cards, the model and the server's log were looked at.
    Looked(Box<LiveLook>),
    /// Optimization tips for what is installed.
    Tips(Vec<Tip>),
    /// What is newer than the installation.
    Updates(Result<KnownUpdates, WorkerError>),
    /// What would be removed.
    RemovalPreviewed(Result<Removal, WorkerError>),
    /// The installation was changed.
    Managed(ManageAction, Result<(), WorkerError>),
    /// Progress of tuning an installation.
    TuneEvent(Event),
    /// Tuning an installation ended.
    TuneEnded(Result<(), WorkerError>),
    /// What a change of single settings is planned with.
    SettingsRead(Result<Arc<SettingSource>, WorkerError>),
    /// The models on the drive.
    ModelsListed(Result<Vec<ModelOnDrive>, WorkerError>),
    /// A model was removed.
    ModelRemoved(Result<(), WorkerError>),
    /// A dialog for a folder or file was closed.
    PathPicked(PathField, Option<PathBuf>),
    /// The newest release of the engine was looked for.
    NewestFound(Result<Box<Release>, WorkerError>),
    /// A report was built: its whole text, as it would be saved.
    ReportBuilt(Result<Arc<str>, WorkerError>),
    /// A report was written, or the dialog for it closed without a choice.
    ReportSaved(Result<Option<PathBuf>, WorkerError>),
    /// A folder, a web page or a dialog could not be opened.
    OpenFailed(WorkerError),
}

/// What is known of newer versions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownUpdates {
    /// Whether it is looked for once a day.
    pub daily: bool,
    /// What is newer.
    pub updates: Updates,
}

/// An existing installation.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Our folder.
    pub home: PathBuf,
    /// Its profile and receipt.
    pub installed: Box<Installed>,
    /// The request it was installed with, for a repair or an update.
    pub request: Option<Box<SavedRequest>>,
    /// What is kept of this program on the computer.
    pub kept: Option<KeptFile>,
    /// What keeping it would change; `None` if that is unknown.
    pub keep: Option<KeepPreview>,
}

/// What a check of an installation found.
#[derive(Clone, Debug, PartialEq)]
pub struct InstallationHealth {
    /// Whether the server answers.
    pub running: bool,
    /// Version of the engine, as it reports itself.
    pub engine_version: Option<String>,
    /// Bytes the model takes in memory; `None` while it is not loaded.
    pub loaded_bytes: Option<u64>,
    /// What is wrong; empty when all is well.
    pub problems: Vec<HealthProblem>,
}

/// Something that is wrong with an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthProblem {
    /// The last installation was interrupted.
    InstallationUnfinished,
    /// The server runs but does not answer.
    ServerSilent,
    /// A process whose server was killed keeps its memory.
    OrphanedRunner {
        /// Its id.
        pid: u32,
        /// Memory that it holds, in bytes.
        bytes: u64,
    },
    /// Another program listens on the server's port.
    PortTaken {
        /// The port.
        port: u16,
        /// Its owner.
        by: PortOwner,
    },
    /// The system does not tell who listens on the server's port.
    ServerUnconfirmed {
        /// The port.
        port: u16,
    },
    /// The server reports another version than the one that was measured.
    OtherVersion {
        /// Its port.
        port: u16,
        /// What it reports.
        found: UntrustedText,
        /// What was measured.
        expected: UntrustedText,
    },
    /// The served model is not the one that was measured.
    ModelChanged,
    /// The served model was removed.
    ModelMissing,
    /// The engine keeps less context than promised.
    ContextReduced {
        /// Tokens promised.
        promised_tokens: u32,
        /// Tokens the engine keeps.
        kept_tokens: u64,
    },
}

/// What was measured on one answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerFigures {
    /// Tokens a second; `None` when the answer was stopped.
    pub tokens_per_s: Option<f64>,
    /// Seconds to the first token; `None` when none came.
    pub first_token_s: Option<f64>,
}

/// Where a backend puts its messages. Sending wakes the window.
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

    /// Sends a message. Does nothing once the window is gone.
    pub fn send(&self, message: Message) {
        if self.sender.send(message).is_ok() {
            (self.wake)();
        }
    }
}
