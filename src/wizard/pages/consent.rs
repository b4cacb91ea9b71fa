//! Consent: why the choice is degraded, and a checkbox.

use eframe::egui::Ui;

use super::profile::ProfilePage;
use super::welcome::numbered;
use super::{Button, Footer, Intent, PageContext, View};
use crate::say;
use crate::sentences::plan_name;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{UiExt as _, card, checkbox, rule};

/// The page.
pub struct ConsentPage {
    /// The previous page.
    pub profile: ProfilePage,
    /// Whether the user agreed.
    pub ticked: bool,
}

impl From<ConsentPage> for ProfilePage {
    fn from(page: ConsentPage) -> Self {
        page.profile
    }
}

impl From<ProfilePage> for ConsentPage {
    fn from(profile: ProfilePage) -> Self {
        Self { profile, ticked: false }
    }
}

impl View for ConsentPage {
    fn heading(&self, text: Text) -> (String, String) {
        (say!(text, "wizard-consent-title"), say!(text, "wizard-consent-lead"))
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let plan = &self.profile.choice.plan;
        card(ui, |ui| {
            for (i, reason) in plan.reasons.iter().enumerate() {
                if i > 0 {
                    ui.gap(2.5);
                    rule(ui);
                    ui.gap(2.5);
                }
                numbered(ui, i + 1, Tone::Warning, &reason.title(text), &reason.text(text));
            }
        });
        if !plan.improvements.is_empty() {
            ui.gap(3.5);
            card(ui, |ui| {
                ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-consent-avoid"));
                ui.gap(0.5);
                for improvement in &plan.improvements {
                    ui.text(TextRole::Text, Tone::Soft, &improvement.text(text));
                }
            });
        }
        ui.gap(3.5);
        card(ui, |ui| {
            ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-consent-stays-title"));
            ui.gap(0.5);
            let tokens = text.count(u64::from(plan.candidate.context_tokens));
            ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-consent-stays", tokens = tokens));
        });
        ui.gap(5.0);
        let label = say!(text, "wizard-consent-tick", profile = plan_name(plan));
        checkbox(ui, &mut self.ticked, &label, &say!(text, "wizard-consent-recorded"));
    }

    fn footer(&self, text: Text) -> Footer {
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            links: vec![Button::new(say!(text, "wizard-choose-another"), Intent::ChooseAnother)],
            secondary: None,
            primary: Some(Button::new(say!(text, "wizard-continue"), Intent::Next).enabled(self.ticked)),
        }
    }
}
