//! `acolyte logs`: the log of the private server, with names and keys redacted as in a report.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::LogsArgs;
use crate::cli::interrupt::{INTERRUPTED, InterruptiblePause};
use crate::cli::output::{print, print_line_of_json};
use crate::cli::{Failure, Session};
use crate::doctor::redact::Secrets;
use crate::install::Paths;
use crate::ollama::server::{LogFollower, logs_by_age};
use crate::platform::files::reading;
use crate::say;
use crate::untrusted::UntrustedText;

/// How often a followed log is looked at: one call of the system, when nothing was written.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(250);

/// A line, as `--json` prints it.
#[derive(Serialize)]
struct LogLineJson<'a> {
    schema: u32,
    line: &'a str,
}

/// Runs the command.
///
/// # Errors
/// When there is no log, it cannot be read, or the output cannot be written.
pub fn run(args: &LogsArgs, session: &Session) -> Result<u8, Failure> {
    session.require_own_home()?;
    let log = Paths::new(&session.home).server_log();
    let printer = LinePrinter { secrets: Secrets::of_this_machine(), json: args.json };
    let pause = args.follow.then(InterruptiblePause::new).transpose()?;
    let existing = logs_by_age(&log);
    if existing.is_empty() && pause.is_none() {
        let path = UntrustedText::path(&log);
        return Err(Failure::failed(say!(session.text, "logs-none", path = path)));
    }
    let cannot_read =
        |path: &Path, error: std::io::Error| Failure::of_install(reading(path)(error), session.text);
    let mut last = VecDeque::new();
    let mut follower = LogFollower::from_start(&log);
    for path in &existing {
        let mut reader = LogFollower::from_start(path);
        let read = reader.read(|line| {
            last.push_back(line.to_owned());
            if last.len() > args.lines {
                last.pop_front();
            }
        });
        read.map_err(|error| cannot_read(path, error))?;
        if *path == log {
            follower = reader;
        }
    }
    for line in &last {
        printer.print(line)?;
    }
    let Some(pause) = pause else {
        return follower.unfinished().map_or(Ok(0), |line| printer.print(&line).map(|()| 0));
    };
    loop {
        if pause.wait(FOLLOW_INTERVAL) {
            return Ok(INTERRUPTED);
        }
        let mut outcome = Ok(());
        let read = follower.read(|line| {
            if outcome.is_ok() {
                outcome = printer.print(line);
            }
        });
        read.map_err(|error| cannot_read(&log, error))?;
        outcome?;
    }
}

struct LinePrinter {
    secrets: Secrets,
    json: bool,
}

impl LinePrinter {
    fn print(&self, line: &str) -> Result<(), Failure> {
        let line = self.secrets.line(line);
        if self.json {
            return print_line_of_json(&LogLineJson { schema: SCHEMA, line: &line });
        }
        print(&format!("{line}\n"))
    }
}
