//! Starts a program at login with the system's mechanism, without administrator rights:
//!
//! | system | method | where |
//! |---|---|---|
//! | Linux with a systemd user manager that answers | user unit | `$XDG_CONFIG_HOME/systemd/user/acolyte-ollama.service` |
//! | other Linux | XDG autostart | `$XDG_CONFIG_HOME/autostart/acolyte-ollama.desktop` |
//! | macOS | LaunchAgent | `~/Library/LaunchAgents/com.acolyte.ollama.plist` |
//! | Windows | Run value | `HKCU\Software\Microsoft\Windows\CurrentVersion\Run` |
//!
//! An installed entry takes effect at the next login. [`AutostartMethod::remove`] removes it completely.

pub mod autostart;
pub mod launch_agent;
#[cfg(windows)]
pub mod run_key;
pub mod systemd;
pub mod windows_command;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::platform::files::{self, FileError};
use crate::platform::ownership::{self, OwnershipError};
use crate::platform::program::{self, ProgramOutput};

/// Name of the file or unit of the server's entry.
const NAME: &str = "acolyte-ollama";
/// Name of the file of the watcher's entry.
const WATCHER_NAME: &str = "acolyte-watch";

/// Which of the user's homes an entry is for. The default home has the plain names of the table above; any other has its
/// identifier in the name, so that several homes have entries beside each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryOwner {
    /// Identifier of a home that is not the default one: letters and digits.
    pub home_id: Option<String>,
}

impl EntryOwner {
    /// A name with the home's identifier in it.
    fn name(&self, plain: &str, separator: char) -> String {
        match &self.home_id {
            Some(id) => format!("{plain}{separator}{id}"),
            None => plain.to_owned(),
        }
    }
}

/// What to start at login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginEntry {
    /// Displayed in the system's list of autostart entries.
    pub description: String,
    /// The program, an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Program and arguments to run before each start, if the system supervises the program
    /// ([`AutostartKind::supervises`]). systemd waits until it exits; launchd runs one program only, so it gets the
    /// server's command line as additional arguments and must `exec` it.
    pub pre_start: Vec<OsString>,
    /// Environment variables for the program. A Run key value cannot contain them: there the program is ours and sets
    /// them itself.
    pub environment: BTreeMap<String, OsString>,
    /// Names of session variables that the program must not inherit.
    pub unset: Vec<String>,
    /// Log file for its output, where supported ([`AutostartKind::carries_log`]).
    pub log: Option<PathBuf>,
}

/// How a program is started at login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutostartKind {
    /// A unit of the systemd user manager.
    SystemdUser,
    /// An XDG autostart desktop file.
    #[serde(rename = "autostart")]
    XdgAutostart,
    /// A launchd agent.
    LaunchAgent,
    /// A value under the user's Run key.
    RunKey,
}

impl AutostartKind {
    /// Whether an entry can redirect the program's output to a log file.
    pub fn carries_log(self) -> bool {
        matches!(self, Self::SystemdUser | Self::LaunchAgent)
    }

    /// Whether the system can start, stop and monitor the program.
    pub fn supervises(self) -> bool {
        matches!(self, Self::SystemdUser | Self::LaunchAgent)
    }
}

/// An installed entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutostartEntry {
    /// The method.
    pub kind: AutostartKind,
    /// File or registry value of the entry.
    pub place: String,
}

/// Why an entry could not be created, removed or queried.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The home folder is unknown.
    #[error("no folder for entries started at login is known")]
    NoFolder,
    /// A path or value cannot be represented in the entry's format.
    #[error("{value:?} cannot be written into an entry started at login")]
    Unrepresentable {
        /// The path or value.
        value: String,
    },
    /// A file cannot be written or removed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Other users could replace the entry and so run a program as this user.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// The system's tool failed.
    #[error("{command} failed: {message}")]
    Refused {
        /// The command line, or the registry key.
        command: String,
        /// The tool's error output.
        message: String,
    },
}

/// An autostart method with its paths on this system.
#[derive(Clone, Debug)]
pub enum AutostartMethod {
    /// See [`AutostartKind::SystemdUser`].
    Systemd(systemd::Systemd),
    /// See [`AutostartKind::XdgAutostart`].
    XdgAutostart(autostart::XdgAutostart),
    /// See [`AutostartKind::LaunchAgent`].
    LaunchAgent(launch_agent::LaunchAgent),
    /// See [`AutostartKind::RunKey`].
    #[cfg(windows)]
    RunKey(run_key::RunKey),
}

