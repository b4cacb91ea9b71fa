//! Result: the promise beside the measurement, and a prompt to try.

use std::sync::Arc;

use eframe::egui::{Align, Layout, Rect, ScrollArea, Sense, Ui, accesskit::Live, vec2};

use super::install::InstallPage;
use super::{Button, Context, Footer, Intent, View};
use crate::install::{Control, Receipt};
use crate::say;
use crate::text::Text;
use crate::wizard::backend::{AnswerFigures, Found, Trouble};
use crate::wizard::theme::{Kind, Tone};
use crate::wizard::widgets::{
    Chip, Column, Look, Parts as _, Table, Words, banner, button_width, card, promise_scale, table_card,
    text_field,
};

/// A prompt that is being tried.
#[derive(Default)]
struct Trial {
    prompt: String,
    answer: String,
    running: Option<Control>,
    figures: Option<AnswerFigures>,
    trouble: Option<Trouble>,
}

/// The page.
pub struct ResultPage {
    /// The machine and the plans, to plan anew from.
    pub found: Arc<Found>,
    /// What was promised and measured.
    pub receipt: Receipt,
    /// Whether the person agreed to limits.
    pub consented: bool,
    banner: Option<String>,
    home: String,
    trial: Trial,
}

impl ResultPage {
    /// An installation that came to its end.
    pub fn new(page: InstallPage, receipt: Receipt, banner: Option<String>) -> Self {
        let summary = page.summary;
        Self {
            found: summary.profile.compatibility.found,
            receipt,
            consented: summary.consent.is_some(),
            banner,
            home: summary.profile.choice.places.home,
            trial: Trial::default(),
        }
    }

    /// Our folder.
    pub fn home(&self) -> &str {
        self.home.trim()
    }

    /// A piece of the answer.
    pub fn answer_part(&mut self, part: &str) {
        self.trial.answer.push_str(part);
    }

    /// The answer ended.
    pub fn answer_ended(&mut self, end: Result<AnswerFigures, Trouble>) {
        self.trial.running = None;
        match end {
            Ok(figures) => self.trial.figures = Some(figures),
            Err(trouble) => self.trial.trouble = Some(trouble),
        }
    }

    /// Whoever leaves the page does not wait for the answer.
    pub fn stop_answer(&mut self) {
        if let Some(control) = self.trial.running.take() {
            control.cancel();
        }
    }

    fn ask(&mut self, cx: &Context<'_>) {
        let prompt = self.trial.prompt.trim().to_owned();
        if prompt.is_empty() || self.trial.running.is_some() {
            return;
        }
        let control = Control::new();
        self.trial = Trial { prompt: prompt.clone(), running: Some(control.clone()), ..Trial::default() };
        cx.backend.ask(self.receipt.port, prompt, cx.text, control, cx.outbox.clone());
    }

    fn try_it(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        let text = cx.text;
        let title = say!(text, "wizard-try-title");
        let label = ui.words(Kind::Strong, Tone::Ink, &title).id;
        ui.gap(2.0);
        ui.horizontal(|ui| {
            let running = self.trial.running.is_some();
            let button = if running { say!(text, "wizard-try-stop") } else { say!(text, "wizard-try-ask") };
            let look = if running { Look::Secondary } else { Look::Primary };
            let width = ui.available_width() - button_width(ui, look, &button) - ui.spacing().item_spacing.x;
            let hint = say!(text, "wizard-try-hint");
            let field = text_field(ui, &mut self.trial.prompt, &hint, width).labelled_by(label);
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(eframe::egui::Key::Enter));
            let ready = running || !self.trial.prompt.trim().is_empty();
            if ui.action(look, &button, ready).clicked() {
                if running { self.stop_answer() } else { self.ask(cx) }
            } else if entered {
                self.ask(cx);
            }
        });
        let asked =
            self.trial.running.is_some() || self.trial.figures.is_some() || self.trial.trouble.is_some();
        if asked && let Some(words) = &self.banner {
            ui.gap(3.0);
            banner(ui, Tone::Warning, words);
        }
        if !self.trial.answer.is_empty() {
            ui.gap(2.5);
            ScrollArea::vertical().id_salt("answer").max_height(220.0).stick_to_bottom(true).show(ui, |ui| {
                ui.set_width(ui.available_width());
                let answer = ui.words(Kind::Code, Tone::Ink, &self.trial.answer);
                ui.ctx().accesskit_node_builder(answer.id, |node| node.set_live(Live::Polite));
            });
        } else if self.trial.running.is_some() {
            ui.gap(2.5);
            ui.words(Kind::Label, Tone::Soft, &say!(text, "wizard-try-waiting"));
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
            ui.words(Kind::Label, Tone::Faint, &words);
        }
        if let Some(trouble) = &self.trial.trouble {
            ui.gap(2.5);
            banner(ui, Tone::Refused, &trouble.0);
        }
    }
}

