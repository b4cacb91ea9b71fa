//! The profiles that commands plan with, and the exit code of a verdict.

use std::path::Path;

use crate::cli::{Failure, Session};
use crate::models::Catalogue;
use crate::plan::{Profiles, Role, Verdict};
use crate::platform::regular;
use crate::say;
use crate::untrusted::UntrustedText;

/// Exit code of a verdict.
pub fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Compatible => 0,
        Verdict::Degraded => 10,
        Verdict::Refused => 20,
    }
}

/// Maximum size of a file of profiles, which has some kilobytes.
const MAX_PROFILES_BYTES: u64 = 4 << 20;

/// The profiles of a file, else the built-in ones.
///
/// # Errors
/// When the file cannot be read or is invalid.
pub fn profiles_of(file: Option<&Path>, session: &Session) -> Result<Profiles, Failure> {
    let Some(path) = file else { return Ok(Profiles::built_in().clone()) };
    let text = regular::read_text(path, MAX_PROFILES_BYTES).map_err(|error| {
        let (path, why) = (UntrustedText::path(path), UntrustedText::from(error.to_string()));
        Failure::usage(say!(session.text, "plan-profiles-unreadable", path = path, why = why))
    })?;
    Profiles::from_yaml(&text, path, Catalogue::built_in())
        .map_err(|error| Failure::usage(error.explain(session.text)))
}

/// Checks that there is a profile with this id.
///
/// # Errors
/// When neither a choice nor a profile has that id; the message lists the known ones.
pub fn require_profile(profiles: &Profiles, id: &str, session: &Session) -> Result<(), Failure> {
    if profiles.find(id).is_some() || Role::of_id(id).is_some() {
        return Ok(());
    }
    let mut known = Role::ALL.map(Role::id).to_vec();
    known.extend(profiles.profiles.iter().map(|profile| profile.id.as_str()));
    Err(Failure::usage(say!(
        session.text,
        "cli-unknown-profile",
        id = UntrustedText::new(id),
        known = known.join(", ")
    )))
}
