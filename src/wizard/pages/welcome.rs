//! Welcome: what the program does and changes, how that is undone, the language.

use std::sync::Arc;

use eframe::egui::{Sense, Ui, vec2};

use super::{Button, Footer, Intent, PageContext, View};
use crate::say;
use crate::text::{Language, Text};
use crate::untrusted::UntrustedText;
use crate::wizard::backend::Detected;
use crate::wizard::theme::{TextRole, Tone, palette};
use crate::wizard::widgets::{Paragraph, UiExt as _, card, card_row, checkbox, radio_card};

/// The first page.
#[derive(Default)]
pub struct WelcomePage {
    /// What was detected on an earlier visit to the hardware page.
    pub detected: Option<Arc<Detected>>,
}

impl View for WelcomePage {
    fn heading(&self, text: Text) -> (String, String) {
        (say!(text, "wizard-welcome-title"), say!(text, "wizard-welcome-lead"))
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        card(ui, |ui| {
            let lines = [
                (say!(text, "wizard-welcome-check-title"), say!(text, "wizard-welcome-check")),
                (say!(text, "wizard-welcome-choose-title"), say!(text, "wizard-welcome-choose")),
                (say!(text, "wizard-welcome-measure-title"), say!(text, "wizard-welcome-measure")),
            ];
            for (i, (title, sentence)) in lines.iter().enumerate() {
                if i > 0 {
                    ui.gap(3.0);
                }
                numbered(ui, i + 1, Tone::Accent, title, sentence);
            }
        });
        ui.gap(3.5);
        card_row(ui, "welcome", &[1.0, 1.0], |ui, i| {
            let (title, sentences) = if i == 0 {
                let home = UntrustedText::path(cx.home);
                (
                    say!(text, "wizard-welcome-changes-title"),
                    say!(text, "wizard-welcome-changes", home = home),
                )
            } else {
                (say!(text, "wizard-welcome-undo-title"), say!(text, "wizard-welcome-undo"))
            };
            ui.text(TextRole::Strong, Tone::Ink, &title);
            ui.gap(0.5);
            Paragraph::new(ui).marked(TextRole::Text, TextRole::Strong, Tone::Soft, &sentences).show(ui);
        });
        ui.gap(3.0);
        let (label, detail) = (say!(text, "wizard-updates-daily"), say!(text, "wizard-updates-daily-detail"));
        let mut ticked = cx.daily_updates;
        if checkbox(ui, &mut ticked, &label, &detail).clicked() {
            cx.intents.push(Intent::SetDailyUpdates(ticked));
        }
        ui.gap(3.0);
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-language"));
        ui.gap(1.0);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            for language in Language::ALL {
                ui.allocate_ui(vec2(150.0, 46.0), |ui| {
                    ui.vertical(|ui| {
                        let chosen = text.language() == language;
                        let response = radio_card(ui, chosen, language.endonym(), |ui| {
                            ui.text(TextRole::Strong, Tone::Ink, language.endonym());
                        });
                        if response.clicked() {
                            cx.intents.push(Intent::SetLanguage(language));
                        }
                    });
                });
            }
        });
    }

    fn footer(&self, text: Text) -> Footer {
        Footer {
            primary: Some(Button::new(say!(text, "wizard-welcome-next"), Intent::Next)),
            ..Footer::default()
        }
    }
}

/// A number in a circle, a title, and a sentence under it.
pub(super) fn numbered(ui: &mut Ui, number: usize, tone: Tone, title: &str, sentence: &str) {
    let p = palette(ui);
    ui.horizontal_top(|ui| {
        let (sign, _) = ui.allocate_exact_size(vec2(26.0, 26.0), Sense::hover());
        ui.painter().circle_filled(sign.center(), 13.0, tone.wash(p));
        let figure = Paragraph::new(ui)
            .add(TextRole::TableStrong, tone, &number.to_string())
            .line_galley(ui, f32::INFINITY);
        let at = sign.center() - figure.size() / 2.0;
        ui.painter().galley(at.round(), figure, tone.color(p));
        ui.gap(1.5);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.gap(0.5);
            ui.text(TextRole::Strong, Tone::Ink, title);
            ui.text(TextRole::Text, Tone::Soft, sentence);
        });
    });
}
