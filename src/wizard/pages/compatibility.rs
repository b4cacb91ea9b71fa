//! Compatibility: the three choices, every profile and every model on this machine, why, and what would change it.

use std::sync::Arc;

use eframe::egui::Ui;

use super::choice::{ModelChoice, UserChoice};
use super::choice_cards::choice_cards;
use super::compatibility_table::{PlanTable, Tab};
use super::hardware::{Detection, HardwarePage};
use super::labels::quality_short;
use super::tips::tips_card;
use super::{Button, Footer, Intent, PageContext, View};
use crate::plan::{Plan, Report, Role, Tip, Verdict, tips};
use crate::say;
use crate::sentences::{dominated_line, plan_sentence, wait};
use crate::text::Text;
use crate::wizard::backend::{CustomModel, Detected};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Paragraph, UiExt as _, card, card_row, table_card, wash_card};

/// What is selected: it is what the next page begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selection {
    /// One of the three choices.
    Best(Role),
    /// Index into the report's plans.
    Profile(usize),
    /// Index into the plans of all models.
    Model(usize),
}

/// The page.
pub struct CompatibilityPage {
    /// The machine and the plans.
    pub detected: Arc<Detected>,
    /// Its reasons are shown.
    selected: Selection,
    /// Optimization tips for it.
    tips: Vec<Tip>,
    table: PlanTable,
    /// The choice made on an earlier visit to the profile page.
    pub draft: Option<UserChoice>,
}

impl From<CompatibilityPage> for HardwarePage {
    fn from(page: CompatibilityPage) -> Self {
        Self { detection: Detection::Known(page.detected) }
    }
}

impl From<Arc<Detected>> for CompatibilityPage {
    fn from(detected: Arc<Detected>) -> Self {
        let report = &detected.report;
        let selected = match ModelChoice::recommended(report) {
            Some(ModelChoice::Best(role)) => Selection::Best(role),
            _ => Selection::Profile(report.recommended_index().unwrap_or_default()),
        };
        let mut page =
            Self { detected, selected, tips: Vec::new(), table: PlanTable::default(), draft: None };
        page.find_tips();
        page
    }
}

impl CompatibilityPage {
    /// What the next page begins with: what is selected if it runs, else what is recommended, else the emergency mode;
    /// `None` when nothing runs on this machine.
    pub fn selected_model(&self) -> Option<ModelChoice> {
        let report = &self.detected.report;
        let runs = self.selected_plan().is_some_and(|plan| plan.verdict != Verdict::Refused);
        let selected = runs.then_some(self.selected).and_then(|selected| match selected {
            Selection::Best(role) => Some(ModelChoice::Best(role)),
            Selection::Profile(index) => Some(ModelChoice::Profile(index)),
            Selection::Model(index) => {
                let plan = report.choices.models.get(index)?;
                Some(ModelChoice::Custom(CustomModel::from(&plan.candidate)))
            }
        });
        let emergency = || report.choices.emergency_cpu.as_ref().map(|_| ModelChoice::Emergency);
        selected.or_else(|| ModelChoice::recommended(report)).or_else(emergency)
    }

    fn selected_plan(&self) -> Option<&Plan> {
        let report = &self.detected.report;
        match self.selected {
            Selection::Best(role) => report.choice(role).map(|choice| &choice.plan),
            Selection::Profile(index) => report.plans.get(index),
            Selection::Model(index) => report.choices.models.get(index),
        }
    }

    fn select(&mut self, selected: Selection) {
        self.selected = selected;
        self.find_tips();
        // Another choice on an earlier visit no longer counts.
        self.draft = None;
    }

    /// Tips for what is selected; for the machine where that is what is installed by default, or does not run.
    fn find_tips(&mut self) {
        let (report, hardware) = (&self.detected.report, &self.detected.hardware);
        let own = self.selected_plan().filter(|plan| {
            let is_default =
                report.default_plan().is_some_and(|other| other.candidate.id == plan.candidate.id);
            plan.verdict != Verdict::Refused && !is_default
        });
        self.tips = match own {
            Some(plan) => tips(plan, hardware),
            None => report.tips(hardware),
        };
    }
}