impl View for ResultPage {
    fn heading(&self, text: Text) -> (String, String) {
        let title = if self.receipt.misses.is_empty() {
            say!(text, "wizard-result-title")
        } else {
            say!(text, "wizard-result-missed")
        };
        let lead = match self.receipt.measured.context_tokens {
            Some(tokens) => say!(
                text,
                "wizard-result-lead",
                address = format!("127.0.0.1:{}", self.receipt.port),
                tokens = text.count(u64::from(tokens))
            ),
            None => {
                say!(text, "wizard-result-lead-unknown", address = format!("127.0.0.1:{}", self.receipt.port))
            }
        };
        (title, lead)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        table_card(ui, 18, |ui| comparison(ui, cx.text, &self.receipt));
        for miss in &self.receipt.misses {
            ui.gap(2.0);
            banner(ui, Tone::Warning, miss);
        }
        ui.gap(3.5);
        card(ui, |ui| self.try_it(ui, cx));
    }

    fn footer(&self, text: Text) -> Footer {
        Footer {
            back: None,
            links: vec![
                Button::new(say!(text, "wizard-open-folder"), Intent::OpenFolder),
                Button::new(say!(text, "wizard-save-report"), Intent::AskWhereToSave),
            ],
            secondary: Some(Button::new(say!(text, "wizard-manage"), Intent::Manage)),
            primary: Some(Button::new(say!(text, "wizard-finish"), Intent::Finish)),
        }
    }
}

/// One line of the comparison.
struct Row {
    name: String,
    promised: String,
    measured: String,
    range: (f64, f64),
    value: Option<f64>,
    top: f64,
    verdict: (Tone, String),
}

/// The table of a receipt; Manage shows it too.
pub(super) fn comparison(ui: &mut Ui, text: Text, receipt: &Receipt) {
    let head = |head: String, min_width: f32, grow: f32, right: bool| Column {
        head,
        min_width,
        grow,
        right,
        sorted: None,
    };
    let table = Table::new(
        ui,
        vec![
            head(String::new(), 118.0, 0.6, false),
            head(say!(text, "wizard-promised"), 78.0, 0.0, false),
            head(say!(text, "wizard-measured"), 78.0, 0.0, false),
            head(String::new(), 90.0, 2.0, false),
            head(String::new(), 118.0, 0.3, true),
        ],
        0.0,
    );
    ui.spacing_mut().item_spacing.y = 0.0;
    table.head(ui, false);
    let rows = rows(text, receipt);
    for (i, row) in rows.iter().enumerate() {
        table.row(ui, 40.0, None, i + 1 == rows.len(), |ui, column| match column {
            0 => _ = Words::new(ui).add(Kind::TableStrong, Tone::Ink, &row.name).show_line(ui),
            1 => _ = Words::new(ui).add(Kind::Table, Tone::Ink, &row.promised).show_line(ui),
            2 => _ = Words::new(ui).add(Kind::TableStrong, Tone::Ink, &row.measured).show_line(ui),
            3 => {
                let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
                let rect = Rect::from_center_size(rect.center(), rect.size());
                promise_scale(ui, rect, row.range, row.value, row.top, row.verdict.0);
            }
            _ => _ = Chip::new(row.verdict.0, &row.verdict.1).show(ui),
        });
    }
}

