//! Profile: what to install. Every figure follows the choice at once.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{Align, Layout, Ui};

use super::compatibility::{CompatibilityPage, model_name};
use super::engine_form::EngineForm;
use super::{Button, Footer, Intent, PageContext, View};
use crate::models::{KvCacheType, Model};
use crate::plan::{Plan, Verdict};
use crate::say;
use crate::text::Text;
use crate::wizard::backend::{Backend, CustomModel, PathField, WorkerError};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    Paragraph, Part, SpeedScale, StackedBar, UiExt as _, banner, card, columns, fact, radio_card, rule,
};

/// What was chosen.
#[derive(Clone)]
pub struct Choice {
    /// With everything that is promised.
    pub plan: Plan,
    /// A profile, or a model of the person's own.
    pub what: ModelChoice,
    /// Folders, port, start at login.
    pub places: PlacesForm,
    /// Where the engine comes from, and how the outside world is reached.
    pub source: EngineForm,
}

/// A profile, or a model of the person's own.
#[derive(Clone)]
pub enum ModelChoice {
    /// Index into the report's plans.
    Profile(usize),
    /// Of the person's own.
    Custom(CustomModel),
}

/// What can be typed about where things go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacesForm {
    /// Our folder.
    pub home: String,
    /// Folder of the models.
    pub models_dir: String,
    /// Port; empty for the first free one.
    pub port: String,
    /// Start at login.
    pub autostart: bool,
}

/// What was typed is no port a person's program may listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a port from 1024 to 65535")]
pub struct NotAPort;

impl PlacesForm {
    /// The typed port; `None` when nothing is typed.
    ///
    /// # Errors
    /// When it is none.
    pub fn port(&self) -> Result<Option<u16>, NotAPort> {
        let typed = self.port.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        typed.parse::<u16>().ok().filter(|port| *port >= 1024).map(Some).ok_or(NotAPort)
    }

    fn folders_are_complete(&self) -> bool {
        [&self.home, &self.models_dir].into_iter().all(|folder| PathBuf::from(folder.trim()).is_absolute())
    }
}

/// How a typed reference is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Idle,
    Asking,
    Failed(WorkerError),
}

/// The page.
pub struct ProfilePage {
    /// The page before.
    pub compatibility: CompatibilityPage,
    /// What is chosen now.
    pub choice: Choice,
    /// Whether the advanced part is open.
    pub(super) advanced: bool,
    /// A reference that is being typed.
    pub(super) reference: String,
    pub(super) lookup: Lookup,
}

impl From<ProfilePage> for CompatibilityPage {
    fn from(page: ProfilePage) -> Self {
        let mut before = page.compatibility;
        before.draft = Some(page.choice);
        before
    }
}

impl ProfilePage {
    /// From the page before: the choice of an earlier visit, else the recommended profile.
    pub fn new(mut compatibility: CompatibilityPage, backend: &dyn Backend) -> Option<Self> {
        let choice = match compatibility.draft.take() {
            Some(choice) => choice,
            None => recommended(&compatibility, backend)?,
        };
        Some(Self { compatibility, choice, advanced: false, reference: String::new(), lookup: Lookup::Idle })
    }

    /// Whether the choice has limits the person must agree to.
    pub fn needs_consent(&self) -> bool {
        self.choice.plan.verdict == Verdict::Degraded
    }

    /// Whether the choice can be installed.
    pub fn can_go_on(&self) -> bool {
        self.choice.plan.verdict != Verdict::Refused
            && self.choice.places.port().is_ok()
            && self.choice.places.folders_are_complete()
            && self.choice.source.is_complete()
    }

    /// A typed reference was looked up.
    pub fn model_found(
        &mut self,
        reference: &str,
        model: Result<Arc<Model>, WorkerError>,
        backend: &dyn Backend,
    ) {
        if self.lookup != Lookup::Asking || self.reference.trim() != reference {
            return;
        }
        match model {
            Ok(model) => {
                self.lookup = Lookup::Idle;
                let kv_cache_type = self.choice.plan.candidate.kv_cache_type;
                let context_tokens = crate::MIN_CONTEXT_TOKENS;
                self.choose(
                    ModelChoice::Custom(CustomModel {
                        model,
                        kv_cache_type,
                        context_tokens,
                        gpu_layers: None,
                    }),
                    backend,
                );
            }
            Err(trouble) => self.lookup = Lookup::Failed(trouble),
        }
    }

