//! `acolyte tune`: repeats the tuning of what is installed and applies the result.

use crate::cli::args::TuneArgs;
use crate::cli::detect::hardware_of;
use crate::cli::interrupt::{INTERRUPTED, cancel_on_ctrl_c};
use crate::cli::profiles::profiles_of;
use crate::cli::progress::Printer;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::{InstallError, Installed, retune, unload};

/// Runs the command. Ctrl-C restores the setting before.
///
/// # Errors
/// When nothing is installed, an interrupted installation has to be finished first, or the model does not start.
pub fn run(args: &TuneArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let failed = |error: InstallError| Failure::of_install(error, text);
    if Installed::load(&session.home).map_err(|error| failed(error.into()))?.is_none() {
        return Err(failed(InstallError::NotInstalled { home: session.home.clone() }));
    }
    let profiles = profiles_of(args.plan.profiles.as_deref(), session)?;
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    unload(&session.home).map_err(failed)?;
    let hardware = hardware_of(args.plan.hardware.as_deref(), session)?;
    let printer = Printer::new(args.json, session);
    let report = |event| printer.print(&event);
    let outcome = retune(&session.home, &hardware, &profiles.policy, &text, &report, &control);
    printer.finish();
    match outcome {
        Ok(receipt) => {
            if !args.json {
                let lines = receipt.tuning.iter().flat_map(|tuning| tuning.receipt_lines(text));
                session.tell(&lines.collect::<Vec<_>>().join("\n"));
            }
            Ok(0)
        }
        Err(error) => {
            let exit_code = if error.is_cancelled() { INTERRUPTED } else { 1 };
            Err(Failure { exit_code, message: error.explain(text) })
        }
    }
}
