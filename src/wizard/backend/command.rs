//! What the window asks a backend to do.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::detected::{Detected, SettingSource};
use super::look::LiveWatch;
use crate::control::Control;
use crate::install::{EngineSource, InstallOptions, Receipt, Request, SavedRequest, SettingPlan};
use crate::models::{Model, ModelTag};
use crate::ollama::http::HttpOptions;
use crate::text::Text;
use crate::wizard::settings::Settings;

/// What the window asks for. Each names the messages that answer it.
#[derive(Clone, Debug)]
pub enum BackendCommand {
    /// Look for an installation → `Message::EngineVersion`, `Message::Installation`, and
    /// `Message::Interrupted` when the last installation was interrupted.
    LookForInstallation,
    /// Detect the machine and plan every profile for it → `Message::Detected`.
    Detect,
    /// Look at the drives that an installation of this model would use → `Message::Inventory`.
    TakeInventory {
        /// Folders and engine.
        options: Box<InstallOptions>,
        /// The model.
        model: Arc<Model>,
    },
    /// Read the file of a model that an installation with these options would use → `Message::ModelRead`; no answer when
    /// it is cancelled.
    ReadModel {
        /// Network settings and folders.
        options: Box<InstallOptions>,
        /// The model.
        model: Arc<Model>,
        /// Cancels it.
        control: Control,
    },
    /// Look for the newest release of the engine → `Message::NewestFound`.
    FindNewest(EngineSource),
    /// Look up a model of the user's own → `Message::ModelFound`.
    FindModel {
        /// What was typed or picked.
        reference: ModelReference,
        /// Proxy and certificates.
        http: HttpOptions,
    },
    /// Install → `Message::InstallEvent`s, then `Message::InstallEnded`.
    Install {
        /// What to install.
        request: Box<Request>,
        /// Keep this program on the computer afterwards → `Message::ProgramKept` before the end.
        keep: bool,
        /// Language of the documents that the installation writes.
        text: Text,
        /// Pauses and cancels it.
        control: Control,
    },
    /// Ask the installed model → `Message::AnswerPart`s, then `Message::AnswerEnded`.
    AskModel {
        /// Folder of the installation.
        home: PathBuf,
        /// The question.
        prompt: String,
        /// Cancels it.
        control: Control,
    },
    /// Check an installation → `Message::Health`, and `Message::Tips` for one.
    CheckHealth {
        /// Its folder.
        home: PathBuf,
    },
    /// List what removing an installation removes → `Message::RemovalPreviewed`.
    PreviewRemoval {
        /// Its folder.
        home: PathBuf,
    },
    /// Change an installation → `Message::Managed`.
    Manage {
        /// Its folder.
        home: PathBuf,
        /// The change.
        action: ManageAction,
    },
    /// Tune an installation → `Message::TuneEvent`s, then `Message::TuneEnded`.
    Tune {
        /// Its folder.
        home: PathBuf,
        /// Language of the documents that it writes.
        text: Text,
        /// Cancels it, or skips the rest of the search.
        control: Control,
    },
    /// What is newer than this installation: as it was found last, and looked for again if that is due → `Message::Updates`.
    LookForUpdates {
        /// Its folder.
        home: PathBuf,
        /// Look now, whether or not it is due.
        now: bool,
    },
    /// Look for newer versions once a day, or not → `Message::Updates`.
    SetDailyUpdates {
        /// Folder of the installation.
        home: PathBuf,
        /// Whether to look.
        daily: bool,
    },
    /// Look at the machine for a change of single settings → `Message::SettingsRead`. The model leaves memory.
    ReadSettings {
        /// Folder of the installation.
        home: PathBuf,
    },
    /// Change single settings → `Message::TuneEvent`s, then `Message::TuneEnded`.
    ChangeSetting {
        /// What is installed.
        source: Arc<SettingSource>,
        /// The change; the user has agreed to its limits.
        plan: Box<SettingPlan>,
        /// Language of the documents that it writes.
        text: Text,
        /// Cancels it.
        control: Control,
    },
    /// List the models on the drive → `Message::ModelsListed`.
    ListModels {
        /// Folder of the installation.
        home: PathBuf,
    },
    /// Remove a model that nothing uses → `Message::ModelRemoved`.
    RemoveModel {
        /// Folder of the installation.
        home: PathBuf,
        /// Its tag.
        model: ModelTag,
    },
    /// Open a dialog for a folder or file → `Message::PathPicked`.
    PickPath {
        /// What it is for.
        field: PathField,
        /// Folder to start in.
        start: PathBuf,
    },
    /// Build a report → `Message::ReportBuilt`.
    BuildReport(Box<ReportContents>),
    /// Open a dialog for a file and write a report there → `Message::ReportSaved`.
    SaveReportAs(Arc<str>),
    /// Write a report to a typed path → `Message::ReportSaved`.
    SaveReport {
        /// The report.
        report: Arc<str>,
        /// The file.
        path: PathBuf,
    },
    /// Save the window's settings, if something is installed. No answer.
    RememberSettings(Settings),
    /// Show a web page in the browser → `Message::OpenFailed` on failure.
    OpenLink(Cow<'static, str>),
    /// Look at the cards, the model and the server's log until the watch is stopped → `Message::Looked`s.
    Watch {
        /// Folder of the installation.
        home: PathBuf,
        /// Stops it.
        watch: LiveWatch,
    },
    /// Show a folder in the file manager → `Message::OpenFailed` on failure.
    OpenFolder(PathBuf),
}

/// A model of the user's own.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelReference {
    /// What was typed: a tag, the path of a file, or a reference to a registry.
    Typed(String),
    /// A file that was picked in a dialog or dropped onto the window.
    File(PathBuf),
    /// The file of an earlier request, or its copy in the model store.
    Saved(PathBuf, Box<SavedRequest>),
}

/// What can be done to an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManageAction {
    /// Start the server.
    Start,
    /// Stop it.
    Stop,
    /// Undo an interrupted installation.
    Undo,
    /// Keep this program on the computer, in place of an older copy.
    Keep,
    /// Remove what is kept of this program.
    RemoveKept,
    /// Remove everything that was installed.
    Remove {
        /// Leave the models where they are.
        keep_models: bool,
    },
}

/// The field that a picked folder or file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathField {
    /// Our folder.
    Home,
    /// Folder of the models.
    Models,
    /// An archive of the engine.
    Archive,
    /// Certificates to trust.
    Certificates,
    /// The file of a model.
    ModelFile,
}

impl PathField {
    /// Whether it may stay empty.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Archive | Self::Certificates | Self::ModelFile)
    }

    /// Whether it takes a file, not a folder.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Archive | Self::Certificates | Self::ModelFile)
    }
}

/// What a report contains besides the settings and logs on this computer.
#[derive(Clone, Debug, Default)]
pub struct ReportContents {
    /// The machine on the pages; detected again when `None`.
    pub detected: Option<Arc<Detected>>,
    /// Log of the installation on the page.
    pub log: Option<String>,
    /// Its receipt.
    pub receipt: Option<Receipt>,
}
