//! Engine releases as data: archives per system and architecture, with sizes and SHA-256.
//!
//! The pinned release is `assets/ollama-release.yaml`; `--release FILE` uses another file of the same format
//! (`docs/release-file.md`), `--mirror URL` another base URL of the same archives.

pub mod newest;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use reqwest::Url;
use semver::Version;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::built_in;
use crate::checksum::Sha256;
use crate::platform::regular;
use crate::untrusted::UntrustedText;

/// Upper limit of a release file; usual ones are a few kilobytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A release: version and archives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Version of the format; default [`crate::SCHEMA`].
    #[serde(default = "this_schema")]
    pub schema: u32,
    /// Version of the engine, without a leading `v`. Also the name of its folder.
    pub version: String,
    /// Base URL of the archives.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The archives.
    pub assets: Vec<Asset>,
}

/// One archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// The system it is for.
    pub os: AssetOs,
    /// The architecture it is for.
    pub arch: AssetArch,
    /// File name, below the base URL.
    pub name: String,
    /// Size in bytes; `None` if not published.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Unpacked size in bytes; `None` if unknown.
    #[serde(default)]
    pub unpacked_bytes: Option<u64>,
    /// SHA-256.
    pub sha256: Sha256,
    /// Role.
    #[serde(default)]
    pub role: AssetRole,
}

/// Systems with a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetOs {
    /// Linux.
    Linux,
    /// macOS.
    #[serde(alias = "darwin")]
    Macos,
    /// Windows.
    Windows,
}

/// Architectures with a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssetArch {
    /// 64-bit Intel and AMD.
    #[serde(rename = "x86_64", alias = "amd64")]
    X86_64,
    /// 64-bit ARM.
    #[serde(rename = "aarch64", alias = "arm64")]
    Aarch64,
    /// One archive for all of them.
    #[serde(rename = "any", alias = "universal")]
    Any,
}

/// Role of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetRole {
    /// The engine.
    #[default]
    Base,
    /// The libraries for AMD cards, unpacked over the base.
    Rocm,
}

/// Why a release cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It could not be read.
    #[error("cannot read the release file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Invalid YAML, or an unknown or missing key.
    #[error("{path} is not a release file: {message}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The parser's error, with line and column.
        message: UntrustedText,
    },
    /// An invalid value.
    #[error("{path}: line {line}: {what}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1; 0 if unknown.
        line: u64,
        /// The key and what is wrong with it.
        what: UntrustedText,
    },
    /// No archive for this machine.
    #[error("release {version} has no archive for {os} on {arch}")]
    NoAsset {
        /// The release.
        version: UntrustedText,
        /// The system.
        os: String,
        /// The architecture.
        arch: String,
    },
    /// Neither the file nor the command line has a base URL.
    #[error("the release file gives no base_url and no --mirror was given")]
    NoAddress,
    /// Not a valid http URL.
    #[error("{address} is not an http address")]
    BadAddress {
        /// As entered.
        address: UntrustedText,
    },
}

