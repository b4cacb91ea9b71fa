//! Has a program started when the person logs in, by the system's own means, without administrator rights:
//!
//! | system | means | where |
//! |---|---|---|
//! | Linux with a systemd user manager that answers | user unit | `$XDG_CONFIG_HOME/systemd/user/acolyte-ollama.service` |
//! | other Linux | XDG autostart | `$XDG_CONFIG_HOME/autostart/acolyte-ollama.desktop` |
//! | macOS | LaunchAgent | `~/Library/LaunchAgents/com.acolyte.ollama.plist` |
//! | Windows | Run value | `HKCU\Software\Microsoft\Windows\CurrentVersion\Run` |
//!
//! Installing an entry takes effect at the next login and starts nothing now. Everything is undone by
//! [`Means::remove`]; [`remove_all`] removes whatever kind of entry is there, for an uninstall that knows nothing else.

pub mod autostart;
pub mod launch_agent;
#[cfg(windows)]
pub mod run_key;
pub mod systemd;
pub mod windows_command;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::say;
use crate::text::Text;

/// Name of the entry, where it is a file's or a unit's.
pub const NAME: &str = "acolyte-ollama";

/// What to start at login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginEntry {
    /// What it is, for lists of such entries.
    pub description: String,
    /// The program, an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// A program and its arguments that run to their end before each start, where the means supervises the program
    /// ([`Kind::supervises`]). Where the system runs one program only, it is called with the other one's words behind its
    /// own and must become that.
    pub before: Vec<String>,
    /// Set for it. See [`Kind::carries_environment`].
    pub environment: BTreeMap<String, String>,
    /// Names of variables of the session that must not reach it.
    pub unset: Vec<String>,
    /// Where its output goes, where the means can say so ([`Kind::carries_log`]).
    pub log: Option<PathBuf>,
}

/// By which means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A unit of the systemd user manager.
    SystemdUser,
    /// A desktop file that the session starts.
    Autostart,
    /// A launchd agent.
    LaunchAgent,
    /// A value under the user's Run key.
    RunKey,
}

impl Kind {
    /// Whether an entry can say which environment the program gets. A Run value cannot: there the program must be one
    /// of ours that sets it itself.
    pub fn carries_environment(self) -> bool {
        self != Self::RunKey
    }

    /// Whether an entry can say where the program's output goes.
    pub fn carries_log(self) -> bool {
        matches!(self, Self::SystemdUser | Self::LaunchAgent)
    }

    /// Whether the system itself can be asked to start, stop and watch the program.
    pub fn supervises(self) -> bool {
        matches!(self, Self::SystemdUser | Self::LaunchAgent)
    }
}

/// What an entry changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The means.
    pub kind: Kind,
    /// The file or registry value that holds the entry.
    pub place: String,
}

/// Why an entry could not be made, removed or asked for.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// There is nowhere to put it: no home folder.
    #[error("no folder for entries started at login is known")]
    NoFolder,
    /// A path or value that the entry's format cannot hold.
    #[error("{value:?} cannot be written into an entry started at login")]
    Unrepresentable {
        /// The path or value.
        value: String,
    },
    /// A file cannot be written or removed.
    #[error("cannot write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system's own tool refused.
    #[error("{command} failed: {message}")]
    Refused {
        /// What was asked.
        command: String,
        /// What it said.
        message: String,
    },
}

impl LoginError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::NoFolder => say!(text, "login-no-folder"),
            Self::Unrepresentable { value } => say!(text, "login-unrepresentable", value = value.as_str()),
            Self::File { path, source } => {
                say!(
                    text,
                    "fetch-cannot-write",
                    path = path.display().to_string(),
                    problem = source.to_string()
                )
            }
            Self::Refused { command, message } => {
                say!(text, "login-refused", command = command.as_str(), problem = message.as_str())
            }
        }
    }
}

