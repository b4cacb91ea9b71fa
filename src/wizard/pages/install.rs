//! Install: the current step, its rate, the remaining time, and what it waits for.

use std::collections::BTreeMap;
use std::time::Instant;

use eframe::egui::{Align, Layout, ScrollArea, Ui, accesskit::Live};

use super::install_steps::{LogLine, limited_by, step_row, title};
use super::summary::SummaryPage;
use super::{Button, Footer, Intent, PageContext, View};
use crate::control::Control;
use crate::install::event::{Activity, ByteProgress};
use crate::install::manage::kept::Kept;
use crate::install::{Event, Step, StepState};
use crate::say;
use crate::sentences::plan_name;
use crate::text::Text;
use crate::wizard::backend::WorkerError;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Paragraph, UiExt as _, banner, card, progress_bar, rule, table_card};

/// State of the installation.
#[derive(Clone, Debug)]
pub enum InstallState {
    /// Running, or paused.
    Running,
    /// The user cancelled it; the worker is still stopping.
    Stopping,
    /// The user cancelled it.
    Cancelled,
    /// It failed.
    Failed(WorkerError),
}

/// The page.
pub struct InstallPage {
    /// Whether this program was kept on the computer; `None` if that was not tried.
    pub kept: Option<Result<Box<Kept>, WorkerError>>,
    /// What is being installed.
    pub summary: SummaryPage,
    /// Pauses and cancels the worker.
    pub control: Control,
    /// Its state.
    pub state: InstallState,
    /// The last event of each step that has begun. Messages are made when drawing, so that they follow the language.
    events: BTreeMap<Step, Event>,
    current: Step,
    log: Vec<LogLine>,
    began: Instant,
    log_open: bool,
    /// Whether settings are being tried, which can be skipped.
    is_tuning: bool,
}

impl InstallPage {
    /// An installation that has just been started under this control.
    pub fn new(summary: SummaryPage, control: Control) -> Self {
        Self {
            kept: None,
            summary,
            control,
            state: InstallState::Running,
            events: BTreeMap::new(),
            current: Step::Check,
            log: Vec::new(),
            began: Instant::now(),
            log_open: false,
            is_tuning: false,
        }
    }

