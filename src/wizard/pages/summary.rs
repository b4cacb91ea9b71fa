//! Summary: everything that will be done. The last page before anything changes.

use std::sync::Arc;

use eframe::egui::Ui;

use super::consent::ConsentPage;
use super::labels::{autostart_name, layers};
use super::profile::ProfilePage;
use super::{Button, Footer, Intent, PageContext, View};
use crate::control::Control;
use crate::install::{
    Agreement, EngineChoice, InstallOptions, Paths, PublishedModel, Request, SavedRequest, is_to_be_read,
};
use crate::machine::DiskUse;
use crate::models::{Model, ModelFile};
use crate::plan::{ConsentTerms, Inventory, Verdict, plan_for_file};
use crate::say;
use crate::sentences::{
    changed_file, drive_short, engine_download, file_sentences, model_download, plan_name, reading_file,
};
use crate::text::Text;
use crate::untrusted::UntrustedText;
use crate::wizard::backend::{BackendCommand, WorkerError};
use crate::wizard::options::WizardOptions;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    Paragraph, UiExt as _, banner, card, card_row, checkbox, label_and_value, rule,
};

/// Shown instead of a figure while the drives are being inspected.
const PENDING: &str = "…";

/// The page.
pub struct SummaryPage {
    /// The page with the choice.
    pub profile: ProfilePage,
    /// Whether the user agreed to the limits of the choice, if it needs consent.
    pub agreed: bool,
    /// Whether the KV cache may be kept at 4 bits. `None` until memory runs out and the user answers.
    pub accept_kv_q4: Option<bool>,
    /// Whether the model of another store may be used although the registry cannot be reached. `None` until the user
    /// answers.
    pub accept_unverified_model: Option<bool>,
    /// The request that is being resumed, which the user need not confirm again.
    pub resumed: Option<Box<SavedRequest>>,
    /// Keep this program on the computer, if it can be.
    pub keep: bool,
    /// The model's file while it is being read, and why it could not be.
    file: FileReading,
    /// The options whose drives are being inspected.
    pending_inventory: Option<Box<InstallOptions>>,
}

/// State of reading the model's file.
enum FileReading {
    /// It is being read.
    Pending(PendingRead),
    /// It was read, or was not wanted.
    Known(Option<PublishedModel>),
    /// Its worker failed.
    Failed(WorkerError),
}

/// The options with which a file is being read. Dropping it cancels the reading.
struct PendingRead {
    options: Box<InstallOptions>,
    control: Control,
}

impl Drop for PendingRead {
    fn drop(&mut self) {
        self.control.cancel();
    }
}

impl From<SummaryPage> for ProfilePage {
    fn from(page: SummaryPage) -> Self {
        page.profile
    }
}

impl From<SummaryPage> for ConsentPage {
    fn from(page: SummaryPage) -> Self {
        Self { profile: page.profile, ticked: true }
    }
}

impl SummaryPage {
    /// For a choice; `agreed` when it needs consent and has it.
    pub fn new(profile: ProfilePage, agreed: bool) -> Self {
        Self {
            profile,
            agreed,
            accept_kv_q4: None,
            accept_unverified_model: None,
            resumed: None,
            keep: true,
            file: FileReading::Known(None),
            pending_inventory: None,
        }
    }

    /// The command with which the page begins: to read the model's file, or to inspect the drives if its file is known.
    pub fn begin(&mut self, options: &WizardOptions) -> BackendCommand {
        let model = Arc::clone(&self.profile.choice.plan.candidate.model);
        if !is_to_be_read(&model) {
            return self.begin_inventory(options);
        }
        let (options, control) = (Box::new(self.install_options(options)), Control::new());
        self.file = FileReading::Pending(PendingRead { options: options.clone(), control: control.clone() });
        BackendCommand::ReadModel { options, model, control }
    }

    /// Forgets the model's file, because it was replaced: the page then reads it again, and the user confirms it.
    pub fn forget_file(&mut self) {
        self.resumed = None;
        let model = &mut self.profile.choice.plan.candidate.model;
        *model = Arc::new(Model { file: ModelFile::CATALOGUE, ..(**model).clone() });
    }

