//! The state of the window's content.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use super::backend::{Backend, BackendCommand, Message, Outbox, ReportContents};
use super::flow::Page;
use super::notice::Notice;
use super::options::WizardOptions;
use super::question::Question;
use super::settings::Settings;
use super::steps::SidebarStep;
use crate::install::SavedRequest;
use crate::text::Text;

/// The window's content.
pub struct Wizard {
    pub(super) options: WizardOptions,
    backend: Box<dyn Backend>,
    outbox: Outbox,
    pub(super) inbox: Receiver<Message>,
    pub(super) text: Text,
    pub(super) page: Page,
    pub(super) question: Option<Question>,
    pub(super) notice: Option<Notice>,
    /// Version of the engine that would be installed, once it is known.
    pub(super) engine_version: Option<String>,
    /// The installation to resume after detection.
    pub(super) resuming: Option<Box<SavedRequest>>,
    pub(super) settings: Settings,
    /// The settings applied to egui; `None` before the first frame.
    pub(super) applied_settings: Option<Settings>,
    /// Close the window once the installation has stopped.
    pub(super) closing: bool,
    pub(super) wants_to_close: bool,
    /// The step that was drawn last.
    pub(super) drawn_step: Option<SidebarStep>,
}

impl Wizard {
    /// A wizard on its first page. It looks for an installation and shows Manage when there is one. Worker threads call
    /// `wake` when there is something new to draw.
    pub fn new(options: WizardOptions, backend: Box<dyn Backend>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, inbox) = channel();
        let wizard = Self {
            backend,
            outbox: Outbox::new(sender, wake),
            inbox,
            text: options.text(),
            page: Page::default(),
            question: None,
            notice: None,
            engine_version: None,
            resuming: None,
            settings: options.settings,
            applied_settings: None,
            closing: false,
            wants_to_close: false,
            drawn_step: None,
            options,
        };
        wizard.send(BackendCommand::LookForInstallation);
        wizard
    }

    /// The page that is shown.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// The current language.
    pub fn text(&self) -> Text {
        self.text
    }

    /// The page's heading, in the current language.
    pub fn heading(&self) -> String {
        self.page.view().heading(self.text).0
    }

    /// The window's title: it names the page, for window lists and screen readers.
    pub fn title(&self) -> String {
        format!("ACOLYTE – {}", self.heading())
    }

    /// Whether the window should close now.
    pub fn wants_to_close(&self) -> bool {
        self.wants_to_close
    }

    /// Call when the user closes the window. Returns whether it may close at once; while an installation runs, the user is
    /// asked first, and a tuning is cancelled first.
    pub fn may_close(&mut self) -> bool {
        if matches!(&self.page, Page::Install(page) if page.is_running()) && !self.wants_to_close {
            self.question = Some(Question::Cancel { closing: true });
            return false;
        }
        if let Page::Manage(page) = &self.page
            && page.is_tuning()
            && !self.wants_to_close
        {
            // The setting before is restored first, within seconds.
            page.stop_tuning();
            self.closing = true;
            return false;
        }
        true
    }

    /// Sends a command to the backend; messages answer it.
    pub(super) fn send(&self, command: BackendCommand) {
        self.backend.execute(command, &self.outbox);
    }

    /// What a report about this page contains.
    pub(super) fn report_contents(&self) -> ReportContents {
        let mut contents =
            ReportContents { detected: self.page.detected().cloned(), ..ReportContents::default() };
        match &self.page {
            Page::Install(page) => contents.log = Some(page.log(self.text)),
            Page::Result(page) => contents.receipt = Some(page.receipt.clone()),
            _ => {}
        }
        contents
    }
}
