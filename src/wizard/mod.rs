//! What do you see? Draws state and sends commands; does no input or output itself.
//!
//! [`start`] opens the window in a process of its own, or says why there can be none. [`Wizard`] is the window's content
//! without the window: a page machine ([`flow`]), one file a page ([`pages`]), a frame around them (steps at the left,
//! buttons below), and a [`backend`] whose workers do everything that takes time. It draws only when something happened.

pub mod backend;
pub mod flow;
mod footer;
mod frame;
mod messages;
pub mod pages;
mod questions;
mod reference_table;
mod resume;
mod settings;
mod start;
pub mod theme;
pub mod widgets;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use eframe::egui::{self, Key, Modifiers, Theme, Ui};

use crate::control::Control;
use crate::install::{EngineSource, SavedRequest};
use crate::machine::Hardware;
use crate::models::{Catalogue, Model};
use crate::plan::{Profiles, reference_computers};
use crate::text::{Language, Text};
use backend::{Backend, Message, Outbox, ReportContents};
use flow::{Page, SidebarStep};
use pages::compatibility::CompatibilityPage;
use pages::consent::ConsentPage;
use pages::hardware::{Detection, HardwarePage};
use pages::install::InstallPage;
use pages::manage::ManageActivity;
use pages::profile::ProfilePage;
use pages::summary::SummaryPage;
use pages::{Intent, PageContext, View};
use questions::Question;

pub use settings::Settings;
pub use start::{APP_ID, Drawing, FIRST_FRAME_LIMIT, IN_A_CHILD, Showing, StartError, start, start_here};

/// What the window is started with.
#[derive(Clone, Debug, Default)]
pub struct WizardOptions {
    /// Our folder.
    pub home: PathBuf,
    /// Where the engine comes from, as the options say it.
    pub source: EngineSource,
    /// The newest release was asked for; it is looked for while the first pages are read.
    pub wants_newest: bool,
    /// An engine that is on this computer and recent enough may be used.
    pub may_reuse: bool,
    /// A model of the person's own, offered before the profiles.
    pub model: Option<Arc<Model>>,
    /// Plain http for the model's registry.
    pub insecure_registry: bool,
    /// Language; the system's when `None`.
    pub language: Option<Language>,
    /// A saved hardware document to use instead of asking this machine.
    pub hardware: Option<Arc<Hardware>>,
    /// Profiles and policy; the built-in ones when `None`.
    pub profiles: Option<Arc<Profiles>>,
    /// How the window looked last; a language above comes first.
    pub settings: Settings,
}

impl WizardOptions {
    /// The words the window begins with: as the options say, else as it was last, else the system's.
    fn text(&self) -> Text {
        Text::new(self.language.or(self.settings.language).unwrap_or_else(Language::of_system))
    }
}

/// The window's content.
pub struct Wizard {
    options: WizardOptions,
    backend: Box<dyn Backend>,
    outbox: Outbox,
    inbox: Receiver<Message>,
    text: Text,
    page: Page,
    question: Option<Question>,
    /// What is to be gone on with once the machine was looked at.
    resuming: Option<Box<SavedRequest>>,
    /// One line above the page that says what came of something, until the next page.
    notice: Option<(theme::Tone, String)>,
    /// How the person likes the window.
    settings: Settings,
    /// Settings that egui was told, if they were told at all.
    shown: Option<Settings>,
    /// Close the window once nothing runs any more.
    closing: bool,
    wants_to_close: bool,
    /// The page that was drawn last.
    drawn: Option<SidebarStep>,
}

