//! The notes above and below the cards of the hardware page.

use eframe::egui::Ui;

use super::Intent;
use crate::machine::Finding;
use crate::say;
use crate::text::Text;
use crate::wizard::theme::Tone;
use crate::wizard::widgets::{UiExt as _, banner_with};

/// The notes above the cards, and those below, each with the most serious first.
pub(super) fn sorted(notes: &[Finding]) -> (Vec<&Finding>, Vec<&Finding>) {
    let mut above: Vec<&Finding> = notes.iter().collect();
    above.sort_by_key(|note| weight(note));
    let below = above.split_off(above.partition_point(|note| weight(note) < BELOW));
    (above, below)
}

/// A note, with the actions it offers.
pub(super) fn show(ui: &mut Ui, text: Text, note: &Finding, intents: &mut Vec<Intent>) {
    let link = note.link(text);
    let again = can_be_asked_again(note);
    banner_with(ui, tone_of(note), &note.explain(text), |ui| {
        if link.is_none() && !again {
            return;
        }
        ui.gap(1.5);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            if again && ui.link_action(&say!(text, "wizard-hardware-ask-again"), true).clicked() {
                intents.push(Intent::DetectAgain);
            }
            if let Some((words, url)) = link
                && ui.link_action(&words, true).on_hover_text(url).clicked()
            {
                intents.push(Intent::OpenLink(url.into()));
            }
        });
    });
}

/// `Refused` for what stops Ollama; `Accent` for information without consequences.
fn tone_of(note: &Finding) -> Tone {
    match note {
        Finding::Refusal(_) => Tone::Refused,
        Finding::SoftwareAdapter { .. }
        | Finding::IntegratedDropped { .. }
        | Finding::UnifiedMemory { .. }
        | Finding::GpuAsleep { .. }
        | Finding::RocmPackage { .. } => Tone::Accent,
        _ => Tone::Warning,
    }
}

/// Notes of at least this weight are drawn below the cards.
const BELOW: u8 = 2;

fn weight(note: &Finding) -> u8 {
    match tone_of(note) {
        Tone::Refused => 0,
        Tone::Warning if can_be_asked_again(note) => 1,
        Tone::Warning => BELOW,
        _ => BELOW + 1,
    }
}

fn can_be_asked_again(note: &Finding) -> bool {
    matches!(note, Finding::SourceFailed { .. } | Finding::SourceLate { .. })
}