/// One way of starting at login, with what it needs to know of this system.
#[derive(Clone, Debug)]
pub enum Means {
    /// See [`Kind::SystemdUser`].
    Systemd(systemd::Systemd),
    /// See [`Kind::Autostart`].
    Autostart(autostart::Autostart),
    /// See [`Kind::LaunchAgent`].
    LaunchAgent(launch_agent::LaunchAgent),
    /// See [`Kind::RunKey`].
    #[cfg(windows)]
    RunKey(run_key::RunKey),
}

impl Means {
    /// The best means of this system. Asks the systemd user manager whether it is there (a few milliseconds, at most
    /// five seconds).
    ///
    /// # Errors
    /// When there is no home folder.
    pub fn of_system() -> Result<Self, LoginError> {
        let mut all = Self::all_of_system()?;
        let best = all.iter().position(Self::works).unwrap_or(all.len() - 1);
        Ok(all.swap_remove(best))
    }

    /// All means this system may have, the best first; the last one always works.
    ///
    /// # Errors
    /// When there is no home folder.
    pub fn all_of_system() -> Result<Vec<Self>, LoginError> {
        #[cfg(windows)]
        return Ok(vec![Self::RunKey(run_key::RunKey::default())]);
        #[cfg(target_os = "macos")]
        {
            let home = std::env::home_dir().ok_or(LoginError::NoFolder)?;
            Ok(vec![Self::LaunchAgent(launch_agent::LaunchAgent::of(&home))])
        }
        #[cfg(not(any(windows, target_os = "macos")))]
        {
            let config = config_home().ok_or(LoginError::NoFolder)?;
            Ok(vec![
                Self::Systemd(systemd::Systemd::at(&config)),
                Self::Autostart(autostart::Autostart::at(&config)),
            ])
        }
    }

    /// Which kind this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Systemd(_) => Kind::SystemdUser,
            Self::Autostart(_) => Kind::Autostart,
            Self::LaunchAgent(_) => Kind::LaunchAgent,
            #[cfg(windows)]
            Self::RunKey(_) => Kind::RunKey,
        }
    }

    fn works(&self) -> bool {
        match self {
            Self::Systemd(systemd) => systemd.works(),
            _ => true,
        }
    }

    /// Makes or replaces the entry. Nothing is started before the next login.
    ///
    /// # Errors
    /// See [`LoginError`]; nothing is left behind then.
    pub fn install(&self, entry: &LoginEntry) -> Result<Installed, LoginError> {
        let outcome = match self {
            Self::Systemd(means) => means.install(entry),
            Self::Autostart(means) => means.install(entry),
            Self::LaunchAgent(means) => means.install(entry),
            #[cfg(windows)]
            Self::RunKey(means) => means.install(entry),
        };
        if outcome.is_err()
            && let Err(error) = self.remove()
        {
            tracing::warn!(%error, "half an entry may be left");
        }
        Ok(Installed { kind: self.kind(), place: outcome? })
    }

    /// Removes the entry; does nothing where there is none. A program that the system started by it is stopped.
    ///
    /// # Errors
    /// When something of it stays.
    pub fn remove(&self) -> Result<(), LoginError> {
        match self {
            Self::Systemd(means) => means.remove(),
            Self::Autostart(means) => means.remove(),
            Self::LaunchAgent(means) => means.remove(),
            #[cfg(windows)]
            Self::RunKey(means) => means.remove(),
        }
    }

    /// The entry's file, where it is one.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Systemd(means) => Some(means.unit_path()),
            Self::Autostart(means) => Some(means.path()),
            Self::LaunchAgent(means) => Some(means.path()),
            #[cfg(windows)]
            Self::RunKey(_) => None,
        }
    }

    /// Whether the entry is there.
    pub fn is_installed(&self) -> bool {
        match self {
            Self::Systemd(means) => means.unit_path().exists(),
            Self::Autostart(means) => means.path().exists(),
            Self::LaunchAgent(means) => means.path().exists(),
            #[cfg(windows)]
            Self::RunKey(means) => means.is_installed(),
        }
    }

    /// Whether the system runs the program by this entry right now; `None` where it does not watch it.
    pub fn is_running(&self) -> Option<bool> {
        match self {
            Self::Systemd(means) => Some(means.is_active()),
            Self::LaunchAgent(means) => Some(means.is_loaded()),
            _ => None,
        }
    }

    /// Has the system start the program now. Does nothing where the system does not supervise it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(&self) -> Result<(), LoginError> {
        match self {
            Self::Systemd(means) => means.start(),
            Self::LaunchAgent(means) => means.load(),
            _ => Ok(()),
        }
    }

    /// Has the system stop the program it started. Does nothing where the system does not supervise it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stop(&self) -> Result<(), LoginError> {
        match self {
            Self::Systemd(means) => means.stop(),
            Self::LaunchAgent(means) => means.unload(),
            _ => Ok(()),
        }
    }
}

