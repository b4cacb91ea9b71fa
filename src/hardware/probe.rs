//! Queries GPU drivers in a child process.
//!
//! 1. [`query`] starts our own program again with the hidden arguments `probe-gpus SOURCE`.
//! 2. In the child, [`run_if_requested`], the first call of both programs' `main`, loads the one driver library, queries it
//!    and prints one marked line of JSON.
//! 3. [`query`] returns the marked line as soon as it arrives. A child that hangs is killed at the timeout; one that
//!    crashes or prints something else is reported. Either way only this source is lost.
//!
//! With `watch` as third argument ([`watching`]) the child keeps the library open and answers each line that it reads, see
//! [`super::live`].
//!
//! The child exits with its parent: it watches its standard input, which closes when the parent ends.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::evidence::SourceAnswer;
use super::live::serve;
use super::sources;
use crate::machine::{GpuSource, SourceFailure};
use crate::platform::environment::{self, Environment};
use crate::platform::program;

/// The hidden argument.
const ARGUMENT: &str = "probe-gpus";
/// Set in the environment of a probe.
const INSIDE: &str = "ACOLYTE_INSIDE_PROBE";
/// Marks the line with the answer, because drivers may print to standard output too.
const MARK: &str = "ACOLYTE-PROBE ";
/// The hidden third argument of a child that is asked again and again.
const WATCH: &str = "watch";
/// Limit of the output in bytes, larger than any answer, because drivers may print a lot.
const MAX_BYTES: u64 = 4 << 20;
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
    reason = "printed to a developer who runs a probe by hand, with no foreign text in it"
)]
fn usage() {
    eprintln!("{ARGUMENT}: expected one of nvml, sysinfo, wgpu, dxgi");
}

/// If this process was started as a probe, answers and exits. Otherwise returns at once.
pub fn run_if_requested() {
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
    if args.next().is_some_and(|third| third == WATCH) {
        serve::memory_of(source, print_marked);
    }
    thread::spawn(end_with_parent);
    let printed = match source {
        GpuSource::Nvml => print_answer(&sources::nvml::query()),
        GpuSource::Sysinfo => print_answer(&sources::sysinfo_gpus::query()),
        GpuSource::Wgpu => print_answer(&sources::wgpu_adapters::query()),
        GpuSource::Dxgi => print_answer(&crate::hardware::system::dxgi_adapters()),
    };
    std::process::exit(i32::from(printed.is_err()));
}

fn print_answer<T: Serialize>(answer: &SourceAnswer<T>) -> std::io::Result<()> {
    print_marked(&serde_json::to_string(answer)?)
}

fn print_marked(json: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    // Start with a line break: a driver may have printed an incomplete line.
    write!(out, "\n{MARK}{json}\n")?;
    out.flush()
}

fn end_with_parent() {
    until_parent_ends();
    end_now();
}

/// Blocks until standard input closes: the parent is gone.
pub(crate) fn until_parent_ends() {
    let mut rest = Vec::new();
    // An end or an error means that the parent is gone.
    let _closed_or_broken = std::io::stdin().lock().read_to_end(&mut rest);
}

/// Aborts this process, because the driver may hold locks that exit needs.
pub(crate) fn end_now() {
    serve::abort()
}

/// Queries one source in a child process of the program at `path`, with variables added to its environment, for at most
/// `limit`.
pub fn query<T: DeserializeOwned>(
    path: &Path,
    environment: &[(OsString, OsString)],
    source: GpuSource,
    limit: Duration,
) -> SourceAnswer<T> {
    match probing(path, environment, source).and_then(|command| query_child(command, limit)) {
        Ok(answer) => answer,
        Err(why) => SourceAnswer::Failed(why),
    }
}

