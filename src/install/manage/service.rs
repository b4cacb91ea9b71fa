//! The server among the things started at login, and under the system's service manager where there is one.
//!
//! Where the system itself watches the program (a systemd user unit, a LaunchAgent) that entry owns the server: it is
//! started and stopped through it, so that there are never two. It writes the server's log itself, so before each start a
//! copy of this program looks after that (`keep-log`): also a server that crashes again and again fills no disk.
//! Elsewhere (XDG autostart, the Run key of Windows) the entry calls a copy of this program, which starts the server as
//! the installation did; such an entry could carry neither the log nor, on Windows, the environment.
//!
//! A person has one such entry, but may have several homes: an entry that belongs to another home is left alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::control::Control;
use crate::install::{InstallError, Paths, manage};
use crate::ollama::server::{Launch, rotate_while_running};
use crate::platform::files;
use crate::platform::login::{LoginEntry, LoginError, Means};

/// The first argument with which an entry calls a copy of this program to start the server.
const START_SERVER: &str = "start-server";
/// The same to have the server's log looked after before the system starts the server itself.
const KEEP_LOG: &str = "keep-log";

/// Settings of the engine that a session may carry and that must not reach our server. Ours are set, not unset.
const FOREIGN_SETTINGS: &[&str] = &[
    "OLLAMA_CONTEXT_LENGTH",
    "OLLAMA_DEBUG",
    "OLLAMA_GPU_OVERHEAD",
    "OLLAMA_IGPU_ENABLE",
    "OLLAMA_KEEP_ALIVE",
    "OLLAMA_LLM_LIBRARY",
    "OLLAMA_LOAD_TIMEOUT",
    "OLLAMA_MAX_LOADED_MODELS",
    "OLLAMA_MAX_QUEUE",
    "OLLAMA_ORIGINS",
    "OLLAMA_SCHED_SPREAD",
    "OLLAMA_VULKAN",
    "LD_PRELOAD",
];

/// Whether the system watches the server of this home right now.
pub fn supervises(paths: &Paths) -> Result<bool, InstallError> {
    let means = means()?;
    Ok(is_ours(&means, paths) && means.is_running() == Some(true))
}

/// Whether the system would watch the server of this home if it started it.
pub fn would_supervise(paths: &Paths) -> Result<bool, InstallError> {
    let means = means()?;
    Ok(is_ours(&means, paths) && means.kind().supervises())
}

/// Makes or replaces the entry. Nothing is started before the next login.
pub fn install(paths: &Paths, launch: &Launch) -> Result<(), InstallError> {
    let means = means()?;
    let entry = if means.kind().carries_log() {
        let unset = FOREIGN_SETTINGS.iter().map(|name| (*name).to_owned()).collect();
        LoginEntry {
            description: description(paths),
            program: launch.program.clone(),
            args: vec!["serve".to_owned()],
            before: vec![
                copy_of_us(paths)?.display().to_string(),
                KEEP_LOG.to_owned(),
                paths.home().display().to_string(),
            ],
            environment: as_text(launch.environment_here())?,
            unset,
            log: Some(launch.log.clone()),
        }
    } else {
        LoginEntry {
            description: description(paths),
            program: copy_of_us(paths)?,
            args: vec![START_SERVER.to_owned(), paths.home().display().to_string()],
            ..LoginEntry::default()
        }
    };
    Ok(means.install(&entry).map(drop)?)
}

/// An entry is a text file: it cannot hold a value that is not UTF-8.
fn as_text(environment: BTreeMap<String, OsString>) -> Result<BTreeMap<String, String>, LoginError> {
    let text = |value: OsString| {
        value
            .into_string()
            .map_err(|value| LoginError::Unrepresentable { value: value.display().to_string() })
    };
    environment.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect()
}

/// Has the system start the server of this home; false where the system does not watch it.
pub fn start(paths: &Paths) -> Result<bool, InstallError> {
    if !would_supervise(paths)? {
        return Ok(false);
    }
    Ok(means()?.start().map(|()| true)?)
}

