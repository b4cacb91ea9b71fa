//! The signed list of newer versions.

use std::collections::BTreeMap;

use minisign_verify::{PublicKey, Signature};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::ollama::release::{AssetArch, AssetOs, Release};
use crate::platform::clock::seconds_of_rfc3339;
use crate::untrusted::UntrustedText;

/// What is published. Unknown keys are ignored, so that later programs can be told more.
#[derive(Clone, Debug, Deserialize)]
pub struct UpdateList {
    /// Version of the format.
    pub schema: u32,
    /// Grows with each list.
    pub serial: u64,
    /// Until when it is believed, RFC 3339. A publisher renews the list before.
    pub valid_until: UntrustedText,
    /// The newest program.
    pub program: ProgramRelease,
    /// The engine that it pins, in the format of `--release` files.
    #[serde(default)]
    pub engine: Option<EngineRelease>,
}

/// A release of this program.
#[derive(Clone, Debug, Deserialize)]
pub struct ProgramRelease {
    /// Its version.
    pub version: Version,
    /// The page to download it from, https.
    pub page: UntrustedText,
    /// What it changes.
    #[serde(default)]
    pub changes: Wordings,
    /// Its files.
    #[serde(default)]
    pub files: Vec<ProgramDownload>,
}

/// A file of a release of this program.
#[derive(Clone, Debug, Deserialize)]
pub struct ProgramDownload {
    /// The system it is for.
    pub os: AssetOs,
    /// The architecture it is for.
    pub arch: AssetArch,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: Sha256,
}

/// A release of the engine.
#[derive(Clone, Debug, Deserialize)]
pub struct EngineRelease {
    /// Version, archives, checksums.
    pub release: Release,
    /// What it changes.
    #[serde(default)]
    pub changes: Wordings,
}

/// A sentence in several languages, by IETF tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wordings(BTreeMap<String, UntrustedText>);

impl Wordings {
    /// The sentence in a language, else in English.
    pub fn in_language(&self, tag: &str) -> Option<&UntrustedText> {
        self.0.get(tag).or_else(|| self.0.get("en"))
    }
}

/// Why a list is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    /// The signature is not that of the built-in key for this file, or none.
    #[error("the signature is wrong")]
    Signature,
    /// Signed, but not a list of this format.
    #[error("it cannot be read: {0}")]
    Format(UntrustedText),
    /// An earlier list was newer.
    #[error("its serial number is {serial}, an earlier one had {known}")]
    Older {
        /// Its serial number.
        serial: u64,
        /// The highest that was seen, or that this program starts with.
        known: u64,
    },
    /// Another list with the same serial number was seen.
    #[error("another list has the same serial number, {serial}")]
    Replaced {
        /// The serial number.
        serial: u64,
    },
    /// Its time is over: it may be replayed to hide a newer one.
    #[error("it was valid until {until}")]
    Expired {
        /// Until when.
        until: UntrustedText,
    },
}

/// What is known of the lists that were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenList {
    /// The highest serial number.
    pub serial: u64,
    /// SHA-256 of that list; `None` before one was seen.
    pub sha256: Option<Sha256>,
}

