//! Profile: what to install, and the expected figures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Align, Layout, Response, Ui};

use super::choice::{ModelChoice, UserChoice};
use super::compatibility::CompatibilityPage;
use super::labels::{layers, model_name, quality_short};
use super::{Button, Footer, Intent, PageContext, View};
use crate::install::SavedRequest;
use crate::models::Model;
use crate::plan::{Plan, Verdict};
use crate::say;
use crate::sentences::{placement_sentence, role_names};
use crate::text::Text;
use crate::wizard::backend::{BackendCommand, CustomModel, ModelReference, PathField, WorkerError};
use crate::wizard::options::WizardOptions;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::typed_path::TypedPath;
use crate::wizard::widgets::{
    Paragraph, Part, SpeedScale, StackedBar, UiExt as _, banner, card, columns, fact, radio_card, rule,
};

/// State of the lookup of a typed model reference.
#[derive(Clone, Debug)]
pub(super) enum ModelLookup {
    Idle,
    Running,
    Failed(WorkerError),
}

/// The page.
pub struct ProfilePage {
    /// The page before.
    pub compatibility: CompatibilityPage,
    /// What is chosen now.
    pub choice: UserChoice,
    /// Whether the advanced part is open.
    pub(super) advanced: bool,
    /// The typed reference or picked file of a model.
    pub(super) reference: TypedPath,
    pub(super) lookup: ModelLookup,
    /// The request whose setting the model that is looked up gets.
    restored: Option<Box<SavedRequest>>,
}

impl From<ProfilePage> for CompatibilityPage {
    fn from(page: ProfilePage) -> Self {
        let mut compatibility = page.compatibility;
        compatibility.draft = Some(page.choice);
        compatibility
    }
}

impl ProfilePage {
    /// With the choice of an earlier visit, else the recommended profile.
    ///
    /// # Errors
    /// The previous page, when every profile is refused.
    pub fn new(
        mut compatibility: CompatibilityPage,
        options: &WizardOptions,
    ) -> Result<Self, Box<CompatibilityPage>> {
        let draft = compatibility.draft.take();
        let selected = || UserChoice::new(compatibility.selected_model()?, &compatibility.detected, options);
        match draft.or_else(selected) {
            Some(choice) => Ok(Self {
                compatibility,
                choice,
                advanced: false,
                reference: TypedPath::default(),
                lookup: ModelLookup::Idle,
                restored: None,
            }),
            None => Err(Box::new(compatibility)),
        }
    }

    /// Whether the choice has limits that need consent.
    pub fn needs_consent(&self) -> bool {
        self.choice.plan.verdict == Verdict::Degraded
    }

    /// Whether the choice can be installed.
    pub fn is_complete(&self) -> bool {
        self.choice.plan.verdict != Verdict::Refused
            && self.choice.places.is_complete()
            && self.choice.engine.is_complete()
    }

    /// Marks the lookup of the reference as running; returns its command.
    pub fn begin_lookup(&mut self) -> BackendCommand {
        self.lookup = ModelLookup::Running;
        BackendCommand::FindModel { reference: self.model_reference(), http: self.choice.engine.http() }
    }

    /// Takes the file of a model and marks its lookup as running; returns its command.
    pub fn begin_file(&mut self, path: &Path) -> BackendCommand {
        self.advanced = true;
        self.reference = TypedPath::from(path);
        self.restored = None;
        self.begin_lookup()
    }

    /// The same for the file of an earlier request, whose setting the model gets.
    pub fn begin_restoring(&mut self, path: &Path, request: Box<SavedRequest>) -> BackendCommand {
        self.advanced = true;
        self.reference = TypedPath::from(path);
        self.restored = Some(request);
        self.begin_lookup()
    }

    fn model_reference(&self) -> ModelReference {
        match (self.reference.given(), &self.restored) {
            (Some(path), Some(request)) => ModelReference::Saved(path.to_owned(), request.clone()),
            (Some(path), None) => ModelReference::File(path.to_owned()),
            (None, _) => ModelReference::Typed(self.reference.text().trim().to_owned()),
        }
    }

