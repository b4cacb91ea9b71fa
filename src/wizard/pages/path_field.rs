//! A field for a folder or file, with a button that opens the system's dialog.

use eframe::egui::Ui;

use super::{Intent, PageContext};
use crate::say;
use crate::wizard::backend::PathField;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::typed_path::TypedPath;
use crate::wizard::widgets::{ButtonStyle, UiExt as _, field_with_button, labelled};

/// Draws it, with an error below if the typed path is invalid.
pub(super) fn path_field(
    ui: &mut Ui,
    cx: &mut PageContext<'_>,
    label: &str,
    typed: &mut TypedPath,
    field: PathField,
) {
    let text = cx.text;
    labelled(ui, label, |ui| {
        let button = (ButtonStyle::Secondary, &*say!(text, "wizard-browse"));
        let (path, browse) = field_with_button(ui, typed.text_mut(), "", button, |_| true);
        path.accessible_name(label);
        let browse = browse.accessible_name(say!(text, "wizard-browse-for", what = label));
        if browse.clicked() {
            cx.intents.push(Intent::PickPath(field, typed.path()));
        }
    });
    let left_empty = typed.is_empty() && field.is_optional();
    if !left_empty && !typed.is_absolute() {
        ui.text(TextRole::Label, Tone::Refused, &say!(text, "wizard-folder-not-absolute"));
    }
}
