//! Units of the systemd user manager (`systemd.unit(5)`, `systemd.service(5)`, `systemd.syntax(7)`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::platform::environment::Environment;
use crate::platform::ownership::find_program;

use super::{
    EntryOwner, LoginEntry, LoginError, NAME, one_line, remove_file, run_successfully, run_tool, text_of,
    write,
};

/// Target that is reached at login.
const WANTED_BY: &str = "default.target";

/// The user manager, controlled through `systemctl`.
#[derive(Clone, Debug)]
pub struct Systemd {
    folder: PathBuf,
    systemctl: PathBuf,
    /// Name of the unit without its suffix.
    name: String,
}

impl Systemd {
    /// Units in a configuration folder (`$XDG_CONFIG_HOME`), with the `systemctl` on the path, if no other user can have put
    /// it there.
    pub fn at(config: &Path) -> Self {
        let found = find_program("systemctl", &Environment::of_process().folders("PATH"));
        Self::with_systemctl(config, &found.unwrap_or_else(|| PathBuf::from("/usr/bin/systemctl")))
    }

    /// Units in a configuration folder, with another `systemctl`.
    pub fn with_systemctl(config: &Path, systemctl: &Path) -> Self {
        let folder = config.join("systemd").join("user");
        Self { folder, systemctl: systemctl.to_owned(), name: NAME.to_owned() }
    }

    /// The same for the entry of one home.
    pub fn owned_by(self, owner: &EntryOwner) -> Self {
        Self { name: owner.name(NAME, '-'), ..self }
    }

    /// Whether the user manager responds. In a container, after a bare `su` and with other init systems it does not,
    /// even if `systemctl` is installed.
    pub fn works(&self) -> bool {
        match run_tool(&self.systemctl, &args(&["show", "--property=Version"])) {
            Ok(output) => output.status.success() && output.stdout.starts_with("Version="),
            Err(_) => false,
        }
    }

    /// The unit's file.
    pub fn unit_path(&self) -> PathBuf {
        self.folder.join(self.unit_name())
    }

    /// Writes the unit and enables it for the next login.
    ///
    /// # Errors
    /// If the unit cannot be written, or `systemctl` fails.
    pub fn install(&self, entry: &LoginEntry) -> Result<String, LoginError> {
        let path = self.unit_path();
        write(&path, &unit(entry)?)?;
        self.systemctl(&["daemon-reload"])?;
        self.systemctl(&["enable", &self.unit_name()])?;
        Ok(path.display().to_string())
    }

    /// Stops and disables the unit and removes its files; only the latter if the user manager does not respond.
    ///
    /// # Errors
    /// If `systemctl` fails or a file cannot be removed.
    pub fn remove(&self) -> Result<(), LoginError> {
        let (path, link) = (self.unit_path(), self.wants_link());
        let is_link = link.symlink_metadata().is_ok();
        if !path.exists() && !is_link {
            return Ok(());
        }
        let answers = self.works();
        if answers {
            self.systemctl(&["disable", "--now", &self.unit_name()])?;
        }
        remove_file(&link)?;
        remove_file(&path)?;
        if answers {
            self.systemctl(&["daemon-reload"])?;
            // Clears a "failed" state; fails if there is none, as intended.
            let _ = self.succeeds(&["reset-failed", &self.unit_name()]);
        }
        // Only empty folders are removed; others are in use.
        let folders = [link.parent(), Some(self.folder.as_path()), self.folder.parent()];
        for folder in folders.into_iter().flatten() {
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }

    /// Whether the unit is active.
    pub fn is_active(&self) -> bool {
        self.succeeds(&["is-active", "--quiet", &self.unit_name()])
    }

    /// Starts the unit.
    ///
    /// # Errors
    /// If `systemctl` fails.
    pub fn start(&self) -> Result<(), LoginError> {
        self.systemctl(&["start", &self.unit_name()])
    }

    /// Stops the unit and all its processes.
    ///
    /// # Errors
    /// If `systemctl` fails.
    pub fn stop(&self) -> Result<(), LoginError> {
        self.systemctl(&["stop", &self.unit_name()])
    }

    fn wants_link(&self) -> PathBuf {
        self.folder.join(format!("{WANTED_BY}.wants")).join(self.unit_name())
    }

    fn unit_name(&self) -> String {
        format!("{}.service", self.name)
    }

    fn systemctl(&self, words: &[&str]) -> Result<(), LoginError> {
        run_successfully(&self.systemctl, &args(words))
    }

    fn succeeds(&self, words: &[&str]) -> bool {
        run_tool(&self.systemctl, &args(words)).is_ok_and(|output| output.status.success())
    }
}

fn args<'a>(words: &[&'a str]) -> Vec<&'a OsStr> {
    std::iter::once("--user").chain(words.iter().copied()).map(OsStr::new).collect()
}

