//! Manage: an existing installation, and what can be done to it.

use std::sync::Arc;

use eframe::egui::{Align, Layout, Ui};

use super::comparison::comparison;
use super::kept_card::{kept_card, other_version};
use super::manage_live::ManageLive;
use super::manage_models::models_card;
use super::manage_settings::SettingsPanel;
use super::tips::tips_card;
use super::tuning_card::tuning_card;
use super::updates_card::updates_card;
use super::{Button, Footer, Intent, PageContext, View};
use crate::control::Control;
use crate::install::event::Activity;
use crate::install::manage::ModelOnDrive;
use crate::install::{Event, Installed};
use crate::plan::Tip;
use crate::say;
use crate::sentences::profile_title;
use crate::text::Text;
use crate::untrusted::UntrustedText;
use crate::wizard::backend::{
    BackendCommand, HealthProblem, Installation, InstallationHealth, KnownUpdates, ManageAction,
    SettingSource, WorkerError,
};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    ButtonStyle, Chip, Paragraph, UiExt as _, banner, card, card_row, label_and_value, rule, table_card,
};

/// What is being done to the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManageActivity {
    /// Nothing.
    Idle,
    /// It is being checked.
    Checking,
    /// It is being changed.
    Acting(ManageAction),
    /// The fastest setting is searched for.
    Tuning,
    /// Single settings are being changed.
    Setting,
    /// A model is being removed from the drive.
    RemovingModel,
    /// It was removed.
    Removed,
}

/// The page.
pub struct ManagePage {
    /// What is installed.
    pub installation: Installation,
    health: Option<InstallationHealth>,
    /// Its graphics memory, speed and log, while they are watched.
    pub live: ManageLive,
    /// Optimization tips for it, once they are found.
    pub tips: Vec<Tip>,
    error: Option<WorkerError>,
    /// What is being done to it.
    pub activity: ManageActivity,
    /// Cancels the tuning, or skips the rest of it.
    control: Control,
    /// What the tuning does.
    progress: Option<Activity>,
    /// What is known of newer versions.
    pub updates: Option<KnownUpdates>,
    /// Its single settings.
    pub settings: SettingsPanel,
    /// The models on the drive; `None` until they are listed.
    models: Option<Vec<ModelOnDrive>>,
    /// Whether a change of single settings failed, so that the setting before returned.
    is_restored: bool,
}

impl ManagePage {
    /// For an installation that is about to be checked.
    pub fn new(installation: Installation) -> Self {
        Self {
            installation,
            health: None,
            live: ManageLive::default(),
            tips: Vec::new(),
            error: None,
            activity: ManageActivity::Checking,
            control: Control::new(),
            progress: None,
            updates: None,
            settings: SettingsPanel::default(),
            models: None,
            is_restored: false,
        }
    }

    /// Newer versions could not be looked for.
    pub fn updates_failed(&mut self, error: WorkerError) {
        self.updates.get_or_insert_default();
        self.error = Some(error);
    }

    /// A change of single settings begins. Returns its command; `None` where it cannot be applied.
    pub fn begin_setting(&mut self, text: Text) -> Option<BackendCommand> {
        let control = Control::new();
        let command = self.settings.command(text, control.clone())?;
        self.begin(ManageActivity::Setting);
        self.control = control;
        self.progress = None;
        Some(command)
    }

    /// What a change of single settings is planned with is known.
    pub fn settings_read(&mut self, source: Result<Arc<SettingSource>, WorkerError>) {
        match source {
            Ok(source) => self.settings.open(source),
            Err(error) => {
                self.settings.close();
                self.error = Some(error);
            }
        }
    }

    /// The models were listed.
    pub fn models_listed(&mut self, models: Result<Vec<ModelOnDrive>, WorkerError>) {
        match models {
            Ok(models) => self.models = Some(models),
            Err(error) => self.error = Some(error),
        }
    }

    /// A model was removed, or not.
    pub fn model_removed(&mut self, end: Result<(), WorkerError>) {
        self.activity = ManageActivity::Idle;
        self.error = end.err();
    }

    /// Tuning begins. Returns what cancels it.
    pub fn begin_tuning(&mut self) -> Control {
        self.begin(ManageActivity::Tuning);
        self.control = Control::new();
        self.progress = None;
        self.control.clone()
    }

