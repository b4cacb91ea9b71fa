//! Single settings of what is installed, on the Manage page: memory and speed follow each change at once; nothing is applied
//! before the button.

use std::sync::Arc;

use eframe::egui::Ui;

use super::advanced::{batch, context, experts, kv, layers_slider};
use super::profile::{graphics_bar, main_bar, speed};
use super::{Intent, PageContext};
use crate::control::Control;
use crate::install::{
    Amount, HandNumber, HandSettings, ProfileFile, SettingChange, SettingPlan, SettingProblem, ValueOrPlan,
};
use crate::plan::Verdict;
use crate::say;
use crate::sentences::placement_sentence;
use crate::text::Text;
use crate::wizard::backend::{BackendCommand, CustomModel, SettingSource};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{ButtonStyle, UiExt as _, banner, card, checkbox, columns};

/// The settings, as far as they are open.
#[derive(Default)]
pub enum SettingsPanel {
    /// Closed.
    #[default]
    Closed,
    /// The machine is being looked at.
    Looking,
    /// They can be changed.
    Open(Box<SettingsForm>),
}

/// The settings that are being changed, with the plan for them.
pub struct SettingsForm {
    source: Arc<SettingSource>,
    /// What is in force.
    now: CustomModel,
    /// What is chosen.
    form: CustomModel,
    /// Everything returns to the plan.
    back_to_plan: bool,
    /// The user agrees to the limits.
    ticked: bool,
    plan: Result<Box<SettingPlan>, SettingProblem>,
}

impl SettingsPanel {
    /// The machine is being looked at.
    pub fn look(&mut self) {
        *self = Self::Looking;
    }

    /// Closes them without a change.
    pub fn close(&mut self) {
        *self = Self::Closed;
    }

    /// Opens them.
    pub fn open(&mut self, source: Arc<SettingSource>) {
        let now = in_force(&source);
        let plan = plan_of(&source, &SettingChange::default());
        let form = now.clone();
        let (back_to_plan, ticked) = (false, false);
        *self = Self::Open(Box::new(SettingsForm { source, now, form, back_to_plan, ticked, plan }));
    }

    /// What applies the change; `None` where it cannot be applied.
    pub fn command(&self, text: Text, control: Control) -> Option<BackendCommand> {
        let Self::Open(form) = self else { return None };
        let plan = form.plan.as_ref().ok().filter(|_| form.can_be_applied())?.clone();
        Some(BackendCommand::ChangeSetting { source: Arc::clone(&form.source), plan, text, control })
    }

    /// Draws the card. `idle`: nothing else is being done.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>, profile: &ProfileFile, idle: bool) {
        let text = cx.text;
        card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-settings-title"));
            ui.gap(1.0);
            if !profile.set_by_hand.is_empty() {
                ui.text(TextRole::Text, Tone::Ink, &profile.set_by_hand.words(text));
                ui.gap(1.0);
            }
            match self {
                Self::Closed => {
                    ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-settings-detail"));
                    ui.gap(2.0);
                    let label = say!(text, "wizard-settings-open");
                    if ui.action(ButtonStyle::Secondary, &label, idle).clicked() {
                        cx.intents.push(Intent::OpenSettings);
                    }
                }
                Self::Looking => {
                    ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-settings-looking"));
                }
                Self::Open(form) => form.show(ui, cx, !profile.set_by_hand.is_empty(), idle),
            }
        });
    }
}

