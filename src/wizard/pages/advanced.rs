//! The advanced part of the profile page: model, KV cache, layers, folders, port, start at login.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{ComboBox, Ui};

use super::PageContext;
use super::compatibility::model_name;
use super::profile::{Lookup, ModelChoice, ProfilePage, kv_name};
use crate::models::KvCacheType;
use crate::say;
use crate::wizard::backend::{CustomModel, PathField};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    ButtonStyle, UiExt as _, banner, button_width, checkbox, labelled, slider, text_field,
};

impl ProfilePage {
    /// Draws it. Whatever is changed about the model makes the choice one of the person's own.
    pub(super) fn show_advanced(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        ui.spacing_mut().item_spacing.y = 6.0;
        let before = self.as_custom();
        let mut custom = before.clone();
        self.model(ui, cx, &mut custom);
        ui.gap(1.0);
        kv(ui, cx, &mut custom);
        ui.gap(1.0);
        self.layers(ui, cx, &mut custom);
        let changed = !Arc::ptr_eq(&custom.model, &before.model)
            || custom.kv_cache_type != before.kv_cache_type
            || custom.gpu_layers != before.gpu_layers;
        if changed {
            self.choose(ModelChoice::Custom(custom), cx.backend);
        }
        ui.gap(2.0);
        self.places(ui, cx);
        ui.gap(2.5);
        self.choice.source.show(ui, cx);
    }

    fn model(&mut self, ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel) {
        let text = cx.text;
        labelled(ui, &say!(text, "wizard-advanced-model"), |ui| {
            let width = ui.available_width();
            ComboBox::from_id_salt("model").width(width).selected_text(model_name(&custom.model)).show_ui(
                ui,
                |ui| {
                    for model in cx.backend.catalogue() {
                        let chosen = model.tag == custom.model.tag;
                        let name = model_name(&model);
                        if ui.selectable_label(chosen, name).clicked() && !chosen {
                            custom.model = model;
                            custom.gpu_layers = None;
                        }
                    }
                },
            );
        });
        let label = say!(text, "wizard-advanced-reference");
        labelled(ui, &label, |ui| {
            ui.horizontal(|ui| {
                let button = say!(text, "wizard-advanced-look-up");
                let width = ui.available_width()
                    - button_width(ui, ButtonStyle::Secondary, &button)
                    - ui.spacing().item_spacing.x;
                let field = text_field(ui, &mut self.reference, "hf.co/…  ·  host:port/…", width)
                    .accessible_name(label.as_str());
                let wanted = self.reference.trim().to_owned();
                let ready = !wanted.is_empty() && self.lookup != Lookup::Asking;
                let entered =
                    field.lost_focus() && ui.input(|input| input.key_pressed(eframe::egui::Key::Enter));
                if (ui.action(ButtonStyle::Secondary, &button, ready).clicked() || entered) && ready {
                    self.lookup = Lookup::Asking;
                    let http = self.choice.source.http();
                    cx.backend.find_model(wanted, http, text, cx.outbox.clone());
                }
            });
        });
        match &self.lookup {
            Lookup::Idle => {}
            Lookup::Asking => {
                ui.text(TextRole::Label, Tone::Soft, &say!(text, "wizard-advanced-looking-up"));
            }
            Lookup::Failed(trouble) => banner(ui, Tone::Refused, &trouble.0),
        }
    }

    fn layers(&mut self, ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel) {
        let text = cx.text;
        let total = self.choice.plan.total_layers;
        let fitted = self.choice.plan.gpu_layers;
        let mut automatic = custom.gpu_layers.is_none();
        let label = say!(
            text,
            "wizard-advanced-layers",
            layers = super::compatibility::layers(text, &self.choice.plan)
        );
        ui.text(TextRole::Label, Tone::Faint, &label);
        let mut layers = custom.gpu_layers.unwrap_or(fitted).min(total);
        if slider(ui, &mut layers, 0..=total, &say!(text, "wizard-layers")).changed() {
            custom.gpu_layers = Some(layers);
            automatic = false;
        }
        if checkbox(ui, &mut automatic, &say!(text, "wizard-advanced-fit"), "").changed() {
            custom.gpu_layers = if automatic { None } else { Some(layers) };
        }
    }

    fn places(&mut self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let places = &mut self.choice.places;
        let folders = [
            (say!(text, "wizard-advanced-home"), &mut places.home, PathField::Home),
            (say!(text, "wizard-advanced-models"), &mut places.models_dir, PathField::Models),
        ];
        for (label, typed, of) in folders {
            labelled(ui, &label, |ui| {
                ui.horizontal(|ui| {
                    let button = say!(text, "wizard-browse");
                    let width = ui.available_width()
                        - button_width(ui, ButtonStyle::Secondary, &button)
                        - ui.spacing().item_spacing.x;
                    text_field(ui, typed, "", width);
                    let browse = ui.action(ButtonStyle::Secondary, &button, true);
                    let browse =
                        browse.accessible_name(say!(text, "wizard-browse-for", what = label.clone()));
                    if browse.clicked() {
                        cx.backend.pick_path(of, PathBuf::from(typed.trim()), cx.outbox.clone());
                    }
                });
            });
            if !PathBuf::from(typed.trim()).is_absolute() {
                ui.text(TextRole::Label, Tone::Refused, &say!(text, "wizard-folder-not-absolute"));
            }
        }
        let label = say!(text, "wizard-advanced-port");
        labelled(ui, &label, |ui| {
            let hint = say!(text, "wizard-port-automatic");
            text_field(ui, &mut places.port, &hint, 160.0).accessible_name(label.as_str());
        });
        if places.port().is_err() {
            ui.text(TextRole::Label, Tone::Refused, &say!(text, "wizard-port-wrong"));
        }
        ui.gap(1.0);
        let how = cx.backend.login_kind(text);
        checkbox(ui, &mut places.autostart, &say!(text, "wizard-start-at-login"), &how);
    }
}

fn kv(ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel) {
    let text = cx.text;
    labelled(ui, &say!(text, "wizard-context-type"), |ui| {
        let width = ui.available_width();
        ComboBox::from_id_salt("kv").width(width).selected_text(kv_name(text, custom.kv_cache_type)).show_ui(
            ui,
            |ui| {
                for kv in KvCacheType::ALL {
                    let chosen = kv == custom.kv_cache_type;
                    if ui.selectable_label(chosen, kv_name(text, kv)).clicked() {
                        custom.kv_cache_type = kv;
                    }
                }
            },
        );
    });
}