/// Has the system stop the server of this home, where the system watches it.
pub fn stop(paths: &Paths) -> Result<(), InstallError> {
    let means = means()?;
    if is_ours(&means, paths) && means.is_running() == Some(true) {
        means.stop()?;
    }
    Ok(())
}

/// Removes the entry of this home, whatever means it was made by, and stops the server the system started by it.
pub fn remove(paths: &Paths) -> Result<(), InstallError> {
    // A service manager that does not answer now may have answered when the entry was made.
    for means in Means::all_of_system()? {
        if is_ours(&means, paths) {
            means.remove()?;
        }
    }
    Ok(())
}

/// The copy of this program that an entry calls.
pub fn copy_path(paths: &Paths) -> PathBuf {
    paths.programs().join(if cfg!(windows) { "acolyte-at-login.exe" } else { "acolyte-at-login" })
}

/// Does what a login entry asks of a copy of this program, and ends the program then: starts the server of a home, or
/// keeps its log from growing for ever and becomes the program that is named behind it, if any. Must be the first thing
/// a program of ours does.
pub fn run_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    let (asked, home) = (arguments.next(), arguments.next().map(PathBuf::from));
    let (Some(asked), Some(home)) = (asked, home) else { return };
    let outcome = if asked == START_SERVER {
        manage::start(&home, &Control::new()).map(drop).map_err(|error| error.to_string())
    } else if asked == KEEP_LOG {
        keep_log(&Paths::new(&home), arguments)
    } else {
        return;
    };
    if let Err(error) = &outcome {
        eprintln!("acolyte: {error}");
    }
    std::process::exit(i32::from(outcome.is_err()));
}

/// The system has opened the log already, so it is cut and not renamed. Comes back only without a program to become, or
/// when that cannot be started.
fn keep_log(paths: &Paths, mut program: impl Iterator<Item = OsString>) -> Result<(), String> {
    let log = paths.server_log();
    if let Err(error) = rotate_while_running(&log) {
        // The server matters more than its log.
        eprintln!("acolyte: {}: {error}", log.display());
    }
    let Some(next) = program.next() else { return Ok(()) };
    let mut command = std::process::Command::new(&next);
    command.args(program);
    Err(format!("{}: {}", next.display(), become_program(command)))
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

fn means() -> Result<Means, InstallError> {
    Ok(Means::of_system()?)
}

/// Every entry says in its description whose it is.
fn description(paths: &Paths) -> String {
    format!("ACOLYTE model server ({})", mark(paths))
}

/// A short name of a home that no format of an entry has to escape.
fn mark(paths: &Paths) -> String {
    let hash = Sha256::digest(paths.home().as_os_str().as_encoded_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn is_ours(means: &Means, paths: &Paths) -> bool {
    means.is_installed()
        && match means.file() {
            // An entry that cannot be read cannot be told to be somebody else's.
            Some(file) => std::fs::read_to_string(file).map_or(true, |entry| entry.contains(&mark(paths))),
            None => true,
        }
}

fn copy_of_us(paths: &Paths) -> Result<PathBuf, InstallError> {
    let copy = copy_path(paths);
    files::create_folders(&paths.programs())?;
    let us = std::env::current_exe().map_err(files::reading(Path::new("current_exe")))?;
    if us != copy && !same_contents(&us, &copy) {
        files::remove_file(&copy)?;
        // A second name of the same file costs nothing; on another disk, or where that is not allowed, a copy does.
        if std::fs::hard_link(&us, &copy).is_err() {
            std::fs::copy(&us, &copy).map_err(files::writing(&copy))?;
            files::sync_file(&copy)?;
        }
    }
    Ok(copy)
}

fn same_contents(us: &Path, copy: &Path) -> bool {
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    stamp(us).is_some_and(|stamp_of_us| stamp(copy) == Some(stamp_of_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_told_apart() {
        let (a, b) = (Paths::new(Path::new("/home/x/.acolyte")), Paths::new(Path::new("/srv/acolyte")));
        assert_ne!(mark(&a), mark(&b));
        assert_eq!(mark(&a), mark(&Paths::new(Path::new("/home/x/.acolyte"))));
        assert!(description(&a).contains(&mark(&a)));
    }
}