impl Release {
    /// The pinned release.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Release> = LazyLock::new(|| {
            let (text, file) =
                (include_str!("../../assets/ollama-release.yaml"), "assets/ollama-release.yaml");
            built_in::valid(file, Release::parse(text, Path::new(file)))
        });
        &BUILT_IN
    }

    /// Reads a release file.
    ///
    /// # Errors
    /// If it cannot be read or is not a release file.
    pub fn from_file(path: &Path) -> Result<Self, ReleaseError> {
        let text = regular::read_text(path, MAX_FILE_BYTES)
            .map_err(|source| ReleaseError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads a release from text; `path` is only used in errors.
    ///
    /// # Errors
    /// If it is not a release file.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ReleaseError> {
        let release: Self = serde_saphyr::from_str(text).map_err(|error| ReleaseError::Format {
            path: path.to_owned(),
            message: error.to_string().into(),
        })?;
        match release.invalid_value() {
            None => Ok(release),
            Some((place, what)) => {
                let line = DocumentLines::of(text).map_or(0, |lines| lines.line(place));
                Err(ReleaseError::Value { path: path.to_owned(), line, what: what.into() })
            }
        }
    }

    /// The archive with a role for a system and architecture, named as in `std::env::consts`.
    ///
    /// # Errors
    /// [`ReleaseError::NoAsset`].
    pub fn asset(&self, role: AssetRole, os: &str, arch: &str) -> Result<&Asset, ReleaseError> {
        self.assets
            .iter()
            .find(|asset| asset.role == role && asset.os.name() == os && asset.arch.runs_on(arch))
            .ok_or_else(|| ReleaseError::NoAsset {
                version: self.version.as_str().into(),
                os: os.to_owned(),
                arch: arch.to_owned(),
            })
    }

    /// Download URLs of an archive, best first: below each mirror, or below the release's base URL without mirrors.
    ///
    /// # Errors
    /// Those of [`Release::url`].
    pub fn urls(&self, asset: &Asset, mirrors: &[String]) -> Result<Vec<Url>, ReleaseError> {
        if mirrors.is_empty() {
            return Ok(vec![self.url(asset, None)?]);
        }
        mirrors.iter().map(|mirror| self.url(asset, Some(mirror))).collect()
    }

    /// Download URL of an archive: below the mirror, or below the release's base URL without one.
    ///
    /// # Errors
    /// [`ReleaseError::NoAddress`], [`ReleaseError::BadAddress`].
    pub fn url(&self, asset: &Asset, mirror: Option<&str>) -> Result<Url, ReleaseError> {
        let base = mirror.or(self.base_url.as_deref()).ok_or(ReleaseError::NoAddress)?;
        let whole = format!("{}/{}", base.trim_end_matches('/'), asset.name);
        Url::parse(&whole)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(ReleaseError::BadAddress { address: base.into() })
    }

    /// Whether its values are valid, for a release that was not read from a file of its own.
    pub fn is_valid(&self) -> bool {
        self.invalid_value().is_none()
    }

    /// The first invalid value: its place, and what is wrong with it.
    fn invalid_value(&self) -> Option<(Place, String)> {
        if self.schema != crate::SCHEMA {
            let what =
                format!("schema: {} is not supported, this program reads {}", self.schema, crate::SCHEMA);
            return Some((Place::Schema, what));
        }
        if !is_folder_name(&self.version) {
            let what = format!("version: \"{}\" cannot name a folder", self.version);
            return Some((Place::Version, what));
        }
        if let Some(url) = self.base_url.as_ref().filter(|url| !is_http(url)) {
            return Some((Place::BaseUrl, format!("base_url: \"{url}\" is not an http address")));
        }
        if self.assets.is_empty() {
            return Some((Place::Assets, "assets: there are none".to_owned()));
        }
        self.assets.iter().enumerate().find_map(|(i, asset)| {
            let of = |key: &str, what: String| format!("assets[{i}].{key}: {what}");
            if !is_folder_name(&asset.name) || archive_suffix(&asset.name).is_none() {
                let what = format!(
                    "\"{}\" is not a file name ending in .tar.zst, .tgz, .tar.gz or .zip",
                    asset.name
                );
                return Some((Place::AssetName(i), of("name", what)));
            }
            if asset.bytes == Some(0) {
                return Some((Place::AssetBytes(i), of("bytes", "0 is not a size".to_owned())));
            }
            let twin = self.assets[..i].iter().any(|other| {
                other.os == asset.os && other.role == asset.role && other.arch.overlaps(asset.arch)
            });
            twin.then(|| {
                (Place::AssetArch(i), of("arch", "a second archive for the same system and role".to_owned()))
            })
        })
    }
}

/// Place of a value in a release file.
#[derive(Clone, Copy, Debug)]
enum Place {
    Schema,
    Version,
    BaseUrl,
    Assets,
    AssetName(usize),
    AssetBytes(usize),
    AssetArch(usize),
}

