//! Optimization tips as a compact list; Compatibility, Result and Manage show it.

use eframe::egui::Ui;

use crate::plan::Tip;
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Paragraph, UiExt as _, card};

/// The card with the tips, below a gap; nothing where there are none.
pub(super) fn tips_card(ui: &mut Ui, text: Text, tips: &[Tip]) {
    if tips.is_empty() {
        return;
    }
    ui.gap(3.5);
    card(ui, |ui| {
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "tip-title"));
        for tip in tips {
            ui.gap(1.0);
            Paragraph::new(ui).add(TextRole::Text, Tone::Soft, &format!("• {}", tip.text(text))).show(ui);
        }
    });
}
