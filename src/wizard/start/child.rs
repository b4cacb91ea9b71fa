//! The window in a process of its own: how it is started, and what the two say to each other.
//!
//! The child is our own program with the hidden arguments `show-window DRAWING` before the others. It writes marked
//! lines of JSON to its standard output, for drivers print there, too; on its standard input nothing comes, and its
//! end tells the child that its parent is gone.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::window::{self, OpenError};
use super::{Drawing, FIRST_FRAME_LIMIT, StartError, WizardOptions};
use crate::hardware::probe;

/// The hidden argument.
const ARGUMENT: &str = "show-window";
/// Begins the lines that count.
const MARK: &str = "ACOLYTE-WINDOW ";
/// How long a driver may take to be unloaded once the window is closed.
const UNLOAD_LIMIT: Duration = Duration::from_secs(5);

/// What the child says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Word {
    /// The renderer is loaded now.
    Opening,
    /// The first frame was handed to the display.
    Shown,
    /// The display cannot be reached.
    NoConnection(String),
    /// The window could not be opened or kept open.
    Failed(String),
    /// The window was closed, or there was a reason not to open it; the exit code.
    Ended(u8),
}

/// What came of a child.
pub(super) enum End {
    /// It ended by itself, with this exit code.
    Closed(u8),
    /// Nothing was ever shown.
    NotOpened(OpenError),
    /// Something was shown, and then it crashed.
    Stopped(String),
}

/// In the child: what it is to draw with.
#[derive(Clone, Copy, Debug)]
pub struct Showing(Drawing);

impl Showing {
    /// Takes our hidden arguments out of a command line; `None` when they are not there.
    pub fn of(arguments: &mut Vec<OsString>) -> Option<Self> {
        if arguments.get(1)? != ARGUMENT {
            return None;
        }
        let drawing = Drawing::named(arguments.get(2)?.to_str()?)?;
        arguments.drain(1..3);
        thread::spawn(probe::end_with_parent);
        Some(Self(drawing))
    }

    /// Opens the window on the main thread and stays until it is closed. Failures are told to the parent, who decides
    /// what is done about them.
    ///
    /// # Errors
    /// When there is no window (any more).
    pub fn show(self, options: &WizardOptions) -> Result<(), StartError> {
        say(&Word::Opening);
        window::open(self.0, options, &mut |word| say(&word)).map_err(|error| match error {
            OpenError::NoConnection(why) => {
                say(&Word::NoConnection(why.clone()));
                StartError::NoRenderer(why)
            }
            OpenError::Failed(why) => {
                say(&Word::Failed(why.clone()));
                StartError::NoRenderer(why)
            }
        })
    }

    /// Tells that this process ends with this code, for a reason that has nothing to do with windows.
    pub fn ended(self, code: u8) {
        say(&Word::Ended(code));
    }
}

fn say(word: &Word) {
    let Ok(json) = serde_json::to_string(word) else { return };
    let mut out = std::io::stdout().lock();
    // The line break first: a driver may have left half a line. A parent that is gone needs no answer.
    let _nobody_listens = write!(out, "\n{MARK}{json}\n").and_then(|()| out.flush());
}

/// Starts a child and listens to it until it has ended, or has taken too long to show anything.
pub(super) fn try_drawing(drawing: Drawing, only_x11: bool, arguments: &[OsString]) -> End {
    let failed = |why: String| End::NotOpened(OpenError::Failed(why));
    let mut child = match spawn(drawing, only_x11, arguments) {
        Ok(child) => child,
        Err(error) => return failed(format!("its process could not be started: {error}")),
    };
    // Held open as long as we live.
    let _stdin = child.stdin.take();
    let Some(words) = child.stdout.take().map(words) else { return failed("it cannot be heard".to_owned()) };
    let (mut shown, mut deadline) = (false, None);
    loop {
        match next(&words, deadline) {
            Ok(Word::Opening) => deadline = Some(Instant::now() + FIRST_FRAME_LIMIT),
            Ok(Word::Shown) => (shown, deadline) = (true, None),
            Ok(Word::Ended(code)) => {
                // Whatever a driver does while it is unloaded: the window was closed as it should.
                if next(&words, Some(Instant::now() + UNLOAD_LIMIT)) == Err(RecvTimeoutError::Timeout) {
                    let _already_ended = child.kill();
                }
                let _status_does_not_matter = child.wait();
                return End::Closed(code);
            }
            Ok(Word::NoConnection(why)) if !shown => {
                let _ends_by_itself = child.wait();
                return End::NotOpened(OpenError::NoConnection(why));
            }
            Ok(Word::NoConnection(why) | Word::Failed(why)) => {
                let _ends_by_itself = child.wait();
                return if shown { End::Stopped(why) } else { failed(why) };
            }
            Err(RecvTimeoutError::Timeout) => {
                let _already_ended = child.kill();
                // Without waiting: a process that is stuck in a driver may take for ever to die.
                thread::spawn(move || child.wait());
                return failed(format!("nothing was drawn within {} s", FIRST_FRAME_LIMIT.as_secs()));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let why = crash(child.wait());
                return if shown { End::Stopped(why) } else { failed(why) };
            }
        }
    }
}

fn spawn(drawing: Drawing, only_x11: bool, arguments: &[OsString]) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT).arg(drawing.name()).args(arguments);
    if only_x11 {
        command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
}

fn next(words: &Receiver<Word>, deadline: Option<Instant>) -> Result<Word, RecvTimeoutError> {
    match deadline {
        Some(at) => words.recv_timeout(at.saturating_duration_since(Instant::now())),
        None => words.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// Reads on a thread of its own for as long as the child lives, so that nothing it prints can block it.
fn words(stdout: impl Read + Send + 'static) -> Receiver<Word> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            let json = text.trim_end().strip_prefix(MARK);
            if let Some(word) = json.and_then(|json| serde_json::from_str(json).ok()) {
                // Nobody listens any more when the time was over.
                let _too_late = send.send(word);
            }
            line.clear();
        }
    });
    receive
}

fn crash(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("it crashed ({status})"),
        Err(error) => format!("its process was lost: {error}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_drivers_print_is_no_word() {
        let said = format!(
            "MESA: warning\nhalf a line\n{MARK}\"Opening\"\n{MARK}nonsense\n\n{MARK}{{\"Failed\":\"a\\nb\"}}\n"
        );
        let heard: Vec<Word> = words(std::io::Cursor::new(said)).iter().collect();
        assert_eq!(heard, [Word::Opening, Word::Failed("a\nb".to_owned())]);
    }

    #[test]
    fn only_our_own_arguments_are_taken_out() {
        let line = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for usual in [&["x"][..], &["x", "--lang", "en"], &["x", ARGUMENT], &["x", ARGUMENT, "teletype"]] {
            let mut arguments = line(usual);
            assert!(Showing::of(&mut arguments).is_none());
            assert_eq!(arguments, line(usual));
        }
    }
}