impl View for CompatibilityPage {
    fn heading(&self, text: Text) -> (String, String) {
        let report = &self.detected.report;
        let title = match report.verdict {
            Verdict::Compatible => say!(text, "wizard-compatibility-good"),
            Verdict::Degraded => say!(text, "wizard-compatibility-limits"),
            Verdict::Refused => say!(text, "wizard-compatibility-refused"),
        };
        let lead = if report.verdict == Verdict::Refused {
            say!(text, "wizard-compatibility-refused-lead")
        } else {
            say!(text, "wizard-compatibility-lead")
        };
        (title, lead)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let detected = Arc::clone(&self.detected);
        let report = &detected.report;
        if report.verdict == Verdict::Refused {
            refusal(ui, text, report);
            ui.gap(3.5);
            if let Some(plan) = &report.choices.emergency_cpu {
                emergency(ui, text, plan);
                ui.gap(3.5);
            }
        }
        if !report.choices.choices.is_empty() {
            let role = match self.selected {
                Selection::Best(role) => Some(role),
                _ => None,
            };
            if let Some(clicked) = choice_cards(ui, text, report, role) {
                self.select(Selection::Best(clicked));
            }
            ui.gap(3.5);
        }
        self.table.tabs(ui, text);
        ui.gap(1.5);
        let selected = match (self.table.tab, self.selected) {
            (Tab::Profiles, Selection::Profile(index)) | (Tab::Models, Selection::Model(index)) => {
                Some(index)
            }
            _ => None,
        };
        let plans = match self.table.tab {
            Tab::Profiles => &report.plans,
            Tab::Models => &report.choices.models,
        };
        if let Some(clicked) = table_card(ui, 8, |ui| self.table.show(ui, text, plans, selected)) {
            self.select(match self.table.tab {
                Tab::Profiles => Selection::Profile(clicked),
                Tab::Models => Selection::Model(clicked),
            });
        }
        let Some(plan) = self.selected_plan() else { return };
        ui.gap(3.5);
        card_row(ui, "why", &[1.0, 1.0], |ui, i| {
            if i == 0 { why(ui, text, plan, report) } else { what_would_change(ui, text, plan) }
        });
        tips_card(ui, text, &self.tips);
    }

    fn footer(&self, text: Text) -> Footer {
        let refused = self.detected.report.verdict == Verdict::Refused;
        let next =
            if refused { say!(text, "wizard-emergency-choose") } else { say!(text, "wizard-choose-profile") };
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            links: vec![
                Button::new(say!(text, "wizard-save-report"), Intent::ShowReport),
                Button::new(say!(text, "wizard-compare-reference"), Intent::CompareWithReference),
            ],
            secondary: None,
            primary: Some(Button::new(next, Intent::Next).enabled(self.selected_model().is_some())),
        }
    }
}

/// What a refused machine lacks and what the user can do.
fn refusal(ui: &mut Ui, text: Text, report: &Report) {
    wash_card(ui, Tone::Refused, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        for reason in &report.reasons {
            Paragraph::new(ui)
                .add(TextRole::Strong, Tone::Ink, &format!("{}. ", reason.title(text)))
                .add(TextRole::Text, Tone::Ink, &reason.text(text))
                .show(ui);
        }
    });
    if report.improvements.is_empty() {
        return;
    }
    ui.gap(3.5);
    card(ui, |ui| {
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-what-you-can-do"));
        ui.gap(0.5);
        for improvement in &report.improvements {
            ui.text(TextRole::Text, Tone::Soft, &improvement.text(text));
        }
    });
}

/// What the emergency mode would be on this machine.
fn emergency(ui: &mut Ui, text: Text, plan: &Plan) {
    card(ui, |ui| {
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "plan-emergency-title"));
        ui.gap(0.5);
        ui.text(TextRole::Table, Tone::Ink, &quality_short(plan.quality.as_ref(), text));
        ui.text(TextRole::Text, Tone::Soft, &plan_sentence(plan, text));
        let wait = wait(plan.speed.first_token_full_prompt_s, text);
        ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-emergency-wait", wait = wait));
    });
}

fn why(ui: &mut Ui, text: Text, plan: &Plan, report: &Report) {
    let profile = plan.candidate.model.title.to_string();
    let title = match plan.verdict {
        Verdict::Compatible => say!(text, "wizard-why-compatible", profile = profile),
        Verdict::Degraded => say!(text, "wizard-why-degraded", profile = profile),
        Verdict::Refused => say!(text, "wizard-why-refused", profile = profile),
    };
    ui.text(TextRole::Strong, Tone::Ink, &title);
    ui.gap(0.5);
    if plan.verdict != Verdict::Refused
        && let Some(better) = report.choices.better_than(plan)
    {
        ui.text(TextRole::Text, Tone::Ink, &dominated_line(better, text));
    }
    for reason in &plan.reasons {
        ui.text(TextRole::Text, Tone::Soft, &reason.text(text));
    }
}

fn what_would_change(ui: &mut Ui, text: Text, plan: &Plan) {
    ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-what-would-change"));
    ui.gap(0.5);
    if plan.improvements.is_empty() {
        ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-nothing-to-change"));
    }
    for improvement in &plan.improvements {
        ui.text(TextRole::Text, Tone::Soft, &improvement.text(text));
    }
}
