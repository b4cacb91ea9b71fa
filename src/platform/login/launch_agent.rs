//! User agents of launchd (`launchd.plist(5)`, `launchctl(1)`).

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use plist::{Dictionary, Value};

use super::{
    EntryOwner, LoginEntry, LoginError, one_line, remove_file, run_successfully, run_tool, text_of, write,
};

/// Name of the agent of the default home.
pub const LABEL: &str = "com.acolyte.ollama";
/// Name of the watcher's agent of the default home.
const WATCHER_LABEL: &str = "com.acolyte.watch";

/// A user's agents, controlled through `launchctl`.
#[derive(Clone, Debug)]
pub struct LaunchAgent {
    folder: PathBuf,
    launchctl: PathBuf,
    user_id: u32,
    /// The agent's name.
    label: String,
}

impl LaunchAgent {
    /// Agents in a home folder, with the system's `launchctl`.
    #[cfg(unix)]
    pub fn of(home: &Path) -> Self {
        Self::with_launchctl(home, Path::new("/bin/launchctl"), rustix::process::getuid().as_raw())
    }

    /// Agents in a home folder, with another `launchctl`.
    pub fn with_launchctl(home: &Path, launchctl: &Path, user_id: u32) -> Self {
        let folder = home.join("Library").join("LaunchAgents");
        Self { folder, launchctl: launchctl.to_owned(), user_id, label: LABEL.to_owned() }
    }

    /// The same for the entry of one home.
    pub fn owned_by(self, owner: &EntryOwner) -> Self {
        Self { label: owner.name(LABEL, '.'), ..self }
    }

    /// The same for the watcher of one home.
    pub fn of_watcher(self, owner: &EntryOwner) -> Self {
        Self { label: owner.name(WATCHER_LABEL, '.'), ..self }
    }

    /// The agent's file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.plist", self.label))
    }

    /// Writes the agent, which launchd reads at the next login. A loaded agent keeps its old settings until it is
    /// reloaded.
    ///
    /// # Errors
    /// If the file cannot be written, or [`plist`] fails.
    pub fn install(&self, entry: &LoginEntry) -> Result<String, LoginError> {
        let path = self.path();
        write(&path, &plist(&self.label, entry)?)?;
        Ok(path.display().to_string())
    }

    /// Unloads the agent, which stops its program, and removes its file.
    ///
    /// # Errors
    /// If `launchctl` fails or the file cannot be removed.
    pub fn remove(&self) -> Result<(), LoginError> {
        let path = self.path();
        if path.exists() {
            self.unload()?;
            remove_file(&path)?;
        }
        Ok(())
    }

    /// Whether the agent is loaded.
    pub fn is_loaded(&self) -> bool {
        let service = self.service();
        run_tool(&self.launchctl, &[OsStr::new("print"), OsStr::new(&service)])
            .is_ok_and(|output| output.status.success())
    }

    /// Loads the agent, which starts its program; restarts the program of a loaded one.
    ///
    /// # Errors
    /// If `launchctl` fails.
    pub fn load(&self) -> Result<(), LoginError> {
        if self.is_loaded() {
            let service = self.service();
            return run_successfully(&self.launchctl, &[OsStr::new("kickstart"), OsStr::new(&service)]);
        }
        let domain = format!("gui/{}", self.user_id);
        run_successfully(
            &self.launchctl,
            &[OsStr::new("bootstrap"), OsStr::new(&domain), self.path().as_os_str()],
        )
    }

    /// Stops the program and unloads the agent.
    ///
    /// # Errors
    /// If `launchctl` fails.
    pub fn unload(&self) -> Result<(), LoginError> {
        if !self.is_loaded() {
            return Ok(());
        }
        let service = self.service();
        run_successfully(&self.launchctl, &[OsStr::new("bootout"), OsStr::new(&service)])
    }

    fn service(&self) -> String {
        format!("gui/{}/{}", self.user_id, self.label)
    }
}

/// Contents of the agent's file. `unset` is not needed: an agent does not inherit a terminal's environment.
///
/// # Errors
/// If a path or value contains characters that XML cannot represent (control characters, invalid UTF-8).
pub fn plist(label: &str, entry: &LoginEntry) -> Result<String, LoginError> {
    let string = |value: &OsStr| Ok::<_, LoginError>(Value::from(one_line(text_of(value)?)?));
    // launchd starts one program only, so the pre-start program replaces itself with the server (`exec`).
    let words = entry.pre_start.iter().map(OsString::as_os_str).chain([entry.program.as_os_str()]);
    let words = words.chain(entry.args.iter().map(OsString::as_os_str));
    let environment =
        entry.environment.iter().map(|(name, value)| Ok((one_line(name)?.to_owned(), string(value)?)));
    let mut agent = Dictionary::new();
    agent.insert("Label".to_owned(), label.into());
    agent.insert("ProgramArguments".to_owned(), Value::Array(words.map(string).collect::<Result<_, _>>()?));
    let environment: Dictionary = environment.collect::<Result<_, LoginError>>()?;
    agent.insert("EnvironmentVariables".to_owned(), environment.into());
    agent.insert("Umask".to_owned(), 0o077.into());
    agent.insert("RunAtLoad".to_owned(), true.into());
    // Restart after a crash, not after a successful exit.
    let keep_alive = Dictionary::from_iter([("SuccessfulExit", Value::from(false))]);
    agent.insert("KeepAlive".to_owned(), keep_alive.into());
    // Without this, macOS throttles background agents.
    agent.insert("ProcessType".to_owned(), "Interactive".into());
    if let Some(log) = &entry.log {
        for key in ["StandardOutPath", "StandardErrorPath"] {
            agent.insert(key.to_owned(), string(log.as_os_str())?);
        }
    }
    let mut xml = Vec::new();
    let unrepresentable = |value: String| LoginError::Unrepresentable { value };
    Value::Dictionary(agent).to_writer_xml(&mut xml).map_err(|error| unrepresentable(error.to_string()))?;
    String::from_utf8(xml).map_err(|error| unrepresentable(error.to_string()))
}
