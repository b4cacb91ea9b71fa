//! Language and appearance of the window, saved in `llm/window.json`.
//!
//! Nothing is written before something is installed, and uninstalling removes the file. A file that cannot be read is
//! ignored, and the defaults apply.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::theme::Appearance;
use crate::SCHEMA;
use crate::install::Paths;
use crate::install::state::home::require_ours;
use crate::platform::{files, regular};
use crate::text::Language;

/// Maximum size; the settings have some hundred bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Settings saved between starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The language, if one was chosen in the window; else the system's.
    pub language: Option<Language>,
    /// Whether the dark theme was chosen; `None` follows the system.
    pub dark: Option<bool>,
    /// Size of the text, contrast, motion.
    pub appearance: Appearance,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct SettingsFile {
    schema: u32,
    language: Option<String>,
    dark: Option<bool>,
    text_percent: u16,
    high_contrast: bool,
    still: bool,
}

impl Default for SettingsFile {
    fn default() -> Self {
        let Appearance { text_percent, high_contrast, still } = Appearance::default();
        Self { schema: SCHEMA, language: None, dark: None, text_percent, high_contrast, still }
    }
}

impl Settings {
    /// Reads them from a home; the defaults if there are none.
    pub fn load(home: &Path) -> Self {
        let paths = Paths::new(home);
        let path = paths.window();
        let is_ours = require_ours(&paths).is_ok();
        let file = match regular::read_text(&path, MAX_FILE_BYTES) {
            Ok(_) if !is_ours => SettingsFile::default(),
            Ok(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, path = %path.display(), "the window's settings cannot be read");
                SettingsFile::default()
            }),
            Err(_none) => SettingsFile::default(),
        };
        let usual = Appearance::default();
        let known = Appearance::TEXT_PERCENTS.contains(&file.text_percent);
        Self {
            language: file.language.as_deref().and_then(Language::from_tag),
            dark: file.dark,
            appearance: Appearance {
                text_percent: if known { file.text_percent } else { usual.text_percent },
                high_contrast: file.high_contrast,
                still: file.still,
            },
        }
    }

    /// Writes them into a home where something is installed; does nothing elsewhere.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, home: &Path) -> Result<(), files::FileError> {
        let paths = Paths::new(home);
        if !paths.profile().is_file() || require_ours(&paths).is_err() {
            return Ok(());
        }
        let Appearance { text_percent, high_contrast, still } = self.appearance;
        let language = self.language.map(|language| language.tag().to_owned());
        let file =
            SettingsFile { schema: SCHEMA, language, dark: self.dark, text_percent, high_contrast, still };
        // Serializing plain values cannot fail.
        let json = serde_json::to_vec_pretty(&file).unwrap_or_default();
        files::write_whole(&paths.window(), &json)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn chosen() -> Settings {
        Settings {
            language: Some(Language::Spanish),
            dark: Some(true),
            appearance: Appearance { text_percent: 130, high_contrast: true, still: true },
        }
    }

    #[test]
    fn settings_round_trip_and_nothing_is_written_before_an_installation() {
        let home = tempfile::tempdir().unwrap();
        chosen().save(home.path()).unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
        assert_eq!(Settings::load(home.path()), Settings::default());

        let paths = Paths::new(home.path());
        std::fs::create_dir_all(paths.llm()).unwrap();
        std::fs::write(paths.profile(), "").unwrap();
        chosen().save(home.path()).unwrap();
        assert_eq!(Settings::load(home.path()), chosen());
    }

    #[test]
    fn an_invalid_file_is_ignored() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path());
        std::fs::create_dir_all(paths.llm()).unwrap();
        for text in ["", "{", "[]", "null", r#"{"text_percent":"big"}"#, r#"{"text_percent":70000}"#] {
            std::fs::write(paths.window(), text).unwrap();
            assert_eq!(Settings::load(home.path()), Settings::default(), "{text}");
        }
        std::fs::write(paths.window(), r#"{"text_percent":9999,"language":"tlh","still":true,"later":1}"#)
            .unwrap();
        let read = Settings::load(home.path());
        assert_eq!((read.language, read.appearance.text_percent, read.appearance.still), (None, 100, true));
    }
}
