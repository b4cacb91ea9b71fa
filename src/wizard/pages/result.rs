//! Result: prediction and measurement, a prompt to try, and the next steps.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Align, Layout, ScrollArea, Ui, accesskit::Live};

use super::comparison::comparison;
use super::install::InstallPage;
use super::summary::SummaryPage;
use super::tips::tips_card;
use super::tuning_card::tuning_card;
use super::{Button, Footer, Intent, PageContext, View};
use crate::control::Control;
use crate::install::event::Activity;
use crate::install::manage::tips_after_installing;
use crate::install::{Paths, Receipt};
use crate::plan::{Plan, Tip};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;
use crate::wizard::backend::{AnswerFigures, BackendCommand, Detected, WorkerError};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    ButtonStyle, Paragraph, UiExt as _, banner, card, card_row, field_with_button, is_entered, table_card,
};

/// The prompt that the user tries, and its answer.
#[derive(Default)]
struct Trial {
    prompt: String,
    answer: String,
    running: Option<Control>,
    figures: Option<AnswerFigures>,
    error: Option<WorkerError>,
}

/// The page.
pub struct ResultPage {
    /// The machine and its plans, to plan a new installation.
    pub detected: Arc<Detected>,
    /// What was promised and measured.
    pub receipt: Receipt,
    /// Whether the user agreed to limits.
    pub has_consent: bool,
    /// The plan for the placement that was kept.
    plan: Plan,
    home: PathBuf,
    /// The file that ACOLYTE reads.
    profile_file: UntrustedText,
    /// Outcome of enabling start at login.
    login: Option<Activity>,
    copied: bool,
    /// Optimization tips for it.
    tips: Vec<Tip>,
    trial: Trial,
}

impl ResultPage {
    /// After a successful installation.
    pub fn new(page: InstallPage, receipt: Receipt) -> Self {
        let login = page.login().cloned();
        let SummaryPage { profile, agreed, .. } = page.summary;
        let home = profile.choice.places.home.path();
        let detected = profile.compatibility.detected;
        let plan = receipt.kept_plan(profile.choice.plan);
        Self {
            tips: tips_after_installing(&plan, &detected.hardware, receipt.tuning.is_some()),
            detected,
            has_consent: agreed,
            plan,
            receipt,
            profile_file: UntrustedText::path(&Paths::new(&home).profile()),
            home,
            login,
            copied: false,
            trial: Trial::default(),
        }
    }

    /// Our folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Adds a piece of the answer.
    pub fn answer_part(&mut self, part: &str) {
        self.trial.answer.push_str(part);
    }

    /// Ends the answer.
    pub fn answer_ended(&mut self, end: Result<AnswerFigures, WorkerError>) {
        self.trial.running = None;
        match end {
            Ok(figures) => self.trial.figures = Some(figures),
            Err(error) => self.trial.error = Some(error),
        }
    }

    /// Stops a running answer.
    pub fn stop_answer(&mut self) {
        if let Some(control) = self.trial.running.take() {
            control.cancel();
        }
    }

    /// Begins an answer to what is typed; returns its command. `None` when nothing is typed or an answer is running.
    pub fn begin_answer(&mut self) -> Option<BackendCommand> {
        let prompt = self.trial.prompt.trim().to_owned();
        if prompt.is_empty() || self.trial.running.is_some() {
            return None;
        }
        let control = Control::new();
        self.trial = Trial { prompt: prompt.clone(), running: Some(control.clone()), ..Trial::default() };
        Some(BackendCommand::AskModel { home: self.home.clone(), prompt, control })
    }

    /// How to use it now, and what to know for later.
    fn next(&mut self, ui: &mut Ui, text: Text) {
        card_row(ui, "next", &[1.0, 1.0], |ui, i| {
            let sentences = if i == 0 {
                self.use_it(ui, text)
            } else {
                ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-next-later-title"));
                let restart = match &self.login {
                    Some(Activity::AutostartEnabled) => say!(text, "wizard-next-at-login"),
                    _ => say!(text, "wizard-next-by-hand", start = say!(text, "wizard-manage-start")),
                };
                format!("{restart} {}", say!(text, "wizard-next-later"))
            };
            ui.gap(0.5);
            Paragraph::new(ui).marked(TextRole::Text, TextRole::Strong, Tone::Soft, &sentences).show(ui);
        });
    }

