//! Manage: how full the graphics memory is, how fast the last answers were, and the server's log.

use std::path::Path;
use std::time::Duration;

use eframe::egui::Ui;

use super::{Intent, PageContext};
use crate::install::Receipt;
use crate::monitor::{CRITICAL_SHARE, CardSample, HistoryPoint, ModelSample, SampleHistory};
use crate::say;
use crate::text::Text;
use crate::wizard::backend::{BackendCommand, LiveLook, LiveWatch};
use crate::wizard::theme::{TextRole, Tone, size};
use crate::wizard::widgets::{
    ButtonStyle, GraphPoint, Paragraph, Part, StackedBar, UiExt as _, card, label_and_value, memory_graph,
    text_panel,
};

/// Time that the graph covers.
const SPAN: Duration = Duration::from_secs(300);
/// Number of last answers whose speed is shown.
const ANSWERS_SHOWN: usize = 5;
/// Height of the graph, in points.
const GRAPH: f32 = 56.0;
/// Height of the server's log, in points.
const LOG: f32 = 110.0;

/// What is watched while the page is shown. Dropping it ends the watch.
pub struct ManageLive {
    watch: Option<LiveWatch>,
    history: SampleHistory,
    is_blind: bool,
    log: String,
}

impl Default for ManageLive {
    fn default() -> Self {
        Self { watch: None, history: SampleHistory::of_last(SPAN), is_blind: false, log: String::new() }
    }
}

impl Drop for ManageLive {
    fn drop(&mut self) {
        self.stop();
    }
}

impl ManageLive {
    /// Begins to watch the installation in this folder, if it is not watched.
    pub fn begin(&mut self, home: &Path) -> Option<BackendCommand> {
        if self.watch.is_some() {
            return None;
        }
        let watch = self.watch.insert(LiveWatch::default()).clone();
        Some(BackendCommand::Watch { home: home.to_owned(), watch })
    }

    /// Ends the watch.
    pub fn stop(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.stop();
        }
    }

    /// Something new was found.
    pub fn looked(&mut self, look: LiveLook) {
        self.is_blind = look.is_blind;
        self.log = look.log.join("\n");
        self.history.push(look.sample);
    }

    /// Draws the cards: memory and speed, then the log.
    pub(super) fn show(&self, ui: &mut Ui, cx: &mut PageContext<'_>, receipt: Option<&Receipt>) {
        if let Some(watch) = &self.watch {
            watch.drawn();
        }
        let text = cx.text;
        ui.gap(3.5);
        card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "live-title"));
            ui.gap(1.0);
            self.memory(ui, text);
            self.model(ui, text, receipt);
        });
        ui.gap(3.5);
        card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let title = say!(text, "live-log");
            ui.text(TextRole::Strong, Tone::Ink, &title);
            ui.gap(2.0);
            if self.log.is_empty() {
                ui.text(TextRole::Text, Tone::Soft, &say!(text, "live-log-empty"));
            } else {
                text_panel(ui, &self.log, LOG, &title);
            }
            ui.gap(2.0);
            if ui.action(ButtonStyle::Secondary, &say!(text, "live-open-logs"), true).clicked() {
                cx.intents.push(Intent::OpenLogs);
            }
        });
    }

    fn memory(&self, ui: &mut Ui, text: Text) {
        let Some(sample) = self.history.latest() else {
            ui.text(TextRole::Text, Tone::Soft, &say!(text, "live-waiting"));
            return;
        };
        if sample.gpus.is_empty() {
            let words =
                if self.is_blind { say!(text, "live-blind") } else { say!(text, "monitor-no-answer") };
            ui.text(TextRole::Text, Tone::Soft, &words);
        }
        for card in &sample.gpus {
            let points: Vec<_> = self.history.of_card(card.memory.adapter).collect();
            show_card(ui, text, card, &points);
        }
    }

    fn model(&self, ui: &mut Ui, text: Text, receipt: Option<&Receipt>) {
        let Some(sample) = self.history.latest() else { return };
        ui.gap(1.0);
        let line = |ui: &mut Ui, label: String, value: &str| {
            if !value.is_empty() {
                let left = Paragraph::new(ui).add(TextRole::Table, Tone::Soft, &label);
                let right = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, value);
                label_and_value(ui, 1.0, left, right);
            }
        };
        let Some(model) = &sample.model else {
            line(ui, say!(text, "monitor-label-model"), &say!(text, "monitor-none-loaded"));
            return;
        };
        line(ui, say!(text, "monitor-label-model"), &model.placement(text));
        line(ui, say!(text, "monitor-label-context"), &model.context(text));
        line(ui, say!(text, "monitor-label-answers"), &model.speeds(ANSWERS_SHOWN, text));
        if let Some(measured) = receipt.and_then(|receipt| receipt.measured.decode_tokens_per_s) {
            let speed = say!(text, "monitor-answers", speeds = text.figure(measured));
            line(ui, say!(text, "live-measured"), &speed);
        }
        show_loss(ui, text, model);
    }
}

fn show_card(ui: &mut Ui, text: Text, card: &CardSample, points: &[HistoryPoint]) {
    let memory = &card.memory;
    let gpu = memory.gpu.as_str();
    let tone = if memory.share() >= CRITICAL_SHARE { Tone::Warning } else { Tone::Soft };
    ui.text(TextRole::Text, tone, &memory.words(text));
    ui.gap(1.5);
    let model = card.model_bytes.unwrap_or(0);
    let others = memory.used_bytes.saturating_sub(model);
    StackedBar::new(format!("{}, {gpu}", say!(text, "live-title")), memory.total_bytes)
        .part(Part::Weights, model, say!(text, "live-bar-model", size = text.memory(model)))
        .part(Part::Others, others, say!(text, "wizard-hardware-others", size = text.memory(others)))
        .height(size::BAR)
        .show(ui);
    ui.gap(2.0);
    let shares = points.iter().map(|point| point.used_share);
    let (low, high) = shares.fold((1.0_f64, 0.0_f64), |(low, high), share| (low.min(share), high.max(share)));
    let span = text.duration(SPAN.as_secs_f64());
    let name = say!(
        text,
        "live-graph",
        gpu = gpu,
        span = span.as_str(),
        low = text.percent(low.min(high)),
        high = text.percent(high),
        now = text.percent(memory.share())
    );
    let drawn: Vec<_> = points
        .iter()
        .map(|point| GraphPoint {
            x: 1.0 - (point.ago.as_secs_f64() / SPAN.as_secs_f64()) as f32,
            used: point.used_share as f32,
            model: point.model_share.unwrap_or(0.0) as f32,
        })
        .collect();
    memory_graph(ui, GRAPH, &name, &drawn);
    ui.gap(0.5);
    ui.text(TextRole::Label, Tone::Faint, &say!(text, "monitor-graph", span = span));
    ui.gap(1.0);
}

/// What has left the card, and what helps. Not announced: the figure changes with every look.
fn show_loss(ui: &mut Ui, text: Text, model: &ModelSample) {
    if let Some(loss) = &model.loss {
        ui.gap(1.0);
        ui.text(TextRole::Text, Tone::Warning, &loss.explain(text));
    }
}
