//! What a copy of this program does when a login entry calls it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::control::Control;
use crate::install::Paths;
use crate::install::login_copy;
use crate::install::login_entry::{KEEP_LOG, START_SERVER};
use crate::install::manage::installation;
use crate::install::state::home;
use crate::ollama::server::{is_server_variable, rotate_while_running};
use crate::platform::environment::{self, Environment};
use crate::platform::program;
use crate::untrusted::escaped;

/// If a login entry called this program, does what its arguments say and exits: starts the server of a home, or rotates
/// its log and then replaces itself with the named program, if any. Must be the first call of `main`.
pub fn run_if_asked() {
    let mut arguments = environment::arguments().skip(1);
    let (command, home) = (arguments.next(), arguments.next().map(PathBuf::from));
    let home = home.or_else(|| login_copy::home_of_copy().filter(|_| cfg!(windows)));
    let (Some(command), Some(home)) = (command, home) else { return };
    let outcome = if command == START_SERVER {
        installation::start(&home, &Control::new()).map(drop).map_err(|error| error.to_string())
    } else if command == KEEP_LOG {
        keep_log(&Paths::new(&home), arguments)
    } else {
        return;
    };
    if let Err(error) = &outcome {
        say(error);
    }
    std::process::exit(i32::from(outcome.is_err()));
}

/// The system has opened the log already, so it is truncated and not renamed. Returns only if there is no program to
/// replace this one, or when that cannot be started.
fn keep_log(paths: &Paths, mut program: impl Iterator<Item = OsString>) -> Result<(), String> {
    home::require_ours(paths).map_err(|error| error.to_string())?;
    let log = paths.server_log();
    if let Err(error) = rotate_while_running(&log) {
        // The server matters more than its log.
        say(&format!("{}: {error}", log.display()));
    }
    let Some(next) = program.next() else { return Ok(()) };
    let mut command = program::command(&next);
    // Variables that `launchctl setenv` and the like set for every agent are not passed to the server.
    let ours = Environment::of_process().variables();
    let of_server = ours.into_iter().filter(|(name, value)| is_server_variable(name) && !value.is_empty());
    command.args(program).env_clear().envs(of_server);
    Err(format!("{}: {}", next.display(), become_program(command)))
}

/// Prints to standard error, which the program that starts entries at login logs.
#[expect(clippy::print_stderr, reason = "no command of ours runs, and the text is escaped")]
fn say(error: &str) {
    eprintln!("acolyte: {}", escaped(error));
}

#[cfg(unix)]
fn become_program(mut command: std::process::Command) -> std::io::Error {
    use std::os::unix::process::CommandExt as _;
    command.exec()
}

/// Only launchd asks for this.
#[cfg(not(unix))]
fn become_program(_command: std::process::Command) -> std::io::Error {
    std::io::ErrorKind::Unsupported.into()
}
