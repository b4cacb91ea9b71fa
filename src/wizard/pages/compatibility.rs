//! Compatibility: every profile on this machine, why, and what would change it.

use std::cmp::Ordering;
use std::sync::Arc;

use eframe::egui::{Ui, vec2};

use super::choice::Choice;
use super::hardware::{Detection, HardwarePage};
use super::labels::{layers, quality_short};
use super::{Button, Footer, Intent, PageContext, View};
use crate::plan::{Improvement, Plan, Report, Verdict};
use crate::say;
use crate::text::Text;
use crate::wizard::backend::Detected;
use crate::wizard::theme::{TextRole, Tone, size};
use crate::wizard::widgets::{
    Chip, Column, Paragraph, Table, UiExt as _, card, card_row, center_vertically, table_card, thin_bar,
    two_lines, verdict_chip, wash_card,
};

/// A column the table can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SortKey {
    Profile,
    Verdict,
    Model,
    Layers,
    Memory,
    Speed,
    FirstToken,
}

const SORT_KEYS: [SortKey; 7] = [
    SortKey::Profile,
    SortKey::Verdict,
    SortKey::Model,
    SortKey::Layers,
    SortKey::Memory,
    SortKey::Speed,
    SortKey::FirstToken,
];

/// Minimum width, in points, of a cell of layers that shows the percentage too.
const MIN_WIDTH_WITH_SHARE: f32 = 95.0;

/// Tables with more rows than this get lower rows.
const COMFORTABLE_ROWS: usize = 7;
/// Height of a row, in points.
const ROW: f32 = 45.0;
/// Height of a row in a long table, in points.
const ROW_LOW: f32 = 38.0;
/// Height of a refused profile, which has one line only, in a long table, in points.
const ROW_REFUSED: f32 = 29.0;

/// The page.
pub struct CompatibilityPage {
    /// The machine and the plans.
    pub detected: Arc<Detected>,
    /// Row whose reasons are shown: index into the report's plans.
    selected: usize,
    sort: Option<(SortKey, bool)>,
    /// The choice made on an earlier visit to the profile page.
    pub draft: Option<Choice>,
}

impl From<CompatibilityPage> for HardwarePage {
    fn from(page: CompatibilityPage) -> Self {
        Self { detection: Detection::Known(page.detected) }
    }
}

impl From<Arc<Detected>> for CompatibilityPage {
    fn from(detected: Arc<Detected>) -> Self {
        let selected = detected.report.recommended_index().unwrap_or_default();
        Self { detected, selected, sort: None, draft: None }
    }
}

impl CompatibilityPage {
    fn rows(&self) -> Vec<usize> {
        let plans = &self.detected.report.plans;
        let mut rows: Vec<usize> = (0..plans.len()).collect();
        if let Some((key, up)) = self.sort {
            rows.sort_by(|a, b| {
                let order = compare(key, &plans[*a], &plans[*b]);
                if up { order } else { order.reverse() }
            });
        }
        rows
    }

    fn columns(&self, text: Text) -> Vec<Column> {
        let heads = [
            (say!(text, "wizard-table-profile"), 126.0, 1.0),
            (say!(text, "wizard-table-verdict"), 96.0, 0.6),
            (say!(text, "wizard-table-model"), 83.0, 0.3),
            (say!(text, "wizard-table-layers"), 92.0, 0.5),
            (say!(text, "wizard-table-memory"), 84.0, 0.4),
            (say!(text, "wizard-table-speed"), 60.0, 0.3),
            (say!(text, "wizard-table-first-token"), 68.0, 0.3),
        ];
        heads
            .into_iter()
            .zip(SORT_KEYS)
            .map(|((head, width, grow), key)| Column {
                head,
                min_width: width,
                grow,
                right: matches!(key, SortKey::Speed | SortKey::FirstToken),
                sorted: self.sort.filter(|(sorted, _)| *sorted == key).map(|(_, up)| up),
            })
            .collect()
    }

    fn table(&mut self, ui: &mut Ui, text: Text) {
        let table = Table::new(ui, self.columns(text), 6.0);
        ui.spacing_mut().item_spacing.y = 0.0;
        if let Some(column) = table.head(ui, true) {
            let key = SORT_KEYS[column];
            self.sort = match self.sort {
                Some((sorted, true)) if sorted == key => Some((key, false)),
                Some((sorted, false)) if sorted == key => None,
                _ => Some((key, true)),
            };
        }
        let rows = self.rows();
        // Lower rows keep the reasons below a long table visible.
        let low = rows.len() > COMFORTABLE_ROWS;
        let detected = Arc::clone(&self.detected);
        for (n, index) in rows.iter().enumerate() {
            let plan = &detected.report.plans[*index];
            let name = row_name(text, plan);
            let chosen = *index == self.selected;
            let last = n + 1 == rows.len();
            let height = match (low, plan.verdict) {
                (false, _) => ROW,
                (true, Verdict::Refused) => ROW_REFUSED,
                (true, _) => ROW_LOW,
            };
            let row = table.row(ui, height, Some((&name, chosen)), last, |ui, column| {
                cell(ui, text, plan, SORT_KEYS[column]);
            });
            if row.is_some_and(|row| row.clicked()) {
                self.selected = *index;
            }
        }
    }
}

