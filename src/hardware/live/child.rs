//! The parent's side of a child that keeps a driver's library open ([`super::serve`]). The driver is loaded once, not at
//! every look; one that crashes or hangs costs only this child, which is started again at a later look.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::hardware::evidence::SourceAnswer;
use crate::hardware::probe;
use crate::machine::{GpuSource, SourceFailure};

/// Longest line of a child's output in bytes; the longest answer is far shorter.
const MAX_LINE_BYTES: u64 = 4 << 20;
/// Shortest time between two starts of a child that failed; doubled at each failure up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// A source that is asked again and again.
#[derive(Debug)]
pub struct WatchedSource {
    source: GpuSource,
    program: Result<PathBuf, SourceFailure>,
    environment: Vec<(OsString, OsString)>,
    limit: Duration,
    running: Option<RunningChild>,
    failed: Option<Failed>,
}

#[derive(Debug)]
struct RunningChild {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
}

/// The last failure, and until when no child is started.
#[derive(Debug)]
struct Failed {
    why: SourceFailure,
    until: Instant,
    pause: Duration,
}

impl WatchedSource {
    /// Starts nothing before the first question. `limit` is the timeout of an answer.
    pub fn new(
        source: GpuSource,
        program: Result<PathBuf, SourceFailure>,
        environment: Vec<(OsString, OsString)>,
        limit: Duration,
    ) -> Self {
        Self { source, program, environment, limit, running: None, failed: None }
    }

    /// Asks for the memory now. Blocks until the child answers, at most the limit.
    pub fn ask<T: DeserializeOwned>(&mut self) -> SourceAnswer<T> {
        if let Some(failed) = self.failed.as_ref().filter(|failed| Instant::now() < failed.until) {
            return SourceAnswer::Failed(failed.why.clone());
        }
        match self.answer() {
            Ok(answer) => {
                self.failed = None;
                answer
            }
            Err(why) => {
                self.stop();
                let pause = self.failed.as_ref().map_or(FIRST_PAUSE, |failed| failed.pause * 2);
                let pause = pause.min(LONGEST_PAUSE);
                self.failed = Some(Failed { why: why.clone(), until: Instant::now() + pause, pause });
                SourceAnswer::Failed(why)
            }
        }
    }

    /// Ends the child, so that the driver can let the card sleep. The next question starts another one.
    pub fn stop(&mut self) {
        if let Some(RunningChild { child, .. }) = self.running.take() {
            probe::end(child);
        }
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<SourceAnswer<T>, SourceFailure> {
        if self.running.is_none() {
            self.running = Some(self.start()?);
        }
        let Some(running) = &mut self.running else { return Ok(SourceAnswer::NotQueried) };
        let ended = |message: String| SourceFailure::EndedWithoutAnswer { message: message.into() };
        let asked = running.stdin.write_all(b"\n").and_then(|()| running.stdin.flush());
        asked.map_err(|error| ended(error.to_string()))?;
        let json = running.answers.recv_timeout(self.limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => SourceFailure::Timeout { seconds: self.limit.as_secs_f64() },
            RecvTimeoutError::Disconnected => ended(String::new()),
        })?;
        serde_json::from_str(&json)
            .map_err(|error| SourceFailure::InvalidAnswer { message: error.to_string().into() })
    }

    fn start(&self) -> Result<RunningChild, SourceFailure> {
        let program = self.program.clone()?;
        let mut command = probe::watching(&program, &self.environment, self.source)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let not_started = |message: String| SourceFailure::NotStarted { message: message.into() };
        let mut child = command.spawn().map_err(|error| not_started(error.to_string()))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            probe::end(child);
            return Err(not_started("it has no pipes".to_owned()));
        };
        Ok(RunningChild { child, stdin, answers: marked_lines(stdout) })
    }
}

impl Drop for WatchedSource {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads answers on a separate thread until the output ends.
fn marked_lines(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = sync_channel(1);
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        while (&mut lines).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if let Some(json) = probe::marked(&line)
                && send.send(json).is_err()
            {
                return;
            }
            line.clear();
        }
    });
    receive
}
