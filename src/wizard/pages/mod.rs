//! One file a page: its state, what it draws, what its buttons are.

mod advanced;
mod comparison;
pub mod compatibility;
pub mod consent;
pub mod engine_form;
pub mod hardware;
mod hardware_cards;
pub mod install;
mod install_steps;
pub mod manage;
pub mod profile;
pub mod result;
pub mod summary;
pub mod welcome;

use eframe::egui::Ui;

use super::backend::{Backend, ManageAction, Outbox};
use super::flow::SidebarStep;
use crate::text::{Language, Text};

/// What a page is handed.
pub struct PageContext<'a> {
    /// Paragraph.
    pub text: Text,
    /// Who does things.
    pub backend: &'a dyn Backend,
    /// Where workers answer.
    pub outbox: &'a Outbox,
    /// What the page wants done once it is drawn.
    pub intents: &'a mut Vec<Intent>,
}

/// What a page, a button or a key wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// To the next page.
    Next,
    /// To the page before.
    Back,
    /// Back to an earlier step.
    GoTo(SidebarStep),
    /// ButtonStyle like this from now on.
    SetAppearance(super::theme::Appearance),
    /// Speak another language.
    SetLanguage(Language),
    /// Light or dark.
    SwitchTheme,
    /// Ask the machine again.
    DetectAgain,
    /// Open the question where to save a report.
    AskWhereToSave,
    /// Show what was once expected of computers beside what is computed for them.
    CompareWithReference,
    /// Show or hide the log.
    ToggleLog,
    /// Hold or go on.
    TogglePause,
    /// Ask whether to stop the installation.
    AskToCancel,
    /// Once more from where it failed.
    Retry,
    /// To the choice of profiles.
    ChooseAnother,
    /// Show our folder.
    OpenFolder,
    /// To the page that looks after an installation.
    Manage,
    /// Plan anew for an installation.
    ChangeProfile,
    /// Do again what was asked for then, with the engine of now.
    Repair,
    /// Ask whether to remove everything.
    AskToRemove,
    /// Start or stop.
    Act(ManageAction),
    /// Read again how the installation is doing.
    CheckHealth,
    /// Show a web page in the browser.
    OpenLink(&'static str),
    /// Close the window.
    Finish,
}

/// A button in the footer.
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it does.
    pub intent: Intent,
    /// Whether it can be used now.
    pub enabled: bool,
}

impl Button {
    /// A button that can be used.
    pub fn new(label: String, intent: Intent) -> Self {
        Self { label, intent, enabled: true }
    }

    /// Usable only if.
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
    /// Beside it, as links.
    pub links: Vec<Button>,
    /// At the right, before the primary one.
    pub secondary: Option<Button>,
    /// The one action.
    pub primary: Option<Button>,
}

/// What every page can do.
pub trait View {
    /// Title and the sentence under it.
    fn heading(&self, text: Text) -> (String, String);
    /// What is between heading and footer.
    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>);
    /// Its buttons.
    fn footer(&self, text: Text) -> Footer;
}