fn rows(text: Text, receipt: &Receipt) -> Vec<Row> {
    let (promise, measured) = (&receipt.predicted, &receipt.measured);
    let unknown = || say!(text, "wizard-unknown");
    let decode = promise.decode_tokens_per_s;
    let first = promise.first_token_s;
    let vram = promise.vram_bytes as f64;
    let context = f64::from(promise.context_tokens);
    let layers =
        |n: u32| say!(text, "wizard-of", part = n.to_string(), whole = promise.total_layers.to_string());
    let mut rows = vec![
        Row {
            name: say!(text, "wizard-tokens-a-second"),
            promised: text.range(decode),
            measured: measured.decode_tokens_per_s.map_or_else(unknown, |value| text.figure(value)),
            range: (decode.low, decode.high),
            value: measured.decode_tokens_per_s,
            top: decode.high.max(measured.decode_tokens_per_s.unwrap_or(0.0)) * 1.4,
            verdict: match measured.decode_tokens_per_s {
                Some(value) if value > decode.high => better(text),
                other => more_is_better(text, decode.low, other),
            },
        },
        Row {
            name: match measured.first_token_prompt_tokens {
                Some(tokens) => say!(text, "wizard-first-token-of", tokens = text.count(tokens)),
                None => say!(text, "wizard-table-first-token"),
            },
            promised: format!("{}\u{a0}s", text.range(first)),
            measured: measured
                .first_token_s
                .map_or_else(unknown, |value| format!("{}\u{a0}s", text.figure(value))),
            range: (first.low, first.high),
            value: measured.first_token_s,
            top: first.high.max(measured.first_token_s.unwrap_or(0.0)) * 1.4,
            verdict: match measured.first_token_s {
                Some(value) if value < first.low => better(text),
                other => less_is_better(text, first.high, other),
            },
        },
    ];
    if promise.vram_bytes > 0 {
        let got = measured.vram_bytes.map(|bytes| bytes as f64);
        rows.push(Row {
            name: say!(text, "wizard-memory-graphics"),
            promised: text.memory(promise.vram_bytes),
            measured: measured.vram_bytes.map_or_else(unknown, |bytes| text.memory(bytes)),
            range: (vram, vram),
            value: got,
            top: vram.max(got.unwrap_or(0.0)) * 1.6,
            verdict: near_is_better(text, vram, 0.1, got),
        });
        rows.push(Row {
            name: say!(text, "wizard-layers"),
            promised: layers(promise.gpu_layers),
            measured: measured.gpu_layers.map_or_else(unknown, layers),
            range: (f64::from(promise.gpu_layers), f64::from(promise.gpu_layers)),
            value: measured.gpu_layers.map(f64::from),
            top: f64::from(promise.total_layers) * 1.05,
            verdict: more_is_better(text, f64::from(promise.gpu_layers), measured.gpu_layers.map(f64::from)),
        });
    }
    let ram = promise.ram_bytes as f64;
    let got = measured.ram_bytes.map(|bytes| bytes as f64);
    rows.push(Row {
        name: say!(text, "wizard-memory-main"),
        promised: text.memory(promise.ram_bytes),
        measured: measured.ram_bytes.map_or_else(unknown, |bytes| text.memory(bytes)),
        range: (ram, ram),
        value: got,
        top: ram.max(got.unwrap_or(0.0)) * 1.6,
        verdict: near_is_better(text, ram, 0.15, got),
    });
    rows.push(Row {
        name: say!(text, "wizard-context"),
        promised: text.count(u64::from(promise.context_tokens)),
        measured: measured.context_tokens.map_or_else(unknown, |tokens| text.count(u64::from(tokens))),
        range: (context, context),
        value: measured.context_tokens.map(f64::from),
        top: context * 1.05,
        verdict: match measured.context_tokens {
            Some(tokens) if tokens >= promise.context_tokens => {
                (Tone::Good, say!(text, "wizard-result-read-back"))
            }
            other => more_is_better(text, context, other.map(f64::from)),
        },
    });
    rows
}

/// Outside the range on the good side: the estimate was wrong all the same, and that is said.
fn better(text: Text) -> (Tone, String) {
    (Tone::Good, say!(text, "wizard-result-better"))
}

fn more_is_better(text: Text, least: f64, measured: Option<f64>) -> (Tone, String) {
    match measured {
        None => (Tone::Soft, say!(text, "wizard-result-not-told")),
        Some(value) if value >= least => (Tone::Good, say!(text, "wizard-result-as-promised")),
        Some(value) => {
            let share = text.percent(1.0 - value / least.max(f64::MIN_POSITIVE));
            (Tone::Warning, say!(text, "wizard-result-less", share = share))
        }
    }
}

fn less_is_better(text: Text, most: f64, measured: Option<f64>) -> (Tone, String) {
    match measured {
        None => (Tone::Soft, say!(text, "wizard-result-not-told")),
        Some(value) if value <= most => (Tone::Good, say!(text, "wizard-result-as-promised")),
        Some(value) => {
            let share = text.percent(value / most.max(f64::MIN_POSITIVE) - 1.0);
            (Tone::Warning, say!(text, "wizard-result-more", share = share))
        }
    }
}

/// For memory: much less than promised is no harm, but the promise was wrong all the same; and where nothing at all is
/// used, something does not run where it should.
fn near_is_better(text: Text, promised: f64, tolerance: f64, measured: Option<f64>) -> (Tone, String) {
    match measured {
        Some(value) if value < promised * (1.0 - tolerance) => {
            let share = text.percent(1.0 - value / promised);
            let tone = if value > 0.0 { Tone::Good } else { Tone::Warning };
            (tone, say!(text, "wizard-result-less", share = share))
        }
        other => less_is_better(text, promised * (1.0 + tolerance), other),
    }
}

/// Keeps a label and its value on one line: used by pages that list facts.
pub(super) fn fact_line(ui: &mut Ui, label: &str, value: &str) {
    ui.gap(1.5);
    ui.horizontal(|ui| {
        ui.words(Kind::Table, Tone::Soft, label);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            Words::new(ui).add(Kind::TableStrong, Tone::Ink, value).show_line(ui);
        });
    });
    ui.gap(1.5);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn memory_is_as_promised_near_the_promise_only() {
        let verdict = |measured| near_is_better(Text::new(Language::English), 10.0, 0.1, measured);
        for near in [9.0, 10.0, 11.0] {
            assert_eq!(verdict(Some(near)), (Tone::Good, "as promised".to_owned()));
        }
        assert_eq!(verdict(Some(7.0)), (Tone::Good, "30\u{a0}% less".to_owned()));
        assert_eq!(verdict(Some(0.0)), (Tone::Warning, "100\u{a0}% less".to_owned()));
        assert_eq!(verdict(Some(22.0)), (Tone::Warning, "100\u{a0}% more".to_owned()));
        assert_eq!(verdict(None), (Tone::Soft, "not told".to_owned()));
    }
}