    /// Whether it was cancelled or failed, and nothing runs any more.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, InstallState::Cancelled | InstallState::Failed(_))
    }

    /// Whether it must be stopped before the window may close.
    pub fn is_running(&self) -> bool {
        !self.has_ended()
    }

    /// Restarts with a new control; keeps the log.
    pub fn restart(&mut self, control: Control) {
        self.control = control;
        self.state = InstallState::Running;
        self.events.clear();
    }

    /// Cancels it.
    pub fn stop(&mut self) {
        if matches!(self.state, InstallState::Running) {
            self.state = InstallState::Stopping;
            self.control.cancel();
        }
    }

    /// Pauses or resumes it.
    pub fn toggle_pause(&self) {
        if self.control.is_paused() {
            self.control.resume();
        } else {
            self.control.pause();
        }
    }

    /// Ends the tuning with the best setting so far.
    pub fn skip_tuning(&self) {
        self.control.skip_tuning();
    }

    /// Shows or hides the log.
    pub fn toggle_log(&mut self) {
        self.log_open = !self.log_open;
    }

    /// Handles an event.
    pub fn progressed(&mut self, event: Event) {
        let counts = event.bytes.is_some_and(|bytes| bytes.total.is_some());
        let last = self.events.get(&event.step);
        if !counts || last.is_none_or(|last| last.state != event.state) {
            self.log.push(LogLine { after_s: self.began.elapsed().as_secs_f64(), event: event.clone() });
        }
        match event.activity {
            Activity::Tuning { .. } => self.is_tuning = true,
            // They come while a setting is tried.
            Activity::StillMeasuring { .. } | Activity::StillLoading { .. } | Activity::Tried { .. } => {}
            _ if event.step == Step::Measure && event.state == StepState::Running => self.is_tuning = false,
            _ if event.step != Step::Measure => self.is_tuning = false,
            _ => {}
        }
        self.current = event.step;
        self.events.insert(event.step, event);
    }

    /// It was cancelled or failed.
    pub fn failed(&mut self, error: WorkerError) {
        self.state = if error.is_cancelled() { InstallState::Cancelled } else { InstallState::Failed(error) };
    }

    /// Outcome of enabling start at login.
    pub fn login(&self) -> Option<&Activity> {
        self.events.get(&Step::StartAtLogin).map(|event| &event.activity)
    }

    /// The log, for a report.
    pub fn log(&self, text: Text) -> String {
        self.log.iter().map(|logged| logged.line(text, self.is_from_file())).collect::<Vec<_>>().join("\n")
    }

    /// Whether the model is in a file of the user's.
    fn is_from_file(&self) -> bool {
        self.summary.profile.choice.plan.candidate.model.local.is_some()
    }

    fn title(&self, text: Text, step: Step) -> String {
        title(text, step, self.is_from_file())
    }

    fn progress(&self, ui: &mut Ui, text: Text) {
        let event = self.events.get(&self.current);
        let bytes = event.and_then(|event| event.bytes);
        let share = bytes.and_then(|bytes| {
            let total = bytes.total.filter(|total| *total > 0)?;
            Some(bytes.done as f64 / total as f64)
        });
        ui.horizontal(|ui| {
            let mut what = self.title(text, self.current);
            if self.current == Step::PullModel {
                what = format!("{what}, {}", self.summary.profile.choice.plan.candidate.model.name.shown());
            }
            let response = ui.text(TextRole::Heading, Tone::Ink, &what);
            response.ctx.accesskit_node_builder(response.id, |node| node.set_live(Live::Polite));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(share) = share {
                    ui.text(TextRole::Strong, Tone::Ink, &text.percent(share));
                }
            });
        });
        ui.gap(2.0);
        // Without byte counts, the bar shows the share of steps that are done.
        let steps = self.done() as f64 / Step::ALL.len() as f64;
        progress_bar(ui, share.unwrap_or(steps) as f32, 12.0, &self.title(text, self.current));
        ui.gap(1.5);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 22.0;
            self.figures(ui, text, bytes);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let note = match event {
                    _ if self.control.is_paused() => say!(text, "wizard-install-paused"),
                    Some(event) if bytes.is_some_and(|bytes| bytes.per_s.is_some()) => {
                        limited_by(text, event)
                    }
                    Some(event) => event.activity.words(text),
                    None => String::new(),
                };
                let shown = Paragraph::new(ui).add(TextRole::Table, Tone::Soft, &note).show_line(ui);
                ui.ctx().accesskit_node_builder(shown.id, |node| node.set_live(Live::Polite));
            });
        });
    }

    fn figures(&self, ui: &mut Ui, text: Text, bytes: Option<ByteProgress>) {
        let figure = |ui: &mut Ui, strong: &str, rest: &str| {
            Paragraph::new(ui)
                .add(TextRole::Strong, Tone::Ink, strong)
                .add(TextRole::Text, Tone::Soft, rest)
                .show(ui);
        };
        let Some(bytes) = bytes else { return };
        if let Some(total) = bytes.total {
            let rest = say!(text, "wizard-of-rest", whole = text.file_size(total));
            figure(ui, &text.file_size(bytes.done), &format!(" {rest}"));
        }
        if self.control.is_paused() {
            return;
        }
        if let Some(rate) = bytes.per_s {
            let rate = text.file_size(rate as u64);
            let (number, unit) = rate.split_once('\u{a0}').unwrap_or((&rate, ""));
            figure(ui, number, &format!("\u{a0}{unit}/s"));
        }
        if let Some(left) = bytes.seconds_left {
            figure(ui, &text.duration(left), &format!(" {}", say!(text, "wizard-left")));
        }
    }

    fn done(&self) -> usize {
        let done = |event: &&Event| matches!(event.state, StepState::Done | StepState::Skipped);
        self.events.values().filter(done).count()
    }

    fn steps(&self, ui: &mut Ui, text: Text) {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (i, step) in Step::ALL.into_iter().enumerate() {
            if i > 0 {
                rule(ui);
            }
            let state = self.events.get(&step).map(|event| event.state);
            step_row(ui, &self.title(text, step), state, &self.detail(text, step));
        }
    }

    /// Detail of a step: its outcome, or what it will do.
    fn detail(&self, text: Text, step: Step) -> String {
        match self.events.get(&step) {
            // The banner above has the reason.
            Some(event) if event.state == StepState::Failed => return say!(text, "wizard-state-failed"),
            Some(event) if event.state == StepState::Cancelled => {
                return say!(text, "wizard-state-cancelled");
            }
            Some(event) => return event.activity.words(text),
            None => {}
        }
        let choice = &self.summary.profile.choice;
        let candidate = &choice.plan.candidate;
        match step {
            Step::Check => say!(text, "wizard-step-check-detail"),
            Step::FetchEngine => say!(text, "wizard-step-fetch-detail"),
            Step::UnpackEngine => say!(text, "wizard-step-unpack-detail"),
            Step::StartServer => say!(text, "wizard-step-start-detail"),
            Step::PullModel => candidate.model.name.shown().to_owned(),
            Step::CreateModel => say!(
                text,
                "wizard-step-create-detail",
                tokens = text.count(u64::from(candidate.context_tokens)),
                layers = choice.plan.gpu_layers(),
                kv = candidate.kv_cache_type.name()
            ),
            Step::LoadModel => say!(text, "wizard-step-load-detail"),
            Step::Measure => say!(text, "wizard-step-measure-detail"),
            Step::StartAtLogin => say!(text, "wizard-step-login-detail"),
            Step::WriteReceipt => say!(text, "wizard-step-receipt-detail"),
        }
    }
}

