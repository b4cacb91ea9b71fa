//! Starts other programs: [`command`] creates all commands, [`run`] runs a system tool with a timeout.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::process;

/// Limit of the output in bytes; the rest is discarded.
const MAX_BYTES: u64 = 4 << 20;

/// The output and exit status of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramOutput {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Error output; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

/// Why a tool has no output.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It could not be started or waited for.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It timed out and was killed.
    #[error("no answer within {} s", .limit.as_secs_f64())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
}

/// A command, without a console window on Windows.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes commands")]
    let mut command = Command::new(program);
    super::hide_console(&mut command);
    command
}

/// Runs a tool without input until it has ended and closed its outputs. Blocks for at most `limit`.
///
/// # Errors
/// If it cannot be started, or takes longer; it is then killed.
pub fn run(mut command: Command, limit: Duration) -> Result<ProgramOutput, ProgramError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let identity = process::identify(child.id());
    let stdout = child.stdout.take();
    let stderr = child.stderr.take().map(|pipe| thread::spawn(move || read_to_end(pipe)));
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let stdout = stdout.map(read_to_end).unwrap_or_default();
        let stderr = stderr.and_then(|reader| reader.join().ok()).unwrap_or_default();
        // The receiver is dropped after the timeout.
        let _too_late = send.send(child.wait().map(|status| ProgramOutput { status, stdout, stderr }));
    });
    match receive.recv_timeout(limit) {
        Ok(output) => Ok(output?),
        Err(_) => {
            if let Some(identity) = identity
                && let Err(error) = process::kill_tree(identity)
            {
                tracing::warn!(%error, program = ?command.get_program(), "a hanging program cannot be killed");
            }
            Err(ProgramError::TimedOut { limit })
        }
    }
}

fn read_to_end(pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // Output before a read error is kept.
    let _broken = pipe.take(MAX_BYTES).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str) -> Command {
        let mut shell = command("/bin/sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn both_outputs_and_the_status_are_returned() {
        let output = run(shell("echo out; echo err >&2; exit 3"), Duration::from_secs(10)).unwrap();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_hanging_program_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let begun = Instant::now();
        let script = format!("sleep 60 & echo $! > '{}'; wait", pid_file.display());
        let outcome = run(shell(&script), Duration::from_millis(500));
        assert!(matches!(outcome, Err(ProgramError::TimedOut { .. })), "{outcome:?}");
        assert!(begun.elapsed() < Duration::from_secs(30));
        let pid = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
        let child = process::identify(pid);
        let gone = child.is_none_or(|child| process::wait_until_gone(&[child], Duration::from_secs(10)));
        assert!(gone, "its child still runs");
    }

    #[test]
    fn a_missing_program_is_a_system_error() {
        let outcome = run(command("/nowhere/tool"), Duration::from_secs(10));
        assert!(matches!(outcome, Err(ProgramError::System(_))), "{outcome:?}");
    }
}