    /// Makes the plan for the file that was read. Returns whether it was what the page waited for.
    pub fn model_read(
        &mut self,
        options: &InstallOptions,
        asked: &Arc<Model>,
        published: Result<PublishedModel, WorkerError>,
    ) -> bool {
        let plan = &mut self.profile.choice.plan;
        match &self.file {
            FileReading::Pending(read)
                if *read.options == *options && Arc::ptr_eq(asked, &plan.candidate.model) => {}
            _ => return false,
        }
        let published = match published {
            Ok(published) => published,
            Err(error) => {
                self.file = FileReading::Failed(error);
                return true;
            }
        };
        if !Arc::ptr_eq(asked, &published.model) {
            let detected = &self.profile.compatibility.detected;
            let model = Arc::clone(&published.model);
            let now = plan_for_file(plan, model, &detected.hardware, &detected.profiles);
            let before = std::mem::replace(plan, now.with_inventory(&detected.inventory));
            let covers = |agreed: &ConsentTerms, now| agreed.covers(now, plan.policy.consent_tolerance);
            let covered = before.consent.as_ref().zip(plan.consent.as_ref());
            self.agreed &= covered.is_some_and(|(agreed, now)| covers(agreed, now));
            self.agreed |= self.resumed.as_ref().is_some_and(|request| request.covers(plan));
        }
        self.file = FileReading::Known(Some(published));
        true
    }

    /// Whether the plan has limits that the user has not agreed to.
    pub fn lacks_consent(&self) -> bool {
        self.profile.needs_consent() && !self.agreed
    }

    /// Whether the installation can start: the model's file is known, there is one, and it runs.
    fn is_ready(&self) -> bool {
        let is_known = match &self.file {
            FileReading::Pending(_) => false,
            FileReading::Known(published) => {
                published.as_ref().is_none_or(|published| published.refusal().is_none())
            }
            FileReading::Failed(_) => true,
        };
        is_known && self.profile.choice.plan.verdict != Verdict::Refused && !self.lacks_consent()
    }

    /// Marks the inspection of the drives as running; returns its command.
    pub fn begin_inventory(&mut self, options: &WizardOptions) -> BackendCommand {
        let options = Box::new(self.install_options(options));
        self.pending_inventory = Some(options.clone());
        BackendCommand::TakeInventory { options, model: self.profile.choice.plan.candidate.model.clone() }
    }

    /// Adds the inventory of the drives to the plan. Ignores an answer about other options.
    pub fn inventory_taken(&mut self, options: &InstallOptions, inventory: &Inventory) {
        if self.pending_inventory.as_deref() == Some(options) {
            self.pending_inventory = None;
            let plan = &mut self.profile.choice.plan;
            *plan = plan.clone().with_inventory(inventory);
        }
    }

    fn install_options(&self, options: &WizardOptions) -> InstallOptions {
        let choice = &self.profile.choice;
        InstallOptions {
            home: choice.places.home.path(),
            models_dir: choice.places.models_dir.path(),
            port: choice.places.port().ok().flatten(),
            autostart: choice.places.autostart,
            watch: choice.places.autostart && choice.places.watch,
            source: choice.engine.source(),
            insecure_registry: options.insecure_registry,
            tune: true,
            refresh_model: options.refresh_model,
            daily_updates: options.daily_updates,
        }
    }

    /// The request for the installation; `None` while the model's file is being read, and when the model does not run or
    /// cannot be pulled.
    pub fn request(&self, options: &WizardOptions) -> Option<Request> {
        if !self.is_ready() {
            return None;
        }
        let agreement = Agreement {
            limits: self.agreed,
            fewer_layers: self.agreed,
            kv_q4: self.accept_kv_q4,
            unverified_model: self.accept_unverified_model,
        };
        Request::new(self.profile.choice.plan.clone(), agreement, self.install_options(options))
    }

    /// Whether this program is kept on the computer after the installation.
    pub fn keeps(&self) -> bool {
        let preview = &self.profile.compatibility.detected.keep;
        self.keep && preview.as_ref().is_some_and(|preview| preview.newer_kept.is_none())
    }

