//! What is kept of this program on the computer: a banner and a card of the Manage page.

use eframe::egui::Ui;

use super::{Intent, PageContext};
use crate::install::Paths;
use crate::install::keep::KeptAge;
use crate::say;
use crate::untrusted::UntrustedText;
use crate::wizard::backend::{Installation, ManageAction};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{ButtonStyle, UiExt as _, banner, card};

/// That another version of this program is kept, and the button that replaces an older one. `idle`: nothing else is being
/// done.
pub(super) fn other_version(ui: &mut Ui, cx: &mut PageContext<'_>, installation: &Installation, idle: bool) {
    let (text, own) = (cx.text, env!("CARGO_PKG_VERSION"));
    let Some(file) = &installation.kept else { return };
    let kept = file.version.as_str();
    match file.age() {
        KeptAge::Same => return,
        KeptAge::Newer => {
            banner(ui, Tone::Warning, &say!(text, "keep-older-here", kept = kept, own = own));
        }
        KeptAge::Older => {
            banner(ui, Tone::Accent, &say!(text, "wizard-keep-newer", kept = kept, own = own));
            ui.gap(1.5);
            let replace = say!(text, "wizard-keep-replace");
            if ui.action(ButtonStyle::Secondary, &replace, idle).clicked() {
                cx.intents.push(Intent::Act(ManageAction::Keep));
            }
        }
    }
    ui.gap(3.5);
}

/// Where this program is kept, and the button that removes it from there; or what keeping it changes, and the button that
/// does. Draws nothing where neither is known.
pub(super) fn kept_card(ui: &mut Ui, cx: &mut PageContext<'_>, installation: &Installation, idle: bool) {
    let text = cx.text;
    let programs = Paths::new(&installation.home).programs();
    let folder = UntrustedText::path(&programs);
    let (lines, label, action) = match (&installation.kept, &installation.keep) {
        (Some(kept), _) => {
            let here = say!(text, "wizard-kept-here", version = kept.version.as_str(), folder = folder);
            (vec![here], say!(text, "wizard-kept-remove"), ManageAction::RemoveKept)
        }
        (None, Some(preview)) => {
            let changes = preview.changes(text).join(", ");
            let detail = say!(text, "wizard-keep-detail", folder = folder, changes = changes);
            (vec![say!(text, "wizard-kept-not"), detail], say!(text, "wizard-keep"), ManageAction::Keep)
        }
        (None, None) => return,
    };
    ui.gap(3.5);
    card(ui, |ui| {
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-kept-title"));
        ui.gap(1.0);
        for line in &lines {
            ui.text(TextRole::Text, Tone::Soft, line);
            ui.gap(0.5);
        }
        ui.gap(1.0);
        if ui.action(ButtonStyle::Secondary, &label, idle).clicked() {
            cx.intents.push(Intent::Act(action));
        }
    });
}
