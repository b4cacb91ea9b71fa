//! Output: data on standard output (reports, JSON; a closed pipe ends the command), messages on standard error.

use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Color, Style};
use serde::Serialize;

use crate::cli::failure::Failure;
use crate::sentences::document::indented;
use crate::text::wrap::wrapped;
use crate::untrusted::{escaped, escaped_except_styles, escaped_json};

/// The label of a failure.
const FAILURE: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));

/// Exit code after the reader closed the pipe: not a failure.
const READER_GONE: u8 = 0;

/// Columns of the terminal on standard output; `None` if it is not a terminal: nothing is wrapped then.
pub fn columns() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into())
}

/// Columns of the terminal on standard error.
pub fn message_columns() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0.into())
}

fn fitted<'a>(text: &'a str, columns: Option<usize>) -> Cow<'a, str> {
    columns.map_or(Cow::Borrowed(text), |columns| Cow::Owned(wrapped(text, columns)))
}

/// Prints a message on standard error, wrapped at the terminal's width. Errors are ignored: if it is closed, there is
/// nowhere to report them.
pub fn talk(message: &str) {
    let message = fitted(message, message_columns());
    let _nobody_listens = writeln!(std::io::stderr().lock(), "{}", escaped(&message));
}

/// As [`talk`], behind a label in this style.
fn talk_labelled(style: Style, label: &str, message: &str) {
    let message = format!("{label} {message}");
    let message = fitted(&message, message_columns());
    let rest = escaped(message.strip_prefix(label).unwrap_or(&message));
    let _nobody_listens = writeln!(anstream::stderr().lock(), "{style}{label}{style:#}{rest}");
}

/// Standard error for the log, which contains text of servers, drivers and files.
pub struct EscapedStderr;

impl Write for EscapedStderr {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        std::io::stderr().write_all(escaped(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// Prints a question on standard error, without a line break. Errors are ignored, as in [`talk`].
pub fn ask(question: &str) {
    let question = fitted(question, message_columns());
    let mut out = std::io::stderr().lock();
    let _nobody_listens = write!(out, "{} ", escaped(&question)).and_then(|()| out.flush());
}

/// Prints a piece of an answer, without colours: it is text of a model.
///
/// # Errors
/// As [`print`].
pub fn print_part(piece: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(escaped(piece).as_bytes()).and_then(|()| out.flush()).map_err(|error| failure(&error))
}

/// Prints a piece of a message on standard error. Errors are ignored, as in [`talk`].
pub fn talk_part(piece: &str) {
    let mut out = std::io::stderr().lock();
    let _nobody_listens = out.write_all(escaped(piece).as_bytes()).and_then(|()| out.flush());
}

/// Prints a document as one line of JSON.
///
/// # Errors
/// As [`print`].
pub fn print_line_of_json(document: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(document).map_err(|error| Failure::failed(error.to_string()))?;
    print_exactly(&(escaped_json(json) + "\n"))
}

/// Prints text, wrapped at the terminal's width, with colours if standard output is a terminal that shows them;
/// `NO_COLOR`, `CLICOLOR_FORCE` and `TERM` are respected.
///
/// # Errors
/// When it cannot be written. A closed pipe ends the command without a message.
pub fn print(text: &str) -> Result<(), Failure> {
    print_exactly(&fitted(text, columns()))
}

/// As [`print`], with the lines as they are: documents and scripts that other programs read.
///
/// # Errors
/// As [`print`].
pub fn print_exactly(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(escaped_except_styles(text).as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| failure(&error))
}

/// Prints a generated file unchanged: a script or a manual page.
///
/// # Errors
/// As [`print`].
pub fn print_whole(file: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(file.as_bytes()).and_then(|()| out.flush()).map_err(|error| failure(&error))
}

/// The failure for an output error.
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
    let json = indented(document).map_err(|error| Failure::failed(error.to_string()))?;
    print_exactly(&json)
}

impl Failure {
    /// Prints it on standard error and returns the exit code.
    pub fn say(&self) -> ExitCode {
        if !self.message.is_empty() {
            talk_labelled(FAILURE, "acolyte:", &self.message);
        }
        ExitCode::from(self.exit_code)
    }
}