    /// The tick that starts the watcher of graphics memory with the server.
    fn show_watch(&mut self, ui: &mut Ui, text: Text) {
        let places = &mut self.profile.choice.places;
        if !places.autostart {
            return;
        }
        ui.gap(3.5);
        card(ui, |ui| {
            let how = say!(text, "wizard-watch-how");
            checkbox(ui, &mut places.watch, &say!(text, "wizard-watch"), &how);
        });
    }

    /// The tick that keeps this program, with everything that it changes.
    fn show_keep(&mut self, ui: &mut Ui, text: Text) {
        let Some(preview) = &self.profile.compatibility.detected.keep else { return };
        ui.gap(3.5);
        if preview.newer_kept.is_some() {
            banner(ui, Tone::Soft, &preview.lines(text).join(" "));
            return;
        }
        let folder = Paths::new(&self.profile.choice.places.home.path()).programs();
        let detail = say!(
            text,
            "wizard-keep-detail",
            folder = UntrustedText::path(&folder),
            changes = preview.changes(text).join(", ")
        );
        card(ui, |ui| {
            checkbox(ui, &mut self.keep, &say!(text, "wizard-keep"), &detail);
        });
    }

    fn show_downloads(&self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let plan = &self.profile.choice.plan;
        let needs = &plan.disk_needs;
        let known = |size: String| if self.is_inspecting() { PENDING.to_owned() } else { size };
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-downloads"));
        ui.gap(1.0);
        let version = needs.engine_version.as_deref().or(cx.engine_version).unwrap_or_default();
        line(ui, &format!("Ollama {version}"), &known(engine_download(needs, text)), false);
        line(ui, plan.candidate.model.name.shown(), &known(model_download(needs, text)), false);
        line(ui, &say!(text, "wizard-summary-total"), &known(text.file_size(needs.download_bytes())), false);
        line(ui, &say!(text, "wizard-summary-disk"), &known(text.file_size(needs.written_bytes())), true);
        ui.gap(0.5);
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-summary-not-twice"));
        self.show_file(ui, text);
        ui.gap(1.0);
        let engine = self.profile.choice.engine.engine();
        let tone = if matches!(engine, EngineChoice::Newest(_)) { Tone::Warning } else { Tone::Faint };
        ui.text(TextRole::Label, tone, &engine.note(text));
    }

    /// Whether the figures of downloads and drives are not known yet.
    fn is_inspecting(&self) -> bool {
        matches!(self.file, FileReading::Pending(_)) || self.pending_inventory.is_some()
    }

    /// Where the figures of the model come from, unless a banner says it.
    fn show_file(&self, ui: &mut Ui, text: Text) {
        let model = &self.profile.choice.plan.candidate.model;
        match &self.file {
            FileReading::Pending(_) => {
                ui.text(TextRole::Label, Tone::Faint, &reading_file(model, text));
            }
            FileReading::Known(_) if self.file_warning(text).is_none() => {
                for sentence in file_sentences(model, None, text) {
                    ui.text(TextRole::Label, Tone::Faint, &sentence);
                }
            }
            FileReading::Known(_) | FileReading::Failed(_) => {}
        }
    }

    /// What the user should know about the model's file: it has changed, or could not be read.
    fn file_warning(&self, text: Text) -> Option<String> {
        let model = &self.profile.choice.plan.candidate.model;
        match &self.file {
            FileReading::Pending(_) => None,
            FileReading::Failed(error) => Some(error.explain(text)),
            FileReading::Known(published) => {
                let problem = published.as_ref().and_then(|published| published.problem.as_deref());
                let is_usual = problem.is_none() && changed_file(model, text).is_none();
                (!is_usual).then(|| file_sentences(model, problem, text).join(" "))
            }
        }
    }

    /// What is unusual about the model's file, and why it cannot be installed.
    fn show_banners(&self, ui: &mut Ui, text: Text) {
        let plan = &self.profile.choice.plan;
        let warning = self.file_warning(text).map(|said| (Tone::Warning, said));
        let refusal = (plan.verdict == Verdict::Refused).then(|| {
            let why: Vec<String> = plan.reasons.iter().map(|reason| reason.text(text)).collect();
            (Tone::Refused, why.join(" "))
        });
        for (tone, said) in warning.into_iter().chain(refusal) {
            banner(ui, tone, &said);
            ui.gap(3.5);
        }
    }

