//! Progress of an installation: one JSON object a line on standard output, or text on standard error. On a terminal the
//! line of a running step is overwritten; elsewhere each change is a line, and byte counts are a line now and then.

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

use crate::cli::Session;
use crate::install::{Step, StepState};
use crate::sentences::ProgressMessage;
use crate::text::Text;

/// Least time between two lines of byte counts off a terminal.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// Prints events.
pub struct Printer {
    json: bool,
    quiet: bool,
    text: Text,
    lines: RefCell<Lines<std::io::Stderr>>,
}

/// Lines on a terminal, or into a file or pipe.
struct Lines<W> {
    out: W,
    terminal: bool,
    /// Characters of the line that can still be overwritten.
    open: usize,
    /// When a line was last printed.
    printed: Option<Instant>,
}

impl Printer {
    /// For JSON on standard output, or text on standard error.
    pub fn new(json: bool, session: &Session) -> Self {
        let out = std::io::stderr();
        let lines = Lines { terminal: out.is_terminal(), out, open: 0, printed: None };
        Self { json, quiet: session.quiet, text: session.text, lines: RefCell::new(lines) }
    }

    /// Prints one event.
    pub fn print(&self, event: &ProgressMessage) {
        if self.json {
            self.print_json(event);
        } else if !self.quiet {
            self.lines.borrow_mut().print(event, self.text);
        }
    }

    /// Ends a line that is still open.
    pub fn finish(&self) {
        self.lines.borrow_mut().finish();
    }

    fn print_json(&self, event: &ProgressMessage) {
        let mut out = std::io::stdout().lock();
        // A reader that went away does not stop an installation.
        if let Ok(line) = serde_json::to_string(event) {
            let _reader_gone = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }
}

impl<W: Write> Lines<W> {
    fn print(&mut self, event: &ProgressMessage, text: Text) {
        // What went wrong is said once, at the end.
        if matches!(event.state, StepState::Failed | StepState::Cancelled) {
            return;
        }
        let line = line(event, text);
        // Where standard error is closed, nobody reads it.
        let _nobody_reads =
            if self.terminal { self.overwrite(event, &line) } else { self.append(event, &line) };
    }

    fn overwrite(&mut self, event: &ProgressMessage, line: &str) -> std::io::Result<()> {
        let passing = matches!(event.state, StepState::Started | StepState::Running | StepState::Waiting);
        let length = line.chars().count();
        let blank = " ".repeat(self.open.saturating_sub(length));
        self.open = if passing { length } else { 0 };
        write!(self.out, "\r{line}{blank}{}", if passing { "" } else { "\n" })?;
        self.out.flush()
    }

    fn append(&mut self, event: &ProgressMessage, line: &str) -> std::io::Result<()> {
        let soon = self.printed.is_some_and(|printed| printed.elapsed() < COUNT_EVERY);
        if soon && event.state == StepState::Running && event.bytes_done.is_some() {
            return Ok(());
        }
        self.printed = Some(Instant::now());
        writeln!(self.out, "{line}")
    }

    fn finish(&mut self) {
        if std::mem::take(&mut self.open) > 0 {
            let _nobody_reads = writeln!(self.out);
        }
    }
}

fn line(event: &ProgressMessage, text: Text) -> String {
    let number = Step::ALL.iter().position(|step| *step == event.step).unwrap_or(0) + 1;
    let mut line = format!("[{number:>2}/{}] {}", Step::ALL.len(), event.message);
    match (event.bytes_done, event.bytes_total) {
        (Some(done), Some(total)) => {
            let share = if total == 0 { 1.0 } else { done as f64 / total as f64 };
            let (done, total) = (text.file_size(done), text.file_size(total));
            line.push_str(&format!("  {}  {done} / {total}", text.percent(share)));
        }
        (Some(done), None) => line.push_str(&format!("  {}", text.file_size(done))),
        _ => {}
    }
    if let Some(rate) = event.bytes_per_s {
        line.push_str(&format!("  {}/s", text.file_size(rate as u64)));
    }
    if let Some(left) = event.seconds_left {
        line.push_str(&format!("  {}", text.duration(left)));
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::text::Language;

    fn event(message: &str, bytes_done: Option<u64>) -> ProgressMessage {
        ProgressMessage {
            step: Step::LoadModel,
            state: StepState::Running,
            bytes_done,
            bytes_total: None,
            bytes_per_s: None,
            seconds_left: None,
            message: message.to_owned(),
            receipt: None,
            rollback: None,
        }
    }

    #[test]
    fn off_a_terminal_changes_are_printed_at_once_and_byte_counts_are_not() {
        let mut lines = Lines { out: Vec::new(), terminal: false, open: 0, printed: None };
        let text = Text::new(Language::English);
        for event in [
            event("Loading", None),
            event("Fewer layers", None),
            event("Bytes", Some(1)),
            event("Fewer yet", None),
        ] {
            lines.print(&event, text);
        }
        let printed = String::from_utf8(lines.out).unwrap();
        let said: Vec<&str> = printed.lines().map(|line| line.split_once("] ").unwrap().1).collect();
        assert_eq!(said, ["Loading", "Fewer layers", "Fewer yet"]);
    }
}