    /// A dialog for a folder or file was closed.
    pub fn path_picked(&mut self, of: PathField, path: Option<PathBuf>) {
        let Some(path) = path else { return };
        let path = path.display().to_string();
        match of {
            PathField::Home => self.choice.places.home = path,
            PathField::Models => self.choice.places.models_dir = path,
            PathField::Archive => self.choice.source.archive = path,
            PathField::Certificates => self.choice.source.ca_file = path,
        }
    }

    /// Chooses, and computes what it promises.
    pub(super) fn choose(&mut self, what: ModelChoice, backend: &dyn Backend) {
        let found = &self.compatibility.found;
        self.choice.plan = match &what {
            ModelChoice::Profile(index) => found.report.plans[*index].clone(),
            ModelChoice::Custom(custom) => backend.make_plan(&backend.custom(custom), &found.hardware),
        };
        self.choice.what = what;
    }

    /// The choice as one of the person's own, to change a part of it.
    pub(super) fn as_custom(&self) -> CustomModel {
        match &self.choice.what {
            ModelChoice::Custom(custom) => custom.clone(),
            ModelChoice::Profile(_) => {
                let candidate = &self.choice.plan.candidate;
                CustomModel {
                    model: Arc::clone(&candidate.model),
                    kv_cache_type: candidate.kv_cache_type,
                    context_tokens: candidate.context_tokens,
                    gpu_layers: None,
                }
            }
        }
    }

    fn cards(&mut self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let found = Arc::clone(&self.compatibility.found);
        let recommended = found.report.recommended.as_deref();
        let mut chosen = None;
        ui.spacing_mut().item_spacing.y = 10.0;
        for (index, plan) in found.report.plans.iter().enumerate() {
            if plan.verdict == Verdict::Refused {
                continue;
            }
            let is_chosen = matches!(self.choice.what, ModelChoice::Profile(i) if i == index);
            let id = &plan.candidate.id;
            let card = radio_card(ui, is_chosen, id, |ui| {
                let mut head = Paragraph::new(ui).add(TextRole::Strong, Tone::Ink, id);
                if recommended == Some(id) {
                    head = head.add(
                        TextRole::Chip,
                        Tone::Faint,
                        &format!(" {}", say!(text, "wizard-recommended")),
                    );
                }
                head.show(ui);
                describe(ui, text, &plan.candidate.model);
            });
            if card.clicked() {
                chosen = Some(ModelChoice::Profile(index));
            }
        }
        let own = matches!(self.choice.what, ModelChoice::Custom(_));
        let name = say!(text, "wizard-another-model");
        let card = radio_card(ui, own, &name, |ui| {
            ui.text(TextRole::Strong, Tone::Ink, &name);
            match &self.choice.what {
                ModelChoice::Custom(custom) => {
                    ui.text(TextRole::Table, Tone::Soft, &model_name(&custom.model));
                    describe_rest(ui, text, &custom.model);
                }
                ModelChoice::Profile(_) => {
                    ui.text(TextRole::Table, Tone::Soft, &say!(text, "wizard-another-model-detail"));
                }
            }
        });
        if card.clicked() {
            self.advanced = true;
            chosen = Some(ModelChoice::Custom(self.as_custom()));
        }
        if let Some(what) = chosen {
            self.choose(what, cx.backend);
        }
    }

