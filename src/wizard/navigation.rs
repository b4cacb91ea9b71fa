//! Changes from page to page.

use std::sync::Arc;

use super::app::Wizard;
use super::backend::BackendCommand;
use super::flow::Page;
use super::notice::Notice;
use super::pages::compatibility::CompatibilityPage;
use super::pages::consent::ConsentPage;
use super::pages::install::InstallPage;
use super::pages::profile::ProfilePage;
use super::pages::summary::SummaryPage;
use crate::control::Control;
use crate::install::Request;

impl Wizard {
    /// Changes the page and removes the notice of the old page.
    pub(super) fn change_page(&mut self, to: impl FnOnce(Page) -> Page) {
        self.notice = None;
        self.page = to(std::mem::take(&mut self.page));
        self.start_page_command();
    }

    /// Goes to the next page, if the current one is complete. From the summary it starts the installation.
    pub(super) fn next_page(&mut self) {
        if let Page::Summary(page) = &self.page {
            let Some(request) = page.request(&self.options) else { return };
            let control = Control::new();
            self.install(request, page.keeps(), &control);
            self.change_page(|page| match page {
                Page::Summary(page) => Page::Install(Box::new(InstallPage::new(*page, control))),
                other => other,
            });
            return;
        }
        let options = self.options.clone();
        self.change_page(|page| match page {
            Page::Welcome(page) => Page::Hardware(page.into()),
            Page::Hardware(page) => match page.detected() {
                Some(detected) => {
                    Page::Compatibility(Box::new(CompatibilityPage::from(Arc::clone(detected))))
                }
                None => Page::Hardware(page),
            },
            Page::Compatibility(page) => match ProfilePage::new(*page, &options) {
                Ok(profile) => Page::Profile(Box::new(profile)),
                Err(page) => Page::Compatibility(page),
            },
            Page::Profile(page) if !page.is_complete() => Page::Profile(page),
            Page::Profile(page) if page.needs_consent() => Page::Consent(Box::new(ConsentPage::from(*page))),
            Page::Profile(page) => Page::Summary(Box::new(SummaryPage::new(*page, false))),
            Page::Consent(page) if page.ticked => {
                Page::Summary(Box::new(SummaryPage::new(page.profile, true)))
            }
            other => other,
        });
    }

    /// Starts the command that a page needs when it is first shown.
    fn start_page_command(&mut self) {
        let command = match &mut self.page {
            Page::Hardware(page) => page.begin_detection().then_some(BackendCommand::Detect),
            Page::Profile(page) => page.choice.engine.begin_search().map(BackendCommand::FindNewest),
            Page::Summary(page) => Some(page.begin(&self.options)),
            Page::Manage(page) => page.live.begin(&page.installation.home),
            _ => None,
        };
        if let Some(command) = command {
            self.send(command);
        }
    }

    /// Continues when the model's file is known: to the consent page if it needs other consent than the user gave, and to the
    /// installation that is being resumed.
    pub(super) fn file_known(&mut self) {
        let Page::Summary(page) = &mut self.page else { return };
        if page.lacks_consent() {
            let model = Arc::clone(&page.profile.choice.plan.candidate.model);
            self.change_page(|page| match page {
                Page::Summary(page) => Page::Consent(Box::new(ConsentPage::from(ProfilePage::from(*page)))),
                other => other,
            });
            self.notice = Some(Notice::OtherLimits(model));
            return;
        }
        let is_resumed = page.resumed.is_some();
        let inventory = page.begin_inventory(&self.options);
        self.send(inventory);
        if is_resumed {
            self.next_page();
        }
    }

    /// Looks for the newest release if it is wanted and not known.
    pub(super) fn look_for_newest(&mut self) {
        if matches!(self.page, Page::Profile(_)) {
            self.start_page_command();
        }
    }

    /// Retries the installation.
    pub(super) fn retry(&mut self) {
        if let Page::Install(page) = &self.page
            && page.has_ended()
            && let Some(request) = page.summary.request(&self.options)
        {
            let control = Control::new();
            self.install(request, page.summary.keeps(), &control);
            if let Page::Install(page) = &mut self.page {
                page.restart(control);
            }
        }
    }

    fn install(&self, request: Request, keep: bool, control: &Control) {
        let request = Box::new(request);
        self.send(BackendCommand::Install { request, keep, text: self.text, control: control.clone() });
    }
}
