//! Where the list is, and which key signs it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use minisign_verify::PublicKey;
use reqwest::Url;
use serde::Deserialize;

use crate::built_in;
use crate::platform::regular;
use crate::untrusted::UntrustedText;

/// Upper limit of the file; usual ones have some hundred bytes.
const MAX_FILE_BYTES: u64 = 1 << 16;

/// Addresses and key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateSource {
    /// Version of the format.
    pub schema: u32,
    /// Base addresses, first tried first: https, or http.
    pub addresses: Vec<String>,
    /// The public key, as minisign prints it (base64); empty without addresses.
    pub public_key: String,
    /// Lists with a smaller serial number are not believed.
    #[serde(default)]
    pub least_serial: u64,
}

/// Why a file is no source of updates.
#[derive(Debug, thiserror::Error)]
#[error("{path} does not say where updates are: {problem}", path = path.display())]
pub struct UpdateSourceError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, with line and column where the parser knows them.
    pub problem: UntrustedText,
}

impl UpdateSource {
    /// The built-in one.
    pub fn built_in() -> &'static Self {
        static SOURCE: LazyLock<UpdateSource> = LazyLock::new(|| {
            let text = include_str!("../../../assets/updates.yaml");
            built_in::valid("assets/updates.yaml", UpdateSource::parse(text))
        });
        &SOURCE
    }

    /// Reads a file of the same format as `assets/updates.yaml`: for a mirror with a key of its own.
    ///
    /// # Errors
    /// When it cannot be read, is not of this format, or names addresses without a valid key.
    pub fn read(path: &Path) -> Result<Self, UpdateSourceError> {
        let error = |problem: String| UpdateSourceError { path: path.to_owned(), problem: problem.into() };
        let text = regular::read_text(path, MAX_FILE_BYTES).map_err(|source| error(source.to_string()))?;
        Self::parse(&text).map_err(error)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let source: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        if source.schema != crate::SCHEMA {
            return Err(format!("schema {} is not known", source.schema));
        }
        if source.urls().count() < source.addresses.len() {
            return Err("an address is neither https nor http".to_owned());
        }
        if !source.addresses.is_empty() && source.key().is_none() {
            return Err("public_key is not a key of minisign".to_owned());
        }
        Ok(source)
    }

    /// The addresses.
    pub fn urls(&self) -> impl Iterator<Item = Url> {
        let parsed = self.addresses.iter().filter_map(|address| Url::parse(address).ok());
        parsed.filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
    }

    /// The key; `None` without one.
    pub fn key(&self) -> Option<PublicKey> {
        PublicKey::from_base64(self.public_key.trim()).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_source_is_valid_and_a_wrong_one_is_refused() {
        let _valid = UpdateSource::built_in();
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let with = |addresses: &str, key: &str| {
            UpdateSource::parse(&format!("schema: 1\naddresses: [{addresses}]\npublic_key: '{key}'\n"))
        };
        assert_eq!(with("https://example.org/updates/", key).unwrap().urls().count(), 1);
        for (addresses, key) in [("https://example.org", ""), ("ftp://example.org", key), ("nonsense", key)] {
            assert!(with(addresses, key).is_err(), "{addresses} {key}");
        }
        assert!(UpdateSource::parse("schema: 2\naddresses: []\npublic_key: ''\n").is_err());
    }
}
