//! Progress of an installation: one JSON object per line on standard output, or text on standard error. On a terminal
//! the running step is a line that changes in place, with a bar where its end is known; elsewhere each change is a line,
//! and byte or second counts are printed at most every [`COUNT_EVERY`].

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Session;
use crate::cli::output::{message_columns, talk};
use crate::install::event::Activity;
use crate::install::{Event, Step, StepState};
use crate::sentences::ProgressMessage;
use crate::sentences::document::one_line;
use crate::text::Text;
use crate::untrusted::escaped;

/// Shortest time between two lines with counts, when not on a terminal.
const COUNT_EVERY: Duration = Duration::from_secs(10);
/// From this width on there is room for a bar.
const COLUMNS_FOR_BAR: usize = 100;
/// Columns of the bar.
const BAR_COLUMNS: usize = 24;
/// Below this width only percent and the time left are shown.
const COLUMNS_FOR_COUNTS: usize = 70;
/// Width of a terminal that does not tell its own.
const USUAL_COLUMNS: usize = 80;

/// Prints events.
pub struct Printer {
    json: bool,
    quiet: bool,
    text: Text,
    lines: RefCell<ProgressLines>,
}

enum ProgressLines {
    Terminal(RunningLine),
    Log(LineLog<std::io::Stderr>),
}

/// A line of a terminal that changes in place.
struct RunningLine {
    bar: ProgressBar,
}

/// Writes lines to a file or pipe.
struct LineLog<W> {
    out: W,
    /// When a line was last printed.
    printed: Option<Instant>,
}

impl Printer {
    /// Prints JSON on standard output, or text on standard error.
    pub fn new(json: bool, session: &Session) -> Self {
        let lines = if std::io::stderr().is_terminal() {
            ProgressLines::Terminal(RunningLine::new(ProgressDrawTarget::stderr()))
        } else {
            ProgressLines::Log(LineLog { out: std::io::stderr(), printed: None })
        };
        Self { json, quiet: session.quiet, text: session.text, lines: RefCell::new(lines) }
    }

    /// Prints one event.
    pub fn print(&self, event: &Event) {
        let message = ProgressMessage::new(event, self.text);
        if self.json {
            self.print_json(&message);
        } else if !self.quiet {
            self.print_line(event, &message);
        }
    }

    fn print_line(&self, event: &Event, message: &ProgressMessage) {
        // The error is printed once, by the command.
        if matches!(message.state, StepState::Failed | StepState::Cancelled) {
            return;
        }
        match &mut *self.lines.borrow_mut() {
            ProgressLines::Log(log) => log.print(message, counts(event), self.text),
            ProgressLines::Terminal(running) => {
                if matches!(message.state, StepState::Started | StepState::Running | StepState::Waiting) {
                    running.show(message, message_columns().unwrap_or(USUAL_COLUMNS), self.text);
                } else {
                    running.clear();
                    talk(&line(message, self.text));
                }
            }
        }
    }

    /// Removes the line of a step that still runs.
    pub fn finish(&self) {
        if let ProgressLines::Terminal(running) = &*self.lines.borrow() {
            running.clear();
        }
    }

    fn print_json(&self, message: &ProgressMessage) {
        let mut out = std::io::stdout().lock();
        // A closed pipe does not stop the installation.
        if let Ok(line) = one_line(message) {
            let _reader_gone = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }
}

impl RunningLine {
    fn new(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("{wide_msg}"));
        Self { bar }
    }

    fn show(&self, message: &ProgressMessage, columns: usize, text: Text) {
        if self.bar.is_finished() {
            self.bar.reset();
        }
        let total = message.bytes_total.filter(|total| *total > 0);
        let counts = match columns {
            ..COLUMNS_FOR_COUNTS => short_counts(message, text),
            _ => counts_of(message, text),
        };
        let bar = if total.is_some() && columns >= COLUMNS_FOR_BAR { BAR_COLUMNS } else { 0 };
        let template = match (counts.is_empty(), bar) {
            (true, _) => "{wide_msg}".to_owned(),
            (false, 0) => "{wide_msg}  {prefix}".to_owned(),
            (false, columns) => format!("{{wide_msg}}  {{bar:{columns}.cyan}}  {{prefix}}"),
        };
        self.bar.set_style(style(&template));
        if let (Some(done), Some(total)) = (message.bytes_done, total) {
            self.bar.set_length(total);
            self.bar.set_position(done);
        }
        self.bar.set_prefix(escaped(&counts.join("  ")).into_owned());
        self.bar.set_message(escaped(&named(message)).into_owned());
    }

