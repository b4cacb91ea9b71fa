//! The models on the drive, on the Manage page.

use eframe::egui::{Align, Layout, Ui};

use super::{Intent, PageContext};
use crate::install::manage::{ModelOnDrive, ModelUse};
use crate::say;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{ButtonStyle, UiExt as _, card, rule};

/// The card of the models; `None` until they are listed. `idle`: one can be removed now.
pub(super) fn models_card(
    ui: &mut Ui,
    cx: &mut PageContext<'_>,
    models: Option<&[ModelOnDrive]>,
    idle: bool,
) {
    let text = cx.text;
    card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-models-title"));
        ui.gap(1.0);
        let Some(models) = models else {
            ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-models-looking"));
            return;
        };
        for (i, model) in models.iter().enumerate() {
            if i > 0 {
                rule(ui);
            }
            ui.gap(1.5);
            let name = model.tag.shown().to_string();
            ui.horizontal(|ui| {
                ui.text(TextRole::TableStrong, Tone::Ink, &name);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if model.used_by == ModelUse::Nothing {
                        let label = say!(text, "wizard-models-remove", model = name.as_str());
                        if ui.action(ButtonStyle::Danger, &label, idle).clicked() {
                            cx.intents.push(Intent::AskToRemoveModel(model.tag.clone(), model.bytes));
                        }
                        ui.gap(2.0);
                    }
                    ui.text(TextRole::TableStrong, Tone::Ink, &text.file_size(model.bytes));
                });
            });
            let used_by = format!("{}: {}", say!(text, "models-column-use"), model.used_by.words(text));
            ui.text(TextRole::Label, Tone::Faint, &used_by);
            ui.gap(1.5);
        }
    });
}
