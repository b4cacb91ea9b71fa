//! The page machine: which page is shown, and which ones can be reached from it.
//!
//! A page holds the previous page, so an illegal state cannot be represented: there is no summary without a choice, and no
//! installation without a summary. Going back is a conversion that returns the previous page, as it was left.

use std::sync::Arc;

use super::backend::Detected;
use super::pages::View;
use super::pages::compatibility::CompatibilityPage;
use super::pages::consent::ConsentPage;
use super::pages::hardware::HardwarePage;
use super::pages::install::InstallPage;
use super::pages::manage::ManagePage;
use super::pages::profile::ProfilePage;
use super::pages::result::ResultPage;
use super::pages::summary::SummaryPage;
use super::pages::welcome::WelcomePage;
use super::steps::SidebarStep;

/// The page that is shown.
pub enum Page {
    /// What the program is and what it changes.
    Welcome(WelcomePage),
    /// What the machine has.
    Hardware(HardwarePage),
    /// Every profile planned for the machine.
    Compatibility(Box<CompatibilityPage>),
    /// The choice.
    Profile(Box<ProfilePage>),
    /// The limits of the choice.
    Consent(Box<ConsentPage>),
    /// The last page before anything changes.
    Summary(Box<SummaryPage>),
    /// The installation.
    Install(Box<InstallPage>),
    /// What was promised and what was measured.
    Result(Box<ResultPage>),
    /// An existing installation.
    Manage(Box<ManagePage>),
}

impl Default for Page {
    fn default() -> Self {
        Self::Welcome(WelcomePage::default())
    }
}

impl Page {
    /// The step of the sidebar; `None` for Manage.
    pub fn step(&self) -> Option<SidebarStep> {
        Some(match self {
            Self::Welcome(_) => SidebarStep::Welcome,
            Self::Hardware(_) => SidebarStep::Hardware,
            Self::Compatibility(_) => SidebarStep::Compatibility,
            Self::Profile(_) => SidebarStep::Profile,
            Self::Consent(_) => SidebarStep::Consent,
            Self::Summary(_) => SidebarStep::Summary,
            Self::Install(_) => SidebarStep::Install,
            Self::Result(_) => SidebarStep::Result,
            Self::Manage(_) => return None,
        })
    }

    /// Whether the sidebar may lead to a step: any earlier one while no installation runs.
    pub fn may_go_to(&self, step: SidebarStep) -> bool {
        match self {
            Self::Install(page) => page.has_ended() && step < SidebarStep::Install && self.visits(step),
            Self::Result(_) | Self::Manage(_) => false,
            _ => self.step().is_some_and(|current| step < current) && self.visits(step),
        }
    }

    /// Whether the steps of this choice include `step`; Consent is skipped when it is not needed.
    pub fn visits(&self, step: SidebarStep) -> bool {
        step != SidebarStep::Consent
            || match self {
                Self::Summary(page) => page.agreed,
                Self::Install(page) => page.summary.agreed,
                Self::Profile(page) => page.needs_consent(),
                Self::Result(page) => page.has_consent,
                Self::Consent(_)
                | Self::Welcome(_)
                | Self::Hardware(_)
                | Self::Compatibility(_)
                | Self::Manage(_) => true,
            }
    }

    /// One page back; stays on a page without a previous one.
    pub fn back(self) -> Self {
        match self {
            Self::Hardware(page) => Self::Welcome(page.into()),
            Self::Compatibility(page) => Self::Hardware((*page).into()),
            Self::Profile(page) => Self::Compatibility(Box::new((*page).into())),
            Self::Consent(page) => Self::Profile(Box::new((*page).into())),
            Self::Summary(page) if page.agreed => Self::Consent(Box::new(ConsentPage::from(*page))),
            Self::Summary(page) => Self::Profile(Box::new(ProfilePage::from(*page))),
            Self::Install(page) if page.has_ended() => Self::Summary(Box::new((*page).into())),
            other @ (Self::Welcome(_) | Self::Install(_) | Self::Result(_) | Self::Manage(_)) => other,
        }
    }

    /// Back to an earlier step.
    pub fn back_to(self, step: SidebarStep) -> Self {
        let mut page = self;
        while page.may_go_to(step) && page.step() != Some(step) {
            page = page.back();
        }
        page
    }

    /// The machine and the plans, on pages that have them.
    pub fn detected(&self) -> Option<&Arc<Detected>> {
        match self {
            Self::Welcome(page) => page.detected.as_ref(),
            Self::Hardware(page) => page.detected(),
            Self::Compatibility(page) => Some(&page.detected),
            Self::Profile(page) => Some(&page.compatibility.detected),
            Self::Consent(page) => Some(&page.profile.compatibility.detected),
            Self::Summary(page) => Some(&page.profile.compatibility.detected),
            Self::Install(page) => Some(&page.summary.profile.compatibility.detected),
            Self::Result(page) => Some(&page.detected),
            Self::Manage(_) => None,
        }
    }

    /// The page to draw.
    pub(super) fn view(&self) -> &dyn View {
        match self {
            Self::Welcome(page) => page,
            Self::Hardware(page) => page,
            Self::Compatibility(page) => page.as_ref(),
            Self::Profile(page) => page.as_ref(),
            Self::Consent(page) => page.as_ref(),
            Self::Summary(page) => page.as_ref(),
            Self::Install(page) => page.as_ref(),
            Self::Result(page) => page.as_ref(),
            Self::Manage(page) => page.as_ref(),
        }
    }

    /// The page to draw, which may change its own state.
    pub(super) fn view_mut(&mut self) -> &mut dyn View {
        match self {
            Self::Welcome(page) => page,
            Self::Hardware(page) => page,
            Self::Compatibility(page) => page.as_mut(),
            Self::Profile(page) => page.as_mut(),
            Self::Consent(page) => page.as_mut(),
            Self::Summary(page) => page.as_mut(),
            Self::Install(page) => page.as_mut(),
            Self::Result(page) => page.as_mut(),
            Self::Manage(page) => page.as_mut(),
        }
    }
}
