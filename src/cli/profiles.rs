//! The profiles that commands plan with, and the exit codes of verdicts and failed installations.

use std::path::{Path, PathBuf};

use crate::cli::interrupt::INTERRUPTED;
use crate::cli::{Failure, Session};
use crate::install::InstallError;
use crate::models::Catalogue;
use crate::plan::{Profiles, ProfilesError, Role, Verdict};
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

/// Exit code of an installation, or a change of settings, that failed.
pub fn exit_code_of_failed(error: &InstallError) -> u8 {
    match error {
        InstallError::FourBitsNeedConsent { .. }
        | InstallError::FewerLayersNeedConsent { .. }
        | InstallError::MoreExpertsInRamNeedConsent { .. } => exit_code(Verdict::Degraded),
        _ if error.is_cancelled() => INTERRUPTED,
        _ => 1,
    }
}

/// Maximum size of a file of profiles, which has some kilobytes.
const MAX_PROFILES_BYTES: u64 = 4 << 20;

/// Folder of the user's own profiles, in ACOLYTE's folder.
const USER_PROFILES: &str = "profiles.d";

/// The profiles of a file, else the built-in ones and those of the user's own files.
///
/// # Errors
/// When a file cannot be read or is invalid.
pub fn profiles_of(file: Option<&Path>, session: &Session) -> Result<Profiles, Failure> {
    let catalogue = Catalogue::built_in();
    let explain = |error: ProfilesError| Failure::usage(error.explain(session.text));
    if let Some(path) = file {
        return Profiles::from_yaml(&read(path, session)?, path, catalogue).map_err(explain);
    }
    let mut profiles = Profiles::built_in().clone();
    for path in user_files(&session.home.join(USER_PROFILES), session)? {
        profiles = profiles.with_user_profiles(&read(&path, session)?, &path, catalogue).map_err(explain)?;
    }
    Ok(profiles)
}

/// The YAML files of a folder in the order of their names; none without the folder.
fn user_files(folder: &Path, session: &Session) -> Result<Vec<PathBuf>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| unreadable(folder, &error, session))?,
    };
    // What stands there decides what is installed, so no other user may write it.
    session.require_own_home()?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error, session))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path, session: &Session) -> Result<String, Failure> {
    regular::read_text(path, MAX_PROFILES_BYTES).map_err(|error| unreadable(path, &error, session))
}

fn unreadable(path: &Path, error: &std::io::Error, session: &Session) -> Failure {
    let (path, why) = (UntrustedText::path(path), UntrustedText::from(error.to_string()));
    Failure::usage(say!(session.text, "plan-profiles-unreadable", path = path, why = why))
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
