//! A unit of the systemd user manager (`systemd.unit(5)`, `systemd.service(5)`, `systemd.syntax(7)`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{
    LoginEntry, LoginError, NAME, one_line, remove_file, run_successfully, run_tool, text_of, write,
};

/// The target that is started at login.
const WANTED_BY: &str = "default.target";

/// The user manager, reached through `systemctl`.
#[derive(Clone, Debug)]
pub struct Systemd {
    folder: PathBuf,
    systemctl: PathBuf,
}

impl Systemd {
    /// With the configuration folder of the user (`$XDG_CONFIG_HOME`) and the `systemctl` on the path.
    pub fn at(config: &Path) -> Self {
        Self::with_systemctl(config, Path::new("systemctl"))
    }

    /// With another `systemctl`.
    pub fn with_systemctl(config: &Path, systemctl: &Path) -> Self {
        Self { folder: config.join("systemd").join("user"), systemctl: systemctl.to_owned() }
    }

    /// Whether the user manager answers. In a container, over a bare `su` and on other init systems it does not, even
    /// where `systemctl` is installed.
    pub fn works(&self) -> bool {
        match run_tool(&self.systemctl, &args(&["show", "--property=Version"])) {
            Ok(output) => output.status.success() && output.stdout.starts_with("Version="),
            Err(_) => false,
        }
    }

    /// The unit's file.
    pub fn unit_path(&self) -> PathBuf {
        self.folder.join(unit_name())
    }

    /// Writes the unit and enables it for the next login.
    ///
    /// # Errors
    /// When the unit cannot be written, or `systemctl` fails.
    pub fn install(&self, entry: &LoginEntry) -> Result<String, LoginError> {
        let path = self.unit_path();
        write(&path, &unit(entry)?)?;
        self.systemctl(&["daemon-reload"])?;
        self.systemctl(&["enable", &unit_name()])?;
        Ok(path.display().to_string())
    }

    /// Stops and disables the unit and removes its file; without an answering user manager the files only.
    ///
    /// # Errors
    /// When `systemctl` fails or a file cannot be removed.
    pub fn remove(&self) -> Result<(), LoginError> {
        let (path, link) = (self.unit_path(), self.wants_link());
        let is_link = link.symlink_metadata().is_ok();
        if !path.exists() && !is_link {
            return Ok(());
        }
        let answers = self.works();
        if answers {
            self.systemctl(&["disable", "--now", &unit_name()])?;
        }
        remove_file(&link)?;
        remove_file(&path)?;
        if answers {
            self.systemctl(&["daemon-reload"])?;
            // Clears a "failed" state; fails when there is none, which is fine.
            let _ = self.succeeds(&["reset-failed", &unit_name()]);
        }
        // Removes empty folders only; others are in use.
        let folders = [link.parent(), Some(self.folder.as_path()), self.folder.parent()];
        for folder in folders.into_iter().flatten() {
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }

    /// Whether the unit is active.
    pub fn is_active(&self) -> bool {
        self.succeeds(&["is-active", "--quiet", &unit_name()])
    }

    /// Starts it now.
    ///
    /// # Errors
    /// When `systemctl` fails.
    pub fn start(&self) -> Result<(), LoginError> {
        self.systemctl(&["start", &unit_name()])
    }

    /// Stops it now, with all its children.
    ///
    /// # Errors
    /// When `systemctl` fails.
    pub fn stop(&self) -> Result<(), LoginError> {
        self.systemctl(&["stop", &unit_name()])
    }

    fn wants_link(&self) -> PathBuf {
        self.folder.join(format!("{WANTED_BY}.wants")).join(unit_name())
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

fn unit_name() -> String {
    format!("{NAME}.service")
}

/// Empties the environment before it becomes another program. The same on every Linux.
const ENV: &str = "/usr/bin/env";

/// The unit's text. The program gets the entry's environment and nothing else: a user manager hands on whatever was
/// imported into it, and the names of the engine's settings have no end (`LLAMA_ARG_*`, `GGML_*`). `entry.unset` is for
/// what would already change [`ENV`] itself and the pre-start program.
///
/// # Errors
/// When a path or value holds what a unit cannot (a line break).
pub fn unit(entry: &LoginEntry) -> Result<String, LoginError> {
    let word = |word: &OsStr| quoted(text_of(word)?, Dollar::Doubled);
    let mut command = vec![word(OsStr::new(ENV))?, word(OsStr::new("-i"))?];
    for (name, value) in &entry.environment {
        command.push(quoted(&format!("{name}={}", text_of(value)?), Dollar::Doubled)?);
    }
    // `env` takes whatever holds a "=" for an assignment, also a path.
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
        // The dash: the server starts even if rotating its log fails.
        pre_start = format!("ExecStartPre=-{}\n", words.collect::<Result<Vec<_>, _>>()?.join(" "));
    }
    let mut text = format!(
        "[Unit]\nDescription={}\n\n[Service]\nType=simple\n{pre_start}ExecStart={}\n",
        one_line(&entry.description)?.replace('%', "%%"),
        command.join(" ")
    );
    if let Some(folder) = folder {
        // Taken as it is to the end of the line, but for specifiers.
        text.push_str(&format!("WorkingDirectory={}\n", one_line(text_of(folder)?)?.replace('%', "%%")));
    }
    for name in &entry.unset {
        text.push_str(&format!("UnsetEnvironment={}\n", quoted(name, Dollar::Plain)?));
    }
    if let Some(log) = &entry.log {
        // Taken as it is to the end of the line, but for specifiers.
        let log = one_line(text_of(log)?)?.replace('%', "%%");
        text.push_str(&format!("StandardOutput=append:{log}\nStandardError=append:{log}\n"));
    }
    text.push_str("UMask=0077\nRestart=on-failure\nRestartSec=5\nNoNewPrivileges=yes\n\n");
    text.push_str(&format!("[Install]\nWantedBy={WANTED_BY}\n"));
    Ok(text)
}

/// Command lines expand variables, other values do not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dollar {
    Doubled,
    Plain,
}

/// A word in double quotes: backslash and quote escaped, specifiers (`%`) and, in command lines, variables (`$`) kept
/// from being expanded.
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
