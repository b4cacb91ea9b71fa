//! Processes that end with their test, however it ends. Every wait has a timeout, and no program such as `kill` is
//! needed.

#![allow(dead_code, reason = "each test program uses its own share of this")]

use std::borrow::BorrowMut;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Timeout of every wait, long enough for a slow and busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How often a child is polled: the standard library has no wait with a timeout.
const POLL: Duration = Duration::from_millis(20);

/// A child that is killed when this is dropped.
pub struct Guarded(pub Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Guarded {
    /// Waits for its end; `None` when it still runs after [`PATIENCE`].
    pub fn wait(&mut self) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("a child can be waited for") {
                return Some(status);
            }
            if began.elapsed() > PATIENCE {
                return None;
            }
            std::thread::sleep(POLL);
        }
    }

    /// The first line of its standard output, which must be piped.
    pub fn first_line(&mut self) -> String {
        let stdout = self.0.stdout.take().expect("a pipe");
        let (sender, line) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // A broken pipe yields an empty line.
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(line);
        });
        line.recv_timeout(PATIENCE).expect("it says a first line").trim().to_owned()
    }
}

/// Runs a command to its end, without standard input, and returns what it printed.
///
/// Panics when it cannot be started or does not end within [`PATIENCE`].
pub fn output(mut command: impl BorrowMut<Command>) -> Output {
    let command = command.borrow_mut().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    end_of(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// A launcher such as `sh -c …` with a command behind it, in the command's environment and without standard input.
pub fn launched_by(mut launcher: Command, command: &Command) -> Command {
    launcher.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => launcher.env(name, value),
            None => launcher.env_remove(name),
        };
    }
    launcher
}

/// Waits for a child's end and returns what it printed into its pipes.
///
/// Panics when it does not end within [`PATIENCE`].
pub fn end_of(mut child: Child) -> Output {
    let stdout = child.stdout.take().map(read_all);
    let stderr = child.stderr.take().map(read_all);
    let printed = |pipe: Option<JoinHandle<Vec<u8>>>| pipe.and_then(|it| it.join().ok()).unwrap_or_default();
    let mut child = Guarded(child);
    let Some(status) = child.wait() else {
        drop(child);
        panic!("it did not end; it said: {}", String::from_utf8_lossy(&printed(stderr)));
    };
    Output { status, stdout: printed(stdout), stderr: printed(stderr) }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // Keep what was read before an error.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// The signals that tests send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
    /// A crash.
    Abort,
}

/// Sends a signal to one of our processes. Returns whether the process existed.
#[cfg(unix)]
pub fn signal(process: u32, signal: Signal) -> bool {
    let signal = match signal {
        Signal::Interrupt => rustix::process::Signal::INT,
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
        Signal::Abort => rustix::process::Signal::ABORT,
    };
    let process = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    process.is_some_and(|process| rustix::process::kill_process(process, signal).is_ok())
}

/// Windows can only terminate a process.
#[cfg(not(unix))]
pub fn signal(process: u32, signal: Signal) -> bool {
    use acolyte::platform::process::{identify, kill};
    signal == Signal::Kill && identify(process).is_some_and(|process| kill(process).is_ok())
}

/// When dropped, kills every process whose program is under a folder: servers and runners left behind by a failed test.
pub struct KillsBelow(pub PathBuf);

impl Drop for KillsBelow {
    fn drop(&mut self) {
        for process in below(&self.0) {
            signal(process, Signal::Kill);
        }
    }
}

/// Ids of the processes whose program is under a folder (Linux; none elsewhere).
pub fn below(folder: &Path) -> Vec<u32> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let process: u32 = entry.file_name().to_str()?.parse().ok()?;
            let program = std::fs::read_link(entry.path().join("exe")).ok()?;
            program.starts_with(&folder).then_some(process)
        })
        .collect()
}
