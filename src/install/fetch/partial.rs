//! The unfinished file and what is known about it: `NAME.partial`, and beside it `NAME.partial.json`, which says which
//! bytes of it are there. Both survive the program and the computer; without the second the first is worth nothing.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::install::fetch::ranges::Spans;

/// Larger than any sidecar of ours: a few dozen spans.
const LARGEST_SIDECAR_BYTES: u64 = 1 << 20;

/// Where a download lies until it is finished.
#[derive(Clone, Debug)]
pub struct Places {
    /// The bytes.
    pub partial: PathBuf,
    /// What is known about them.
    pub sidecar: PathBuf,
}

impl Places {
    /// Beside the finished file.
    pub fn of(dest: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = dest.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self { partial: with(".partial"), sidecar: with(".partial.json") }
    }

    /// Removes both.
    pub fn remove(&self) -> Result<(), (PathBuf, io::Error)> {
        for path in [&self.partial, &self.sidecar] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err((path.clone(), error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What is known about an unfinished file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Of the finished file, in hexadecimal: bytes of another version are worth nothing.
    pub sha256: Sha256,
    /// Length of the finished file.
    pub bytes: Option<u64>,
    /// For each address, what tells the server's file from a later one (an entity tag or a date).
    pub validators: BTreeMap<String, String>,
    /// Which bytes are there.
    pub done: Spans,
}

impl Sidecar {
    /// Nothing has come yet.
    pub fn new(sha256: Sha256, bytes: Option<u64>) -> Self {
        Self { sha256, bytes, validators: BTreeMap::new(), done: Spans::default() }
    }

    /// What an earlier run left, as far as it is of use for a file with this hash and length; else a fresh start.
    pub fn load(places: &Places, sha256: Sha256, bytes: Option<u64>) -> Self {
        let fresh = Self::new(sha256, bytes);
        let there = match std::fs::metadata(&places.partial) {
            Ok(found) if found.is_file() => found.len(),
            _ => return fresh,
        };
        let readable =
            std::fs::metadata(&places.sidecar).is_ok_and(|found| found.len() <= LARGEST_SIDECAR_BYTES);
        let known = readable
            .then(|| std::fs::read(&places.sidecar).ok())
            .flatten()
            .and_then(|json| serde_json::from_slice::<Self>(&json).ok());
        match known {
            Some(mut known) if known.sha256 == sha256 && (bytes.is_none() || known.bytes == bytes) => {
                // A file that lost its end (a full disk, a power cut) has only what is really there.
                known.done.clip(known.bytes.map_or(there, |bytes| bytes.min(there)));
                known
            }
            _ => fresh,
        }
    }

    /// Writes it, whole or not at all.
    pub fn save(&self, places: &Places) -> io::Result<()> {
        let mut temporary = places.sidecar.as_os_str().to_owned();
        temporary.push(".new");
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&temporary)?;
        file.write_all(&serde_json::to_vec(self).map_err(io::Error::other)?)?;
        drop(file);
        std::fs::rename(&temporary, &places.sidecar)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::ranges::Span;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_saved_is_found_again_if_it_is_of_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::of(&folder.path().join("x.tar.zst"));
        assert!(places.partial.ends_with("x.tar.zst.partial"));
        let mut known = Sidecar::new(Sha256::of(b"a"), Some(100));
        known.done.add(Span { start: 0, end: 50 });
        known.validators.insert("https://example.org/x".into(), "\"v1\"".into());
        known.save(&places).unwrap();
        assert_eq!(
            Sidecar::load(&places, Sha256::of(b"a"), Some(100)).done.total(),
            0,
            "the bytes themselves are missing"
        );
        std::fs::write(&places.partial, [0; 80]).unwrap();
        assert_eq!(Sidecar::load(&places, Sha256::of(b"a"), Some(100)), known);
        assert_eq!(Sidecar::load(&places, Sha256::of(b"a"), None), known);
        assert_eq!(Sidecar::load(&places, Sha256::of(b"b"), Some(100)).done.total(), 0);
        assert_eq!(Sidecar::load(&places, Sha256::of(b"a"), Some(101)).done.total(), 0);
        std::fs::write(&places.partial, [0; 30]).unwrap();
        assert_eq!(
            Sidecar::load(&places, Sha256::of(b"a"), Some(100)).done.total(),
            30,
            "the file lost its end"
        );
        places.remove().unwrap();
        places.remove().unwrap();
        assert!(!places.partial.exists() && !places.sidecar.exists());
    }

    proptest! {
        #[test]
        fn any_sidecar_is_used_or_ignored(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let folder = tempfile::tempdir().unwrap();
            let places = Places::of(&folder.path().join("x"));
            std::fs::write(&places.partial, [0; 10]).unwrap();
            std::fs::write(&places.sidecar, bytes).unwrap();
            prop_assert!(Sidecar::load(&places, Sha256::of(b"a"), Some(10)).done.total() <= 10);
        }
    }
}
