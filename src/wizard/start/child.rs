//! The window in its own process: starting it, reading its messages, and the child's side.
//!
//! The child is our own program with the hidden arguments `show-window RENDERER` before the others. It reports by the
//! [`protocol`](super::protocol). Nothing is written to its standard input; the child ends when that is closed before the
//! window is shown. Then it leaves the terminal, so that neither Ctrl-C nor closing the terminal ends it.

use std::ffi::OsString;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{OpenError, StartError};
use super::protocol::{ChildMessage, messages, tell_parent};
use super::renderers::RendererChoice;
use super::window;
use crate::hardware::probe;
use crate::platform::environment::own_program;
use crate::platform::program;
use crate::platform::{leave_terminal, let_come_to_front};
use crate::wizard::options::WizardOptions;

/// The hidden argument.
const ARGUMENT: &str = "show-window";
/// Timeout for the first frame. Software rendering on a slow processor takes a few seconds.
pub const FIRST_FRAME_LIMIT: Duration = Duration::from_secs(20);
/// Timeout for unloading the driver after the window is closed.
const UNLOAD_LIMIT: Duration = Duration::from_secs(5);

/// How a child ended.
pub(super) enum ChildEnd {
    /// The window was closed; the exit code.
    Closed(u8),
    /// It showed nothing.
    NotOpened(OpenError),
    /// It showed a frame and then crashed.
    Stopped(String),
}

/// In the child: the renderer it opens the window with.
#[derive(Clone, Copy, Debug)]
pub struct WindowChild(RendererChoice);

impl WindowChild {
    /// Takes our hidden arguments out of a command line; `None` when they are not there.
    pub fn from_arguments(arguments: &mut Vec<OsString>) -> Option<Self> {
        if arguments.get(1)? != ARGUMENT {
            return None;
        }
        let renderer = RendererChoice::from_argument(arguments.get(2)?.to_str()?)?;
        arguments.drain(1..3);
        thread::spawn(end_with_parent_until_shown);
        Some(Self(renderer))
    }

    /// Opens the window on the main thread, and returns when it is closed. Reports failures to the parent, which handles
    /// them.
    ///
    /// # Errors
    /// When the window could not be opened, or not be kept open.
    pub fn show(self, options: &WizardOptions) -> Result<(), StartError> {
        tell_parent(&ChildMessage::Opening);
        let mut report = |message| {
            if message == ChildMessage::Shown {
                SHOWN.store(true, Ordering::SeqCst);
                leave_terminal();
            }
            tell_parent(&message);
        };
        window::open(self.0, options, &mut report).map_err(|error| {
            let why = error.to_string();
            tell_parent(&match error {
                OpenError::NoConnection(why) => ChildMessage::NoConnection(why),
                OpenError::Failed(why) => ChildMessage::Failed(why),
            });
            StartError::NoRenderer(why)
        })
    }

    /// Reports this exit code to the parent, for a failure that has nothing to do with the window.
    pub fn ended(self, code: u8) {
        tell_parent(&ChildMessage::Ended(code));
    }
}

/// Whether the window was shown. From then on it is the user's: it stays when the terminal that started it is closed.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Ends this process with the one that started it, before the window is shown: a driver may hang.
fn end_with_parent_until_shown() {
    probe::until_parent_ends();
    if !SHOWN.load(Ordering::SeqCst) {
        probe::end_now();
    }
}

/// Starts a child, and reads its messages until it ends or the first frame times out.
pub(super) fn try_renderer(renderer: RendererChoice, only_x11: bool, arguments: &[OsString]) -> ChildEnd {
    let failed = |why: String| ChildEnd::NotOpened(OpenError::Failed(why));
    let mut child = match spawn(renderer, only_x11, arguments) {
        Ok(child) => child,
        Err(error) => return failed(format!("its process could not be started: {error}")),
    };
    // Stays open as long as this process lives.
    let _stdin = child.stdin.take();
    let Some(messages) = child.stdout.take().map(messages) else {
        return failed("its output cannot be read".to_owned());
    };
    let (mut shown, mut deadline) = (false, None);
    loop {
        match next(&messages, deadline) {
            Ok(ChildMessage::Opening) => deadline = Some(Instant::now() + FIRST_FRAME_LIMIT),
            Ok(ChildMessage::Shown) => (shown, deadline) = (true, None),
            Ok(ChildMessage::Ended(code)) => {
                // The window was closed normally; ignore what the driver does while it unloads.
                if next(&messages, Some(Instant::now() + UNLOAD_LIMIT)) == Err(RecvTimeoutError::Timeout) {
                    let _already_ended = child.kill();
                }
                let _status_does_not_matter = child.wait();
                return ChildEnd::Closed(code);
            }
            Ok(ChildMessage::NoConnection(why)) if !shown => {
                let _ends_by_itself = child.wait();
                return ChildEnd::NotOpened(OpenError::NoConnection(why));
            }
            Ok(ChildMessage::NoConnection(why) | ChildMessage::Failed(why)) => {
                let _ends_by_itself = child.wait();
                return if shown { ChildEnd::Stopped(why) } else { failed(why) };
            }
            Err(RecvTimeoutError::Timeout) => {
                let _already_ended = child.kill();
                // Not waited for here: a process that hangs in a driver may never end.
                thread::spawn(move || child.wait());
                return failed(format!("no frame was drawn within {} s", FIRST_FRAME_LIMIT.as_secs()));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let why = crash(child.wait());
                return if shown { ChildEnd::Stopped(why) } else { failed(why) };
            }
        }
    }
}

fn spawn(renderer: RendererChoice, only_x11: bool, arguments: &[OsString]) -> std::io::Result<Child> {
    let mut command = program::command(own_program()?);
    #[cfg(unix)]
    if let Some(name) = crate::platform::environment::arguments().next() {
        // As it was called, for lists of processes.
        std::os::unix::process::CommandExt::arg0(&mut command, name);
    }
    command.arg(ARGUMENT).arg(renderer.argument()).args(arguments);
    if only_x11 {
        command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    }
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let_come_to_front(child.id());
    Ok(child)
}

fn next(
    messages: &Receiver<ChildMessage>,
    deadline: Option<Instant>,
) -> Result<ChildMessage, RecvTimeoutError> {
    match deadline {
        Some(at) => messages.recv_timeout(at.saturating_duration_since(Instant::now())),
        None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

fn crash(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("it crashed ({status})"),
        Err(error) => format!("its process was lost: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_arguments_are_taken_out() {
        let line = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for usual in [&["x"][..], &["x", "--lang", "en"], &["x", ARGUMENT], &["x", ARGUMENT, "teletype"]] {
            let mut arguments = line(usual);
            assert!(WindowChild::from_arguments(&mut arguments).is_none());
            assert_eq!(arguments, line(usual));
        }
    }
}