/// The command of a child that keeps the source open and answers each line on its standard input with a line that
/// [`marked`] recognises.
///
/// # Errors
/// [`SourceFailure::NotStarted`] inside a probe.
pub(super) fn watching(
    path: &Path,
    environment: &[(OsString, OsString)],
    source: GpuSource,
) -> Result<Command, SourceFailure> {
    let mut command = probing(path, environment, source)?;
    command.arg(WATCH);
    Ok(command)
}

fn probing(
    path: &Path,
    environment: &[(OsString, OsString)],
    source: GpuSource,
) -> Result<Command, SourceFailure> {
    // Prevents endless recursion by a program that does not know the argument and runs detection instead.
    if Environment::of_process().variable(INSIDE).is_some() {
        let message = "a probe cannot start another one".into();
        return Err(SourceFailure::NotStarted { message });
    }
    let mut command = program::command(path);
    let name = SOURCES.iter().find(|(_, known)| *known == source).map_or("", |(name, _)| name);
    command.arg(ARGUMENT).arg(name).env(INSIDE, "1");
    // Disable Vulkan layers of overlays and recorders, which a memory query does not need.
    command.env("VK_LOADER_LAYERS_DISABLE", "~implicit~");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

/// The answer in a line of a child's output, if it has one.
pub(super) fn marked(line: &[u8]) -> Option<String> {
    String::from_utf8_lossy(line).trim_end().strip_prefix(MARK).map(str::to_owned)
}

fn query_child<T: DeserializeOwned>(
    mut command: Command,
    limit: Duration,
) -> Result<SourceAnswer<T>, SourceFailure> {
    let deadline = Instant::now() + limit;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().map_err(|error| SourceFailure::NotStarted { message: error.to_string().into() })?;
    // Held open until the answer is there: the child exits when it closes.
    let stdin = child.stdin.take();
    let marked = child.stdout.take().map(marked_line);
    let errors = child.stderr.take().map(read_error_output);

    let answer = marked.map_or(Err(RecvTimeoutError::Disconnected), |line| {
        line.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    });
    drop(stdin);
    match answer {
        Ok(json) => {
            end(child);
            serde_json::from_str(&json)
                .map_err(|error| SourceFailure::InvalidAnswer { message: error.to_string().into() })
        }
        Err(RecvTimeoutError::Timeout) => {
            end(child);
            Err(SourceFailure::Timeout { seconds: limit.as_secs_f64() })
        }
        Err(RecvTimeoutError::Disconnected) => {
            // It closed its output without an answer, so it has exited or is about to.
            let error_output = errors.and_then(|words| {
                words.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
            });
            let _already_ended = child.kill();
            let status = child
                .wait()
                .map_err(|error| SourceFailure::EndedWithoutAnswer { message: error.to_string().into() })?;
            Err(crash_report(status, error_output.as_deref().unwrap_or_default()))
        }
    }
}

/// Kills the child and reaps it in the background: a process stuck in a driver may never end.
pub(super) fn end(mut child: Child) {
    let _already_ended = child.kill();
    thread::spawn(move || child.wait());
}

/// Reads on a separate thread up to the marked line and sends it. Without such a line the channel is closed.
fn marked_line(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout.take(MAX_BYTES));
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if let Some(json) = marked(&line) {
                // The receiver is gone after a timeout.
                let _too_late = send.send(json);
                return;
            }
            line.clear();
        }
    });
    receive
}

/// Reads to the end on a separate thread.
fn read_error_output(stderr: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let _what_came_counts = stderr.take(MAX_BYTES).read_to_end(&mut output);
        let _too_late = send.send(String::from_utf8_lossy(&output).trim().to_owned());
    });
    receive
}

fn crash_report(status: ExitStatus, errors: &str) -> SourceFailure {
    let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let message = last.trim().chars().take(STDERR_KEPT).collect::<String>().into();
    match status.code() {
        Some(0) => SourceFailure::EndedWithoutAnswer { message },
        _ => SourceFailure::Crashed { status: status.to_string().into(), message },
    }
}