/// A release file parsed for the line numbers of its values.
#[derive(Deserialize)]
struct DocumentLines {
    schema: Option<Spanned<IgnoredAny>>,
    version: Spanned<IgnoredAny>,
    base_url: Option<Spanned<IgnoredAny>>,
    assets: Spanned<Vec<AssetLines>>,
}

#[derive(Deserialize)]
struct AssetLines {
    name: Spanned<IgnoredAny>,
    arch: Spanned<IgnoredAny>,
    bytes: Option<Spanned<IgnoredAny>>,
}

impl DocumentLines {
    fn of(text: &str) -> Option<Self> {
        serde_saphyr::from_str(text).ok()
    }

    /// Line of a value, counted from 1; 0 if unknown.
    fn line(&self, place: Place) -> u64 {
        let asset = |index: usize| self.assets.value.get(index);
        let value = match place {
            Place::Schema => self.schema.as_ref(),
            Place::Version => Some(&self.version),
            Place::BaseUrl => self.base_url.as_ref(),
            Place::Assets => return self.assets.referenced.line(),
            Place::AssetName(index) => asset(index).map(|asset| &asset.name),
            Place::AssetBytes(index) => asset(index).and_then(|asset| asset.bytes.as_ref()),
            Place::AssetArch(index) => asset(index).map(|asset| &asset.arch),
        };
        value.map_or(0, |value| value.referenced.line())
    }
}

impl AssetOs {
    /// The name in `std::env::consts::OS`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }
}

impl AssetArch {
    /// Whether it runs on an architecture, named as in `std::env::consts::ARCH`.
    pub fn runs_on(self, arch: &str) -> bool {
        match self {
            Self::X86_64 => arch == "x86_64",
            Self::Aarch64 => arch == "aarch64",
            Self::Any => true,
        }
    }

    fn overlaps(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }
}

impl Asset {
    /// Unpacked size in bytes: as published, else estimated from the archive's size.
    ///
    /// The archives contain mostly GPU code, which compresses about threefold.
    pub fn unpacked_estimate_bytes(&self) -> Option<u64> {
        self.unpacked_bytes.or_else(|| self.bytes.map(|bytes| bytes.saturating_mul(3)))
    }
}

/// Path of the engine's program in an unpacked release.
pub fn find_program(folder: &Path) -> Option<PathBuf> {
    let places: &[&str] = if cfg!(windows) {
        &["ollama.exe", "bin/ollama.exe"]
    } else {
        &["bin/ollama", "ollama", "Contents/Resources/ollama", "Ollama.app/Contents/Resources/ollama"]
    };
    places.iter().map(|place| folder.join(place)).find(|path| path.is_file())
}

/// Parses a version of the engine. Two numbers (`0.5`) are accepted too.
pub fn parse_version(version: &str) -> Option<Version> {
    let end = version.find(['-', '+']).unwrap_or(version.len());
    let (numbers, suffix) = version.split_at(end);
    let patch = if numbers.matches('.').count() == 1 { ".0" } else { "" };
    Version::parse(&format!("{numbers}{patch}{suffix}")).ok()
}

/// Whether two texts name the same version of the engine: `v0.5` and `0.5.0` do.
pub fn is_same_version(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim().trim_start_matches('v'), other.trim().trim_start_matches('v'));
    match (parse_version(one), parse_version(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn this_schema() -> u32 {
    crate::SCHEMA
}

/// Whether a name is one path component without special meaning on every system.
fn is_folder_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
    !name.is_empty()
        && name.len() <= 128
        && name.chars().all(plain)
        && !name.starts_with(['.', '-'])
        && name != "home"
}

fn archive_suffix(name: &str) -> Option<&'static str> {
    [".tar.zst", ".tgz", ".tar.gz", ".zip"].into_iter().find(|suffix| name.ends_with(suffix))
}

fn is_http(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests;
