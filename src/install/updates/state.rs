//! `llm/updates.json`: whether the user wants to know, when it was last asked, and what was found.

use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::checksum::Sha256;
use crate::install::state::documents::{DocumentError, read_json};
use crate::install::state::home::require_ours;
use crate::install::updates::found::Updates;
use crate::install::updates::list::SeenList;
use crate::install::{InstallError, Paths};
use crate::platform::clock::seconds_of_rfc3339;
use crate::platform::files;
use crate::untrusted::UntrustedText;

/// Shortest time between two checks that nobody asked for.
const DAY_S: u64 = 24 * 60 * 60;

/// The document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdatesFile {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Whether the user wants to know, once a day.
    pub daily: bool,
    /// When it was last asked, RFC 3339, whether or not there was an answer.
    pub asked_at: Option<UntrustedText>,
    /// Highest serial number of a list so far.
    pub serial: u64,
    /// SHA-256 of that list.
    pub list_sha256: Option<Sha256>,
    /// What was found last.
    pub found: Updates,
}

impl UpdatesFile {
    /// Reads the document; the default if the file does not exist.
    ///
    /// # Errors
    /// When it exists and cannot be read, or another user may write the home.
    pub fn load(paths: &Paths) -> Result<Self, DocumentError> {
        require_ours(paths)?;
        Ok(read_json(&paths.updates())?.unwrap_or_default())
    }

    /// Writes it, where something is installed.
    ///
    /// # Errors
    /// When the file cannot be written, or another user may write the home.
    pub fn save(&self, paths: &Paths) -> Result<(), InstallError> {
        require_ours(paths)?;
        if !paths.profile().is_file() {
            return Ok(());
        }
        let file = Self { schema: SCHEMA, ..self.clone() };
        // Serializing plain values cannot fail.
        let json = serde_json::to_vec_pretty(&file).unwrap_or_default();
        Ok(files::write_whole(&paths.updates(), &json)?)
    }

    /// Saves whether the user wants a check once a day.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn set_daily(paths: &Paths, daily: bool) -> Result<(), InstallError> {
        let file = Self::load(paths)?;
        Self { daily, ..file }.save(paths)
    }

    /// Whether the user wants a check and the last one is a day ago, or the clock was set back.
    pub fn is_due(&self, now_s: u64) -> bool {
        let asked_s = self.asked_at.as_ref().and_then(|at| seconds_of_rfc3339(at));
        self.daily && asked_s.is_none_or(|asked_s| now_s >= asked_s + DAY_S || now_s < asked_s)
    }

    /// What is known of lists.
    pub fn seen(&self, least_serial: u64) -> SeenList {
        if self.serial < least_serial {
            return SeenList { serial: least_serial, sha256: None };
        }
        SeenList { serial: self.serial, sha256: self.list_sha256 }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_once_a_day_and_only_if_the_user_wants_it() {
        let asked = seconds_of_rfc3339("2026-11-27T12:00:00Z").unwrap();
        let file = UpdatesFile {
            daily: true,
            asked_at: Some("2026-11-27T12:00:00Z".into()),
            ..UpdatesFile::default()
        };
        assert!(!file.is_due(asked) && !file.is_due(asked + DAY_S - 1));
        assert!(file.is_due(asked + DAY_S));
        assert!(file.is_due(asked - 1), "the clock was set back");
        assert!(UpdatesFile { asked_at: None, ..file.clone() }.is_due(asked));
        assert!(!UpdatesFile { daily: false, ..file }.is_due(asked + 10 * DAY_S));
    }

    #[test]
    fn a_list_older_than_the_program_counts_as_seen() {
        let file = UpdatesFile { serial: 3, list_sha256: Some(Sha256::of(b"3")), ..UpdatesFile::default() };
        assert_eq!(file.seen(5), SeenList { serial: 5, sha256: None });
        assert_eq!(file.seen(3), SeenList { serial: 3, sha256: Some(Sha256::of(b"3")) });
    }
}