    /// Draws the heading with its link; returns the sentences below it.
    fn use_it(&mut self, ui: &mut Ui, text: Text) -> String {
        let address = format!("http://127.0.0.1:{}", self.receipt.port);
        ui.horizontal(|ui| {
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-next-title"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let copied = say!(text, "wizard-next-copied");
                let label = if self.copied { copied } else { say!(text, "wizard-next-copy") };
                let link = ui.link_action(&label, true);
                ui.ctx().accesskit_node_builder(link.id, |node| node.set_live(Live::Polite));
                if link.clicked() {
                    ui.ctx().copy_text(address.clone());
                    self.copied = true;
                }
            });
        });
        say!(text, "wizard-next-use", file = self.profile_file.as_str(), address = address)
    }

    fn try_it(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let title = say!(text, "wizard-try-title");
        let label = ui.text(TextRole::Strong, Tone::Ink, &title).id;
        ui.gap(2.0);
        let running = self.trial.running.is_some();
        let (look, button) = if running {
            (ButtonStyle::Secondary, say!(text, "wizard-try-stop"))
        } else {
            (ButtonStyle::Primary, say!(text, "wizard-try-ask"))
        };
        let hint = say!(text, "wizard-try-hint");
        let ready = |prompt: &str| running || !prompt.trim().is_empty();
        let (field, button) = field_with_button(ui, &mut self.trial.prompt, &hint, (look, &button), ready);
        let field = field.labelled_by(label);
        if running && button.clicked() {
            self.stop_answer();
        } else if button.clicked() || is_entered(&field) {
            cx.intents.push(Intent::AskModel);
        }
        let has_prompt =
            self.trial.running.is_some() || self.trial.figures.is_some() || self.trial.error.is_some();
        if has_prompt && let Some(words) = self.receipt.banner(&self.plan, text) {
            ui.gap(3.0);
            banner(ui, Tone::Warning, &words);
        }
        if !self.trial.answer.is_empty() {
            ui.gap(2.5);
            ScrollArea::vertical().id_salt("answer").max_height(220.0).stick_to_bottom(true).show(ui, |ui| {
                ui.set_width(ui.available_width());
                let answer = ui.text(TextRole::Code, Tone::Ink, &self.trial.answer);
                ui.ctx().accesskit_node_builder(answer.id, |node| node.set_live(Live::Polite));
            });
        } else if self.trial.running.is_some() {
            ui.gap(2.5);
            ui.text(TextRole::Label, Tone::Soft, &say!(text, "wizard-try-waiting"));
        }
        if let Some(figures) = self.trial.figures {
            ui.gap(1.5);
            let unknown = || say!(text, "wizard-unknown");
            let words = say!(
                text,
                "wizard-try-figures",
                speed = figures.tokens_per_s.map_or_else(unknown, |speed| text.figure(speed)),
                wait = figures.first_token_s.map_or_else(unknown, |wait| text.figure(wait))
            );
            ui.text(TextRole::Label, Tone::Faint, &words);
        }
        if let Some(error) = &self.trial.error {
            ui.gap(2.5);
            banner(ui, Tone::Refused, &error.explain(text));
        }
    }
}

impl View for ResultPage {
    fn heading(&self, text: Text) -> (String, String) {
        let title = if self.receipt.shortfalls.is_empty() {
            say!(text, "wizard-result-title")
        } else {
            say!(text, "wizard-result-missed")
        };
        let address = format!("127.0.0.1:{}", self.receipt.port);
        let lead = match self.receipt.measured.context_tokens {
            Some(tokens) => {
                say!(text, "wizard-result-lead", address = address, tokens = text.count(u64::from(tokens)))
            }
            None => say!(text, "wizard-result-lead-unknown", address = address),
        };
        (title, lead)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        table_card(ui, 18, |ui| comparison(ui, cx.text, &self.receipt));
        let refused = self.login.iter().filter(|login| matches!(login, Activity::AutostartRefused { .. }));
        let refused = refused.map(|login| login.words(cx.text));
        let shortfalls = self.receipt.shortfalls.iter().map(|shortfall| shortfall.words(cx.text));
        for warning in shortfalls.chain(refused) {
            ui.gap(2.0);
            banner(ui, Tone::Warning, &warning);
        }
        if let Some(tuning) = &self.receipt.tuning {
            ui.gap(3.5);
            tuning_card(ui, cx.text, tuning);
        }
        ui.gap(3.5);
        card(ui, |ui| self.try_it(ui, cx));
        ui.gap(3.5);
        self.next(ui, cx.text);
        tips_card(ui, cx.text, &self.tips);
    }

    fn footer(&self, text: Text) -> Footer {
        Footer {
            back: None,
            links: vec![
                Button::new(say!(text, "wizard-open-folder"), Intent::OpenFolder),
                Button::new(say!(text, "wizard-save-report"), Intent::ShowReport),
            ],
            secondary: Some(Button::new(say!(text, "wizard-manage"), Intent::Manage)),
            primary: Some(Button::new(say!(text, "wizard-finish"), Intent::Finish)),
        }
    }
}
