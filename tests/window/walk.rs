//! The way through the pages with the keyboard.

use std::time::Duration;

use acolyte::say;
use acolyte::text::{Language, Text};

use super::display::Window;

pub fn text() -> Text {
    Text::new(Language::English)
}

/// Positions of Manage's controls, counted from the end of the page.
pub mod manage {
    pub const CHANGE_PROFILE: usize = 2;
    pub const CHECK_AGAIN: usize = 3;
    /// Or "Update", where there is a newer engine.
    pub const REPAIR: usize = 12;
    pub const REMOVE: usize = 13;
    /// One button starts or stops.
    pub const START_OR_STOP: usize = 14;
}

impl Window<'_> {
    pub fn manage_page(&mut self) {
        self.wait_for_page(&say!(self.text, "wizard-manage-title"));
    }

    /// Waits for the result, with either heading: on a slow machine a prediction may be missed.
    pub fn result_page(&mut self) {
        self.wait_for_one_of(&[
            say!(self.text, "wizard-result-title"),
            say!(self.text, "wizard-result-missed"),
        ]);
    }

    /// From Result to Manage, whose button is next to the primary one.
    pub fn leave_result_for_manage(&mut self) {
        self.press_from_the_end(2, "Return");
        self.manage_page();
    }

    /// From Welcome through Hardware and Compatibility to Profile, where [`PROFILE`] is selected.
    pub fn walk_to_profile(&mut self) {
        self.enter_until_page(&say!(self.text, "wizard-hardware-title"));
        self.enter_until_page(&say!(self.text, "wizard-compatibility-limits"));
        self.enter_until_page(&say!(self.text, "wizard-profile-title"));
        self.select_profile(6);
    }

    /// Selects a profile by its position, counted from the end of the page: Continue, Back, Advanced, another model, and
    /// the profiles from the largest to the smallest.
    pub fn select_profile(&mut self, position: usize) {
        self.press_from_the_end(position, "space");
        self.settle();
        self.press("Escape");
        self.settle();
    }

    /// From Profile to Summary, with consent, without which Enter has no effect.
    pub fn walk_to_summary(&mut self, profile: &str) {
        let consent = say!(self.text, "wizard-consent-title");
        self.enter_until_page(&consent);
        self.press("Return");
        std::thread::sleep(Duration::from_secs(2));
        assert!(self.title().contains(&consent));
        // Back from the end: the link, the back button, the checkbox. Then forward to the button, now enabled.
        self.press_all(&["shift+Tab", "shift+Tab", "shift+Tab", "space", "Tab", "Tab", "Tab"]);
        self.press("Return");
        self.wait_for_page(&say!(self.text, "wizard-summary-title", profile = profile));
    }

    pub fn walk_to_install(&mut self, profile: &str) {
        self.enter_until_page(&say!(self.text, "wizard-install-title", profile = profile));
    }
}