/// Removes every entry of ours, by whichever means it was made.
///
/// # Errors
/// The first failure; the other entries are removed all the same.
pub fn remove_all() -> Result<(), LoginError> {
    Means::all_of_system()?.iter().map(Means::remove).fold(Ok(()), Result::and)
}

/// `$XDG_CONFIG_HOME`, which counts only if it is absolute, else `~/.config`.
#[cfg(not(any(windows, target_os = "macos")))]
fn config_home() -> Option<PathBuf> {
    let set = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| std::env::home_dir().map(|home| home.join(".config")))
}

/// A path as text. Entries are text files; a path that is none cannot be written into them.
fn text_of(path: &Path) -> Result<&str, LoginError> {
    path.to_str().ok_or_else(|| LoginError::Unrepresentable { value: path.to_string_lossy().into_owned() })
}

/// Refuses what would break a line of an entry.
fn one_line(value: &str) -> Result<&str, LoginError> {
    if value.chars().any(char::is_control) {
        return Err(LoginError::Unrepresentable { value: value.to_owned() });
    }
    Ok(value)
}

fn write(path: &Path, content: &str) -> Result<(), LoginError> {
    let failed = |source| LoginError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let temporary = path.with_extension("acolyte-new");
    // On the disk before it has its name, so that a power cut leaves no empty entry.
    let written = std::fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()
    });
    written.map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(|source| {
        // Better one error than two: the first says what is wrong.
        let _ = std::fs::remove_file(&temporary);
        failed(source)
    })
}

fn remove_file(path: &Path) -> Result<(), LoginError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(LoginError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// How long one of the system's tools may take to answer.
const TOOL_LIMIT: Duration = Duration::from_secs(10);

/// Runs one of the system's tools, never for longer than [`TOOL_LIMIT`].
fn ask(program: &Path, args: &[&OsStr]) -> Result<Output, LoginError> {
    let said = || {
        let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        format!("{} {}", program.display(), args.join(" "))
    };
    let refused = |message: String| LoginError::Refused { command: said(), message };
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| refused(error.to_string()))?;
    let identity = super::process::identify(child.id());
    let (done, answer) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    match answer.recv_timeout(TOOL_LIMIT) {
        Ok(output) => output.map_err(|error| refused(error.to_string())),
        Err(_) => {
            if let Some(identity) = identity
                && let Err(error) = super::process::kill(identity)
            {
                tracing::warn!(%error, "a tool of the system hangs and cannot be ended");
            }
            Err(refused(format!("no answer within {} s", TOOL_LIMIT.as_secs())))
        }
    }
}

/// As [`ask`], and insists on success.
fn insist(program: &Path, args: &[&OsStr]) -> Result<(), LoginError> {
    let output = ask(program, args)?;
    if output.status.success() {
        return Ok(());
    }
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    Err(LoginError::Refused {
        command: format!("{} {}", program.display(), args.join(" ")),
        message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

#[cfg(all(test, unix))]
mod tests;