    /// Ends the lookup. Ignores an answer if the reference has changed.
    pub fn model_found(&mut self, reference: &ModelReference, model: Result<Arc<Model>, WorkerError>) {
        if !matches!(self.lookup, ModelLookup::Running) || self.model_reference() != *reference {
            return;
        }
        match model {
            Ok(model) => {
                self.lookup = ModelLookup::Idle;
                let kv_cache_type = self.choice.plan.candidate.kv_cache_type;
                let usual = CustomModel::usual(model, kv_cache_type, crate::MIN_CONTEXT_TOKENS);
                let custom = match self.restored.take() {
                    Some(request) => CustomModel {
                        kv_cache_type: request.kv_cache_type,
                        context_tokens: request.context_tokens,
                        gpu_layers: request.gpu_layers,
                        n_cpu_moe: request.n_cpu_moe,
                        num_batch: request.num_batch,
                        ..usual
                    },
                    None => usual,
                };
                self.choose(ModelChoice::Custom(custom));
            }
            Err(error) => self.lookup = ModelLookup::Failed(error),
        }
    }

    /// Takes a folder or file from a dialog; `None` when the dialog was closed. Returns the command that it leads to.
    pub fn path_picked(&mut self, field: PathField, path: Option<PathBuf>) -> Option<BackendCommand> {
        let picked = path?;
        let path = TypedPath::from(picked.as_path());
        match field {
            PathField::ModelFile => return Some(self.begin_file(&picked)),
            PathField::Home => self.choice.places.home = path,
            PathField::Models => self.choice.places.models_dir = path,
            PathField::Archive => self.choice.engine.archive = path,
            PathField::Certificates => self.choice.engine.ca_file = path,
        }
        None
    }

    /// Chooses a model, and plans it.
    pub(super) fn choose(&mut self, model: ModelChoice) {
        if let Some(plan) = model.plan(&self.compatibility.detected) {
            self.choice.plan = plan;
            self.choice.model = model;
        }
    }

    fn cards(&mut self, ui: &mut Ui, text: Text) {
        let detected = Arc::clone(&self.compatibility.detected);
        let report = &detected.report;
        let mut chosen = None;
        ui.spacing_mut().item_spacing.y = 10.0;
        for (choice, roles) in report.choices.distinct() {
            let is_chosen = matches!(self.choice.model, ModelChoice::Best(role) if roles.contains(&role));
            let name = role_names(&roles, text);
            if plan_card(ui, text, is_chosen, &name, &choice.plan).clicked() {
                chosen = Some(ModelChoice::Best(choice.role));
            }
        }
        for (index, plan) in report.plans.iter().enumerate() {
            if plan.verdict == Verdict::Refused {
                continue;
            }
            let is_chosen = matches!(self.choice.model, ModelChoice::Profile(i) if i == index);
            if plan_card(ui, text, is_chosen, &plan.candidate.id, plan).clicked() {
                chosen = Some(ModelChoice::Profile(index));
            }
        }
        if report.verdict == Verdict::Refused
            && let Some(plan) = &report.choices.emergency_cpu
        {
            let is_chosen = matches!(self.choice.model, ModelChoice::Emergency);
            let name = say!(text, "plan-emergency-title");
            if plan_card(ui, text, is_chosen, &name, plan).clicked() {
                chosen = Some(ModelChoice::Emergency);
            }
        }
        let own = matches!(self.choice.model, ModelChoice::Custom(_));
        let name = say!(text, "wizard-another-model");
        let card = radio_card(ui, own, &name, |ui| {
            ui.text(TextRole::Strong, Tone::Ink, &name);
            match &self.choice.model {
                ModelChoice::Custom(custom) => {
                    ui.text(TextRole::Table, Tone::Soft, &model_name(&custom.model));
                    rating(ui, text, &self.choice.plan);
                    describe_rest(ui, text, &custom.model);
                }
                _ => {
                    ui.text(TextRole::Table, Tone::Soft, &say!(text, "wizard-another-model-detail"));
                }
            }
        });
        if card.clicked() {
            self.advanced = true;
            chosen = Some(ModelChoice::Custom(self.choice.as_custom()));
        }
        if let Some(model) = chosen {
            self.choose(model);
        }
    }

