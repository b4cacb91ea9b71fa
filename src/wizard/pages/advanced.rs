//! The advanced part of the profile page: model, KV cache, layers, folders, port, start at login.

use std::path::Path;
use std::sync::Arc;

use eframe::egui::{ComboBox, Ui};

use super::choice::ModelChoice;
use super::labels::{autostart_name, kv_cache_name, layers, model_name};
use super::path_field::path_field;
use super::profile::{ModelLookup, ProfilePage};
use super::{Intent, PageContext};
use crate::models::KvCacheType;
use crate::plan::Plan;
use crate::say;
use crate::wizard::backend::{CustomModel, PathField};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    ButtonStyle, UiExt as _, banner, checkbox, field_with_button, is_entered, labelled, slider, text_field,
};

impl ProfilePage {
    /// Draws it. A change to the model or its setting turns the choice into a custom one.
    pub(super) fn show_advanced(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        ui.spacing_mut().item_spacing.y = 6.0;
        let before = self.choice.as_custom();
        let mut custom = before.clone();
        self.model(ui, cx, &mut custom);
        ui.gap(1.0);
        context(ui, cx, &mut custom);
        ui.gap(1.0);
        kv(ui, cx, &mut custom);
        ui.gap(1.0);
        layers_slider(ui, cx, &mut custom, &self.choice.plan);
        experts(ui, cx, &mut custom);
        batch(ui, cx, &mut custom);
        let changed = !Arc::ptr_eq(&custom.model, &before.model)
            || custom.kv_cache_type != before.kv_cache_type
            || custom.context_tokens != before.context_tokens
            || (custom.gpu_layers, custom.n_cpu_moe, custom.num_batch)
                != (before.gpu_layers, before.n_cpu_moe, before.num_batch);
        if changed {
            self.choose(ModelChoice::Custom(custom));
        }
        ui.gap(2.0);
        self.places(ui, cx);
        ui.gap(2.5);
        self.choice.engine.show(ui, cx);
    }

    fn model(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>, custom: &mut CustomModel) {
        let text = cx.text;
        labelled(ui, &say!(text, "wizard-advanced-model"), |ui| {
            let width = ui.available_width();
            ComboBox::from_id_salt("model").width(width).selected_text(model_name(&custom.model)).show_ui(
                ui,
                |ui| {
                    for model in self.compatibility.detected.catalogue() {
                        let chosen = model.name == custom.model.name;
                        let name = model_name(model);
                        if ui.selectable_label(chosen, name).clicked() && !chosen {
                            let model = Arc::clone(model);
                            *custom = CustomModel::usual(model, custom.kv_cache_type, custom.context_tokens);
                        }
                    }
                },
            );
        });
        let label = say!(text, "wizard-advanced-reference");
        labelled(ui, &label, |ui| {
            let button = (ButtonStyle::Secondary, &*say!(text, "wizard-advanced-look-up"));
            let idle = !matches!(self.lookup, ModelLookup::Running);
            let ready = |reference: &str| idle && !reference.trim().is_empty();
            let hint = "hf.co/…  ·  host:port/…";
            let (field, look_up) = field_with_button(ui, self.reference.text_mut(), hint, button, ready);
            let field = field.accessible_name(label.as_str());
            if (look_up.clicked() || is_entered(&field)) && ready(self.reference.text()) {
                cx.intents.push(Intent::LookUpModel);
            }
        });
        let idle = !matches!(self.lookup, ModelLookup::Running);
        if ui.action(ButtonStyle::Secondary, &say!(text, "wizard-advanced-model-file"), idle).clicked() {
            let folder = self.reference.given().and_then(Path::parent);
            let start = folder.map_or_else(|| cx.home.to_owned(), Path::to_owned);
            cx.intents.push(Intent::PickPath(PathField::ModelFile, start));
        }
        match &self.lookup {
            ModelLookup::Idle => {}
            ModelLookup::Running => {
                ui.text(TextRole::Label, Tone::Soft, &say!(text, "wizard-advanced-looking-up"));
            }
            ModelLookup::Failed(error) => banner(ui, Tone::Refused, &error.explain(text)),
        }
    }

