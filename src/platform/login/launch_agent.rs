//! A launchd agent of the person (`launchd.plist(5)`, `launchctl(1)`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{LoginEntry, LoginError, ask, insist, one_line, remove_file, text_of, write};

/// The agent's name.
pub const LABEL: &str = "com.acolyte.ollama";

/// The person's agents, reached through `launchctl`.
#[derive(Clone, Debug)]
pub struct LaunchAgent {
    folder: PathBuf,
    launchctl: PathBuf,
    user_id: u32,
}

impl LaunchAgent {
    /// In a home folder, with the system's `launchctl`.
    #[cfg(unix)]
    pub fn of(home: &Path) -> Self {
        Self::with_launchctl(home, Path::new("/bin/launchctl"), rustix::process::getuid().as_raw())
    }

    /// With another `launchctl`.
    pub fn with_launchctl(home: &Path, launchctl: &Path, user_id: u32) -> Self {
        Self { folder: home.join("Library").join("LaunchAgents"), launchctl: launchctl.to_owned(), user_id }
    }

    /// The agent's file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(format!("{LABEL}.plist"))
    }

    /// Writes the agent, which launchd reads at the next login. One that is loaded already keeps its old settings until
    /// it is loaded again.
    pub fn install(&self, entry: &LoginEntry) -> Result<String, LoginError> {
        let path = self.path();
        write(&path, &plist(entry)?)?;
        Ok(path.display().to_string())
    }

    /// Unloads the agent, which ends what it runs, and removes its file.
    pub fn remove(&self) -> Result<(), LoginError> {
        let path = self.path();
        if path.exists() {
            self.unload()?;
            remove_file(&path)?;
        }
        Ok(())
    }

    /// Whether launchd has it.
    pub fn is_loaded(&self) -> bool {
        let service = self.service();
        ask(&self.launchctl, &[OsStr::new("print"), OsStr::new(&service)])
            .is_ok_and(|output| output.status.success())
    }

    /// Has launchd run it now.
    pub fn load(&self) -> Result<(), LoginError> {
        if self.is_loaded() {
            let service = self.service();
            return insist(&self.launchctl, &[OsStr::new("kickstart"), OsStr::new(&service)]);
        }
        let domain = format!("gui/{}", self.user_id);
        insist(&self.launchctl, &[OsStr::new("bootstrap"), OsStr::new(&domain), self.path().as_os_str()])
    }

    /// Has launchd end and forget it.
    pub fn unload(&self) -> Result<(), LoginError> {
        if !self.is_loaded() {
            return Ok(());
        }
        let service = self.service();
        insist(&self.launchctl, &[OsStr::new("bootout"), OsStr::new(&service)])
    }

    fn service(&self) -> String {
        format!("gui/{}/{LABEL}", self.user_id)
    }
}

/// The agent's text. `unset` has no counterpart: launchd hands an agent nothing of the terminal's environment.
///
/// # Errors
/// When a path or value holds what XML cannot (control characters).
pub fn plist(entry: &LoginEntry) -> Result<String, LoginError> {
    let mut text = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" ",
        "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n",
        "<plist version=\"1.0\">\n<dict>\n"
    ));
    text.push_str(&format!("\t<key>Label</key>\n\t{}\n", string(LABEL)?));
    text.push_str("\t<key>ProgramArguments</key>\n\t<array>\n");
    // launchd knows no program before the program: the first one becomes the second.
    let before = entry.before.iter().map(String::as_str).chain([text_of(&entry.program)?]);
    for word in before.chain(entry.args.iter().map(String::as_str)) {
        text.push_str(&format!("\t\t{}\n", string(word)?));
    }
    text.push_str("\t</array>\n\t<key>EnvironmentVariables</key>\n\t<dict>\n");
    for (name, value) in &entry.environment {
        text.push_str(&format!("\t\t<key>{}</key>\n\t\t{}\n", escaped(name)?, string(value)?));
    }
    text.push_str("\t</dict>\n\t<key>RunAtLoad</key>\n\t<true/>\n");
    // Started again after a crash, not after an orderly end.
    text.push_str(
        "\t<key>KeepAlive</key>\n\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>\n",
    );
    // Without this macOS slows background agents down.
    text.push_str("\t<key>ProcessType</key>\n\t<string>Interactive</string>\n");
    if let Some(log) = &entry.log {
        let log = string(text_of(log)?)?;
        text.push_str(&format!(
            "\t<key>StandardOutPath</key>\n\t{log}\n\t<key>StandardErrorPath</key>\n\t{log}\n"
        ));
    }
    text.push_str("</dict>\n</plist>\n");
    Ok(text)
}

fn string(value: &str) -> Result<String, LoginError> {
    Ok(format!("<string>{}</string>", escaped(value)?))
}

fn escaped(value: &str) -> Result<String, LoginError> {
    Ok(one_line(value)?.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}
