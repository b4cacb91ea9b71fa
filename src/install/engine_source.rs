//! Which engine is installed, how it is verified, and how the network is reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::install::reuse::InstalledEngine;
use crate::ollama::http::HttpOptions;
use crate::ollama::release::{Release, ReleaseError};

/// Where the engine comes from and how the network is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineSource {
    /// The engine to install.
    #[serde(rename = "which")]
    pub choice: EngineChoice,
    /// Base URLs of mirrors of the release's files (`--mirror`), best first; empty for the release's own.
    pub mirrors: Vec<String>,
    /// Archives already on this computer (`--archive`). When there are any, nothing of the engine is downloaded.
    pub archives: Vec<PathBuf>,
    /// Proxy and certificates.
    pub http: HttpOptions,
    /// Download rate limit in bytes per second.
    pub max_bytes_per_s: Option<u64>,
}

/// The engine to install.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineChoice {
    /// The release this program was built with, with built-in checksums.
    #[default]
    Pinned,
    /// A release file in the built-in one's format (`--release`), with checksums that the user trusts.
    Listed(PathBuf),
    /// The newest release at the time it was looked up; its checksums come from where its files come from.
    Newest(Box<Release>),
    /// A release of the signed list of newer versions, with checksums that the publisher of this program signed.
    Signed(Box<Release>),
    /// An engine already on this computer, copied into our folder.
    Installed(InstalledEngine),
}

/// Where the checksums that verify the engine come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineOrigin {
    /// Checksums built into this program.
    Pinned,
    /// Checksums in a release file the user named.
    Listed,
    /// Checksums in the signed list of newer versions.
    Signed,
    /// Checksums published beside the release itself: less certain.
    Newest,
    /// Nothing: it was on this computer already, and its checksum is only recorded.
    Installed,
}

/// The receipt's record of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineRecord {
    /// Where its checksums come from.
    pub origin: EngineOrigin,
    /// What it was unpacked or copied from.
    pub archives: Vec<ArchiveRecord>,
}

/// An archive, or the program of a reused engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveRecord {
    /// File name of the archive, or path of the program.
    pub name: String,
    /// Its checksum.
    pub sha256: Sha256,
}

impl EngineSource {
    /// The archives on this computer ([`EngineSource::archives`]) that stand for archives of these names: by name, else in
    /// order, because people rename files. `None` where none is left.
    pub fn archives_named(&self, names: &[&str]) -> Vec<Option<PathBuf>> {
        let mut left = self.archives.clone();
        let found = names.iter().map(|name| {
            let named = left.iter().position(|path| path.file_name().is_some_and(|file| *file == **name));
            named.or((!left.is_empty()).then_some(0)).map(|index| left.remove(index))
        });
        found.collect()
    }
}

impl EngineChoice {
    /// The release to download; `None` for an engine that is already here.
    ///
    /// # Errors
    /// When the release file cannot be read.
    pub fn release(&self) -> Result<Option<Release>, ReleaseError> {
        match self {
            Self::Pinned => Ok(Some(Release::built_in().clone())),
            Self::Listed(path) => Release::from_file(path).map(Some),
            Self::Newest(release) | Self::Signed(release) => Ok(Some(Release::clone(release))),
            Self::Installed(_) => Ok(None),
        }
    }

    /// Where its checksums come from.
    pub fn origin(&self) -> EngineOrigin {
        match self {
            Self::Pinned => EngineOrigin::Pinned,
            Self::Listed(_) => EngineOrigin::Listed,
            Self::Newest(_) => EngineOrigin::Newest,
            Self::Signed(_) => EngineOrigin::Signed,
            Self::Installed(_) => EngineOrigin::Installed,
        }
    }

    /// Its version; `None` when the release file cannot be read, which the first step of the installation reports.
    pub fn version(&self) -> Option<String> {
        match self {
            Self::Installed(engine) => Some(engine.version.clone()),
            other => other.release().ok().flatten().map(|release| release.version),
        }
    }
}
