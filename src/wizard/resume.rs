//! Going on with what was asked for before: an installation that was cut short, a repair, an update of the engine.
//!
//! The machine is looked at again, for it may have changed. Then the pages are walked as the person walked them, with the
//! choice they made: to the installation itself where everything is as it was, and no further than the page that needs
//! them where it is not.

use std::sync::Arc;

use super::Wizard;
use super::backend::{CustomModel, Found, ManageAction};
use super::flow::Page;
use super::pages::compatibility::CompatibilityPage;
use super::pages::hardware::{Detection, HardwarePage};
use super::pages::manage::ManageActivity;
use super::pages::profile::{Choice, ModelChoice, PlacesForm, ProfilePage};
use super::theme::Tone;
use crate::install::SavedRequest;
use crate::say;

impl Wizard {
    /// Looks at the machine, to go on from there with what was asked for.
    pub(super) fn resume(&mut self, asked: SavedRequest) {
        self.resuming = Some(Box::new(asked));
        self.change(|_| Page::Hardware(HardwarePage { detection: Detection::NotAsked }));
        self.detect();
    }

    /// Walks on, once the machine was looked at.
    pub(super) fn walk_on(&mut self) {
        let Some(found) = self.page.found().cloned() else { return };
        let Some(asked) = self.resuming.take() else { return };
        let choice = self.choice_of(&asked, &found);
        let as_it_was = choice.is_some();
        let mut compatibility = CompatibilityPage::from(found);
        compatibility.draft = choice;
        let found = Arc::clone(&compatibility.found);
        self.page = match ProfilePage::new(compatibility, self.backend.as_ref()) {
            Some(profile) => Page::Profile(Box::new(profile)),
            None => Page::Compatibility(Box::new(found.into())),
        };
        // Profile, consent, summary: each only where nothing is left to decide on it.
        if as_it_was {
            self.next();
            self.agree_as_before(&asked);
        }
        if let Page::Summary(page) = &mut self.page {
            page.accept_kv_q4 = asked.accept_kv_q4;
            self.next();
        }
        if !matches!(self.page, Page::Install(_)) {
            self.notice = Some((Tone::Warning, say!(self.text, "wizard-resume-choose")));
        }
    }

    /// Consent to the very same words counts again.
    fn agree_as_before(&mut self, asked: &SavedRequest) {
        let Page::Consent(page) = &mut self.page else { return };
        let words = self.backend.consent_text(&page.profile.choice.plan, self.text);
        if asked.agreed_to(&words) {
            page.ticked = true;
            self.next();
        }
    }

    /// The choice of then on the machine of now; none where its model is not known here.
    fn choice_of(&self, asked: &SavedRequest, found: &Arc<Found>) -> Option<Choice> {
        let plans = &found.report.plans;
        let same = |index: &usize| {
            let candidate = &plans[*index].candidate;
            candidate.id == asked.profile && candidate.model.tag == asked.model
        };
        let of_profile = (0..plans.len()).find(same);
        let (what, plan) = match of_profile {
            Some(index) => (ModelChoice::Profile(index), plans[index].clone()),
            None => {
                let model = self.backend.catalogue().into_iter().find(|model| model.tag == asked.model)?;
                let custom = CustomModel {
                    model,
                    kv_cache_type: asked.kv_cache_type,
                    context_tokens: asked.context_tokens,
                    gpu_layers: asked.gpu_layers,
                };
                let plan = self.backend.make_plan(&self.backend.custom(&custom), &found.hardware);
                (ModelChoice::Custom(custom), plan)
            }
        };
        let options = &asked.options;
        Some(Choice {
            plan,
            what,
            source: super::pages::engine_form::EngineForm::new(self.backend.source(&found.hardware)),
            places: PlacesForm {
                home: options.home.display().to_string(),
                models_dir: options.models_dir.display().to_string(),
                port: options.port.map(|port| port.to_string()).unwrap_or_default(),
                autostart: options.autostart,
            },
        })
    }

    /// Takes back what was cut short.
    pub(super) fn undo(&mut self) {
        let home = self.backend.places().home;
        if let Page::Manage(page) = &mut self.page {
            page.ask(ManageActivity::Acting(ManageAction::Undo));
        }
        self.notice = Some((Tone::Soft, say!(self.text, "wizard-undoing")));
        self.backend.manage(home, ManageAction::Undo, self.text, self.outbox.clone());
    }
}
