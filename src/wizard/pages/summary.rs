//! Summary: everything that will be done. The last page before anything changes.

use std::path::{Path, PathBuf};

use eframe::egui::Ui;

use super::install::InstallPage;
use super::profile::ProfilePage;
use super::{Button, Footer, Intent, PageContext, View};
use crate::install::{EngineChoice, EngineSource, InstallOptions, Request};
use crate::machine::Hardware;
use crate::say;
use crate::text::Text;
use crate::wizard::WizardOptions;
use crate::wizard::backend::Backend;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Paragraph, UiExt as _, banner, card, card_row, facing, rule};

/// The page.
pub struct SummaryPage {
    /// The choice.
    pub profile: ProfilePage,
    /// The words the person agreed to, when the choice needed consent.
    pub consent: Option<String>,
    /// Whether the person lets the KV cache be kept at 4 bits, once they were asked because memory ran out.
    pub accept_kv_q4: Option<bool>,
}

impl From<SummaryPage> for ProfilePage {
    fn from(page: SummaryPage) -> Self {
        page.profile
    }
}

impl From<InstallPage> for SummaryPage {
    fn from(page: InstallPage) -> Self {
        page.summary
    }
}

impl SummaryPage {
    /// With the words the person agreed to, when the choice needed consent.
    pub fn new(profile: ProfilePage, consent: Option<String>) -> Self {
        Self { profile, consent, accept_kv_q4: None }
    }

    /// What the installation is asked to do.
    pub fn request(&self, options: &WizardOptions, backend: &dyn Backend, text: Text) -> Request {
        let choice = &self.profile.choice;
        let folder = |typed: &str| PathBuf::from(typed.trim());
        Request {
            plan: choice.plan.clone(),
            consent_text: self.consent.clone(),
            banner: backend.banner(&choice.plan, text),
            machine: backend.machine_for(&choice.plan, &self.profile.compatibility.found.hardware),
            accept_degraded: self.consent.is_some(),
            accept_kv_q4: self.accept_kv_q4,
            options: InstallOptions {
                home: folder(&choice.places.home),
                models_dir: folder(&choice.places.models_dir),
                port: choice.places.port().ok().flatten(),
                autostart: choice.places.autostart,
                source: choice.source.source(),
                insecure_registry: options.insecure_registry,
            },
        }
    }

    fn downloads(&self, ui: &mut Ui, cx: &PageContext<'_>) -> u64 {
        let text = cx.text;
        let hardware = &self.profile.compatibility.found.hardware;
        let model = &self.profile.choice.plan.candidate.model;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-downloads"));
        ui.gap(1.0);
        let source = self.profile.choice.source.source();
        let (version, engine) = engine(&source, hardware, cx.backend);
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
        let sure = if matches!(source.choice, EngineChoice::Newest(_)) { Tone::Warning } else { Tone::Faint };
        ui.text(TextRole::Label, sure, &source.choice.note(text));
        total
    }

    fn folders(&self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let places = &self.profile.choice.places;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-summary-folders"));
        ui.gap(1.0);
        for (label, folder) in [
            (say!(text, "wizard-advanced-home"), &places.home),
            (say!(text, "wizard-advanced-models"), &places.models_dir),
        ] {
            ui.text(TextRole::Label, Tone::Faint, &label);
            ui.text(TextRole::Text, Tone::Ink, folder.trim());
            let free = cx.backend.free_bytes(Path::new(folder.trim())).map_or_else(
                || say!(text, "wizard-hardware-disk-unknown"),
                |bytes| say!(text, "wizard-hardware-disk-free", size = text.file_size(bytes)),
            );
            ui.text(TextRole::Label, Tone::Faint, &free);
            ui.gap(1.0);
        }
    }

    fn changes(&self, ui: &mut Ui, cx: &PageContext<'_>) {
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
            cx.backend.login_kind(text)
        } else {
            say!(text, "wizard-summary-no-login")
        };
        line(ui, &say!(text, "wizard-start-at-login"), &login, false);
        let candidate = &choice.plan.candidate;
        let model = say!(
            text,
            "wizard-summary-model",
            tokens = text.count(u64::from(candidate.context_tokens)),
            layers = super::compatibility::layers(text, &choice.plan),
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
                total = self.downloads(ui, cx);
            } else {
                self.folders(ui, cx);
            }
        });
        ui.gap(3.5);
        card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            self.changes(ui, cx);
        });
        ui.gap(3.5);
        card(ui, |ui| {
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-welcome-undo-title"));
            ui.gap(0.5);
            Paragraph::new(ui)
                .marked(TextRole::Text, TextRole::Strong, Tone::Soft, &say!(text, "wizard-summary-undo"))
                .show(ui);
        });
        let models_dir = PathBuf::from(self.profile.choice.places.models_dir.trim());
        if let Some(free) = cx.backend.free_bytes(&models_dir)
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

/// Version of the engine that will be installed, and what has to be downloaded for it, when that is known.
fn engine(source: &EngineSource, hardware: &Hardware, backend: &dyn Backend) -> (String, Option<u64>) {
    let listed = || backend.engine_version().unwrap_or_default();
    match &source.choice {
        EngineChoice::Installed(engine) => (engine.version.clone(), Some(0)),
        EngineChoice::Newest(release) => (release.version.clone(), source.choice.download_bytes(false)),
        EngineChoice::Pinned | EngineChoice::Listed(_) if !source.archives.is_empty() => (listed(), Some(0)),
        EngineChoice::Pinned | EngineChoice::Listed(_) => (listed(), backend.engine_download_bytes(hardware)),
    }
}

/// What at the left, how much at the right.
fn line(ui: &mut Ui, what: &str, value: &str, last: bool) {
    let left = Paragraph::new(ui).add(TextRole::Table, Tone::Soft, what);
    let right = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, value);
    facing(ui, 1.0, left, right);
    if !last {
        rule(ui);
    }
}
