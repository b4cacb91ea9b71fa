//! The texts that an installation writes into documents, banners of installations, and the description of an interrupted
//! one.

use crate::install::manage::undo::Unfinished;
use crate::install::{ProfileFile, Receipt, Request, Wording};
use crate::plan::{Plan, Verdict};
use crate::say;
use crate::sentences::plan::limits_banner;
use crate::sentences::{banner, consent_record, profile_title};
use crate::text::Text;

impl Wording for Text {
    fn consent(&self, request: &Request, four_bits_later: bool) -> Option<String> {
        let later = four_bits_later.then(|| say!(self, "install-consent-four-bits"));
        let agreed = request.consent().map(|_| consent_record(&request.plan, *self));
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

impl Receipt {
    /// The banner of what was installed; `None` unless it is degraded. `kept`: [`Receipt::kept_plan`].
    pub fn banner(&self, kept: &Plan, text: Text) -> Option<String> {
        banner(kept, text).filter(|_| self.verdict == Verdict::Degraded)
    }
}

impl ProfileFile {
    /// The banner of a degraded installation, in this language. A file of an earlier version does not name its limits: then
    /// the banner in the language of the installation.
    pub fn banner_in(&self, text: Text) -> Option<String> {
        limits_banner(&self.limits, self.total_layers, text).or_else(|| self.banner.clone())
    }
}

impl Unfinished {
    /// What was interrupted, when it began, and which profile is active.
    pub fn words(&self, text: Text) -> String {
        let what = match &self.request {
            Some(request) => say!(
                text,
                "install-unfinished",
                profile = profile_title(&request.profile, text),
                model = request.model.shown(),
                at = request.requested_at.replace('T', " ").trim_end_matches('Z')
            ),
            None => say!(text, "install-unfinished-unknown"),
        };
        let now = match &self.active {
            Some(installed) => {
                say!(
                    text,
                    "install-unfinished-active",
                    profile = profile_title(&installed.profile.profile, text)
                )
            }
            None => say!(text, "install-unfinished-nothing-active"),
        };
        format!("{what} {now}")
    }
}
