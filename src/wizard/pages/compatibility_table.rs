//! The table of plans on the compatibility page: the profiles, or every model of the catalogue.

use std::cmp::{Ordering, Reverse};

use eframe::egui::{Ui, vec2};

use super::labels::{layers, model_name, quality_short};
use crate::plan::{CUSTOM_ID, Improvement, Plan, Verdict};
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone, size};
use crate::wizard::widgets::{
    Chip, Column, Paragraph, Table, UiExt as _, center_vertically, thin_bar, two_lines, verdict_chip,
};

/// What the table lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tab {
    /// The profiles.
    #[default]
    Profiles,
    /// Every model of the catalogue, in its best setting.
    Models,
}

/// Which models are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Filter {
    #[default]
    All,
    Whole,
    Experts,
    Commercial,
}

impl Filter {
    const ALL: [Self; 4] = [Self::All, Self::Whole, Self::Experts, Self::Commercial];

    fn title(self, text: Text) -> String {
        match self {
            Self::All => say!(text, "wizard-filter-all"),
            Self::Whole => say!(text, "wizard-filter-whole"),
            Self::Experts => say!(text, "wizard-filter-experts"),
            Self::Commercial => say!(text, "wizard-filter-commercial"),
        }
    }

    fn admits(self, plan: &Plan) -> bool {
        let runs = plan.verdict != Verdict::Refused;
        match self {
            Self::All => true,
            Self::Whole => runs && plan.gpu_layers() == plan.total_layers && plan.setting.n_cpu_moe == 0,
            Self::Experts => runs && plan.setting.n_cpu_moe > 0,
            Self::Commercial => runs && plan.candidate.model.licence.commercial == Some(true),
        }
    }
}

/// A column the table can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SortKey {
    Name,
    Verdict,
    Model,
    Layers,
    Memory,
    Speed,
    FirstToken,
}