/// A list that may be believed at this time (seconds since 1970).
///
/// # Errors
/// See [`ListProblem`].
pub fn verified(
    bytes: &[u8],
    signature: &[u8],
    key: &PublicKey,
    seen: SeenList,
    now_s: u64,
) -> Result<UpdateList, ListProblem> {
    let signature = std::str::from_utf8(signature).ok().and_then(|text| Signature::decode(text).ok());
    let signature = signature.ok_or(ListProblem::Signature)?;
    // Signatures of the whole file, not of its hash, are of a time before 2015.
    key.verify(bytes, &signature, false).map_err(|_| ListProblem::Signature)?;
    let unreadable = |problem: String| ListProblem::Format(problem.into());
    let list: UpdateList = serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    if list.schema != crate::SCHEMA {
        return Err(unreadable(format!("schema {}", list.schema)));
    }
    let serial = list.serial;
    if serial < seen.serial {
        return Err(ListProblem::Older { serial, known: seen.serial });
    }
    if serial == seen.serial && seen.sha256.is_some_and(|known| known != Sha256::of(bytes)) {
        return Err(ListProblem::Replaced { serial });
    }
    match seconds_of_rfc3339(&list.valid_until) {
        Some(until_s) if now_s <= until_s => Ok(list),
        Some(_) => Err(ListProblem::Expired { until: list.valid_until }),
        None => Err(unreadable("valid_until is no time".to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use std::io::Cursor;

    use minisign::KeyPair;

    use super::*;

    /// A time at which [`list`] is valid, 2026-12-01.
    pub const NOW_S: u64 = 1_796_083_200;

    /// A list that offers a program of version 9.
    pub fn list(serial: u64) -> Vec<u8> {
        let list = serde_json::json!({
            "schema": 1, "serial": serial, "valid_until": "2027-01-01T00:00:00Z",
            "program": {"version": "9.0.0", "page": "https://example.org/acolyte", "changes": {"en": "Faster."}},
            "later": "unknown keys are ignored",
        });
        serde_json::to_vec(&list).unwrap()
    }

    /// A key pair, and a function that signs with it.
    pub fn key_pair() -> (PublicKey, impl Fn(&[u8]) -> Vec<u8>) {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let key = PublicKey::from_base64(&pair.pk.to_base64()).unwrap();
        let sign = move |bytes: &[u8]| {
            let made = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(bytes), None, None).unwrap();
            made.into_string().into_bytes()
        };
        (key, sign)
    }

    #[test]
    fn a_signed_list_is_read_and_everything_else_is_refused() {
        let (key, sign) = key_pair();
        let read = |bytes: &[u8], signature: &[u8], seen| {
            verified(bytes, signature, &key, seen, NOW_S).map(|list| list.serial)
        };
        let unseen = SeenList::default();
        let seventh = list(7);
        assert_eq!(read(&seventh, &sign(&seventh), unseen), Ok(7));
        // The same list again is nothing new; a newer one is.
        let seen = SeenList { serial: 7, sha256: Some(Sha256::of(&seventh)) };
        assert_eq!(read(&seventh, &sign(&seventh), seen), Ok(7));
        assert_eq!(read(&list(8), &sign(&list(8)), seen), Ok(8));
        assert_eq!(read(&list(6), &sign(&list(6)), seen), Err(ListProblem::Older { serial: 6, known: 7 }));
        let other = [list(7), b"\n".to_vec()].concat();
        assert_eq!(read(&other, &sign(&other), seen), Err(ListProblem::Replaced { serial: 7 }));

        let (_, sign_of_another) = key_pair();
        for (bytes, signature) in [
            (seventh.clone(), sign_of_another(&seventh)),
            (seventh.clone(), sign(&list(8))),
            (seventh.clone(), Vec::new()),
            (seventh.clone(), b"untrusted comment: x\n\xff".to_vec()),
            ([seventh.clone(), b" ".to_vec()].concat(), sign(&seventh)),
        ] {
            assert_eq!(read(&bytes, &signature, unseen), Err(ListProblem::Signature));
        }
        let not_a_list = b"{\"schema\": 1}";
        assert!(matches!(read(not_a_list, &sign(not_a_list), unseen), Err(ListProblem::Format(_))));
    }

    #[test]
    fn a_list_whose_time_is_over_is_not_believed() {
        let (key, sign) = key_pair();
        let list = list(1);
        let until_s = seconds_of_rfc3339("2027-01-01T00:00:00Z").unwrap();
        let at = |now_s| verified(&list, &sign(&list), &key, SeenList::default(), now_s).map(|_| ());
        assert_eq!(at(until_s), Ok(()));
        let until = "2027-01-01T00:00:00Z".into();
        assert_eq!(at(until_s + 1), Err(ListProblem::Expired { until }));
    }
}
