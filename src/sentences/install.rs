//! The texts that an installation writes into documents, and the description of an interrupted one.

use crate::install::manage::undo::Unfinished;
use crate::install::{Request, Wording};
use crate::plan::Plan;
use crate::say;
use crate::sentences::{banner, consent_text};
use crate::text::Text;

impl Wording for Text {
    fn consent(&self, request: &Request, four_bits_later: bool) -> Option<String> {
        let later = four_bits_later.then(|| say!(self, "install-consent-four-bits"));
        let agreed = request.consent().map(|_| consent_text(&request.plan, *self));
        match (agreed, later) {
            (Some(agreed), Some(later)) => Some(format!("{agreed}\n{later}")),
            (agreed, later) => agreed.or(later),
        }
    }

    fn banner(&self, plan: &Plan) -> Option<String> {
        banner(plan, *self)
    }

    fn awake_reason(&self) -> String {
        say!(self, "install-keeps-awake")
    }
}

impl Unfinished {
    /// What was interrupted, when it began, and which profile is in force.
    pub fn words(&self, text: Text) -> String {
        let what = match &self.request {
            Some(request) => say!(
                text,
                "install-unfinished",
                profile = request.profile.as_str(),
                model = request.model.as_str(),
                at = request.requested_at.replace('T', " ").trim_end_matches('Z')
            ),
            None => say!(text, "install-unfinished-unknown"),
        };
        let now = match &self.in_force {
            Some(installed) => {
                say!(text, "install-unfinished-in-force", profile = installed.profile.profile.as_str())
            }
            None => say!(text, "install-unfinished-nothing-in-force"),
        };
        format!("{what} {now}")
    }
}
