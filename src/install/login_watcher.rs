//! The watcher of graphics memory: its entry at login, and its process.
//!
//! It is a copy of this program with the argument `watch`, which notifies on the desktop when a card is nearly full. Desktop
//! sessions start it: on Linux an XDG autostart file, because a service of the user manager may run without a desktop.

use std::path::PathBuf;
use std::time::Duration;

use crate::install::login_copy::{arguments, copy_path, is_ours, owner};
use crate::install::{InstallError, Paths};
use crate::platform::detached::DetachedProgram;
use crate::platform::files;
use crate::platform::login::{AutostartMethod, LoginEntry};
use crate::platform::process::{self, RunningProcess};

/// First argument of the copy of this program: watch the graphics memory.
pub const WATCH: &str = "watch";
/// Grace period before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Creates or replaces the entry, and starts the watcher now.
///
/// # Errors
/// When the entry cannot be written or the watcher cannot be started.
pub fn install(paths: &Paths, program: PathBuf) -> Result<(), InstallError> {
    stop(paths)?;
    let method = AutostartMethod::of_watcher(&owner(paths))?;
    let entry = LoginEntry {
        description: format!("ACOLYTE watcher of graphics memory ({})", paths.id()),
        program: program.clone(),
        args: arguments(WATCH, paths),
        ..LoginEntry::default()
    };
    method.install(&entry)?;
    if method.kind().supervises() {
        return Ok(method.start()?);
    }
    let start = || DetachedProgram::silent(program.clone(), entry.args.clone())?.start();
    start().map(drop).map_err(|error| files::reading(&program)(error).into())
}

/// Removes the entry of this home, and stops the watcher.
///
/// # Errors
/// When the entry cannot be removed or the process does not end.
pub fn remove(paths: &Paths) -> Result<(), InstallError> {
    let method = AutostartMethod::of_watcher(&owner(paths))?;
    if is_ours(&method, paths) {
        method.remove()?;
    }
    stop(paths)
}

/// Whether this home has the entry.
pub fn is_installed(paths: &Paths) -> bool {
    AutostartMethod::of_watcher(&owner(paths)).is_ok_and(|method| is_ours(&method, paths))
}

/// Where the entry of this home is: a file, or a registry value.
pub fn place(paths: &Paths) -> Option<String> {
    AutostartMethod::of_watcher(&owner(paths))
        .ok()
        .filter(|method| is_ours(method, paths))
        .map(|method| method.place())
}

/// The folder of the entry; `None` where it is no file.
///
/// # Errors
/// When the user's folder for such entries is unknown.
pub fn folder(paths: &Paths) -> Result<Option<PathBuf>, InstallError> {
    Ok(AutostartMethod::of_watcher(&owner(paths))?.file().and_then(|file| file.parent().map(PathBuf::from)))
}

/// Stops every watcher of this home but the process that calls.
///
/// # Errors
/// When one does not end.
pub fn stop(paths: &Paths) -> Result<(), InstallError> {
    for watcher in running(paths).iter().filter(|found| found.identity.pid != std::process::id()) {
        process::stop(watcher.identity, STOP_GRACE).map_err(crate::ollama::server::ServerError::from)?;
    }
    Ok(())
}

fn running(paths: &Paths) -> Vec<RunningProcess> {
    let of_ours = process::find_by_exe(&copy_path(paths)).into_iter();
    of_ours.filter(|found| found.command_line.get(1).is_some_and(|argument| argument == WATCH)).collect()
}
