//! A step of an installation: its line on the page and in the log.

use eframe::egui::{Rect, Sense, Ui, vec2};

use crate::install::event::Activity;
use crate::install::{Event, Step, StepState};
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone, icons::Icon, palette, size};
use crate::wizard::widgets::{Paragraph, UiExt as _};

/// A line of the log.
#[derive(Clone, Debug)]
pub(super) struct LogLine {
    /// Seconds since the installation began.
    pub(super) after_s: f64,
    pub(super) event: Event,
}

impl LogLine {
    pub(super) fn line(&self, text: Text, from_file: bool) -> String {
        let (after, step) = (text.decimal(self.after_s, 1), title(text, self.event.step, from_file));
        format!("{after:>8} s  {step}: {}", self.event.activity.words(text))
    }
}

/// Draws a step: icon, title, outcome.
pub(super) fn step_row(ui: &mut Ui, title: &str, state: Option<StepState>, detail: &str) {
    let p = palette(ui);
    let (icon, color) = match state {
        None => (Icon::StepWaiting, p.accent),
        Some(StepState::Started | StepState::Running | StepState::Waiting) => (Icon::StepRunning, p.accent),
        Some(StepState::Done | StepState::Skipped) => (Icon::Check, p.good),
        Some(StepState::Failed) => (Icon::Cross, p.refused),
        Some(StepState::Cancelled) => (Icon::Cross, p.faint),
    };
    let (kind, tone) = match state {
        None => (TextRole::Text, Tone::Faint),
        Some(StepState::Started | StepState::Running | StepState::Waiting) => (TextRole::Strong, Tone::Ink),
        Some(StepState::Failed) => (TextRole::Strong, Tone::Refused),
        Some(StepState::Done | StepState::Skipped | StepState::Cancelled) => (TextRole::Text, Tone::Ink),
    };
    ui.gap(1.6);
    ui.horizontal(|ui| {
        let (sign, _) = ui.allocate_exact_size(vec2(18.0, TextRole::Text.line_height()), Sense::hover());
        icon.paint(ui, Rect::from_center_size(sign.center(), vec2(size::ICON, size::ICON)), color);
        ui.gap(1.0);
        let width = (ui.available_width() * 0.38).round();
        ui.allocate_ui(vec2(width, TextRole::Text.line_height()), |ui| {
            ui.set_width(width);
            Paragraph::new(ui).add(kind, tone, title).show_line(ui);
        });
        Paragraph::new(ui).add(TextRole::Text, Tone::Soft, detail).show_line(ui);
    });
    ui.gap(1.6);
}

/// Title of a step. `from_file`: the model is in a file of the user's.
pub(super) fn title(text: Text, step: Step, from_file: bool) -> String {
    match step {
        Step::PullModel if from_file => say!(text, "wizard-step-copy"),
        Step::Check => say!(text, "wizard-step-check"),
        Step::FetchEngine => say!(text, "wizard-step-fetch"),
        Step::UnpackEngine => say!(text, "wizard-step-unpack"),
        Step::StartServer => say!(text, "wizard-step-start"),
        Step::PullModel => say!(text, "wizard-step-pull"),
        Step::CreateModel => say!(text, "wizard-step-create"),
        Step::LoadModel => say!(text, "wizard-step-load"),
        Step::Measure => say!(text, "wizard-step-measure"),
        Step::StartAtLogin => say!(text, "wizard-step-login"),
        Step::WriteReceipt => say!(text, "wizard-step-receipt"),
    }
}

/// What limits the rate of a step that moves bytes.
pub(super) fn limited_by(text: Text, event: &Event) -> String {
    match event.step {
        _ if matches!(event.activity, Activity::CopyingModelFile { .. }) => {
            say!(text, "wizard-limited-by-disk")
        }
        Step::FetchEngine | Step::PullModel => say!(text, "wizard-limited-by-network"),
        _ => say!(text, "wizard-limited-by-disk"),
    }
}
