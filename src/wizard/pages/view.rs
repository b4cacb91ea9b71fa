//! What all pages have in common.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use eframe::egui::Ui;

use crate::models::ModelTag;
use crate::text::{Language, Text};
use crate::wizard::backend::{ManageAction, PathField};
use crate::wizard::steps::SidebarStep;
use crate::wizard::theme::Appearance;

/// What a page may use while it is drawn: data in memory only.
pub struct PageContext<'a> {
    /// Current language.
    pub text: Text,
    /// Our folder, unless the user chooses another.
    pub home: &'a Path,
    /// Version of the engine that would be installed, once it is known.
    pub engine_version: Option<&'a str>,
    /// Whether newer versions will be looked for once a day, as chosen on the first page.
    pub daily_updates: bool,
    /// What to do after the frame.
    pub intents: &'a mut Vec<Intent>,
}

/// What a page, a button or a key requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Go to the next page.
    Next,
    /// Go to the previous page.
    Back,
    /// Go back to an earlier step.
    GoTo(SidebarStep),
    /// Change text size, contrast or motion.
    SetAppearance(Appearance),
    /// Change the language.
    SetLanguage(Language),
    /// Switch between light and dark.
    SwitchTheme,
    /// Detect the machine again.
    DetectAgain,
    /// Show a report, to save it.
    ShowReport,
    /// Show the reference table.
    CompareWithReference,
    /// Open a dialog for a folder or file, starting in this folder.
    PickPath(PathField, PathBuf),
    /// Look up the model reference that is typed.
    LookUpModel,
    /// Choose the model in a file that was dropped onto the window.
    UseModelFile(PathBuf),
    /// Look for the newest release of the engine, if it is wanted and not known.
    LookForNewest,
    /// Show or hide the log.
    ToggleLog,
    /// Pause or resume the installation.
    TogglePause,
    /// Tune the installation.
    Tune,
    /// Show the settings of what is installed, to change them.
    OpenSettings,
    /// Hide them without a change.
    CloseSettings,
    /// Change them.
    ApplySettings,
    /// Ask whether to remove a model of this size in bytes.
    AskToRemoveModel(ModelTag, u64),
    /// Remove a model.
    RemoveModel(ModelTag),
    /// End the tuning with the best setting so far.
    SkipTuning,
    /// Cancel the tuning of an installation.
    StopTuning,
    /// Ask whether to stop the installation.
    AskToCancel,
    /// Retry the installation.
    Retry,
    /// Go back to the choice of profiles.
    ChooseAnother,
    /// Send the typed prompt to the installed model.
    AskModel,
    /// Show our folder.
    OpenFolder,
    /// Show the folder of the logs.
    OpenLogs,
    /// Go to the page of the existing installation.
    Manage,
    /// Plan a new installation.
    ChangeProfile,
    /// Install the earlier request again, with the current engine.
    Repair,
    /// Ask whether to remove everything.
    AskToRemove,
    /// Change the installation.
    Act(ManageAction),
    /// Check the installation again.
    CheckHealth,
    /// Show a web page in the browser.
    OpenLink(Cow<'static, str>),
    /// Look for newer versions now.
    LookForUpdates,
    /// Look for newer versions once a day, or not.
    SetDailyUpdates(bool),
    /// Install the newer engine and model.
    Update,
    /// Close the window.
    Finish,
}

/// A button in the footer.
pub struct Button {
    /// Its label.
    pub label: String,
    /// What it does.
    pub intent: Intent,
    /// Whether it can be pressed now.
    pub enabled: bool,
}

impl Button {
    /// A button that can be pressed.
    pub fn new(label: String, intent: Intent) -> Self {
        Self { label, intent, enabled: true }
    }

    /// The same, enabled or not.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }
}

/// The buttons of a page.
#[derive(Default)]
pub struct Footer {
    /// At the left: Back or Cancel.
    pub back: Option<Button>,
    /// Beside it, drawn as links.
    pub links: Vec<Button>,
    /// At the right, before the primary one.
    pub secondary: Option<Button>,
    /// The action the page is about.
    pub primary: Option<Button>,
}

/// What every page can do.
pub trait View {
    /// Title and the sentence under it.
    fn heading(&self, text: Text) -> (String, String);
    /// Draws what is between heading and footer.
    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>);
    /// Its buttons.
    fn footer(&self, text: Text) -> Footer;
}
