//! Summary: everything that will be done. The last page before anything changes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eframe::egui::Ui;

use super::consent::ConsentPage;
use super::labels::{autostart_name, layers};
use super::profile::ProfilePage;
use super::{Button, Footer, Intent, PageContext, View};
use crate::install::{Agreement, EngineChoice, InstallOptions, Request};
use crate::say;
use crate::text::Text;
use crate::wizard::options::WizardOptions;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Paragraph, UiExt as _, banner, card, card_row, facing, rule};

/// The page.
pub struct SummaryPage {
    /// The page with the choice.
    pub profile: ProfilePage,
    /// Whether the user agreed to the limits of the choice, if it needs consent.
    pub agreed: bool,
    /// Whether the KV cache may be kept at 4 bits. `None` until memory runs out and the user is asked.
    pub accept_kv_q4: Option<bool>,
    /// Free bytes on the drive of each folder; `None` when unknown. Empty until they are measured.
    pub free_bytes: BTreeMap<PathBuf, Option<u64>>,
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
        Self { profile, agreed, accept_kv_q4: None, free_bytes: BTreeMap::new() }
    }

    /// The folders that the installation writes to.
    pub fn folders(&self) -> [PathBuf; 2] {
        let places = &self.profile.choice.places;
        [places.home(), places.models_dir()]
    }

    /// The request for the installation.
    pub fn request(&self, options: &WizardOptions) -> Request {
        let choice = &self.profile.choice;
        let agreement =
            Agreement { limits: self.agreed, fewer_layers: self.agreed, kv_q4: self.accept_kv_q4 };
        let options = InstallOptions {
            home: choice.places.home(),
            models_dir: choice.places.models_dir(),
            port: choice.places.port().ok().flatten(),
            autostart: choice.places.autostart,
            source: choice.engine.source(),
            insecure_registry: options.insecure_registry,
        };
        Request::new(choice.plan.clone(), agreement, options)
    }

    /// Version of the engine that will be installed, and the bytes to download for it, if known.
    fn engine(&self, engine: &EngineChoice, pinned_version: Option<&str>) -> (String, Option<u64>) {
        match engine {
            EngineChoice::Installed(engine) => (engine.version.clone(), Some(0)),
            EngineChoice::Newest(release) => (release.version.clone(), engine.download_bytes(false)),
            EngineChoice::Pinned | EngineChoice::Listed(_) => {
                let download = self.profile.compatibility.detected.engine_download_bytes;
                let uses_archive = self.profile.choice.engine.uses_archive();
                let bytes = if uses_archive { Some(0) } else { download };
                (pinned_version.unwrap_or_default().to_owned(), bytes)
            }
        }
    }

    fn show_downloads(&self, ui: &mut Ui, cx: &PageContext<'_>) -> u64 {
        let text = cx.text;
        let model = &self.profile.choice.plan.candidate.model;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-downloads"));
        ui.gap(1.0);
        let chosen = self.profile.choice.engine.engine();
        let (version, engine) = self.engine(&chosen, cx.engine_version);
        let engine_size =
            engine.map_or_else(|| say!(text, "wizard-summary-at-most-known"), |bytes| text.file_size(bytes));
        let engine_size =
            if engine == Some(0) { say!(text, "wizard-summary-already-here") } else { engine_size };
        line(ui, &format!("Ollama {version}"), &engine_size, false);
        line(ui, &model.tag, &text.file_size(model.download_bytes), false);
        let total = engine.unwrap_or(0) + model.download_bytes;
        line(ui, &say!(text, "wizard-summary-together"), &text.file_size(total), true);
        ui.gap(0.5);
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-summary-not-twice"));
        ui.gap(1.0);
        let tone = if matches!(chosen, EngineChoice::Newest(_)) { Tone::Warning } else { Tone::Faint };
        ui.text(TextRole::Label, tone, &chosen.note(text));
        total
    }

    fn show_folders(&self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let places = &self.profile.choice.places;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-folders"));
        ui.gap(1.0);
        for (label, folder) in [
            (say!(text, "wizard-advanced-home"), places.home()),
            (say!(text, "wizard-advanced-models"), places.models_dir()),
        ] {
            ui.text(TextRole::Label, Tone::Faint, &label);
            ui.text(TextRole::Text, Tone::Ink, &folder.display().to_string());
            let free = match self.free_bytes.get(&folder) {
                Some(Some(bytes)) => say!(text, "wizard-hardware-disk-free", size = text.file_size(*bytes)),
                Some(None) => say!(text, "wizard-hardware-disk-unknown"),
                None => "…".to_owned(),
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
        let profile = self.profile.choice.plan.candidate.id.clone();
        (say!(text, "wizard-summary-title", profile = profile), say!(text, "wizard-summary-lead"))
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let mut total = 0;
        card_row(ui, "summary", &[1.0, 1.0], |ui, i| {
            ui.spacing_mut().item_spacing.y = 2.0;
            if i == 0 {
                total = self.show_downloads(ui, cx);
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
        let models_dir = self.profile.choice.places.models_dir();
        if let Some(Some(free)) = self.free_bytes.get(&models_dir).copied()
            && free < total
        {
            ui.gap(3.5);
            let words = say!(
                text,
                "wizard-summary-no-room",
                need = text.file_size(total),
                free = text.file_size(free)
            );
            banner(ui, Tone::Refused, &words);
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
    facing(ui, 1.0, left, right);
    if !last {
        rule(ui);
    }
}
