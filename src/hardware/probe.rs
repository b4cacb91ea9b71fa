//! Queries GPU drivers in a child process.
//!
//! 1. [`ask`] starts our own program again with the hidden arguments `probe-gpus SOURCE`.
//! 2. There [`run_if_asked`], the first line of both programs' `main`, loads the one driver library, asks it and
//!    prints one marked line of JSON.
//! 3. [`ask`] takes the marked line as soon as it comes. A child that hangs is killed at the timeout, one that
//!    crashes or prints something else is reported; either way only this source is lost.
//!
//! The child ends with its parent: it watches its standard input, which closes when the parent is gone.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::evidence::Answer;
use super::sources;
use crate::machine::{GpuSource, SourceFailure};
use crate::platform::environment::{self, Environment};
use crate::platform::program;

/// The hidden argument.
const ARGUMENT: &str = "probe-gpus";
/// Set in the environment of a probe.
const INSIDE: &str = "ACOLYTE_INSIDE_PROBE";
/// Marks the line that holds the answer. Drivers print to standard output, too.
const MARK: &str = "ACOLYTE-PROBE ";
/// Limit of the output in bytes, larger than any answer: a driver may flood it.
const MOST_BYTES: u64 = 4 << 20;
/// Characters of the error output that a report keeps.
const STDERR_KEPT: usize = 400;

/// The interfaces with their names on the command line.
const SOURCES: [(&str, GpuSource); 4] = [
    ("nvml", GpuSource::Nvml),
    ("sysinfo", GpuSource::Sysinfo),
    ("wgpu", GpuSource::Wgpu),
    ("dxgi", GpuSource::Dxgi),
];

#[expect(
    clippy::print_stderr,
    reason = "a word to who started the wrong program by hand, with nothing foreign in it"
)]
fn usage() {
    eprintln!("{ARGUMENT}: expected one of nvml, sysinfo, wgpu, dxgi");
}

/// When this process was started as a probe: answers and ends the process. Otherwise returns at once.
pub fn run_if_asked() {
    let mut args = environment::arguments().skip(1);
    if args.next().is_none_or(|first| first != ARGUMENT) {
        return;
    }
    let source = args.next();
    let Some((_, source)) =
        SOURCES.into_iter().find(|(name, _)| source.as_deref().is_some_and(|wanted| wanted == *name))
    else {
        usage();
        std::process::exit(2);
    };
    thread::spawn(end_with_parent);
    let printed = match source {
        GpuSource::Nvml => print_answer(&sources::nvml::ask()),
        GpuSource::Sysinfo => print_answer(&sources::sysinfo_gpus::ask()),
        GpuSource::Wgpu => print_answer(&sources::wgpu_adapters::ask()),
        GpuSource::Dxgi => print_answer(&crate::hardware::system::dxgi_adapters()),
    };
    std::process::exit(i32::from(printed.is_err()));
}

fn print_answer<T: Serialize>(answer: &Answer<T>) -> std::io::Result<()> {
    let json = serde_json::to_string(answer)?;
    let mut out = std::io::stdout().lock();
    // The line break first: a driver may have left half a line.
    write!(out, "\n{MARK}{json}\n")?;
    out.flush()
}

/// Blocks until standard input closes, then aborts this process: the driver may hold every lock.
pub(crate) fn end_with_parent() {
    let mut rest = Vec::new();
    // Closed or broken: the parent is gone.
    let _closed_or_broken = std::io::stdin().lock().read_to_end(&mut rest);
    #[cfg(unix)]
    let _impossible = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::exit(1);
}

/// Asks one source in a child process of the program at `path`, with variables added to its environment, for at most `limit`.
pub fn ask<T: DeserializeOwned>(
    path: &Path,
    environment: &[(OsString, OsString)],
    source: GpuSource,
    limit: Duration,
) -> Answer<T> {
    // A program that does not know the argument and detects instead would start itself without end.
    if Environment::of_process().variable(INSIDE).is_some() {
        return Answer::Failed(SourceFailure::NotStarted {
            message: "a probe cannot start another one".to_owned(),
        });
    }
    let mut command = program::command(path);
    let name = SOURCES.iter().find(|(_, known)| *known == source).map_or("", |(name, _)| name);
    command.arg(ARGUMENT).arg(name).env(INSIDE, "1");
    // Overlays and recorders hook into Vulkan as layers; a question about memory needs none of them.
    command.env("VK_LOADER_LAYERS_DISABLE", "~implicit~");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    match ask_child(command, limit) {
        Ok(answer) => answer,
        Err(why) => Answer::Failed(why),
    }
}

fn ask_child<T: DeserializeOwned>(mut command: Command, limit: Duration) -> Result<Answer<T>, SourceFailure> {
    let deadline = Instant::now() + limit;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().map_err(|error| SourceFailure::NotStarted { message: error.to_string() })?;
    // Held open until the answer is there: its end tells the child that we are gone.
    let stdin = child.stdin.take();
    let marked = child.stdout.take().map(marked_line);
    let errors = child.stderr.take().map(last_words);

    let answer = marked.map_or(Err(RecvTimeoutError::Disconnected), |line| {
        line.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    });
    drop(stdin);
    match answer {
        Ok(json) => {
            end(child);
            serde_json::from_str(&json)
                .map_err(|error| SourceFailure::InvalidAnswer { message: error.to_string() })
        }
        Err(RecvTimeoutError::Timeout) => {
            end(child);
            Err(SourceFailure::Timeout { seconds: limit.as_secs_f64() })
        }
        Err(RecvTimeoutError::Disconnected) => {
            // It closed its output without an answer, so it has ended or is about to; its status was decided before.
            let error_output = errors.and_then(|words| {
                words.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
            });
            let _already_ended = child.kill();
            let status = child
                .wait()
                .map_err(|error| SourceFailure::EndedWithoutAnswer { message: error.to_string() })?;
            Err(crash_report(status, error_output.as_deref().unwrap_or_default()))
        }
    }
}

/// Kills and reaps without waiting: a process stuck inside a driver may never end.
fn end(mut child: Child) {
    let _already_ended = child.kill();
    thread::spawn(move || child.wait());
}

/// Reads on a thread of its own until the marked line comes; the receiver is disconnected if it never does.
fn marked_line(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout.take(MOST_BYTES));
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            if let Some(json) = text.trim_end().strip_prefix(MARK) {
                // The receiver is gone after a timeout.
                let _too_late = send.send(json.to_owned());
                return;
            }
            line.clear();
        }
    });
    receive
}

/// Reads to the end on a thread of its own.
fn last_words(stderr: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let _what_came_counts = stderr.take(MOST_BYTES).read_to_end(&mut output);
        let _too_late = send.send(String::from_utf8_lossy(&output).trim().to_owned());
    });
    receive
}

fn crash_report(status: ExitStatus, errors: &str) -> SourceFailure {
    let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let message = last.trim().chars().take(STDERR_KEPT).collect();
    match status.code() {
        Some(0) => SourceFailure::EndedWithoutAnswer { message },
        _ => SourceFailure::Crashed { status: status.to_string(), message },
    }
}
