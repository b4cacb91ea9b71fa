//! Data on standard output: text with colour only where a person reads it, JSON, and a reader that hangs up. Talk on
//! standard error.

use std::io::{ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::cli::Failure;
use crate::sentences::report::Style;

/// Exit code after the reader of our output went away: ours was done, nobody wanted it.
const READER_GONE: u8 = 0;

/// Colour on a terminal, unless `NO_COLOR` is set (no-color.org) or the terminal is dumb.
pub fn style() -> Style {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if std::io::stdout().is_terminal() && !unwanted { Style::Ansi } else { Style::Plain }
}

/// Says something on standard error. Where that is closed there is nobody to tell, so a failure is no failure.
pub fn talk(message: &str) {
    let _nobody_listens = writeln!(std::io::stderr().lock(), "{message}");
}

/// Prints text as it is.
///
/// # Errors
/// When it cannot be written. A reader that went away ends the command in silence.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| failure(&error))
}

/// The failure of an output that could not be written.
pub fn failure(error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure { exit_code: READER_GONE, message: String::new() },
        _ => Failure::failed(error.to_string()),
    }
}

/// Prints a document as indented JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let mut json =
        serde_json::to_string_pretty(document).map_err(|error| Failure::failed(error.to_string()))?;
    json.push('\n');
    print(&json)
}