impl AutostartMethod {
    /// The best method on this system. Queries the systemd user manager, which takes a few milliseconds and at most
    /// [`TOOL_LIMIT`].
    ///
    /// # Errors
    /// If there is no home folder.
    pub fn of_system(owner: &EntryOwner) -> Result<Self, LoginError> {
        let mut all = Self::all_of_system(owner)?;
        let best = all.iter().position(Self::works).unwrap_or(all.len() - 1);
        Ok(all.swap_remove(best))
    }

    /// The method for the watcher of graphics memory, which needs a desktop: on Linux never a unit of systemd.
    ///
    /// # Errors
    /// If there is no home folder.
    pub fn of_watcher(owner: &EntryOwner) -> Result<Self, LoginError> {
        #[cfg(windows)]
        return Ok(Self::RunKey(run_key::RunKey::of_watcher(owner)));
        #[cfg(target_os = "macos")]
        {
            let home =
                super::environment::Environment::of_process().home_dir().ok_or(LoginError::NoFolder)?;
            Ok(Self::LaunchAgent(launch_agent::LaunchAgent::of(&home).of_watcher(owner)))
        }
        #[cfg(not(any(windows, target_os = "macos")))]
        {
            let config =
                super::environment::Environment::of_process().config_home().ok_or(LoginError::NoFolder)?;
            Ok(Self::XdgAutostart(autostart::XdgAutostart::at(&config).of_watcher(owner)))
        }
    }

    /// All methods of this system, best first; the last one always works.
    ///
    /// # Errors
    /// If there is no home folder.
    pub fn all_of_system(owner: &EntryOwner) -> Result<Vec<Self>, LoginError> {
        #[cfg(windows)]
        return Ok(vec![Self::RunKey(run_key::RunKey::of(owner))]);
        #[cfg(target_os = "macos")]
        {
            let home =
                super::environment::Environment::of_process().home_dir().ok_or(LoginError::NoFolder)?;
            Ok(vec![Self::LaunchAgent(launch_agent::LaunchAgent::of(&home).owned_by(owner))])
        }
        #[cfg(not(any(windows, target_os = "macos")))]
        {
            let config =
                super::environment::Environment::of_process().config_home().ok_or(LoginError::NoFolder)?;
            Ok(vec![
                Self::Systemd(systemd::Systemd::at(&config).owned_by(owner)),
                Self::XdgAutostart(autostart::XdgAutostart::at(&config).owned_by(owner)),
            ])
        }
    }

    /// The method without its paths.
    pub fn kind(&self) -> AutostartKind {
        match self {
            Self::Systemd(_) => AutostartKind::SystemdUser,
            Self::XdgAutostart(_) => AutostartKind::XdgAutostart,
            Self::LaunchAgent(_) => AutostartKind::LaunchAgent,
            #[cfg(windows)]
            Self::RunKey(_) => AutostartKind::RunKey,
        }
    }

    fn works(&self) -> bool {
        match self {
            Self::Systemd(systemd) => systemd.works(),
            _ => true,
        }
    }

    /// Creates or replaces the entry. Nothing is started before the next login.
    ///
    /// # Errors
    /// See [`LoginError`]. A partial entry is then removed.
    pub fn install(&self, entry: &LoginEntry) -> Result<AutostartEntry, LoginError> {
        let outcome = match self {
            Self::Systemd(method) => method.install(entry),
            Self::XdgAutostart(method) => method.install(entry),
            Self::LaunchAgent(method) => method.install(entry),
            #[cfg(windows)]
            Self::RunKey(method) => method.install(entry),
        };
        if outcome.is_err()
            && let Err(error) = self.remove()
        {
            tracing::warn!(%error, "a partial entry may be left");
        }
        Ok(AutostartEntry { kind: self.kind(), place: outcome? })
    }

    /// Removes the entry, if any, and stops the program if the system started it from the entry.
    ///
    /// # Errors
    /// If part of it cannot be removed.
    pub fn remove(&self) -> Result<(), LoginError> {
        match self {
            Self::Systemd(method) => method.remove(),
            Self::XdgAutostart(method) => method.remove(),
            Self::LaunchAgent(method) => method.remove(),
            #[cfg(windows)]
            Self::RunKey(method) => method.remove(),
        }
    }

