//! `acolyte check-requirements`: every profile against this computer, or a saved one.

use std::io::IsTerminal as _;

use crate::cli::args::{CheckArgs, ProfilesArgs};
use crate::cli::ask::confirm;
use crate::cli::detect::hardware_of;
use crate::cli::output::{columns, print, print_json};
use crate::cli::profiles::{exit_code, profiles_of, require_profile};
use crate::cli::{Failure, Session, install};
use crate::machine::Hardware;
use crate::models::Catalogue;
use crate::plan::{Profiles, Report, Role, Verdict, plan_all, plan_profiles, reference_computers};
use crate::say;
use crate::sentences::json::{ProfilesJson, ReferenceJson, ReportJson};
use crate::sentences::report;

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

/// Every profile on this computer. The exit code is 0: nothing is judged.
///
/// # Errors
/// When the profiles or the hardware file are invalid.
pub fn profiles(args: &ProfilesArgs, session: &Session) -> Result<u8, Failure> {
    let profiles = profiles_of(args.plan.profiles.as_deref(), session)?;
    let hardware = hardware_of(args.plan.hardware.as_deref(), session)?;
    let report = plan_all(&hardware, Catalogue::built_in(), &profiles);
    if args.json {
        print_json(&ProfilesJson::new(&report, session.text))?;
    } else {
        print(&report::profiles(&report, session.text))?;
    }
    Ok(0)
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