impl View for CompatibilityPage {
    fn heading(&self, text: Text) -> (String, String) {
        let report = &self.detected.report;
        let title = match report.verdict {
            Verdict::Compatible => say!(text, "wizard-compatibility-good"),
            Verdict::Degraded => say!(text, "wizard-compatibility-limits"),
            Verdict::Refused => say!(text, "wizard-compatibility-refused"),
        };
        let lead = if report.verdict == Verdict::Refused {
            say!(text, "wizard-compatibility-refused-lead")
        } else {
            say!(text, "wizard-compatibility-lead")
        };
        (title, lead)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        if self.detected.report.verdict == Verdict::Refused {
            refusal(ui, text, &self.detected.report);
            ui.gap(3.5);
        }
        table_card(ui, 8, |ui| self.table(ui, text));
        let Some(plan) = self.detected.report.plans.get(self.selected) else {
            return;
        };
        ui.gap(3.5);
        card_row(ui, "why", &[1.0, 1.0], |ui, i| {
            if i == 0 { why(ui, text, plan) } else { what_would_change(ui, text, plan) }
        });
    }

    fn footer(&self, text: Text) -> Footer {
        let usable = self.detected.report.verdict != Verdict::Refused;
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            links: vec![
                Button::new(say!(text, "wizard-save-report"), Intent::ShowReport),
                Button::new(say!(text, "wizard-compare-reference"), Intent::CompareWithReference),
            ],
            secondary: None,
            primary: Some(Button::new(say!(text, "wizard-choose-profile"), Intent::Next).enabled(usable)),
        }
    }
}

/// What a refused machine lacks and what the user can do.
fn refusal(ui: &mut Ui, text: Text, report: &Report) {
    wash_card(ui, Tone::Refused, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        for reason in &report.reasons {
            Paragraph::new(ui)
                .add(TextRole::Strong, Tone::Ink, &format!("{}. ", reason.title(text)))
                .add(TextRole::Text, Tone::Ink, &reason.text(text))
                .show(ui);
        }
    });
    if report.improvements.is_empty() {
        return;
    }
    ui.gap(3.5);
    card(ui, |ui| {
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-what-you-can-do"));
        ui.gap(0.5);
        for improvement in &report.improvements {
            ui.text(TextRole::Text, Tone::Soft, &improvement.text(text));
        }
    });
}

fn why(ui: &mut Ui, text: Text, plan: &Plan) {
    let profile = plan.candidate.id.clone();
    let title = match plan.verdict {
        Verdict::Compatible => say!(text, "wizard-why-compatible", profile = profile),
        Verdict::Degraded => say!(text, "wizard-why-degraded", profile = profile),
        Verdict::Refused => say!(text, "wizard-why-refused", profile = profile),
    };
    ui.text(TextRole::Strong, Tone::Ink, &title);
    ui.gap(0.5);
    for reason in &plan.reasons {
        ui.text(TextRole::Text, Tone::Soft, &reason.text(text));
    }
}

fn what_would_change(ui: &mut Ui, text: Text, plan: &Plan) {
    ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-what-would-change"));
    ui.gap(0.5);
    if plan.improvements.is_empty() {
        ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-nothing-to-change"));
    }
    for improvement in &plan.improvements {
        ui.text(TextRole::Text, Tone::Soft, &improvement.text(text));
    }
}

fn row_name(text: Text, plan: &Plan) -> String {
    let (_, verdict) = verdict_chip(text, plan.verdict);
    format!("{}, {verdict}", plan.candidate.id)
}