impl From<InstallPage> for SummaryPage {
    fn from(page: InstallPage) -> Self {
        page.summary
    }
}

impl View for InstallPage {
    fn heading(&self, text: Text) -> (String, String) {
        let profile = plan_name(&self.summary.profile.choice.plan);
        match &self.state {
            InstallState::Running => {
                (say!(text, "wizard-install-title", profile = profile), say!(text, "wizard-install-lead"))
            }
            InstallState::Stopping => {
                (say!(text, "wizard-install-stopping"), say!(text, "wizard-install-stopping-lead"))
            }
            InstallState::Cancelled => {
                (say!(text, "wizard-install-cancelled"), say!(text, "wizard-install-cancelled-lead"))
            }
            InstallState::Failed(_) => {
                (say!(text, "wizard-install-failed"), say!(text, "wizard-install-failed-lead"))
            }
        }
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        match &self.state {
            InstallState::Failed(error) => banner(ui, Tone::Refused, &error.explain(text)),
            InstallState::Cancelled => banner(ui, Tone::Accent, &say!(text, "wizard-install-kept")),
            InstallState::Running | InstallState::Stopping => card(ui, |ui| self.progress(ui, text)),
        }
        ui.gap(3.5);
        table_card(ui, 18, |ui| self.steps(ui, text));
        if self.log_open {
            ui.gap(3.5);
            card(ui, |ui| {
                ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-log"));
                ui.gap(1.0);
                ScrollArea::vertical().id_salt("log").max_height(180.0).stick_to_bottom(true).show(
                    ui,
                    |ui| {
                        ui.set_width(ui.available_width());
                        for line in &self.log {
                            ui.text(TextRole::Code, Tone::Soft, &line.line(text, self.is_from_file()));
                        }
                    },
                );
            });
        }
    }

    fn footer(&self, text: Text) -> Footer {
        let log = if self.log_open { say!(text, "wizard-hide-log") } else { say!(text, "wizard-show-log") };
        let mut links = vec![Button::new(log, Intent::ToggleLog)];
        if self.has_ended() {
            links.push(Button::new(say!(text, "wizard-save-report"), Intent::ShowReport));
            return Footer {
                back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
                links,
                secondary: None,
                primary: Some(Button::new(say!(text, "wizard-try-again"), Intent::Retry)),
            };
        }
        let running = matches!(self.state, InstallState::Running);
        let pause =
            if self.control.is_paused() { say!(text, "wizard-resume") } else { say!(text, "wizard-pause") };
        let secondary = if self.is_tuning {
            let may_skip = running && !self.control.is_tuning_skipped();
            Button::new(say!(text, "wizard-skip-tuning"), Intent::SkipTuning).enabled(may_skip)
        } else {
            Button::new(pause, Intent::TogglePause).enabled(running)
        };
        Footer {
            back: Some(Button::new(say!(text, "wizard-cancel"), Intent::AskToCancel).enabled(running)),
            links,
            secondary: Some(secondary),
            primary: Some(Button::new(say!(text, "wizard-continue"), Intent::Next).enabled(false)),
        }
    }
}