    fn show_folders(&self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let choice = &self.profile.choice;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-folders"));
        ui.gap(1.0);
        for (label, folder, usage) in [
            (say!(text, "wizard-advanced-home"), choice.places.home.path(), DiskUse::Engine),
            (say!(text, "wizard-advanced-models"), choice.places.models_dir.path(), DiskUse::Models),
        ] {
            ui.text(TextRole::Label, Tone::Faint, &label);
            ui.text(TextRole::Text, Tone::Ink, &UntrustedText::path(&folder));
            let drive = choice.plan.disk_needs.drives.iter().find(|drive| drive.used_for.contains(&usage));
            let free = match drive.and_then(|drive| drive.free_bytes) {
                _ if self.is_inspecting() => PENDING.to_owned(),
                Some(bytes) => say!(text, "wizard-hardware-disk-free", size = text.file_size(bytes)),
                None => say!(text, "wizard-hardware-disk-unknown"),
            };
            ui.text(TextRole::Label, Tone::Faint, &free);
            ui.gap(1.0);
        }
    }

    fn show_changes(&self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let choice = &self.profile.choice;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-changes"));
        ui.gap(1.0);
        let port = match choice.places.port() {
            Ok(Some(port)) => format!("127.0.0.1:{port}"),
            _ => say!(text, "wizard-summary-port-automatic"),
        };
        line(ui, &say!(text, "wizard-summary-server"), &port, false);
        let login = if choice.places.autostart {
            autostart_name(text, &self.profile.compatibility.detected.autostart)
        } else {
            say!(text, "wizard-summary-no-login")
        };
        line(ui, &say!(text, "wizard-start-at-login"), &login, false);
        let candidate = &choice.plan.candidate;
        let model = say!(
            text,
            "wizard-summary-model",
            tokens = text.count(u64::from(candidate.context_tokens)),
            layers = layers(text, &choice.plan),
            kv = candidate.kv_cache_type.name()
        );
        line(ui, "acolyte:latest", &model, true);
    }
}

impl View for SummaryPage {
    fn heading(&self, text: Text) -> (String, String) {
        let profile = plan_name(&self.profile.choice.plan);
        (say!(text, "wizard-summary-title", profile = profile), say!(text, "wizard-summary-lead"))
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        self.show_banners(ui, text);
        card_row(ui, "summary", &[1.0, 1.0], |ui, i| {
            ui.spacing_mut().item_spacing.y = 2.0;
            if i == 0 {
                self.show_downloads(ui, cx);
            } else {
                self.show_folders(ui, cx);
            }
        });
        ui.gap(3.5);
        card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            self.show_changes(ui, cx);
        });
        self.show_keep(ui, text);
        self.show_watch(ui, text);
        ui.gap(3.5);
        card(ui, |ui| {
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-welcome-undo-title"));
            ui.gap(0.5);
            Paragraph::new(ui)
                .marked(TextRole::Text, TextRole::Strong, Tone::Soft, &say!(text, "wizard-summary-undo"))
                .show(ui);
        });
        if !self.is_inspecting()
            && let Some(drive) = self.profile.choice.plan.disk_needs.shortest()
        {
            ui.gap(3.5);
            banner(ui, Tone::Refused, &drive_short(drive, text));
        }
    }

    fn footer(&self, text: Text) -> Footer {
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            links: vec![Button::new(say!(text, "wizard-choose-another"), Intent::ChooseAnother)],
            secondary: None,
            primary: Some(Button::new(say!(text, "wizard-install"), Intent::Next).enabled(self.is_ready())),
        }
    }
}

/// A label at the left, its value at the right.
fn line(ui: &mut Ui, what: &str, value: &str, last: bool) {
    let left = Paragraph::new(ui).add(TextRole::Table, Tone::Soft, what);
    let right = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, value);
    label_and_value(ui, 1.0, left, right);
    if !last {
        rule(ui);
    }
}
