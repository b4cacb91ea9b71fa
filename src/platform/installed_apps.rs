//! An entry in Windows' list of installed apps, under the user's `Uninstall` key.

#[cfg(windows)]
pub use system::{exists, place, remove, write};

/// A value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppValue {
    /// Text.
    Text(String),
    /// A number.
    Number(u32),
}

#[cfg(windows)]
mod system {
    use std::io;
    use std::path::Path;

    use windows_registry::CURRENT_USER;

    use super::AppValue;
    use crate::platform::files::{FileError, writing};

    const APPS: &str = r"Software\Microsoft\Windows\CurrentVersion\Uninstall";

    /// Where an entry is, for display.
    pub fn place(name: &str) -> String {
        format!(r"HKEY_CURRENT_USER\{APPS}\{name}")
    }

    /// Whether an entry exists.
    pub fn exists(name: &str) -> bool {
        CURRENT_USER.open(format!(r"{APPS}\{name}")).is_ok()
    }

    /// Creates or replaces an entry.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn write(name: &str, values: &[(&str, AppValue)]) -> Result<(), FileError> {
        let write = || {
            let key = CURRENT_USER.create(format!(r"{APPS}\{name}"))?;
            for (name, value) in values {
                match value {
                    AppValue::Text(text) => key.set_string(name, text)?,
                    AppValue::Number(number) => key.set_u32(name, *number)?,
                }
            }
            windows_registry::Result::Ok(())
        };
        write().map_err(|error| refused(name, &error))
    }

    /// Removes an entry; no effect if it does not exist.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn remove(name: &str) -> Result<(), FileError> {
        if !exists(name) {
            return Ok(());
        }
        let apps = CURRENT_USER.options().read().write().open(APPS);
        apps.and_then(|apps| apps.remove_tree(name)).map_err(|error| refused(name, &error))
    }

    fn refused(name: &str, error: &dyn std::fmt::Display) -> FileError {
        writing(Path::new(&place(name)))(io::Error::other(error.to_string()))
    }
}