    fn places(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let places = &mut self.choice.places;
        let folders = [
            (say!(text, "wizard-advanced-home"), &mut places.home, PathField::Home),
            (say!(text, "wizard-advanced-models"), &mut places.models_dir, PathField::Models),
        ];
        for (label, typed, field) in folders {
            path_field(ui, cx, &label, typed, field);
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
        let how = autostart_name(text, &self.compatibility.detected.autostart);
        checkbox(ui, &mut places.autostart, &say!(text, "wizard-start-at-login"), &how);
    }
}

/// Sizes of context offered, in tokens, as far as the model carries them.
const CONTEXTS: [u32; 4] = [32_768, 65_536, 131_072, 262_144];
/// Sizes of batch offered, in tokens.
const BATCHES: [u32; 4] = [256, 512, 1024, 2048];

/// How many layers are on the GPU; `plan` is the plan with the present ones.
pub(super) fn layers_slider(ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel, plan: &Plan) {
    let text = cx.text;
    let (total, fitted) = (plan.total_layers, plan.gpu_layers());
    let mut automatic = custom.gpu_layers.is_none();
    let label = say!(text, "wizard-advanced-layers", layers = layers(text, plan));
    ui.text(TextRole::Label, Tone::Faint, &label);
    let mut gpu_layers = custom.gpu_layers.unwrap_or(fitted).min(total);
    if slider(ui, &mut gpu_layers, 0..=total, &say!(text, "wizard-layers")).changed() {
        // Experts are in main memory only where all layers are on the GPU.
        (custom.gpu_layers, custom.n_cpu_moe) = (Some(gpu_layers), 0);
        automatic = false;
    }
    if checkbox(ui, &mut automatic, &say!(text, "wizard-advanced-fit"), "").changed() {
        custom.gpu_layers = if automatic { None } else { Some(gpu_layers) };
    }
}

pub(super) fn context(ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel) {
    let text = cx.text;
    let carried = custom.model.trained_context_tokens;
    let sizes = CONTEXTS.into_iter().filter(|tokens| *tokens <= carried);
    let tokens = |tokens: u32| say!(text, "wizard-tokens", tokens = text.count(u64::from(tokens)));
    pick(ui, &say!(text, "wizard-advanced-context"), "context", &mut custom.context_tokens, sizes, tokens);
}

pub(super) fn batch(ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel) {
    let text = cx.text;
    let tokens = |tokens: u32| say!(text, "wizard-tokens", tokens = text.count(u64::from(tokens)));
    let sizes = BATCHES.into_iter();
    pick(ui, &say!(text, "wizard-advanced-batch"), "batch", &mut custom.num_batch, sizes, tokens);
}

/// A labelled list of sizes.
fn pick(
    ui: &mut Ui,
    label: &str,
    id: &str,
    value: &mut u32,
    sizes: impl Iterator<Item = u32>,
    words: impl Fn(u32) -> String,
) {
    labelled(ui, label, |ui| {
        let width = ui.available_width();
        ComboBox::from_id_salt(id).width(width).selected_text(words(*value)).show_ui(ui, |ui| {
            for size in sizes {
                if ui.selectable_label(size == *value, words(size)).clicked() {
                    *value = size;
                }
            }
        });
    });
}

/// How many blocks' experts stay in main memory; nothing for a model without experts.
pub(super) fn experts(ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel) {
    if custom.model.architecture.experts.is_none() {
        return;
    }
    let blocks = custom.model.total_layers().saturating_sub(1);
    let mut chosen = custom.n_cpu_moe;
    let label = say!(cx.text, "wizard-advanced-experts", blocks = chosen, total = blocks);
    ui.text(TextRole::Label, Tone::Faint, &label);
    if slider(ui, &mut chosen, 0..=blocks, &say!(cx.text, "wizard-experts")).changed() {
        (custom.n_cpu_moe, custom.gpu_layers) = (chosen, None);
    }
}

pub(super) fn kv(ui: &mut Ui, cx: &PageContext<'_>, custom: &mut CustomModel) {
    let text = cx.text;
    labelled(ui, &say!(text, "wizard-context-type"), |ui| {
        let width = ui.available_width();
        ComboBox::from_id_salt("kv")
            .width(width)
            .selected_text(kv_cache_name(text, custom.kv_cache_type))
            .show_ui(ui, |ui| {
                for kv in KvCacheType::ALL {
                    let chosen = kv == custom.kv_cache_type;
                    if ui.selectable_label(chosen, kv_cache_name(text, kv)).clicked() {
                        custom.kv_cache_type = kv;
                    }
                }
            });
    });
}