fn cell(ui: &mut Ui, text: Text, plan: &Plan, key: SortKey) {
    let runs = plan.verdict != Verdict::Refused;
    let dash = || "–".to_owned();
    match key {
        SortKey::Profile => {
            let quality = plan.quality();
            let rating = quality_short(quality.as_ref(), text);
            two_lines(ui, Paragraph::new(ui).add(TextRole::Source, Tone::Faint, &rating), |ui| {
                Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, &plan.candidate.id).show_line(ui);
            });
        }
        SortKey::Verdict => {
            let (tone, word) = verdict_chip(text, plan.verdict);
            let (long, short) = match needed_card(plan).filter(|_| !runs) {
                Some(gib) => {
                    let size = format!("{gib}\u{a0}GB");
                    let short = say!(text, "wizard-verdict-needs-short", size = size.as_str());
                    (say!(text, "wizard-verdict-needs", size = size), short)
                }
                None => (word.clone(), word),
            };
            let fits = Chip::new(tone, &long).width(ui) <= ui.available_width();
            Chip::new(tone, if fits { &long } else { &short }).show(ui);
        }
        SortKey::Model => {
            let candidate = &plan.candidate;
            let context = say!(
                text,
                "wizard-table-context",
                thousands = text.count(u64::from(candidate.context_tokens / 1024)),
                kv = candidate.kv_cache_type.name()
            );
            two_lines(ui, Paragraph::new(ui).add(TextRole::Source, Tone::Faint, &context), |ui| {
                Paragraph::new(ui)
                    .add(
                        TextRole::Table,
                        Tone::Ink,
                        &short_model(&candidate.model.title, candidate.model.quantisation.name()),
                    )
                    .show_line(ui);
            });
        }
        SortKey::Layers => {
            if runs {
                let share = f64::from(plan.gpu_layers()) / f64::from(plan.total_layers.max(1));
                let ram = say!(
                    text,
                    "wizard-table-ram",
                    part = text.memory_number(plan.memory.ram_required_bytes),
                    whole = text.memory_number(plan.ram_available_bytes())
                );
                two_lines(ui, Paragraph::new(ui).add(TextRole::Source, Tone::Faint, &ram), |ui| {
                    let mut words = Paragraph::new(ui).add(TextRole::Table, Tone::Ink, &layers(text, plan));
                    if ui.available_width() >= MIN_WIDTH_WITH_SHARE {
                        words =
                            words.add(TextRole::Source, Tone::Faint, &format!(" {}", text.percent(share)));
                    }
                    words.show_line(ui);
                });
            } else {
                ui.text(TextRole::Table, Tone::Ink, &dash());
            }
        }
        SortKey::Memory => memory(ui, text, plan),
        SortKey::Speed => {
            let speed = if runs { text.range(plan.speed.decode_tokens_per_s) } else { dash() };
            Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, &speed).show_line(ui);
        }
        SortKey::FirstToken => {
            let wait = if runs {
                format!("{}\u{a0}s", text.range(plan.speed.first_token_full_prompt_s))
            } else {
                dash()
            };
            Paragraph::new(ui).add(TextRole::Table, Tone::Ink, &wait).show_line(ui);
        }
    }
}

fn memory(ui: &mut Ui, text: Text, plan: &Plan) {
    let (need, free) = (needed_vram(plan), plan.vram_free_bytes());
    if plan.vram_total_bytes() == 0 {
        ui.text(TextRole::Table, Tone::Ink, "–");
        return;
    }
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 3.0);
        center_vertically(ui, TextRole::Label.line_height() + size::BAR_THIN + 3.0);
        let figures = |whole| say!(text, "wizard-of", part = text.memory_number(need), whole = whole);
        let words = |whole| Paragraph::new(ui).add(TextRole::Label, Tone::Ink, &figures(whole));
        // Omit the unit rather than truncate a figure.
        let fits = words(text.memory(free)).line_galley(ui, f32::INFINITY).size().x <= ui.available_width();
        let shown = words(if fits { text.memory(free) } else { text.memory_number(free) });
        shown.show_line(ui);
        let share = need as f32 / free.max(1) as f32;
        let tone = if plan.verdict == Verdict::Refused { Tone::Refused } else { Tone::Accent };
        thin_bar(ui, share, tone, size::BAR_THIN);
    });
}

/// VRAM in bytes: of all layers for a refused profile, of the planned ones for the others.
fn needed_vram(plan: &Plan) -> u64 {
    if plan.verdict == Verdict::Refused {
        plan.all_layers_vram_bytes.max(plan.memory.vram_required_bytes)
    } else {
        plan.memory.vram_required_bytes
    }
}

/// Nominal GiB of the card a refused profile needs.
fn needed_card(plan: &Plan) -> Option<u32> {
    plan.improvements.iter().find_map(|improvement| match improvement {
        Improvement::LargerCard { need_gib } => Some(*need_gib),
        _ => None,
    })
}

/// `7B Q4_K_M` of `Qwen2.5-Coder 7B`, `Q4_K_M`: the table shows only what differs.
fn short_model(title: &str, quantisation: &str) -> String {
    let size = title
        .split([' ', '-', ':'])
        .find(|word| word.ends_with(['B', 'b']) && word.starts_with(|first: char| first.is_ascii_digit()));
    format!("{} {quantisation}", size.unwrap_or(title))
}

fn compare(key: SortKey, a: &Plan, b: &Plan) -> Ordering {
    let number = |a: f64, b: f64| a.total_cmp(&b);
    match key {
        SortKey::Profile => a.candidate.id.cmp(&b.candidate.id),
        SortKey::Verdict => a.verdict.cmp(&b.verdict),
        SortKey::Model => a.candidate.model.download_bytes.cmp(&b.candidate.model.download_bytes),
        SortKey::Layers => a.gpu_layers().cmp(&b.gpu_layers()),
        SortKey::Memory => needed_vram(a).cmp(&needed_vram(b)),
        SortKey::Speed => number(a.speed.decode_tokens_per_s.mid, b.speed.decode_tokens_per_s.mid),
        SortKey::FirstToken => {
            number(a.speed.first_token_full_prompt_s.mid, b.speed.first_token_full_prompt_s.mid)
        }
    }
}
