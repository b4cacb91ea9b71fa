//! Resuming an earlier request: an interrupted installation, a repair, an update of the engine.
//!
//! The machine is detected again, since it may have changed. Then the wizard goes through the pages with the earlier
//! choice: to the installation if the choice is still valid, else to the first page that needs the user.

use std::sync::Arc;

use super::app::Wizard;
use super::backend::{CustomModel, Detected};
use super::flow::Page;
use super::notice::Notice;
use super::pages::choice::{ModelChoice, PlacesForm, UserChoice};
use super::pages::compatibility::CompatibilityPage;
use super::pages::hardware::HardwarePage;
use super::pages::profile::ProfilePage;
use crate::install::SavedRequest;
use crate::plan::Role;

impl Wizard {
    /// Detects the machine, then resumes this request.
    pub(super) fn resume(&mut self, request: SavedRequest) {
        self.resuming = Some(Box::new(request));
        self.change_page(|_| Page::Hardware(HardwarePage::default()));
    }

    /// Goes through the pages with the choice of the request that is being resumed, if there is one.
    pub(super) fn resume_after_detection(&mut self) {
        let Some(detected) = self.page.detected().cloned() else { return };
        let Some(request) = self.resuming.take() else { return };
        let (request_file, restored) = (request.model_file.clone(), request.clone());
        let choice = self.choice_of(&request, &detected);
        let still_possible = choice.is_some();
        let mut compatibility = CompatibilityPage::from(detected);
        compatibility.draft = choice;
        let options = self.options.clone();
        self.change_page(|_| match ProfilePage::new(compatibility, &options) {
            Ok(profile) => Page::Profile(Box::new(profile)),
            Err(compatibility) => Page::Compatibility(compatibility),
        });
        if still_possible {
            self.next_page();
            self.agree_again(&request);
        }
        if let Page::Summary(page) = &mut self.page {
            page.accept_kv_q4 = request.accept_kv_q4;
            page.accept_unverified_model = request.accept_unverified_model;
            page.resumed = Some(request);
            // Waits on the summary while the model's file is being read.
            self.next_page();
        }
        if let Some(path) = request_file
            && let Page::Profile(page) = &mut self.page
            && !still_possible
        {
            // The model is known when its file was read.
            let command = page.begin_restoring(&path.0, restored);
            self.send(command);
        }
        if !matches!(self.page, Page::Install(_) | Page::Summary(_)) {
            self.notice = Some(Notice::ChooseAgain);
        }
    }

    /// Skips the consent page if the earlier consent covers the new plan.
    fn agree_again(&mut self, request: &SavedRequest) {
        let Page::Consent(page) = &mut self.page else { return };
        if request.covers(&page.profile.choice.plan) {
            page.ticked = true;
            self.next_page();
        }
    }

    /// The request's choice, planned for the detected machine; `None` when its model is unknown.
    fn choice_of(&self, request: &SavedRequest, detected: &Arc<Detected>) -> Option<UserChoice> {
        let plans = &detected.report.plans;
        let of_profile = plans
            .iter()
            .position(|plan| request.profile == plan.candidate.id && request.is_for(&plan.candidate))
            .map(ModelChoice::Profile);
        let of_role = Role::of_id(request.profile.as_str())
            .and_then(|role| detected.report.choice(role))
            .filter(|choice| request.is_for(&choice.plan.candidate))
            .map(|choice| ModelChoice::Best(choice.role));
        let model = match of_profile.or(of_role) {
            Some(model) => model,
            None => {
                let model = detected.catalogue().iter().find(|model| model.tag() == Some(&request.model))?;
                ModelChoice::Custom(CustomModel {
                    model: Arc::clone(model),
                    kv_cache_type: request.kv_cache_type,
                    context_tokens: request.context_tokens,
                    gpu_layers: request.gpu_layers,
                    n_cpu_moe: request.n_cpu_moe,
                    num_batch: request.num_batch,
                })
            }
        };
        let places = PlacesForm::from(&request.options);
        Some(UserChoice { places, ..UserChoice::new(model, detected, &self.options)? })
    }
}