    /// Removes the line.
    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The template is our own; the library's usual one stands in for one that it refuses.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─")
}

impl<W: Write> LineLog<W> {
    fn print(&mut self, message: &ProgressMessage, counts: bool, text: Text) {
        let soon = self.printed.is_some_and(|printed| printed.elapsed() < COUNT_EVERY);
        if soon && counts {
            return;
        }
        self.printed = Some(Instant::now());
        // Standard error may be closed.
        let _nobody_reads = writeln!(self.out, "{}", escaped(&line(message, text)));
    }
}

/// Whether an event only updates a count of bytes or seconds.
fn counts(event: &Event) -> bool {
    event.state == StepState::Running
        && (event.bytes.is_some()
            || matches!(event.activity, Activity::StillLoading { .. } | Activity::StillMeasuring { .. }))
}

/// Number and name of the step, and what it does.
fn named(message: &ProgressMessage) -> String {
    let number = Step::ALL.iter().position(|step| *step == message.step).unwrap_or(0) + 1;
    format!("[{number:>2}/{}] {}", Step::ALL.len(), message.message)
}

fn line(message: &ProgressMessage, text: Text) -> String {
    let mut parts = vec![named(message)];
    parts.extend(counts_of(message, text));
    parts.join("  ")
}

/// Percent, bytes, rate and time left, as far as they are known.
fn counts_of(message: &ProgressMessage, text: Text) -> Vec<String> {
    let bytes = match (message.bytes_done, message.bytes_total) {
        (Some(done), Some(total)) => Some(format!("{} / {}", text.file_size(done), text.file_size(total))),
        (Some(done), None) => Some(text.file_size(done)),
        _ => None,
    };
    let rate = message.bytes_per_s.map(|rate| format!("{}/s", text.file_size(rate as u64)));
    let left = message.seconds_left.map(|left| text.duration(left));
    percent(message, text).into_iter().chain(bytes).chain(rate).chain(left).collect()
}

/// What matters most where there is little room.
fn short_counts(message: &ProgressMessage, text: Text) -> Vec<String> {
    let left = message.seconds_left.map(|left| text.duration(left));
    percent(message, text).into_iter().chain(left).collect()
}

fn percent(message: &ProgressMessage, text: Text) -> Option<String> {
    let (done, total) = (message.bytes_done?, message.bytes_total?);
    Some(text.percent(if total == 0 { 1.0 } else { done as f64 / total as f64 }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;
    use crate::install::event::ByteProgress;
    use crate::text::Language;

    #[test]
    fn without_a_terminal_changes_are_printed_at_once_and_counts_are_throttled() {
        let text = Text::new(Language::English);
        let mut lines = LineLog { out: Vec::new(), printed: None };
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

    /// What a terminal of this width shows while the engine is downloaded, and what after it.
    fn shown_on(columns: u16) -> (String, String) {
        let text = Text::new(Language::English);
        let terminal = InMemoryTerm::new(10, columns);
        let running = RunningLine::new(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        let bytes = ByteProgress {
            done: 1_500_000_000,
            total: Some(3_000_000_000),
            per_s: Some(20_000_000.0),
            seconds_left: Some(75.0),
        };
        let activity = Activity::FetchingArchive { name: "ollama-linux-amd64.tar.zst".to_owned() };
        let event =
            Event { step: Step::FetchEngine, state: StepState::Running, bytes: Some(bytes), activity };
        running.show(&ProgressMessage::new(&event, text), columns.into(), text);
        running.bar.force_draw();
        let shown = terminal.contents();
        running.clear();
        (shown, terminal.contents())
    }

    #[test]
    fn the_running_step_is_one_line_of_any_terminal_and_is_removed() {
        for columns in [40, 60, 80, 120] {
            let (shown, after) = shown_on(columns);
            assert_eq!(shown.lines().count(), 1, "{columns}: {shown}");
            assert!(shown.chars().count() <= columns.into() && shown.contains("50"), "{columns}: {shown}");
            assert_eq!(shown.contains('━'), columns >= 100, "{columns}: {shown}");
            assert_eq!(shown.contains("GB"), columns >= 70, "{columns}: {shown}");
            assert_eq!(after, "", "{columns}");
        }
    }
}
