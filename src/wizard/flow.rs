//! The pages and the ways between them.
//!
//! A page is one struct that holds what the pages before it established, so a page that cannot be reached cannot be
//! written either: nobody can stand on the summary without a choice, or install without a summary. Going back is a
//! conversion that gives back the page one came from, as it was left.

use std::sync::Arc;

use super::backend::{Found, Installation};
use super::pages::compatibility::CompatibilityPage;
use super::pages::consent::ConsentPage;
use super::pages::hardware::HardwarePage;
use super::pages::install::InstallPage;
use super::pages::manage::ManagePage;
use super::pages::profile::ProfilePage;
use super::pages::result::ResultPage;
use super::pages::summary::SummaryPage;
use super::pages::welcome::WelcomePage;

/// The steps as the sidebar shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SidebarStep {
    /// What it is.
    Welcome,
    /// What the machine has.
    Hardware,
    /// What it can run.
    Compatibility,
    /// What will be installed.
    Profile,
    /// The limits, when there are any.
    Consent,
    /// Everything that will be done.
    Summary,
    /// ManageActivity it.
    Install,
    /// What came of it.
    Result,
}

impl SidebarStep {
    /// All steps, in order.
    pub const ALL: [Self; 8] = [
        Self::Welcome,
        Self::Hardware,
        Self::Compatibility,
        Self::Profile,
        Self::Consent,
        Self::Summary,
        Self::Install,
        Self::Result,
    ];
}

/// Where the person is.
pub enum Page {
    /// What it is and what it touches.
    Welcome(WelcomePage),
    /// What the machine has.
    Hardware(HardwarePage),
    /// Every profile against the machine.
    Compatibility(Box<CompatibilityPage>),
    /// The choice.
    Profile(Box<ProfilePage>),
    /// The limits of the choice.
    Consent(Box<ConsentPage>),
    /// The last page before anything changes.
    Summary(Box<SummaryPage>),
    /// It is being installed.
    Install(Box<InstallPage>),
    /// It is installed.
    Result(Box<ResultPage>),
    /// It was installed before.
    Manage(Box<ManagePage>),
}

impl Default for Page {
    fn default() -> Self {
        Self::Welcome(WelcomePage::default())
    }
}

impl Page {
    /// The step of the sidebar; Manage stands outside of them.
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

    /// Whether the sidebar may lead to a step: any earlier one while nothing has been changed yet.
    pub fn may_go_to(&self, step: SidebarStep) -> bool {
        match self {
            Self::Install(page) => page.may_go_back() && step < SidebarStep::Install && self.visits(step),
            Self::Result(_) | Self::Manage(_) => false,
            _ => self.step().is_some_and(|current| step < current) && self.visits(step),
        }
    }

    /// Whether this way leads over a step at all; Consent is left out where nothing needs it.
    pub fn visits(&self, step: SidebarStep) -> bool {
        step != SidebarStep::Consent
            || match self {
                Self::Summary(page) => page.consent.is_some(),
                Self::Install(page) => page.summary.consent.is_some(),
                Self::Profile(page) => page.needs_consent(),
                Self::Result(page) => page.consented,
                Self::Consent(_)
                | Self::Welcome(_)
                | Self::Hardware(_)
                | Self::Compatibility(_)
                | Self::Manage(_) => true,
            }
    }

    /// One page back; a page without a way back stays.
    pub fn back(self) -> Self {
        match self {
            Self::Hardware(page) => Self::Welcome(page.into()),
            Self::Compatibility(page) => Self::Hardware((*page).into()),
            Self::Profile(page) => Self::Compatibility(Box::new((*page).into())),
            Self::Consent(page) => Self::Profile(Box::new((*page).into())),
            Self::Summary(page) if page.consent.is_some() => {
                Self::Consent(Box::new(ConsentPage::from(*page)))
            }
            Self::Summary(page) => Self::Profile(Box::new(ProfilePage::from(*page))),
            Self::Install(page) if page.may_go_back() => Self::Summary(Box::new((*page).into())),
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
    pub fn found(&self) -> Option<&Arc<Found>> {
        match self {
            Self::Welcome(page) => page.found.as_ref(),
            Self::Hardware(page) => page.found(),
            Self::Compatibility(page) => Some(&page.found),
            Self::Profile(page) => Some(&page.compatibility.found),
            Self::Consent(page) => Some(&page.profile.compatibility.found),
            Self::Summary(page) => Some(&page.profile.compatibility.found),
            Self::Install(page) => Some(&page.summary.profile.compatibility.found),
            Self::Result(page) => Some(&page.found),
            Self::Manage(_) => None,
        }
    }

    /// The installation that is being looked after or changed.
    pub fn installation(&self) -> Option<&Installation> {
        match self {
            Self::Manage(page) => Some(&page.installation),
            _ => None,
        }
    }
}
