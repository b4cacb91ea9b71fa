//! `acolyte detect`: the hardware of this computer.

use std::path::Path;

use crate::cli::args::DetectArgs;
use crate::cli::output::{print, print_json};
use crate::cli::{Failure, Session};
use crate::hardware::{self, DetectOptions, HardwareFileError};
use crate::install::{InstallOptions, take_inventory};
use crate::machine::Hardware;
use crate::models::Catalogue;
use crate::plan::{Profiles, note_disk_needs, plan_all};
use crate::say;
use crate::sentences::document::HardwareDocument;
use crate::sentences::report;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// Runs the command.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &DetectArgs, session: &Session) -> Result<u8, Failure> {
    let mut hardware = detect(session);
    let catalogue = Catalogue::built_in();
    let inventory = take_inventory(&InstallOptions::usual(&session.home), &catalogue.models);
    let report = plan_all(&hardware, catalogue, Profiles::built_in()).with_inventory(&inventory);
    note_disk_needs(&mut hardware, &report);
    if args.json {
        print_json(&HardwareDocument::from(&hardware))?;
    } else {
        print(&report::hardware(&hardware, session.text))?;
    }
    Ok(0)
}

/// The hardware a command is about: the file named with `--hardware`, else this computer's.
///
/// # Errors
/// When the file is not a hardware document.
pub fn hardware_of(file: Option<&Path>, session: &Session) -> Result<Hardware, Failure> {
    match file {
        Some(path) => {
            Hardware::from_file(path).map_err(|error| Failure::usage(explain(&error, session.text)))
        }
        None => Ok(detect(session)),
    }
}

fn detect(session: &Session) -> Hardware {
    if session.verbose {
        session.tell(&say!(session.text, "cli-detecting"));
    }
    hardware::detect(&DetectOptions::new(session.home.clone()))
}

fn explain(error: &HardwareFileError, text: Text) -> String {
    let shown = |path: &Path| UntrustedText::path(path);
    match error {
        HardwareFileError::Read { path, source } => {
            say!(
                text,
                "cli-hardware-unreadable",
                path = shown(path),
                why = UntrustedText::from(source.to_string())
            )
        }
        HardwareFileError::Format { path, source } => {
            say!(
                text,
                "cli-hardware-format",
                path = shown(path),
                why = UntrustedText::from(source.to_string())
            )
        }
        HardwareFileError::Value { path, what } => {
            say!(text, "cli-hardware-value", path = shown(path), why = what.as_str())
        }
    }
}