/// Runs the program with an empty environment. Same path on every Linux.
const ENV: &str = "/usr/bin/env";

/// Contents of the unit's file. The program gets the entry's environment only: otherwise it would inherit everything
/// that was imported into the user manager, and the engine's variables are open-ended (`LLAMA_ARG_*`, `GGML_*`).
/// `entry.unset` is for variables that affect [`ENV`] and the pre-start program.
///
/// # Errors
/// If a path or value contains a character that a unit cannot represent (a line break).
pub fn unit(entry: &LoginEntry) -> Result<String, LoginError> {
    let word = |word: &OsStr| quoted(text_of(word)?, Dollar::Doubled);
    let mut command = vec![word(OsStr::new(ENV))?, word(OsStr::new("-i"))?];
    for (name, value) in &entry.environment {
        command.push(quoted(&format!("{name}={}", text_of(value)?), Dollar::Doubled)?);
    }
    // `env` parses any argument with a "=" as an assignment, even a path.
    let (folder, name) = (entry.program.parent(), entry.program.file_name());
    match (folder, name) {
        (Some(_), Some(name)) if text_of(&entry.program)?.contains('=') => {
            command.push(word(Path::new(".").join(name).as_os_str())?);
        }
        _ => command.push(word(entry.program.as_os_str())?),
    }
    for arg in &entry.args {
        command.push(word(arg)?);
    }
    let mut pre_start = String::new();
    if !entry.pre_start.is_empty() {
        let words = entry.pre_start.iter().map(|word| quoted(text_of(word)?, Dollar::Doubled));
        // The dash lets the server start even if rotating its log fails.
        pre_start = format!("ExecStartPre=-{}\n", words.collect::<Result<Vec<_>, _>>()?.join(" "));
    }
    let mut text = format!(
        "[Unit]\nDescription={}\n\n[Service]\nType=simple\n{pre_start}ExecStart={}\n",
        one_line(&entry.description)?.replace('%', "%%"),
        command.join(" ")
    );
    if let Some(folder) = folder {
        // Read to the end of the line; only specifiers are expanded.
        text.push_str(&format!("WorkingDirectory={}\n", one_line(text_of(folder)?)?.replace('%', "%%")));
    }
    for name in &entry.unset {
        text.push_str(&format!("UnsetEnvironment={}\n", quoted(name, Dollar::Plain)?));
    }
    if let Some(log) = &entry.log {
        // Read to the end of the line; only specifiers are expanded.
        let log = one_line(text_of(log)?)?.replace('%', "%%");
        text.push_str(&format!("StandardOutput=append:{log}\nStandardError=append:{log}\n"));
    }
    text.push_str("UMask=0077\nRestart=on-failure\nRestartSec=5\nNoNewPrivileges=yes\n\n");
    text.push_str(&format!("[Install]\nWantedBy={WANTED_BY}\n"));
    Ok(text)
}

/// Whether systemd expands variables: in command lines only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dollar {
    Doubled,
    Plain,
}

/// A word in double quotes, with backslash, quote, specifiers (`%`) and, in command lines, variables (`$`) escaped.
fn quoted(value: &str, dollar: Dollar) -> Result<String, LoginError> {
    let mut word = String::from("\"");
    for c in one_line(value)?.chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            '%' => word.push_str("%%"),
            '$' if dollar == Dollar::Doubled => word.push_str("$$"),
            _ => word.push(c),
        }
    }
    word.push('"');
    Ok(word)
}
