//! The three choices as cards: model, stars, speed, waiting time, where its bytes lie, download, and why.

use eframe::egui::Ui;

use super::labels::{model_name, quality_short};
use crate::plan::{Choice, Plan, Report, Role};
use crate::say;
use crate::sentences::role_names;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone, size};
use crate::wizard::widgets::{Paragraph, UiExt as _, columns, radio_card, thin_bar};

/// Draws the choices of a report side by side, settings that several roles share once. Returns the one clicked.
pub(super) fn choice_cards(ui: &mut Ui, text: Text, report: &Report, selected: Option<Role>) -> Option<Role> {
    let shown: Vec<_> = report.choices.distinct().collect();
    let weights = vec![1.0; shown.len()];
    let mut clicked = None;
    columns(ui, &weights, |ui, i| {
        let Some((choice, roles)) = shown.get(i) else { return };
        let name = role_names(roles, text);
        let card = radio_card(ui, selected.is_some_and(|role| roles.contains(&role)), &name, |ui| {
            ui.text(TextRole::Chip, Tone::Accent, &name);
            ui.gap(0.5);
            content(ui, text, choice);
        });
        if card.clicked() {
            clicked = Some(choice.role);
        }
    });
    clicked
}

fn content(ui: &mut Ui, text: Text, choice: &Choice) {
    let plan = &choice.plan;
    let (candidate, speed) = (&plan.candidate, &plan.speed);
    ui.text(TextRole::Heading, Tone::Ink, &candidate.model.title);
    let quality = quality_short(plan.quality.as_ref(), text);
    ui.text(TextRole::Table, Tone::Ink, &quality);
    ui.gap(1.5);
    Paragraph::new(ui)
        .add(TextRole::Figure, Tone::Ink, &text.range(speed.decode_tokens_per_s))
        .add(TextRole::Text, Tone::Soft, &format!(" {}", say!(text, "wizard-card-tokens")))
        .show(ui);
    let full = say!(
        text,
        "wizard-card-full",
        speed = text.range(speed.decode_at_full_context_tokens_per_s),
        tokens = text.count(u64::from(candidate.context_tokens)),
        wait = crate::sentences::wait(speed.first_token_full_prompt_s, text)
    );
    ui.text(TextRole::Label, Tone::Soft, &full);
    if plan.speed_is_assumed() {
        ui.text(TextRole::Label, Tone::Soft, &say!(text, "plan-speed-assumed"));
    }
    ui.gap(1.5);
    bars(ui, text, plan);
    ui.gap(1.5);
    ui.text(TextRole::Label, Tone::Ink, &choice.why(text));
    ui.gap(1.0);
    let download = say!(
        text,
        "wizard-card-download",
        size = text.file_size(candidate.model.download_bytes),
        model = model_name(&candidate.model),
        kv = candidate.kv_cache_type.name()
    );
    ui.text(TextRole::Source, Tone::Faint, &download);
}

/// Where the bytes lie: needed of free graphics memory, needed of available main memory.
fn bars(ui: &mut Ui, text: Text, plan: &Plan) {
    let bars = [
        (
            say!(text, "wizard-memory-graphics"),
            plan.memory.vram_required_bytes,
            plan.vram_free_bytes(),
            Tone::Accent,
        ),
        (
            say!(text, "wizard-memory-main"),
            plan.memory.ram_required_bytes,
            plan.ram_available_bytes(),
            Tone::Soft,
        ),
    ];
    for (name, need, free, tone) in bars {
        let figures = say!(text, "wizard-of", part = text.memory_number(need), whole = text.memory(free));
        ui.text(TextRole::Label, Tone::Soft, &format!("{name} {figures}"));
        thin_bar(ui, need as f32 / free.max(1) as f32, tone, size::BAR_THIN, &name);
        ui.gap(0.5);
    }
}