    fn promise(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let plan = &self.choice.plan;
        ui.text(TextRole::Table, Tone::Soft, &placement_sentence(plan, text));
        ui.gap(2.0);
        if plan.vram_total_bytes() > 0 {
            graphics_bar(ui, text, plan);
            ui.gap(3.0);
        }
        main_bar(ui, text, plan, self.compatibility.detected.hardware.memory.total_bytes);
        ui.gap(3.0);
        speed(ui, text, plan);
        ui.gap(3.0);
        let seconds = |range| format!("{}\u{a0}s", text.range(range));
        columns(ui, &[1.0, 1.0], |ui, i| {
            ui.spacing_mut().item_spacing.y = 1.0;
            if i == 0 {
                let wait = seconds(plan.speed.first_token_full_prompt_s);
                fact(ui, &say!(text, "wizard-first-token-full"), &wait);
                ui.gap(2.5);
                let on_gpu = layers(text, plan);
                fact(ui, &say!(text, "wizard-layers"), &say!(text, "wizard-layers-on-gpu", layers = on_gpu));
            } else {
                let wait = seconds(plan.speed.first_token_4k_prompt_s);
                fact(ui, &say!(text, "wizard-first-token-4k"), &wait);
                ui.gap(2.5);
                let candidate = &plan.candidate;
                let context = say!(
                    text,
                    "wizard-context-value",
                    tokens = text.count(u64::from(candidate.context_tokens)),
                    kv = candidate.kv_cache_type.name()
                );
                fact(ui, &say!(text, "wizard-context"), &context);
            }
        });
        ui.gap(3.0);
        rule(ui);
        ui.gap(2.5);
        if ui.disclosure(self.advanced, &say!(text, "wizard-advanced")).clicked() {
            self.advanced = !self.advanced;
        }
        if self.advanced {
            ui.gap(3.0);
            self.show_advanced(ui, cx);
        }
    }
}

impl View for ProfilePage {
    fn heading(&self, text: Text) -> (String, String) {
        (say!(text, "wizard-profile-title"), say!(text, "wizard-profile-lead"))
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let dropped = ui.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
        cx.intents.extend(dropped.map(Intent::UseModelFile));
        columns(ui, &[0.36, 0.64], |ui, i| {
            if i == 0 {
                self.cards(ui, cx.text);
            } else {
                card(ui, |ui| self.promise(ui, cx));
                let doubts: Vec<String> =
                    self.choice.plan.doubts().map(|reason| reason.text(cx.text)).collect();
                if !doubts.is_empty() {
                    ui.gap(3.5);
                    banner(ui, Tone::Warning, &doubts.join(" "));
                }
                if self.choice.plan.verdict == Verdict::Refused {
                    ui.gap(3.5);
                    let why: Vec<String> =
                        self.choice.plan.reasons.iter().map(|reason| reason.text(cx.text)).collect();
                    banner(ui, Tone::Refused, &why.join(" "));
                }
            }
        });
    }

    fn footer(&self, text: Text) -> Footer {
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            primary: Some(
                Button::new(say!(text, "wizard-continue"), Intent::Next).enabled(self.is_complete()),
            ),
            ..Footer::default()
        }
    }
}

/// A card with a model, how good it is, its download and its licence.
fn plan_card(ui: &mut Ui, text: Text, is_chosen: bool, name: &str, plan: &Plan) -> Response {
    radio_card(ui, is_chosen, name, |ui| {
        ui.text(TextRole::Strong, Tone::Ink, name);
        let model = &plan.candidate.model;
        ui.text(TextRole::Table, Tone::Soft, &model_name(model));
        rating(ui, text, plan);
        describe_rest(ui, text, model);
    })
}

/// Stars, a word, and the score that counts most.
fn rating(ui: &mut Ui, text: Text, plan: &Plan) {
    let quality = plan.quality.as_ref();
    ui.text(TextRole::Table, Tone::Ink, &quality_short(quality, text));
    if let Some(basis) = quality.and_then(|quality| quality.strongest_basis(text)) {
        ui.text(TextRole::Source, Tone::Faint, &basis);
    }
}

