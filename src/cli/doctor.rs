//! `acolyte doctor`: a report about this computer for support, shown before it is saved.

use std::io::IsTerminal as _;

use crate::cli::args::DoctorArgs;
use crate::cli::ask::confirm;
use crate::cli::output::print_json;
use crate::cli::{Failure, Session};
use crate::doctor::{self, ReportSubject};
use crate::hardware::{DetectOptions, collect};
use crate::platform::files;
use crate::say;
use crate::sentences::document::{DoctorDocument, indented};
use crate::untrusted::UntrustedText;

/// Runs the command.
///
/// # Errors
/// When the report cannot be written.
pub fn run(args: &DoctorArgs, session: &Session) -> Result<u8, Failure> {
    session.require_own_home()?;
    let options = DetectOptions::new(session.home.clone());
    let report = doctor::report(&ReportSubject::Detected(Box::new(collect(&options))), &options)
        .map_err(|error| Failure::failed(error.to_string()))?;
    let report = DoctorDocument::from(&report);
    let Some(path) = &args.output else {
        print_json(&report)?;
        return Ok(0);
    };
    let json = indented(&report).map_err(|error| Failure::failed(error.to_string()))?;
    let shown = UntrustedText::path(path);
    if !args.yes && std::io::stdin().is_terminal() {
        print_json(&report)?;
        if !confirm(&say!(session.text, "hardware-report-ask", path = shown.as_str()), session)? {
            return Ok(1);
        }
    }
    files::write_named(path, json.as_bytes()).map_err(|error| {
        let why = UntrustedText::from(error.source.to_string());
        Failure::failed(say!(session.text, "hardware-report-unwritable", path = shown.as_str(), why = why))
    })?;
    session.tell(&say!(session.text, "hardware-report-written", path = shown.as_str()));
    Ok(0)
}
