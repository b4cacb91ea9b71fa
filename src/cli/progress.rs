//! Progress of an installation: one JSON object per line on standard output, or text on standard error. On a terminal
//! the line of a running step is overwritten; elsewhere each change is a line, and byte or second counts are printed at
//! most every [`COUNT_EVERY`].

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

use crate::cli::Session;
use crate::install::event::Activity;
use crate::install::{Event, Step, StepState};
use crate::sentences::ProgressMessage;
use crate::sentences::document::one_line;
use crate::text::Text;
use crate::untrusted::escaped;

/// Shortest time between two lines with counts, when not on a terminal.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// Prints events.
pub struct Printer {
    json: bool,
    quiet: bool,
    text: Text,
    lines: RefCell<ProgressLines<std::io::Stderr>>,
}

/// Writes lines to a terminal, or to a file or pipe.
struct ProgressLines<W> {
    out: W,
    terminal: bool,
    /// Length in characters of the last line if it is to be overwritten; else 0.
    open: usize,
    /// When a line was last printed.
    printed: Option<Instant>,
}

impl Printer {
    /// Prints JSON on standard output, or text on standard error.
    pub fn new(json: bool, session: &Session) -> Self {
        let out = std::io::stderr();
        let lines = ProgressLines { terminal: out.is_terminal(), out, open: 0, printed: None };
        Self { json, quiet: session.quiet, text: session.text, lines: RefCell::new(lines) }
    }

    /// Prints one event.
    pub fn print(&self, event: &Event) {
        let message = ProgressMessage::new(event, self.text);
        if self.json {
            self.print_json(&message);
        } else if !self.quiet {
            self.lines.borrow_mut().print(&message, counts(event), self.text);
        }
    }

    /// Ends a line that was to be overwritten.
    pub fn finish(&self) {
        self.lines.borrow_mut().finish();
    }

    fn print_json(&self, message: &ProgressMessage) {
        let mut out = std::io::stdout().lock();
        // A closed pipe does not stop the installation.
        if let Ok(line) = one_line(message) {
            let _reader_gone = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }
}

impl<W: Write> ProgressLines<W> {
    fn print(&mut self, message: &ProgressMessage, counts: bool, text: Text) {
        // The error is printed once, by the command.
        if matches!(message.state, StepState::Failed | StepState::Cancelled) {
            return;
        }
        let line = escaped(&line(message, text)).into_owned();
        // Standard error may be closed.
        let _nobody_reads =
            if self.terminal { self.overwrite(message.state, &line) } else { self.append(counts, &line) };
    }

    fn overwrite(&mut self, state: StepState, line: &str) -> std::io::Result<()> {
        let passing = matches!(state, StepState::Started | StepState::Running | StepState::Waiting);
        let length = line.chars().count();
        let blank = " ".repeat(self.open.saturating_sub(length));
        self.open = if passing { length } else { 0 };
        write!(self.out, "\r{line}{blank}{}", if passing { "" } else { "\n" })?;
        self.out.flush()
    }

    fn append(&mut self, counts: bool, line: &str) -> std::io::Result<()> {
        let soon = self.printed.is_some_and(|printed| printed.elapsed() < COUNT_EVERY);
        if soon && counts {
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

/// Whether an event only updates a count of bytes or seconds.
fn counts(event: &Event) -> bool {
    event.state == StepState::Running
        && (event.bytes.is_some()
            || matches!(event.activity, Activity::StillLoading { .. } | Activity::StillMeasuring { .. }))
}

fn line(message: &ProgressMessage, text: Text) -> String {
    let number = Step::ALL.iter().position(|step| *step == message.step).unwrap_or(0) + 1;
    let mut line = format!("[{number:>2}/{}] {}", Step::ALL.len(), message.message);
    match (message.bytes_done, message.bytes_total) {
        (Some(done), Some(total)) => {
            let share = if total == 0 { 1.0 } else { done as f64 / total as f64 };
            let (done, total) = (text.file_size(done), text.file_size(total));
            line.push_str(&format!("  {}  {done} / {total}", text.percent(share)));
        }
        (Some(done), None) => line.push_str(&format!("  {}", text.file_size(done))),
        _ => {}
    }
    if let Some(rate) = message.bytes_per_s {
        line.push_str(&format!("  {}/s", text.file_size(rate as u64)));
    }
    if let Some(left) = message.seconds_left {
        line.push_str(&format!("  {}", text.duration(left)));
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn without_a_terminal_changes_are_printed_at_once_and_counts_are_throttled() {
        let text = Text::new(Language::English);
        let mut lines = ProgressLines { out: Vec::new(), terminal: false, open: 0, printed: None };
        let fewer = |gpu_layers| Activity::FewerLayers { gpu_layers, total_layers: 29 };
        for activity in [Activity::Loading, fewer(20), Activity::StillLoading { seconds: 2.0 }, fewer(18)] {
            let event = Event { step: Step::LoadModel, state: StepState::Running, bytes: None, activity };
            lines.print(&ProgressMessage::new(&event, text), counts(&event), text);
        }
        let printed = String::from_utf8(lines.out).unwrap();
        let figures: Vec<(bool, bool)> =
            printed.lines().map(|line| (line.contains("20"), line.contains("18"))).collect();
        assert_eq!(figures, [(false, false), (true, false), (false, true)], "{printed}");
    }
}
