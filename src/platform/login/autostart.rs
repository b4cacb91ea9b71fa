//! XDG autostart desktop files (Desktop Application Autostart Specification 0.5, Desktop Entry Specification 1.5).

use std::path::{Path, PathBuf};

use super::{EntryOwner, LoginEntry, LoginError, NAME, WATCHER_NAME, one_line, remove_file, text_of, write};

/// Sets environment variables, which a desktop file cannot.
const ENV: &str = "/usr/bin/env";

/// The session's autostart folder.
#[derive(Clone, Debug)]
pub struct XdgAutostart {
    folder: PathBuf,
    /// Name of the file without its suffix.
    name: String,
}

impl XdgAutostart {
    /// In a configuration folder (`$XDG_CONFIG_HOME`).
    pub fn at(config: &Path) -> Self {
        Self { folder: config.join("autostart"), name: NAME.to_owned() }
    }

    /// The same for the entry of one home.
    pub fn owned_by(self, owner: &EntryOwner) -> Self {
        Self { name: owner.name(NAME, '-'), ..self }
    }

    /// The same for the watcher of one home.
    pub fn of_watcher(self, owner: &EntryOwner) -> Self {
        Self { name: owner.name(WATCHER_NAME, '-'), ..self }
    }

    /// The entry's file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.desktop", self.name))
    }

    /// Writes the entry and returns its path.
    ///
    /// # Errors
    /// If it cannot be written, or [`desktop_file`] fails.
    pub fn install(&self, entry: &LoginEntry) -> Result<String, LoginError> {
        let path = self.path();
        write(&path, &desktop_file(entry)?)?;
        Ok(path.display().to_string())
    }

    /// Removes the entry, and the folder if it is empty.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn remove(&self) -> Result<(), LoginError> {
        let path = self.path();
        if path.exists() {
            remove_file(&path)?;
            // Fails if the folder is not empty, as intended.
            let _ = std::fs::remove_dir(&self.folder);
        }
        Ok(())
    }
}

/// Contents of the entry's file.
///
/// # Errors
/// If a path or value contains a character that a desktop file cannot represent (a line break).
pub fn desktop_file(entry: &LoginEntry) -> Result<String, LoginError> {
    let mut command = Vec::new();
    if !entry.environment.is_empty() || !entry.unset.is_empty() {
        command.push(argument(ENV)?);
        for name in &entry.unset {
            command.push(argument("-u")?);
            command.push(argument(name)?);
        }
        for (name, value) in &entry.environment {
            command.push(argument(&format!("{name}={}", text_of(value)?))?);
        }
    }
    command.push(argument(text_of(&entry.program)?)?);
    for arg in &entry.args {
        command.push(argument(text_of(arg)?)?);
    }
    Ok(format!(
        "[Desktop Entry]\nType=Application\nVersion=1.5\nName={}\nExec={}\nTerminal=false\nNoDisplay=true\n\
         X-GNOME-XdgAutostart-enabled=true\n",
        value(one_line(&entry.description)?),
        value(&command.join(" "))
    ))
}

/// The value of `Exec` for a command line.
///
/// # Errors
/// If a word contains a character that a desktop file cannot represent (a line break).
pub fn exec_value(words: &[&str]) -> Result<String, LoginError> {
    let words: Result<Vec<_>, _> = words.iter().map(|word| argument(word)).collect();
    Ok(value(&words?.join(" ")))
}

/// Escapes a value of type string.
///
/// # Errors
/// If it contains a line break.
pub fn string_value(text: &str) -> Result<String, LoginError> {
    Ok(value(one_line(text)?))
}

/// Quotes an argument of `Exec`: in double quotes if it contains a reserved character, with `%` doubled.
fn argument(word: &str) -> Result<String, LoginError> {
    const RESERVED: &[char] =
        &[' ', '"', '\'', '\\', '>', '<', '~', '|', '&', ';', '$', '*', '?', '#', '(', ')', '`'];
    let plain = one_line(word)?.replace('%', "%%");
    if !plain.is_empty() && !plain.contains(RESERVED) {
        return Ok(plain);
    }
    let mut quoted = String::from("\"");
    for c in plain.chars() {
        if matches!(c, '"' | '`' | '$' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Ok(quoted)
}

/// Escapes a value of type string, in addition to the escaping of `Exec` arguments.
fn value(text: &str) -> String {
    text.replace('\\', "\\\\")
}
