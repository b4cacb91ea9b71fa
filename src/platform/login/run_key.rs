//! Values under the user's Run key, which Explorer runs at login.

use windows_registry::CURRENT_USER;

use super::windows_command::command_line;
use super::{EntryOwner, LoginEntry, LoginError};

const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
/// Where the Task Manager records entries that the user disabled.
const APPROVED: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";

/// The Run key of the user.
#[derive(Clone, Debug)]
pub struct RunKey {
    key: String,
    name: String,
}

impl RunKey {
    /// The value of one home.
    pub fn of(owner: &EntryOwner) -> Self {
        Self { key: RUN.to_owned(), name: owner.name("ACOLYTE Ollama", ' ') }
    }

    /// The value of one home's watcher.
    pub fn of_watcher(owner: &EntryOwner) -> Self {
        Self { key: RUN.to_owned(), name: owner.name("ACOLYTE watcher", ' ') }
    }

    /// Sets the value. It cannot contain environment variables: `entry.environment` is ignored.
    ///
    /// # Errors
    /// If the command line is too long or the registry refuses.
    pub fn install(&self, entry: &LoginEntry) -> Result<String, LoginError> {
        let line = command_line(entry)?;
        CURRENT_USER
            .create(&self.key)
            .and_then(|key| key.set_string(&self.name, &line))
            .map_err(|error| self.refused(&error))?;
        Ok(self.place())
    }

    /// The value, for display.
    pub fn place(&self) -> String {
        format!(r"HKEY_CURRENT_USER\{}\{}", self.key, self.name)
    }

    /// Removes the value and the Task Manager's record of it.
    ///
    /// # Errors
    /// If the registry refuses.
    pub fn remove(&self) -> Result<(), LoginError> {
        if !self.is_installed() {
            return Ok(());
        }
        let key = CURRENT_USER.options().read().write().open(&self.key);
        key.and_then(|key| key.remove_value(&self.name)).map_err(|error| self.refused(&error))?;
        if let Ok(approved) = CURRENT_USER.options().read().write().open(APPROVED) {
            // The record exists only if the user ever disabled or enabled the entry.
            let _ = approved.remove_value(&self.name);
        }
        Ok(())
    }

    /// What the value starts.
    pub fn command_line(&self) -> Option<String> {
        CURRENT_USER.open(&self.key).and_then(|key| key.get_string(&self.name)).ok()
    }

    /// Whether the value exists.
    pub fn is_installed(&self) -> bool {
        CURRENT_USER.open(&self.key).is_ok_and(|key| key.get_type(&self.name).is_ok())
    }

    fn refused(&self, error: &dyn std::fmt::Display) -> LoginError {
        LoginError::Refused {
            command: format!(r"HKEY_CURRENT_USER\{}", self.key),
            message: error.to_string(),
        }
    }
}
