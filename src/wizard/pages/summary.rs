//! Summary: everything that will be done. The last page before anything changes.

use eframe::egui::Ui;

use super::consent::ConsentPage;
use super::labels::{autostart_name, layers};
use super::profile::ProfilePage;
use super::{Button, Footer, Intent, PageContext, View};
use crate::install::{Agreement, EngineChoice, InstallOptions, Request};
use crate::machine::DiskUse;
use crate::plan::Inventory;
use crate::say;
use crate::sentences::{drive_short, engine_download, model_download, plan_name};
use crate::text::Text;
use crate::untrusted::UntrustedText;
use crate::wizard::backend::BackendCommand;
use crate::wizard::options::WizardOptions;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Paragraph, UiExt as _, banner, card, card_row, label_and_value, rule};

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
    /// The options whose drives are being inspected.
    pending_inventory: Option<Box<InstallOptions>>,
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
        Self { profile, agreed, accept_kv_q4: None, accept_unverified_model: None, pending_inventory: None }
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
            source: choice.engine.source(),
            insecure_registry: options.insecure_registry,
        }
    }

    /// The request for the installation; `None` when its model cannot be pulled.
    pub fn request(&self, options: &WizardOptions) -> Option<Request> {
        let agreement = Agreement {
            limits: self.agreed,
            fewer_layers: self.agreed,
            kv_q4: self.accept_kv_q4,
            unverified_model: self.accept_unverified_model,
        };
        Request::new(self.profile.choice.plan.clone(), agreement, self.install_options(options))
    }

    fn show_downloads(&self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let plan = &self.profile.choice.plan;
        let needs = &plan.disk_needs;
        let known = |size: String| if self.pending_inventory.is_some() { PENDING.to_owned() } else { size };
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-downloads"));
        ui.gap(1.0);
        let version = needs.engine_version.as_deref().or(cx.engine_version).unwrap_or_default();
        line(ui, &format!("Ollama {version}"), &known(engine_download(needs, text)), false);
        line(ui, plan.candidate.model.name.as_str(), &known(model_download(needs, text)), false);
        line(ui, &say!(text, "wizard-summary-total"), &known(text.file_size(needs.download_bytes())), false);
        line(ui, &say!(text, "wizard-summary-disk"), &known(text.file_size(needs.written_bytes())), true);
        ui.gap(0.5);
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-summary-not-twice"));
        ui.gap(1.0);
        let engine = self.profile.choice.engine.engine();
        let tone = if matches!(engine, EngineChoice::Newest(_)) { Tone::Warning } else { Tone::Faint };
        ui.text(TextRole::Label, tone, &engine.note(text));
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
                _ if self.pending_inventory.is_some() => PENDING.to_owned(),
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
        ui.gap(3.5);
        card(ui, |ui| {
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-welcome-undo-title"));
            ui.gap(0.5);
            Paragraph::new(ui)
                .marked(TextRole::Text, TextRole::Strong, Tone::Soft, &say!(text, "wizard-summary-undo"))
                .show(ui);
        });
        if self.pending_inventory.is_none()
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
            primary: Some(Button::new(say!(text, "wizard-install"), Intent::Next)),
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
