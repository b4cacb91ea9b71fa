//! Which engine is installed: a pinned release as data, per system and architecture, with sizes and hashes.
//!
//! The built-in list is `assets/ollama-release.yaml`; `--release FILE` takes another one in the same format
//! (`docs/release-file.md`), `--mirror URL` another address under which the same assets lie.

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

/// A release file is some kilobytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A release: its version and the archives it consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Version of the format; [`crate::SCHEMA`], also when left out.
    #[serde(default = "this_schema")]
    pub schema: u32,
    /// Version of the engine, without a leading `v`. Names the folder it is unpacked into.
    pub version: String,
    /// Address under which the assets lie.
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
    /// File name, below the base address.
    pub name: String,
    /// Its size in bytes; `None` when it was not published.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// What it takes once unpacked, in bytes; `None` when unknown.
    #[serde(default)]
    pub unpacked_bytes: Option<u64>,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// What it is.
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

/// What an archive is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetRole {
    /// The engine.
    #[default]
    Base,
    /// The libraries for AMD cards, unpacked over the base.
    Rocm,
}

/// Why a release is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It could not be read.
    #[error("cannot read the release file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a release file. The message names line and key.
    #[error("{path} is not a release file: {message}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A value that cannot be.
    #[error("{path}: line {line}: {what}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; 0 when unknown.
        line: u64,
        /// The key and what is wrong with it.
        what: String,
    },
    /// Nothing for this machine.
    #[error("release {version} has no archive for {os} on {arch}")]
    NoAsset {
        /// The release.
        version: String,
        /// The system.
        os: String,
        /// The architecture.
        arch: String,
    },
    /// Neither the file nor the command line says where the assets lie.
    #[error("the release file gives no base_url and no --mirror was given")]
    NoAddress,
    /// The address is none.
    #[error("{address} is not an http address")]
    BadAddress {
        /// As it was given.
        address: String,
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
    /// When it cannot be read or is not a release file.
    pub fn from_file(path: &Path) -> Result<Self, ReleaseError> {
        let text = regular::read_text(path, MAX_FILE_BYTES)
            .map_err(|source| ReleaseError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads a release from text; `path` is only used in errors.
    ///
    /// # Errors
    /// When it is not a release file.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ReleaseError> {
        let release: Self = serde_saphyr::from_str(text)
            .map_err(|error| ReleaseError::Format { path: path.to_owned(), message: error.to_string() })?;
        match release.invalid_value() {
            None => Ok(release),
            Some((place, what)) => {
                let line = Lines::of(text).map_or(0, |lines| lines.line(place));
                Err(ReleaseError::Value { path: path.to_owned(), line, what })
            }
        }
    }

    /// The archive of a role for a system and architecture as Rust names them (`std::env::consts`).
    ///
    /// # Errors
    /// [`ReleaseError::NoAsset`].
    pub fn asset(&self, role: AssetRole, os: &str, arch: &str) -> Result<&Asset, ReleaseError> {
        self.assets
            .iter()
            .find(|asset| asset.role == role && asset.os.name() == os && asset.arch.takes(arch))
            .ok_or_else(|| ReleaseError::NoAsset {
                version: self.version.clone(),
                os: os.to_owned(),
                arch: arch.to_owned(),
            })
    }

    /// Where an asset is fetched from, the best address first: below each mirror when there are mirrors, else below the
    /// release's own address.
    ///
    /// # Errors
    /// As [`Release::url`].
    pub fn urls(&self, asset: &Asset, mirrors: &[String]) -> Result<Vec<Url>, ReleaseError> {
        if mirrors.is_empty() {
            return Ok(vec![self.url(asset, None)?]);
        }
        mirrors.iter().map(|mirror| self.url(asset, Some(mirror))).collect()
    }

    /// Where an asset is fetched from: below the mirror when there is one, else below the release's own address.
    ///
    /// # Errors
    /// [`ReleaseError::NoAddress`], [`ReleaseError::BadAddress`].
    pub fn url(&self, asset: &Asset, mirror: Option<&str>) -> Result<Url, ReleaseError> {
        let base = mirror.or(self.base_url.as_deref()).ok_or(ReleaseError::NoAddress)?;
        let whole = format!("{}/{}", base.trim_end_matches('/'), asset.name);
        Url::parse(&whole)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(ReleaseError::BadAddress { address: base.to_owned() })
    }

    /// The first invalid value: where it is, and what is wrong with it.
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
                return Some((Place::AssetBytes(i), of("bytes", "0 cannot be".to_owned())));
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

/// A value in a release file.
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

/// A release file read again for the lines of its values.
#[derive(Deserialize)]
struct Lines {
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

impl Lines {
    fn of(text: &str) -> Option<Self> {
        serde_saphyr::from_str(text).ok()
    }

    /// The line of a value, counted from 1; 0 when unknown.
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
    /// Whether it serves an architecture as `std::env::consts::ARCH` names it.
    fn takes(self, arch: &str) -> bool {
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
    /// Bytes it will take once unpacked: as published, else estimated from the archive's size.
    ///
    /// The engine's archives hold mostly GPU code, which shrinks about threefold.
    pub fn unpacked_estimate_bytes(&self) -> Option<u64> {
        self.unpacked_bytes.or_else(|| self.bytes.map(|bytes| bytes.saturating_mul(3)))
    }
}

/// Where the engine's program lies inside an unpacked release, the likeliest place of this system first.
pub fn find_program(folder: &Path) -> Option<PathBuf> {
    let places: &[&str] = if cfg!(windows) {
        &["ollama.exe", "bin/ollama.exe"]
    } else {
        &["bin/ollama", "ollama", "Contents/Resources/ollama", "Ollama.app/Contents/Resources/ollama"]
    };
    places.iter().map(|place| folder.join(place)).find(|path| path.is_file())
}

/// A version of the engine, to compare it with another. Takes two numbers (`0.5`) too; `None` for anything else.
pub fn parse_version(version: &str) -> Option<Version> {
    let end = version.find(['-', '+']).unwrap_or(version.len());
    let (numbers, suffix) = version.split_at(end);
    let patch = if numbers.matches('.').count() == 1 { ".0" } else { "" };
    Version::parse(&format!("{numbers}{patch}{suffix}")).ok()
}

fn this_schema() -> u32 {
    crate::SCHEMA
}

/// One component of a path on every system, and none with a meaning of its own.
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