impl SettingsForm {
    fn can_be_applied(&self) -> bool {
        self.plan
            .as_ref()
            .is_ok_and(|plan| plan.is_changed && !plan.is_refused() && (!plan.needs_consent || self.ticked))
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>, is_set_by_hand: bool, idle: bool) {
        let text = cx.text;
        ui.gap(1.0);
        columns(ui, &[0.4, 0.6], |ui, i| if i == 0 { self.controls(ui, cx) } else { self.promise(ui, text) });
        ui.gap(3.0);
        self.verdict(ui, text);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            let apply = say!(text, "wizard-settings-apply");
            if ui.action(ButtonStyle::Primary, &apply, idle && self.can_be_applied()).clicked() {
                cx.intents.push(Intent::ApplySettings);
            }
            if ui.action(ButtonStyle::Secondary, &say!(text, "wizard-settings-close"), idle).clicked() {
                cx.intents.push(Intent::CloseSettings);
            }
            let may_return = idle && is_set_by_hand && !self.back_to_plan;
            if is_set_by_hand
                && ui
                    .action(ButtonStyle::Secondary, &say!(text, "wizard-settings-back"), may_return)
                    .clicked()
            {
                self.return_to_plan();
            }
        });
    }

    fn controls(&mut self, ui: &mut Ui, cx: &PageContext<'_>) {
        ui.spacing_mut().item_spacing.y = 6.0;
        let before = self.form.clone();
        context(ui, cx, &mut self.form);
        ui.gap(1.0);
        kv(ui, cx, &mut self.form);
        ui.gap(1.0);
        if let Ok(plan) = &self.plan {
            layers_slider(ui, cx, &mut self.form, &plan.after);
        }
        let mut cpu_only = self.form.gpu_layers == Some(0);
        if checkbox(ui, &mut cpu_only, &say!(cx.text, "wizard-settings-cpu-only"), "").changed() {
            (self.form.gpu_layers, self.form.n_cpu_moe) = if cpu_only { (Some(0), 0) } else { (None, 0) };
        }
        experts(ui, cx, &mut self.form);
        batch(ui, cx, &mut self.form);
        if setting_of(&before) != setting_of(&self.form) {
            self.back_to_plan = false;
            self.ticked = false;
            self.plan = plan_of(&self.source, &change(&self.now, &self.form));
        }
    }

    /// Memory and speed.
    fn promise(&self, ui: &mut Ui, text: Text) {
        let plan = match &self.plan {
            Ok(plan) => plan,
            Err(problem) => return banner(ui, Tone::Refused, &problem.explain(text)),
        };
        let after = &plan.after;
        ui.text(TextRole::Table, Tone::Soft, &placement_sentence(after, text));
        ui.gap(2.0);
        if after.vram_total_bytes() > 0 {
            graphics_bar(ui, text, after);
            ui.gap(3.0);
        }
        main_bar(ui, text, after, self.source.hardware.memory.total_bytes);
        ui.gap(3.0);
        speed(ui, text, after);
    }

    /// Why it is refused or may fail, and the limits to agree to.
    fn verdict(&mut self, ui: &mut Ui, text: Text) {
        let Ok(plan) = &self.plan else { return };
        let reasons =
            || plan.after.reasons.iter().map(|reason| reason.text(text)).collect::<Vec<_>>().join(" ");
        if plan.is_refused() {
            banner(ui, Tone::Refused, &reasons());
            ui.gap(3.0);
            return;
        }
        if let Some(reason) = &plan.may_fail {
            let words = format!("{} {}", reason.text(text), say!(text, "set-may-fail"));
            banner(ui, Tone::Warning, &words);
            ui.gap(3.0);
        }
        if plan.is_changed && plan.needs_consent && plan.after.verdict == Verdict::Degraded {
            banner(ui, Tone::Warning, &reasons());
            ui.gap(2.0);
            checkbox(ui, &mut self.ticked, &say!(text, "wizard-settings-agree"), "");
            ui.gap(3.0);
        }
    }

    fn return_to_plan(&mut self) {
        let Some(by_hand) = self.source.base.saved.by_hand else { return };
        let planned = by_hand.planned;
        self.form = CustomModel {
            kv_cache_type: planned.kv_cache_type,
            context_tokens: planned.context_tokens,
            gpu_layers: planned.gpu_layers.filter(|_| planned.n_cpu_moe == 0),
            n_cpu_moe: planned.n_cpu_moe,
            num_batch: planned.num_batch,
            model: Arc::clone(&self.source.base.model),
        };
        (self.back_to_plan, self.ticked) = (true, false);
        let change = SettingChange { back_to_plan: true, ..SettingChange::default() };
        self.plan = plan_of(&self.source, &change);
    }
}

fn plan_of(source: &SettingSource, change: &SettingChange) -> Result<Box<SettingPlan>, SettingProblem> {
    source.base.plan_setting(change, &source.hardware, &source.policy).map(Box::new)
}

/// The settings in force.
fn in_force(source: &SettingSource) -> CustomModel {
    let (profile, saved) = (&source.base.installed.profile, &source.base.saved);
    let set = saved.by_hand.map_or_else(HandSettings::default, |by_hand| by_hand.set);
    let gpu_layers = match set.gpu_layers {
        Some(HandNumber::Count(layers)) => Some(layers),
        Some(HandNumber::Auto(_)) => None,
        None => saved.gpu_layers,
    };
    CustomModel {
        model: Arc::clone(&source.base.model),
        kv_cache_type: profile.kv_cache_type,
        context_tokens: profile.context_tokens,
        gpu_layers: gpu_layers.filter(|_| profile.n_cpu_moe == 0),
        n_cpu_moe: profile.n_cpu_moe,
        num_batch: profile.num_batch,
    }
}

/// What differs between two settings of the same model.
fn change(now: &CustomModel, form: &CustomModel) -> SettingChange {
    let value = |now: u32, form: u32| (now != form).then_some(ValueOrPlan::Value(form));
    let layers = form.gpu_layers.map_or(Amount::Auto, Amount::Count);
    // With experts in main memory all layers are on the GPU.
    let layers = (now.gpu_layers != form.gpu_layers && form.n_cpu_moe == 0).then_some(layers);
    SettingChange {
        gpu_layers: layers,
        n_cpu_moe: (now.n_cpu_moe != form.n_cpu_moe).then_some(Amount::Count(form.n_cpu_moe)),
        kv_cache_type: (now.kv_cache_type != form.kv_cache_type)
            .then_some(ValueOrPlan::Value(form.kv_cache_type)),
        context_tokens: value(now.context_tokens, form.context_tokens),
        num_batch: value(now.num_batch, form.num_batch),
        back_to_plan: false,
    }
}

/// What can be compared of a setting.
fn setting_of(custom: &CustomModel) -> impl PartialEq + use<> {
    let CustomModel { kv_cache_type, context_tokens, gpu_layers, n_cpu_moe, num_batch, .. } = *custom;
    (kv_cache_type, context_tokens, gpu_layers, n_cpu_moe, num_batch)
}
