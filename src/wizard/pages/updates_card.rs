//! What is newer than what is installed: a card of the Manage page.

use eframe::egui::Ui;

use super::{Intent, PageContext};
use crate::install::Installed;
use crate::say;
use crate::wizard::backend::KnownUpdates;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{ButtonStyle, UiExt as _, checkbox};

/// Draws what is known; `None` while the first answer is awaited. `idle`: nothing else is being done.
pub(super) fn updates_card(
    ui: &mut Ui,
    cx: &mut PageContext<'_>,
    known: Option<&KnownUpdates>,
    installed: &Installed,
    idle: bool,
) {
    let text = cx.text;
    ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-updates-title"));
    ui.gap(1.0);
    let Some(KnownUpdates { daily, updates }) = known else {
        ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-updates-looking"));
        return;
    };
    if let Some(program) = &updates.program {
        ui.text(TextRole::Text, Tone::Ink, &program.words(text));
        let page = program.page.as_str();
        if ui.link_action(&say!(text, "wizard-updates-page"), true).on_hover_text(page).clicked() {
            cx.intents.push(Intent::OpenLink(page.to_owned().into()));
        }
        ui.gap(1.5);
    }
    let engine = updates.engine.as_ref().map(|engine| engine.words(installed, text));
    let model = updates.model.as_ref().map(|model| model.words(text));
    for line in engine.iter().chain(&model) {
        ui.text(TextRole::Text, Tone::Ink, line);
        ui.gap(0.5);
    }
    if updates.is_empty() && updates.problems.is_empty() {
        ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-updates-none-known"));
    }
    for problem in &updates.problems {
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "updates-problem", problem = problem));
    }
    ui.gap(1.5);
    ui.horizontal_wrapped(|ui| {
        let has_some = engine.is_some() || model.is_some();
        if has_some
            && ui.action(ButtonStyle::Secondary, &say!(text, "wizard-updates-install"), idle).clicked()
        {
            cx.intents.push(Intent::Update);
        }
        if ui.action(ButtonStyle::Secondary, &say!(text, "wizard-updates-look"), idle).clicked() {
            cx.intents.push(Intent::LookForUpdates);
        }
    });
    ui.gap(1.5);
    let mut ticked = *daily;
    let (label, detail) = (say!(text, "wizard-updates-daily"), say!(text, "wizard-updates-daily-detail"));
    if checkbox(ui, &mut ticked, &label, &detail).clicked() {
        cx.intents.push(Intent::SetDailyUpdates(ticked));
    }
}
