//! Progress of an installation: one JSON object a line, or lines for people on standard error. On a terminal the line
//! of a running step is written over; elsewhere a line is written when something changes, and bytes now and then.

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::cli::Session;
use crate::install::{Event, Step, StepState};
use crate::text::Text;

/// Bytes are told this often where lines cannot be written over.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Prints events.
pub struct Printer {
    json: bool,
    quiet: bool,
    terminal: bool,
    text: Text,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Characters of a line that can still be written over.
    open: usize,
    told: Option<Instant>,
}

impl Printer {
    /// For JSON on standard output, or for people on standard error.
    pub fn new(json: bool, session: &Session) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { json, quiet: session.quiet, terminal, text: session.text, state: RefCell::default() }
    }

    /// Prints one event.
    pub fn print(&self, event: &Event) {
        if self.json {
            self.print_json(event);
        } else if !self.quiet {
            self.print_line(event);
        }
    }

    /// Ends a line that is still open.
    pub fn finish(&self) {
        if std::mem::take(&mut self.state.borrow_mut().open) > 0 {
            eprintln!();
        }
    }

    fn print_json(&self, event: &Event) {
        let mut out = std::io::stdout().lock();
        // A reader that went away does not stop an installation.
        if let Ok(line) = serde_json::to_string(event) {
            let _reader_gone = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }

    fn print_line(&self, event: &Event) {
        // What went wrong is said once, at the end.
        if matches!(event.state, StepState::Failed | StepState::Cancelled) {
            return;
        }
        let line = self.line(event);
        let passing = matches!(event.state, StepState::Started | StepState::Running | StepState::Waiting);
        let mut state = self.state.borrow_mut();
        if self.terminal {
            let blank = " ".repeat(state.open.saturating_sub(line.chars().count()));
            eprint!("\r{line}{blank}");
            state.open = line.chars().count();
            if !passing {
                eprintln!();
                state.open = 0;
            }
            let _cannot_show = std::io::stderr().flush();
            return;
        }
        let soon = state.told.is_some_and(|told| told.elapsed() < PLAIN_EVERY);
        if event.state == StepState::Running && soon {
            return;
        }
        state.told = Some(Instant::now());
        eprintln!("{line}");
    }

    fn line(&self, event: &Event) -> String {
        let number = Step::ALL.iter().position(|step| *step == event.step).unwrap_or(0) + 1;
        let mut line = format!("[{number:>2}/{}] {}", Step::ALL.len(), event.message);
        let text = self.text;
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
}