    /// Whether the fastest setting is searched for, or single settings are being changed; the window must not close meanwhile.
    pub fn is_tuning(&self) -> bool {
        matches!(self.activity, ManageActivity::Tuning | ManageActivity::Setting)
    }

    /// Ends the tuning with the best setting so far.
    pub fn skip_tuning(&self) {
        self.control.skip_tuning();
    }

    /// Cancels the tuning: the setting before is restored.
    pub fn stop_tuning(&self) {
        self.control.cancel();
    }

    /// The tuning goes on.
    pub fn tuning_progressed(&mut self, event: Event) {
        self.progress = Some(event.activity);
    }

    /// The tuning ended. Returns whether the installation should be read again.
    pub fn tuning_ended(&mut self, end: Result<(), WorkerError>) -> bool {
        self.is_restored = self.activity == ManageActivity::Setting && end.is_err();
        self.activity = ManageActivity::Idle;
        self.progress = None;
        self.error = end.err().filter(|error| !error.is_cancelled());
        self.error.is_none()
    }

    /// The check ended.
    pub fn health_checked(&mut self, health: Result<InstallationHealth, WorkerError>) {
        if self.activity == ManageActivity::Checking {
            self.activity = ManageActivity::Idle;
        }
        match health {
            Ok(health) => self.health = Some(health),
            Err(error) => self.error = Some(error),
        }
    }

    /// Something begins. The error of an earlier try is cleared.
    pub fn begin(&mut self, activity: ManageActivity) {
        self.error = None;
        self.is_restored = false;
        self.activity = activity;
    }

    /// Nothing is installed any more.
    pub fn removed(&mut self) {
        self.activity = ManageActivity::Removed;
        self.live.stop();
    }

    /// A change ended. Returns whether the installation should be checked again.
    pub fn managed(&mut self, action: ManageAction, end: Result<(), WorkerError>) -> bool {
        let removed = matches!(action, ManageAction::Remove { .. }) && end.is_ok();
        self.activity = ManageActivity::Idle;
        if removed {
            self.removed();
        }
        self.error = end.err();
        !removed
    }

    fn running(&self) -> bool {
        self.health.as_ref().is_some_and(|health| health.running)
    }