    fn promise(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let plan = &self.choice.plan;
        graphics_bar(ui, text, plan);
        ui.gap(3.0);
        main_bar(ui, text, plan, self.compatibility.found.hardware.memory.total_bytes);
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
                let on_gpu = super::compatibility::layers(text, plan);
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
        self.choice.source.look_for_newest(cx);
        columns(ui, &[0.36, 0.64], |ui, i| {
            if i == 0 {
                self.cards(ui, cx);
            } else {
                card(ui, |ui| self.promise(ui, cx));
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
            primary: Some(Button::new(say!(text, "wizard-continue"), Intent::Next).enabled(self.can_go_on())),
            ..Footer::default()
        }
    }
}

fn recommended(compatibility: &CompatibilityPage, backend: &dyn Backend) -> Option<Choice> {
    let report = &compatibility.found.report;
    let wanted = report.recommended.as_deref()?;
    let index = report.plans.iter().position(|plan| plan.candidate.id == wanted)?;
    let places = backend.places();
    Some(Choice {
        plan: report.plans[index].clone(),
        what: ModelChoice::Profile(index),
        source: EngineForm::new(backend.source(&compatibility.found.hardware)),
        places: PlacesForm {
            home: places.home.display().to_string(),
            models_dir: places.models_dir.display().to_string(),
            port: String::new(),
            autostart: true,
        },
    })
}

fn describe(ui: &mut Ui, text: Text, model: &Model) {
    ui.text(TextRole::Table, Tone::Soft, &model_name(model));
    describe_rest(ui, text, model);
}

fn describe_rest(ui: &mut Ui, text: Text, model: &Model) {
    ui.text(
        TextRole::Table,
        Tone::Soft,
        &say!(text, "wizard-to-download", size = text.file_size(model.download_bytes)),
    );
    let licence = &model.licence;
    let terms = match licence.commercial {
        Some(true) => licence.name.clone(),
        Some(false) => say!(text, "wizard-licence-non-commercial", licence = licence.name.clone()),
        None => say!(text, "wizard-licence-unknown", licence = licence.name.clone()),
    };
    ui.text(TextRole::Source, Tone::Faint, &terms);
}

/// A name at the left and figures at the right, over a bar.
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

fn graphics_bar(ui: &mut Ui, text: Text, plan: &Plan) {
    let memory = &plan.memory;
    let (total, free) = (plan.vram_total_bytes, plan.vram_free_bytes);
    let need = memory.vram_required_bytes;
    let name = say!(text, "wizard-memory-graphics");
    let rest = say!(text, "wizard-of-free", free = text.memory(free), total = text.memory(total));
    head(ui, &name, &text.memory(need), &format!(" {rest}"));
    let line = |what: String, bytes: u64| format!("{what} {}", text.memory_number(bytes));
    let others = total.saturating_sub(free);
    let buffers = memory.compute_gpu_bytes + memory.overhead_gpu_bytes;
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

fn main_bar(ui: &mut Ui, text: Text, plan: &Plan, total: u64) {
    let need = plan.memory.ram_required_bytes;
    let available = plan.ram_available_bytes;
    let name = say!(text, "wizard-memory-main");
    let rest = say!(text, "wizard-of-available", available = text.memory(available));
    head(ui, &name, &text.memory(need), &format!(" {rest}"));
    StackedBar::new(name, total)
        .part(Part::Others, total.saturating_sub(available), String::new())
        .part(Part::Weights, need, String::new())
        .height(10.0)
        .show(ui);
}

fn speed(ui: &mut Ui, text: Text, plan: &Plan) {
    let speed = &plan.speed;
    let rest = say!(text, "wizard-speed-full", range = text.range(speed.decode_at_full_context_tokens_per_s));
    head(ui, &say!(text, "wizard-tokens-a-second"), &text.range(speed.decode_tokens_per_s), &rest);
    SpeedScale::new(speed.decode_tokens_per_s).show(ui, text);
}

/// The names of the KV cache types, with what each costs.
pub(super) fn kv_name(text: Text, kv: KvCacheType) -> String {
    match kv {
        KvCacheType::F16 => say!(text, "wizard-kv-f16"),
        KvCacheType::Q8_0 => say!(text, "wizard-kv-q8"),
        KvCacheType::Q4_0 => say!(text, "wizard-kv-q4"),
    }
}