fn describe_rest(ui: &mut Ui, text: Text, model: &Model) {
    ui.text(
        TextRole::Table,
        Tone::Soft,
        &match model.local {
            Some(_) => say!(text, "wizard-in-a-file", size = text.file_size(model.download_bytes)),
            None => say!(text, "wizard-to-download", size = text.file_size(model.download_bytes)),
        },
    );
    let licence = &model.licence;
    let terms = match licence.commercial {
        Some(true) => licence.name.to_string(),
        Some(false) => say!(text, "wizard-licence-non-commercial", licence = licence.name.to_string()),
        None => say!(text, "wizard-licence-unknown", licence = licence.name.to_string()),
    };
    ui.text(TextRole::Source, Tone::Faint, &terms);
}

/// The line above a bar: a name at the left and figures at the right.
fn head(ui: &mut Ui, name: &str, strong: &str, rest: &str) {
    ui.horizontal(|ui| {
        ui.text(TextRole::Strong, Tone::Ink, name);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            Paragraph::new(ui)
                .add(TextRole::Strong, Tone::Ink, strong)
                .add(TextRole::Text, Tone::Ink, rest)
                .show_line(ui);
        });
    });
    ui.gap(1.0);
}

pub(super) fn graphics_bar(ui: &mut Ui, text: Text, plan: &Plan) {
    let memory = &plan.memory;
    let (total, free) = (plan.vram_total_bytes(), plan.vram_free_bytes());
    let need = memory.vram_required_bytes;
    let name = say!(text, "wizard-memory-graphics");
    let rest = say!(text, "wizard-of-free", free = text.memory(free), total = text.memory(total));
    head(ui, &name, &text.memory(need), &format!(" {rest}"));
    let line = |what: String, bytes: u64| format!("{what} {}", text.memory_number(bytes));
    let others = total.saturating_sub(free);
    let buffers = memory.compute_gpu_bytes + memory.draft_gpu_bytes + memory.overhead_gpu_bytes;
    let context =
        say!(text, "wizard-bar-context", tokens = text.count(u64::from(plan.candidate.context_tokens)));
    StackedBar::new(name, total)
        .part(Part::Others, others, line(say!(text, "wizard-bar-others"), others))
        .part(
            Part::Weights,
            memory.weights_gpu_bytes,
            line(say!(text, "wizard-bar-weights"), memory.weights_gpu_bytes),
        )
        .part(Part::Context, memory.kv_gpu_bytes, line(context, memory.kv_gpu_bytes))
        .part(Part::Buffers, buffers, line(say!(text, "wizard-bar-buffers"), buffers))
        .part(
            Part::Free,
            free.saturating_sub(need),
            line(say!(text, "wizard-bar-free"), free.saturating_sub(need)),
        )
        .show(ui);
}

pub(super) fn main_bar(ui: &mut Ui, text: Text, plan: &Plan, total: u64) {
    let need = plan.memory.ram_required_bytes;
    let available = plan.ram_available_bytes();
    let name = say!(text, "wizard-memory-main");
    let rest = say!(text, "wizard-of-available", available = text.memory(available));
    head(ui, &name, &text.memory(need), &format!(" {rest}"));
    StackedBar::new(name, total)
        .part(Part::Others, total.saturating_sub(available), String::new())
        .part(Part::Weights, need, String::new())
        .height(10.0)
        .show(ui);
}

pub(super) fn speed(ui: &mut Ui, text: Text, plan: &Plan) {
    let speed = &plan.speed;
    let rest = say!(text, "wizard-speed-full", range = text.range(speed.decode_at_full_context_tokens_per_s));
    head(ui, &say!(text, "wizard-tokens-a-second"), &text.range(speed.decode_tokens_per_s), &rest);
    SpeedScale::new(speed.decode_tokens_per_s).show(ui, text);
    if plan.speed_is_assumed() {
        ui.text(TextRole::Label, Tone::Soft, &say!(text, "plan-speed-assumed"));
    }
}