    fn state(&self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        ui.horizontal(|ui| {
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-manage-health"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let (tone, word) = match (&self.activity, &self.health) {
                    (activity, _) if *activity != ManageActivity::Idle => {
                        (Tone::Soft, say!(text, "wizard-manage-working"))
                    }
                    (_, None) => (Tone::Soft, say!(text, "wizard-unknown")),
                    (_, Some(health)) if !health.running => {
                        (Tone::Warning, say!(text, "wizard-manage-stopped"))
                    }
                    (_, Some(health)) if health.problems.is_empty() => {
                        (Tone::Good, say!(text, "wizard-manage-well"))
                    }
                    (_, Some(_)) => (Tone::Warning, say!(text, "wizard-manage-problems")),
                };
                Chip::new(tone, &word).show(ui);
            });
        });
        ui.gap(1.0);
        let yes_no = |yes: bool| if yes { say!(text, "wizard-yes") } else { say!(text, "wizard-no") };
        let unknown = || say!(text, "wizard-unknown");
        let health = self.health.as_ref();
        let profile = &self.installation.installed.profile;
        fact_line(ui, &say!(text, "wizard-summary-server"), &format!("127.0.0.1:{}", profile.port));
        rule(ui);
        let version = health
            .and_then(|health| health.engine_version.clone())
            .map(|version| format!("Ollama {version}"));
        fact_line(ui, &say!(text, "wizard-manage-engine"), &version.unwrap_or_else(unknown));
        rule(ui);
        let loaded = match health {
            Some(InstallationHealth { loaded_bytes: Some(bytes), .. }) => text.memory(*bytes),
            Some(health) if health.running => say!(text, "wizard-manage-not-loaded"),
            _ => unknown(),
        };
        fact_line(ui, &say!(text, "wizard-manage-loaded"), &loaded);
        rule(ui);
        fact_line(ui, &say!(text, "wizard-start-at-login"), &yes_no(profile.autostart));
        ui.gap(2.0);
        ui.horizontal(|ui| {
            let idle = self.activity == ManageActivity::Idle;
            let (label, action) = if self.running() {
                (say!(text, "wizard-manage-stop"), ManageAction::Stop)
            } else {
                (say!(text, "wizard-manage-start"), ManageAction::Start)
            };
            if ui.action(ButtonStyle::Secondary, &label, idle).clicked() {
                cx.intents.push(Intent::Act(action));
            }
            if ui.action(ButtonStyle::Danger, &say!(text, "wizard-manage-remove"), idle).clicked() {
                cx.intents.push(Intent::AskToRemove);
            }
        });
    }

    /// Detail and label of the button that installs again: an update if the engine would have another version, else a
    /// repair.
    fn repair_texts(&self, text: Text, engine_version: Option<&str>) -> (String, String) {
        let installed = &self.installation.installed.profile.engine_version;
        match engine_version.filter(|version| *installed != *version) {
            Some(version) => (
                say!(text, "wizard-manage-update-detail"),
                say!(text, "wizard-manage-update", version = version),
            ),
            None => (say!(text, "wizard-manage-repair-detail"), say!(text, "wizard-manage-repair")),
        }
    }

    fn installed(&self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let Installed { profile, receipt } = &*self.installation.installed;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-manage-installed"));
        ui.gap(1.0);
        fact_line(ui, &say!(text, "wizard-table-profile"), &profile_title(&profile.profile, text));
        rule(ui);
        fact_line(ui, &say!(text, "wizard-table-model"), profile.base_model.shown());
        rule(ui);
        fact_line(ui, &say!(text, "wizard-manage-folder"), &UntrustedText::path(&self.installation.home));
        if let Some(receipt) = receipt {
            rule(ui);
            fact_line(
                ui,
                &say!(text, "wizard-manage-measured-at"),
                receipt.written_at.get(..10).unwrap_or(""),
            );
        }
        ui.gap(2.0);
        let (detail, label) = self.repair_texts(text, cx.engine_version);
        ui.text(TextRole::Label, Tone::Faint, &detail);
        ui.gap(2.0);
        let idle = self.activity == ManageActivity::Idle;
        ui.horizontal(|ui| {
            if ui.action(ButtonStyle::Secondary, &label, idle).clicked() {
                cx.intents.push(Intent::Repair);
            }
            if ui.action(ButtonStyle::Secondary, &say!(text, "wizard-manage-tune"), idle).clicked() {
                cx.intents.push(Intent::Tune);
            }
        });
    }
}