impl Wizard {
    /// A wizard at its first page; it looks for an installation and goes to Manage when there is one. `wake` is called
    /// from worker threads whenever there is something new to draw.
    pub fn new(options: WizardOptions, backend: Box<dyn Backend>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, inbox) = channel();
        let outbox = Outbox::new(sender, wake);
        let settings = options.settings;
        let text = options.text();
        backend.look_for_installation(text, outbox.clone());
        Self {
            options,
            backend,
            outbox,
            inbox,
            text,
            page: Page::default(),
            question: None,
            resuming: None,
            notice: None,
            settings,
            shown: None,
            closing: false,
            wants_to_close: false,
            drawn: None,
        }
    }

    /// Where the person is.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// The words it speaks with.
    pub fn text(&self) -> Text {
        self.text
    }

    /// The heading of the page, in the person's language.
    pub fn heading(&self) -> String {
        self.view().heading(self.text).0
    }

    /// The window should close now.
    pub fn wants_to_close(&self) -> bool {
        self.wants_to_close
    }

    /// The person closes the window. Answers whether it may close at once; an installation that runs is asked about.
    pub fn may_close(&mut self) -> bool {
        if matches!(&self.page, Page::Install(page) if page.is_running()) && !self.wants_to_close {
            self.question = Some(Question::Cancel { closing: true });
            return false;
        }
        true
    }

    /// Draws everything into `ui`, which should be the whole window, cleared with `Visuals::panel_fill`.
    pub fn show(&mut self, ui: &mut Ui) {
        self.show_settings(ui);
        self.read_messages();
        self.leave_focus_behind(ui);
        let mut intents = self.keys(ui);
        frame::show(self, ui, &mut intents);
        self.show_question(ui, &mut intents);
        for intent in intents {
            self.carry_out(intent, ui.visuals().dark_mode);
        }
        if self.shown != Some(self.settings) {
            self.backend.remember(self.settings);
            ui.ctx().request_repaint();
        }
    }

    /// Tells egui how the person likes the window, when that has changed.
    fn show_settings(&mut self, ui: &Ui) {
        let now = self.settings;
        let before = self.shown.replace(now).unwrap_or_default();
        if now.appearance != before.appearance {
            theme::apply(ui.ctx(), now.appearance);
        }
        if let Some(dark) = now.dark.filter(|_| now.dark != before.dark) {
            ui.ctx().set_theme(if dark { Theme::Dark } else { Theme::Light });
        }
    }

    /// What had the keyboard on one page must not press the button that stands in its place on the next.
    fn leave_focus_behind(&mut self, ui: &Ui) {
        let step = self.page.step();
        if std::mem::replace(&mut self.drawn, step) != step {
            ui.ctx().memory_mut(|memory| {
                if let Some(focused) = memory.focused() {
                    memory.surrender_focus(focused);
                }
            });
        }
    }

    fn view(&self) -> &dyn View {
        match &self.page {
            Page::Welcome(page) => page,
            Page::Hardware(page) => page,
            Page::Compatibility(page) => page.as_ref(),
            Page::Profile(page) => page.as_ref(),
            Page::Consent(page) => page.as_ref(),
            Page::Summary(page) => page.as_ref(),
            Page::Install(page) => page.as_ref(),
            Page::Result(page) => page.as_ref(),
            Page::Manage(page) => page.as_ref(),
        }
    }

    /// Draws the page, between heading and footer.
    fn show_page(&mut self, ui: &mut Ui, intents: &mut Vec<Intent>) {
        let mut cx =
            PageContext { text: self.text, backend: self.backend.as_ref(), outbox: &self.outbox, intents };
        let page: &mut dyn View = match &mut self.page {
            Page::Welcome(page) => page,
            Page::Hardware(page) => page,
            Page::Compatibility(page) => page.as_mut(),
            Page::Profile(page) => page.as_mut(),
            Page::Consent(page) => page.as_mut(),
            Page::Summary(page) => page.as_mut(),
            Page::Install(page) => page.as_mut(),
            Page::Result(page) => page.as_mut(),
            Page::Manage(page) => page.as_mut(),
        };
        page.show(ui, &mut cx);
    }

    /// Enter presses the primary button when nothing else has the keyboard; Alt+Left goes back; Esc on a running
    /// installation asks whether to stop it.
    fn keys(&self, ui: &Ui) -> Vec<Intent> {
        let mut intents = Vec::new();
        if self.question.is_some() {
            return intents;
        }
        let footer = self.view().footer(self.text);
        let nothing_focused = ui.ctx().memory(|memory| memory.focused().is_none());
        let (enter, back, escape) = ui.input_mut(|input| {
            (
                nothing_focused && input.consume_key(Modifiers::NONE, Key::Enter),
                input.consume_key(Modifiers::ALT, Key::ArrowLeft),
                nothing_focused && input.key_pressed(Key::Escape),
            )
        });
        let press = |button: Option<pages::Button>| {
            button.filter(|button| button.enabled).map(|button| button.intent)
        };
        if enter {
            intents.extend(press(footer.primary));
        }
        let left = press(footer.back);
        if back && left == Some(Intent::Back) || escape && left == Some(Intent::AskToCancel) {
            intents.extend(left);
        }
        intents
    }

    fn carry_out(&mut self, intent: Intent, dark: bool) {
        match intent {
            Intent::Next => self.next(),
            Intent::Back => self.change(Page::back),
            Intent::GoTo(step) => self.change(|page| page.back_to(step)),
            Intent::SetLanguage(language) => {
                self.settings.language = Some(language);
                self.text = Text::new(language);
            }
            Intent::SwitchTheme => self.settings.dark = Some(!dark),
            Intent::SetAppearance(appearance) => self.settings.appearance = appearance,
            Intent::DetectAgain => self.detect_again(),
            Intent::AskWhereToSave => self.question = Some(Question::save(self.backend.places().home)),
            Intent::CompareWithReference => self.compare_with_reference(),
            Intent::ToggleLog => {
                if let Page::Install(page) = &mut self.page {
                    page.toggle_log();
                }
            }
            Intent::TogglePause => {
                if let Page::Install(page) = &self.page {
                    page.toggle_pause();
                }
            }
            Intent::AskToCancel => self.question = Some(Question::Cancel { closing: false }),
            Intent::Retry => self.retry(),
            Intent::ChooseAnother => self.change(|page| page.back_to(SidebarStep::Profile)),
            Intent::OpenFolder => self.open_folder(),
            Intent::Manage => self.backend.look_for_installation(self.text, self.outbox.clone()),
            Intent::ChangeProfile => {
                self.change(|_| Page::Hardware(HardwarePage { detection: Detection::NotAsked }));
                self.detect();
            }
            Intent::Repair => {
                let asked = self.page.installation().and_then(|installation| installation.asked.clone());
                match asked {
                    Some(asked) => self.resume(*asked),
                    None => self.carry_out(Intent::ChangeProfile, dark),
                }
            }
            Intent::AskToRemove => self.question = Some(Question::Remove { keep_models: false }),
            Intent::Act(action) => {
                if let Page::Manage(page) = &mut self.page {
                    page.ask(ManageActivity::Acting(action));
                    let home = page.installation.home.clone();
                    self.backend.manage(home, action, self.text, self.outbox.clone());
                }
            }
            Intent::CheckHealth => self.check_health(),
            Intent::OpenLink(url) => self.backend.open_link(url, self.text, self.outbox.clone()),
            Intent::Finish => self.wants_to_close = true,
        }
    }

    /// Changes the page; what was said about the one before is not said about the next.
    fn change(&mut self, to: impl FnOnce(Page) -> Page) {
        self.notice = None;
        self.page = to(std::mem::take(&mut self.page));
    }

    fn next(&mut self) {
        let (text, backend) = (self.text, self.backend.as_ref());
        self.notice = None;
        self.page = match std::mem::take(&mut self.page) {
            Page::Welcome(page) => Page::Hardware(page.into()),
            Page::Hardware(page) => match page.found() {
                Some(found) => Page::Compatibility(Box::new(CompatibilityPage::from(Arc::clone(found)))),
                None => Page::Hardware(page),
            },
            Page::Compatibility(page) => {
                let found = Arc::clone(&page.found);
                match ProfilePage::new(*page, backend) {
                    Some(profile) => Page::Profile(Box::new(profile)),
                    None => Page::Compatibility(Box::new(found.into())),
                }
            }
            Page::Profile(page) if !page.can_go_on() => Page::Profile(page),
            Page::Profile(page) if page.needs_consent() => Page::Consent(Box::new(ConsentPage::from(*page))),
            Page::Profile(page) => Page::Summary(Box::new(SummaryPage::new(*page, None))),
            Page::Consent(page) => match page.agree(backend, text) {
                Ok(summary) => Page::Summary(summary),
                Err(page) => Page::Consent(page),
            },
            Page::Summary(page) => {
                let control = Control::new();
                let request = page.request(&self.options, backend, text);
                backend.install(request, text, control.clone(), self.outbox.clone());
                Page::Install(Box::new(InstallPage::new(*page, control)))
            }
            other @ (Page::Install(_) | Page::Result(_) | Page::Manage(_)) => other,
        };
        self.detect();
    }

    /// Starts detection when the hardware page has not asked yet.
    fn detect(&mut self) {
        let places = self.backend.places();
        let mut intents = Vec::new();
        let cx = PageContext {
            text: self.text,
            backend: self.backend.as_ref(),
            outbox: &self.outbox,
            intents: &mut intents,
        };
        if let Page::Hardware(page) = &mut self.page {
            page.ask(places.models_dir, &cx);
        }
    }

    fn detect_again(&mut self) {
        if let Page::Hardware(page) = &mut self.page {
            page.detection = Detection::NotAsked;
        }
        self.detect();
    }

    fn compare_with_reference(&mut self) {
        let profiles = self.options.profiles.as_deref().unwrap_or(Profiles::built_in());
        if let Some(found) = self.page.found() {
            let computers = reference_computers(&found.hardware, Catalogue::built_in(), profiles);
            self.question = Some(Question::Reference(computers.into()));
        }
    }

    fn retry(&mut self) {
        if let Page::Install(page) = &mut self.page
            && page.may_go_back()
        {
            let control = Control::new();
            let request = page.summary.request(&self.options, self.backend.as_ref(), self.text);
            self.backend.install(request, self.text, control.clone(), self.outbox.clone());
            page.again(control);
        }
    }

    fn open_folder(&self) {
        let folder = match &self.page {
            Page::Result(page) => PathBuf::from(page.home()),
            Page::Manage(page) => page.installation.home.clone(),
            _ => return,
        };
        self.backend.open_folder(folder, self.text, self.outbox.clone());
    }

    fn check_health(&mut self) {
        if let Page::Manage(page) = &mut self.page {
            page.ask(ManageActivity::Checking);
            self.backend.health(page.installation.home.clone(), self.text, self.outbox.clone());
        }
    }

    /// What a report about this page tells of.
    fn about(&self) -> ReportContents {
        let mut about = ReportContents { found: self.page.found().cloned(), ..ReportContents::default() };
        match &self.page {
            Page::Install(page) => about.log = Some(page.log(self.text)),
            Page::Result(page) => about.receipt = Some(page.receipt.clone()),
            _ => {}
        }
        about
    }
}

/// Room around a page: less in a narrow window.
fn page_margin(ui: &Ui) -> f32 {
    if is_narrow(ui) { theme::size::PAGE_MARGIN_NARROW } else { theme::size::PAGE_MARGIN }
}

/// Whether the steps are numbers only.
fn is_narrow(ui: &Ui) -> bool {
    let whole: egui::Rect = ui.ctx().content_rect();
    whole.width() < theme::size::NARROW
}
