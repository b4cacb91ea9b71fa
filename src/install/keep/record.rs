//! `kept.json`: what is kept, so that a newer or older download is told apart.

use std::cmp::Ordering;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::programs::ProgramKind;
use crate::SCHEMA;
use crate::checksum::Sha256;
use crate::install::Paths;
use crate::install::state::documents::{DocumentError, read_json};
use crate::install::state::home;
use crate::platform::clock::rfc3339_now;
use crate::untrusted::UntrustedText;

/// Version of this program.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// When, RFC 3339.
    pub written_at: UntrustedText,
    /// Version of the programs.
    pub version: UntrustedText,
    /// SHA-256 of the window program; `None` if it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Sha256>,
    /// SHA-256 of the terminal program; `None` if it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Sha256>,
}

/// Version of the kept programs against that of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptAge {
    /// This program is newer.
    Older,
    /// The same version.
    Same,
    /// This program is older.
    Newer,
}

impl KeptFile {
    /// Of this version, without a program yet.
    pub fn of_this_version() -> Self {
        Self {
            schema: SCHEMA,
            written_at: rfc3339_now().into(),
            version: OWN_VERSION.into(),
            window: None,
            terminal: None,
        }
    }

    /// Reads it; `None` when nothing is kept.
    ///
    /// # Errors
    /// When it cannot be read, or others own it or can change it.
    pub fn load(paths: &Paths) -> Result<Option<Self>, DocumentError> {
        home::require_ours(paths)?;
        read_json(&paths.kept())
    }

    /// SHA-256 of a program.
    pub fn program(&self, kind: ProgramKind) -> Option<Sha256> {
        match kind {
            ProgramKind::Window => self.window,
            ProgramKind::Terminal => self.terminal,
        }
    }

    /// Sets it.
    pub fn set_program(&mut self, kind: ProgramKind, sha256: Option<Sha256>) {
        match kind {
            ProgramKind::Window => self.window = sha256,
            ProgramKind::Terminal => self.terminal = sha256,
        }
    }

    /// Its version against this program's.
    pub fn age(&self) -> KeptAge {
        age(&self.version, OWN_VERSION)
    }
}

/// One that is no version counts as older: it is damaged.
fn age(kept: &str, own: &str) -> KeptAge {
    let (Ok(kept), Ok(own)) = (Version::parse(kept), Version::parse(own)) else { return KeptAge::Older };
    match kept.cmp_precedence(&own) {
        Ordering::Less => KeptAge::Older,
        Ordering::Equal => KeptAge::Same,
        Ordering::Greater => KeptAge::Newer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(age("0.9.0", "0.10.0"), KeptAge::Older);
        assert_eq!(age("0.10.0", "0.9.0"), KeptAge::Newer);
        assert_eq!(age("1.0.0-rc.1", "1.0.0"), KeptAge::Older);
        assert_eq!(age("1.0.0+a", "1.0.0+b"), KeptAge::Same);
        assert_eq!(age("damaged", "0.1.0"), KeptAge::Older);
    }
}