const SORT_KEYS: [SortKey; 7] = [
    SortKey::Name,
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

/// The table's state.
#[derive(Default)]
pub(super) struct PlanTable {
    /// What it lists.
    pub tab: Tab,
    filter: Filter,
    sort: Option<(SortKey, bool)>,
}

impl PlanTable {
    /// Draws the two tabs, and for the models the filter.
    pub fn tabs(&mut self, ui: &mut Ui, text: Text) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
            for (tab, title) in [
                (Tab::Profiles, say!(text, "wizard-tab-profiles")),
                (Tab::Models, say!(text, "wizard-tab-models")),
            ] {
                if ui.selectable_label(self.tab == tab, title).clicked() {
                    (self.tab, self.sort) = (tab, None);
                }
            }
            if self.tab == Tab::Models {
                ui.gap(3.0);
                for filter in Filter::ALL {
                    if ui.selectable_label(self.filter == filter, filter.title(text)).clicked() {
                        self.filter = filter;
                    }
                }
            }
        });
    }

    /// Draws the table of `plans`. Returns the index of the plan that was clicked.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        text: Text,
        plans: &[Plan],
        selected: Option<usize>,
    ) -> Option<usize> {
        let name = match self.tab {
            Tab::Profiles => say!(text, "wizard-tab-profiles"),
            Tab::Models => say!(text, "wizard-tab-models"),
        };
        let columns = self.columns(text);
        ui.spacing_mut().item_spacing.y = 0.0;
        Table::show(ui, &name, columns, 6.0, |ui, table| self.rows_of(ui, text, table, plans, selected))
    }

    /// Draws the headings and the rows. Returns the index of the plan that was clicked.
    fn rows_of(
        &mut self,
        ui: &mut Ui,
        text: Text,
        table: &Table,
        plans: &[Plan],
        selected: Option<usize>,
    ) -> Option<usize> {
        if let Some(column) = table.head(ui, true) {
            let key = SORT_KEYS[column];
            self.sort = match self.sort {
                Some((sorted, true)) if sorted == key => Some((key, false)),
                Some((sorted, false)) if sorted == key => None,
                _ => Some((key, true)),
            };
        }
        let rows = self.rows(plans);
        if rows.is_empty() {
            ui.text(TextRole::Table, Tone::Soft, &say!(text, "wizard-filter-none"));
        }
        // Lower rows keep the reasons under a long table in sight.
        let low = rows.len() > COMFORTABLE_ROWS;
        let mut clicked = None;
        for (n, index) in rows.iter().enumerate() {
            let plan = &plans[*index];
            let name = row_name(text, plan);
            let last = n + 1 == rows.len();
            let height = match (low, plan.verdict) {
                (false, _) => ROW,
                (true, Verdict::Refused) => ROW_REFUSED,
                (true, _) => ROW_LOW,
            };
            let row = table.row(ui, height, Some((&name, selected == Some(*index))), last, |ui, column| {
                self.cell(ui, text, plan, SORT_KEYS[column]);
            });
            if row.is_some_and(|row| row.clicked()) {
                clicked = Some(*index);
            }
        }
        clicked
    }

    fn rows(&self, plans: &[Plan]) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..plans.len()).collect();
        if self.tab == Tab::Models {
            rows.retain(|index| self.filter.admits(&plans[*index]));
            // The best first: what runs, then by quality.
            rows.sort_by_cached_key(|index| {
                let plan = &plans[*index];
                (
                    plan.verdict == Verdict::Refused,
                    Reverse(plan.quality.as_ref().map_or(0, |quality| quality.stars)),
                )
            });
        }
        if let Some((key, up)) = self.sort {
            rows.sort_by(|a, b| {
                let order = compare(self.tab, key, &plans[*a], &plans[*b]);
                if up { order } else { order.reverse() }
            });
        }
        rows
    }

    fn columns(&self, text: Text) -> Vec<Column> {
        let first = match self.tab {
            Tab::Profiles => say!(text, "wizard-table-profile"),
            Tab::Models => say!(text, "wizard-table-quality"),
        };
        let second = match self.tab {
            Tab::Profiles => say!(text, "wizard-table-model"),
            Tab::Models => say!(text, "wizard-table-context-head"),
        };
        let heads = [
            (first, 126.0, 1.0),
            (say!(text, "wizard-table-verdict"), 96.0, 0.6),
            (second, 83.0, 0.3),
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

    fn cell(&self, ui: &mut Ui, text: Text, plan: &Plan, key: SortKey) {
        let runs = plan.verdict != Verdict::Refused;
        let dash = || "–".to_owned();
        match key {
            SortKey::Name => {
                let rating = quality_short(plan.quality.as_ref(), text);
                two_lines(ui, Paragraph::new(ui).add(TextRole::Source, Tone::Faint, &rating), |ui| {
                    let name = match self.tab {
                        Tab::Profiles => plan.candidate.id.clone(),
                        Tab::Models => plan.candidate.model.title.to_string(),
                    };
                    Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, &name).show_line(ui);
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
                let model = short_model(&candidate.model.title, candidate.model.quantisation.name());
                // The models' own tab has their titles in the first column and is sorted by context here.
                let (line, second) = match self.tab {
                    Tab::Profiles => (model, context),
                    Tab::Models => (context, model),
                };
                two_lines(ui, Paragraph::new(ui).add(TextRole::Source, Tone::Faint, &second), |ui| {
                    Paragraph::new(ui).add(TextRole::Table, Tone::Ink, &line).show_line(ui);
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
                        let mut words =
                            Paragraph::new(ui).add(TextRole::Table, Tone::Ink, &layers(text, plan));
                        if ui.available_width() >= MIN_WIDTH_WITH_SHARE {
                            words = words.add(
                                TextRole::Source,
                                Tone::Faint,
                                &format!(" {}", text.percent(share)),
                            );
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
}

fn row_name(text: Text, plan: &Plan) -> String {
    let (_, verdict) = verdict_chip(text, plan.verdict);
    let id = plan.candidate.id.as_str();
    let name = if id == CUSTOM_ID { model_name(&plan.candidate.model) } else { id.to_owned() };
    format!("{name}, {verdict}")
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
        thin_bar(ui, share, tone, size::BAR_THIN, &say!(text, "wizard-memory-graphics"));
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

fn compare(tab: Tab, key: SortKey, a: &Plan, b: &Plan) -> Ordering {
    let number = |a: f64, b: f64| a.total_cmp(&b);
    let stars = |plan: &Plan| plan.quality.as_ref().map_or(0, |quality| quality.stars);
    match key {
        SortKey::Name if tab == Tab::Models => stars(b).cmp(&stars(a)),
        SortKey::Name => a.candidate.id.cmp(&b.candidate.id),
        SortKey::Verdict => a.verdict.cmp(&b.verdict),
        SortKey::Model if tab == Tab::Models => b.candidate.context_tokens.cmp(&a.candidate.context_tokens),
        SortKey::Model => a.candidate.model.download_bytes.cmp(&b.candidate.model.download_bytes),
        SortKey::Layers => a.gpu_layers().cmp(&b.gpu_layers()),
        SortKey::Memory => needed_vram(a).cmp(&needed_vram(b)),
        SortKey::Speed => number(a.speed.decode_tokens_per_s.mid, b.speed.decode_tokens_per_s.mid),
        SortKey::FirstToken => {
            number(a.speed.first_token_full_prompt_s.mid, b.speed.first_token_full_prompt_s.mid)
        }
    }
}