    /// The entry's file; `None` for a registry value.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Systemd(method) => Some(method.unit_path()),
            Self::XdgAutostart(method) => Some(method.path()),
            Self::LaunchAgent(method) => Some(method.path()),
            #[cfg(windows)]
            Self::RunKey(_) => None,
        }
    }

    /// The entry's file or registry value, for display.
    pub fn place(&self) -> String {
        match self {
            #[cfg(windows)]
            Self::RunKey(method) => method.place(),
            _ => self.file().map(|file| file.display().to_string()).unwrap_or_default(),
        }
    }

    /// The command line of an entry that is a registry value; `None` if there is none.
    pub fn command_line(&self) -> Option<String> {
        match self {
            #[cfg(windows)]
            Self::RunKey(method) => method.command_line(),
            _ => None,
        }
    }

    /// Whether the entry exists.
    pub fn is_installed(&self) -> bool {
        match self {
            Self::Systemd(method) => method.unit_path().exists(),
            Self::XdgAutostart(method) => method.path().exists(),
            Self::LaunchAgent(method) => method.path().exists(),
            #[cfg(windows)]
            Self::RunKey(method) => method.is_installed(),
        }
    }

    /// Whether the system currently runs the program from this entry; `None` if it does not supervise it.
    pub fn is_running(&self) -> Option<bool> {
        match self {
            Self::Systemd(method) => Some(method.is_active()),
            Self::LaunchAgent(method) => Some(method.is_loaded()),
            _ => None,
        }
    }

    /// Starts the program through the system. No effect if the system does not supervise it.
    ///
    /// # Errors
    /// If the system's tool fails.
    pub fn start(&self) -> Result<(), LoginError> {
        match self {
            Self::Systemd(method) => method.start(),
            Self::LaunchAgent(method) => method.load(),
            _ => Ok(()),
        }
    }

    /// Stops the program through the system. No effect if the system does not supervise it.
    ///
    /// # Errors
    /// If the system's tool fails.
    pub fn stop(&self) -> Result<(), LoginError> {
        match self {
            Self::Systemd(method) => method.stop(),
            Self::LaunchAgent(method) => method.unload(),
            _ => Ok(()),
        }
    }
}

/// A path or value as UTF-8, as entries require.
fn text_of(value: &(impl AsRef<OsStr> + ?Sized)) -> Result<&str, LoginError> {
    let value = value.as_ref();
    value.to_str().ok_or_else(|| LoginError::Unrepresentable { value: value.display().to_string() })
}

/// Refuses control characters, which could start a new line in an entry.
fn one_line(value: &str) -> Result<&str, LoginError> {
    if value.chars().any(char::is_control) {
        return Err(LoginError::Unrepresentable { value: value.to_owned() });
    }
    Ok(value)
}

fn write(path: &Path, content: &str) -> Result<(), LoginError> {
    if let Some(folder) = path.parent() {
        files::create_folders(folder)?;
        ownership::resolve(&folder.join("entry"))?;
    }
    Ok(files::write_whole(path, content.as_bytes())?)
}

fn remove_file(path: &Path) -> Result<(), LoginError> {
    Ok(files::remove_file(path)?)
}

/// Timeout for one run of a system tool.
const TOOL_LIMIT: Duration = Duration::from_secs(10);

/// Runs a system tool with a timeout of [`TOOL_LIMIT`].
fn run_tool(tool: &Path, args: &[&OsStr]) -> Result<ProgramOutput, LoginError> {
    let mut command = program::command(tool);
    command.args(args);
    program::run(command, TOOL_LIMIT).map_err(|error| refused(tool, args, error.to_string()))
}

/// Like [`run_tool`], but a non-zero exit status is an error.
fn run_successfully(tool: &Path, args: &[&OsStr]) -> Result<(), LoginError> {
    let output = run_tool(tool, args)?;
    if output.status.success() {
        return Ok(());
    }
    Err(refused(tool, args, output.stderr.trim().to_owned()))
}

fn refused(tool: &Path, args: &[&OsStr], message: String) -> LoginError {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    LoginError::Refused { command: format!("{} {}", tool.display(), args.join(" ")), message }
}

#[cfg(all(test, unix))]
mod tests;
