//! What tuning tried and kept; Result and Manage show it.

use eframe::egui::Ui;

use crate::install::TuningReport;
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Paragraph, UiExt as _, card};

/// The card of a receipt's tuning.
pub(super) fn tuning_card(ui: &mut Ui, text: Text, tuning: &TuningReport) {
    card(ui, |ui| {
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "install-tuned-title"));
        ui.gap(1.0);
        for line in tuning.summary(text) {
            Paragraph::new(ui).add(TextRole::Text, Tone::Soft, &line).show(ui);
        }
        for (i, line) in tuning.tries_in_words(text).iter().enumerate() {
            if i == 0 {
                ui.gap(1.0);
            }
            let tone = if tuning.kept == Some(i) { Tone::Ink } else { Tone::Faint };
            Paragraph::new(ui).add(TextRole::Label, tone, line).show(ui);
        }
    });
}
