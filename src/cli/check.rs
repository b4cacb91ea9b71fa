//! `acolyte check-requirements`: every profile against this computer, or a saved one.

use std::io::IsTerminal as _;
use std::path::Path;

use crate::cli::args::CheckArgs;
use crate::cli::ask::confirm;
use crate::cli::detect::hardware_of;
use crate::cli::output::{columns, print, print_json};
use crate::cli::{Failure, Session, install};
use crate::machine::Hardware;
use crate::models::Catalogue;
use crate::plan::{Profiles, Report, Role, Verdict, plan_all, plan_profiles, reference_computers};
use crate::platform::regular;
use crate::say;
use crate::sentences::json::{ReferenceJson, ReportJson};
use crate::sentences::report;
use crate::untrusted::UntrustedText;

/// Runs the command. The exit code is the verdict's: 0, 10 or 20.
///
/// # Errors
/// When the profiles or the hardware file are invalid, or the profile is unknown.
pub fn run(args: &CheckArgs, session: &Session) -> Result<u8, Failure> {
    let profiles = profiles_of(args.plan.profiles.as_deref(), session)?;
    if let Some(id) = &args.profile {
        require_profile(&profiles, id, session)?;
    }
    let hardware = hardware_of(args.plan.hardware.as_deref(), session)?;
    if args.reference {
        return reference(args, &hardware, &profiles, session);
    }
    let report = match &args.profile {
        None => plan_all(&hardware, Catalogue::built_in(), &profiles),
        Some(id) => only(id, &hardware, &profiles),
    };
    if args.json {
        print_json(&ReportJson::new(&report, &hardware, session.text))?;
    } else {
        print(&report::requirements(&report, &hardware, session.text, columns()))?;
        if let Some(plan) = report.plan_to_continue_with().filter(|_| may_ask(args)) {
            let (model, degraded) = (plan.candidate.model.title.as_str(), plan.verdict == Verdict::Degraded);
            let question = if degraded {
                say!(session.text, "cli-ask-continue-degraded", model = model)
            } else {
                say!(session.text, "cli-ask-continue", model = model)
            };
            if confirm(&question, session)? {
                return install::go_on_with(plan.clone(), &hardware, &profiles, session);
            }
        }
    }
    Ok(exit_code(report.verdict))
}

/// Whether the user can be asked to go on with the installation: at a terminal, and about this computer as it is.
fn may_ask(args: &CheckArgs) -> bool {
    let at_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    at_terminal && !args.no_input && args.plan.hardware.is_none()
}

/// The report on one profile, or on one of the three choices.
fn only(id: &str, hardware: &Hardware, profiles: &Profiles) -> Report {
    let catalogue = Catalogue::built_in();
    if let Some(role) = Role::of_id(id) {
        let mut report = plan_all(hardware, catalogue, profiles);
        report.choices.choices.retain(|choice| choice.role == role);
        let plans = report.choices.choices.iter().map(|choice| choice.plan.clone()).collect();
        return Report { choices: report.choices, ..Report::of(plans) };
    }
    let mut plans = plan_profiles(hardware, catalogue, profiles).plans;
    plans.retain(|one| one.candidate.id == *id);
    Report::of(plans)
}

/// Prints the reference table. It is not a verdict on a computer, so its exit code is 0.
fn reference(
    args: &CheckArgs,
    hardware: &Hardware,
    profiles: &Profiles,
    session: &Session,
) -> Result<u8, Failure> {
    let computers = reference_computers(hardware, Catalogue::built_in(), profiles);
    if args.json {
        print_json(&ReferenceJson::new(&computers, session.text))?;
    } else {
        print(&report::reference(&computers, session.text, columns()))?;
    }
    Ok(0)
}

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
