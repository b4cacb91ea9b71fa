//! Where the engine comes from, how sure that is, and how the outside world is reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::install::reuse::InstalledEngine;
use crate::ollama::http::HttpOptions;
use crate::ollama::release::{AssetRole, Release, ReleaseError};

/// Where the engine comes from and how the outside world is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// Which engine.
    pub which: Which,
    /// Base addresses under which the release's files lie (`--mirror`), the best first; empty for the release's own.
    pub mirrors: Vec<String>,
    /// Archives that are on this computer already (`--archive`). When there are any, nothing of the engine is downloaded.
    pub archives: Vec<PathBuf>,
    /// Proxy and certificates.
    pub http: HttpOptions,
    /// No faster than this, in bytes a second.
    pub max_bytes_per_s: Option<u64>,
}

/// Which engine is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The release this program was made with: its hashes are data of this program.
    #[default]
    Pinned,
    /// A release list in the built-in one's format (`--release`): its hashes are the person's word.
    Listed(PathBuf),
    /// The newest release, as it was found: its hashes come from where its files come from.
    Newest(Box<Release>),
    /// One that is on this computer, copied into our folder.
    Installed(InstalledEngine),
}

/// How the engine came to be known as the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By hashes built into this program.
    Pinned,
    /// By hashes in a list the person named.
    Listed,
    /// By the hashes published beside the release itself: less certain.
    Newest,
    /// It was on this computer already; its hash was only noted.
    Installed,
}

/// What the receipt says about where the engine came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineRecord {
    /// How it is known to be the right one.
    pub origin: Origin,
    /// The same in a sentence, in the person's language.
    pub note: String,
    /// What it was unpacked or copied from.
    pub archives: Vec<ArchiveRecord>,
}

/// An archive, or the program of an engine that was here, by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveRecord {
    /// Its name, or its path where it was here.
    pub name: String,
    /// Its SHA-256.
    pub sha256: Sha256,
}

impl Which {
    /// The release to fetch; `None` when one is used that is here.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn release(&self) -> Result<Option<Release>, ReleaseError> {
        match self {
            Self::Pinned => Release::built_in().map(Some),
            Self::Listed(path) => Release::from_file(path).map(Some),
            Self::Newest(release) => Ok(Some(Release::clone(release))),
            Self::Installed(_) => Ok(None),
        }
    }

    /// How it is known to be the right one.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Pinned => Origin::Pinned,
            Self::Listed(_) => Origin::Listed,
            Self::Newest(_) => Origin::Newest,
            Self::Installed(_) => Origin::Installed,
        }
    }

    /// Its version; `None` when the list cannot be read, which the installation's first step says.
    pub fn version(&self) -> Option<String> {
        match self {
            Self::Installed(engine) => Some(engine.version.clone()),
            other => other.release().ok().flatten().map(|release| release.version),
        }
    }

    /// Bytes of its archives for this computer; `None` when unknown or none. `with_rocm` counts the extra for AMD cards.
    pub fn download_bytes(&self, with_rocm: bool) -> Option<u64> {
        let release = self.release().ok().flatten()?;
        let bytes = |role| release.asset(role, std::env::consts::OS, std::env::consts::ARCH).ok()?.bytes;
        let extra = if with_rocm { bytes(AssetRole::Rocm) } else { None };
        Some(bytes(AssetRole::Base)? + extra.unwrap_or(0))
    }
}