impl View for ManagePage {
    fn heading(&self, text: Text) -> (String, String) {
        if self.activity == ManageActivity::Removed {
            return (say!(text, "wizard-manage-removed"), say!(text, "wizard-manage-removed-lead"));
        }
        let profile = profile_title(&self.installation.installed.profile.profile, text);
        (say!(text, "wizard-manage-title"), say!(text, "wizard-manage-lead", profile = profile))
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        if let Some(error) = &self.error {
            banner(ui, Tone::Refused, &error.explain(text));
            ui.gap(3.5);
        }
        if self.is_restored && !self.error.as_ref().is_some_and(WorkerError::is_rollback_incomplete) {
            banner(ui, Tone::Warning, &say!(text, "set-restored"));
            ui.gap(3.5);
        }
        if self.activity == ManageActivity::Removed {
            return;
        }
        if self.is_tuning() {
            let words = match &self.progress {
                Some(activity) => activity.words(text),
                None if self.activity == ManageActivity::Setting => say!(text, "wizard-settings-changing"),
                None => say!(text, "wizard-manage-tuning"),
            };
            banner(ui, Tone::Accent, &words);
            ui.gap(3.5);
        }
        if let Some(words) = self.installation.installed.profile.banner_in(text) {
            banner(ui, Tone::Warning, &words);
            ui.gap(3.5);
        }
        let idle = self.activity == ManageActivity::Idle;
        other_version(ui, cx, &self.installation, idle);
        for problem in self.health.iter().flat_map(|health| &health.problems) {
            banner(ui, Tone::Warning, &problem_words(text, problem));
            ui.gap(3.5);
        }
        card_row(ui, "manage", &[1.0, 1.0], |ui, i| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if i == 0 { self.state(ui, cx) } else { self.installed(ui, cx) }
        });
        self.live.show(ui, cx, self.installation.installed.receipt.as_ref());
        tips_card(ui, text, &self.tips);
        ui.gap(3.5);
        self.settings.show(ui, cx, &self.installation.installed.profile, idle);
        ui.gap(3.5);
        models_card(ui, cx, self.models.as_deref(), idle);
        ui.gap(3.5);
        card(ui, |ui| {
            updates_card(ui, cx, self.updates.as_ref(), &self.installation.installed, idle);
        });
        kept_card(ui, cx, &self.installation, idle);
        if let Some(receipt) = &self.installation.installed.receipt {
            ui.gap(3.5);
            table_card(ui, 18, |ui| comparison(ui, text, receipt));
            if let Some(tuning) = &receipt.tuning {
                ui.gap(3.5);
                tuning_card(ui, text, tuning);
            }
        }
    }

    fn footer(&self, text: Text) -> Footer {
        if self.activity == ManageActivity::Removed {
            return Footer {
                primary: Some(Button::new(say!(text, "wizard-finish"), Intent::Finish)),
                secondary: Some(Button::new(say!(text, "wizard-install-again"), Intent::ChangeProfile)),
                ..Footer::default()
            };
        }
        if self.is_tuning() {
            let goes_on = !self.control.is_cancelled();
            let may_skip = goes_on && !self.control.is_tuning_skipped();
            let skip = Button::new(say!(text, "wizard-skip-tuning"), Intent::SkipTuning);
            return Footer {
                back: Some(
                    Button::new(say!(text, "wizard-cancel-tuning"), Intent::StopTuning).enabled(goes_on),
                ),
                links: Vec::new(),
                secondary: (self.activity == ManageActivity::Tuning).then(|| skip.enabled(may_skip)),
                primary: Some(Button::new(say!(text, "wizard-finish"), Intent::Finish).enabled(false)),
            };
        }
        let idle = self.activity == ManageActivity::Idle;
        Footer {
            back: None,
            links: vec![
                Button::new(say!(text, "wizard-open-folder"), Intent::OpenFolder),
                Button::new(say!(text, "wizard-check-again"), Intent::CheckHealth).enabled(idle),
            ],
            secondary: Some(
                Button::new(say!(text, "wizard-change-profile"), Intent::ChangeProfile).enabled(idle),
            ),
            primary: Some(Button::new(say!(text, "wizard-finish"), Intent::Finish)),
        }
    }
}

fn problem_words(text: Text, problem: &HealthProblem) -> String {
    match problem {
        HealthProblem::InstallationUnfinished => say!(text, "wizard-manage-unfinished"),
        HealthProblem::ServerSilent => say!(text, "wizard-manage-silent"),
        HealthProblem::OrphanedRunner { pid, bytes } => {
            say!(text, "wizard-manage-orphan", pid = pid.to_string(), size = text.memory(*bytes))
        }
        HealthProblem::PortTaken { port, by } => {
            say!(text, "install-status-port-taken", by = by.describe(text), port = port.to_string())
        }
        HealthProblem::ServerUnconfirmed { port } => {
            say!(text, "install-server-unconfirmed", port = port.to_string())
        }
        HealthProblem::OtherVersion { port, found, expected } => say!(
            text,
            "install-server-other-version",
            port = port.to_string(),
            found = found,
            expected = expected
        ),
        HealthProblem::ModelChanged => say!(text, "wizard-manage-model-changed"),
        HealthProblem::ModelMissing => say!(text, "wizard-manage-model-missing"),
        HealthProblem::ContextReduced { promised_tokens, kept_tokens } => say!(
            text,
            "wizard-manage-context",
            promised = text.count(u64::from(*promised_tokens)),
            kept = text.count(*kept_tokens)
        ),
    }
}

/// A label at the left, its value at the right.
fn fact_line(ui: &mut Ui, label: &str, value: &str) {
    let left = Paragraph::new(ui).add(TextRole::Table, Tone::Soft, label);
    let right = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, value);
    label_and_value(ui, 1.5, left, right);
}
