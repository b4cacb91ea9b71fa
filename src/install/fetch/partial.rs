//! The partial file `NAME.partial` and its sidecar `NAME.partial.json`, which records which bytes are
//! there. Both survive a crash; without the sidecar the partial file cannot be resumed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::install::fetch::ranges::Spans;
use crate::platform::files;
use crate::platform::regular;

/// Maximum size of a sidecar, which holds a few dozen spans.
const MAX_SIDECAR_BYTES: u64 = 1 << 20;

/// Paths of an unfinished download.
#[derive(Clone, Debug)]
pub struct PartialPaths {
    /// The partial file.
    pub partial: PathBuf,
    /// The sidecar.
    pub sidecar: PathBuf,
}

impl PartialPaths {
    /// Paths beside the finished file.
    pub fn of(dest: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = dest.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self { partial: with(".partial"), sidecar: with(".partial.json") }
    }

    /// Removes both files.
    ///
    /// # Errors
    /// The file that cannot be removed, and why.
    pub fn remove(&self) -> Result<(), (PathBuf, io::Error)> {
        for path in [&self.partial, &self.sidecar] {
            files::remove_file(path).map_err(|error| (error.path, error.source))?;
        }
        Ok(())
    }
}

/// What is known about a partial file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Checksum of the finished file: bytes of another version are useless.
    pub sha256: Sha256,
    /// Size of the finished file, when known.
    pub bytes: Option<u64>,
    /// Validator by URL: the entity tag or date of the server's file.
    pub validators: BTreeMap<String, String>,
    /// Which bytes are there.
    pub done: Spans,
}

impl Sidecar {
    /// Nothing is downloaded yet.
    pub fn new(sha256: Sha256, bytes: Option<u64>) -> Self {
        Self { sha256, bytes, validators: BTreeMap::new(), done: Spans::default() }
    }

    /// The sidecar of an earlier run if it is of the same file; else a fresh one.
    pub fn load(paths: &PartialPaths, sha256: Sha256, bytes: Option<u64>) -> Self {
        let fresh = Self::new(sha256, bytes);
        let there = match std::fs::metadata(&paths.partial) {
            Ok(found) if found.is_file() => found.len(),
            _ => return fresh,
        };
        let known = regular::read(&paths.sidecar, MAX_SIDECAR_BYTES)
            .ok()
            .and_then(|json| serde_json::from_slice::<Self>(&json).ok());
        match known {
            Some(mut known) if known.sha256 == sha256 && (bytes.is_none() || known.bytes == bytes) => {
                // A truncated file (full disk, power cut) has fewer bytes than the sidecar lists.
                known.done.clip(known.bytes.map_or(there, |bytes| bytes.min(there)));
                known
            }
            _ => fresh,
        }
    }

    /// Writes the sidecar atomically, without sync: losing it only prevents resuming.
    ///
    /// # Errors
    /// When it cannot be written; an earlier sidecar then stays as it is.
    pub fn save(&self, paths: &PartialPaths) -> io::Result<()> {
        let json = serde_json::to_vec(self).map_err(io::Error::other)?;
        files::write_whole_unsynced(&paths.sidecar, &json).map_err(|error| error.source)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::ranges::ByteSpan;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sidecar_is_loaded_only_for_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let paths = PartialPaths::of(&folder.path().join("x.tar.zst"));
        assert!(paths.partial.ends_with("x.tar.zst.partial"));
        let mut known = Sidecar::new(Sha256::of(b"a"), Some(100));
        known.done.add(ByteSpan { start: 0, end: 50 });
        known.validators.insert("https://example.org/x".into(), "\"v1\"".into());
        known.save(&paths).unwrap();
        assert_eq!(
            Sidecar::load(&paths, Sha256::of(b"a"), Some(100)).done.total(),
            0,
            "the bytes themselves are missing"
        );
        std::fs::write(&paths.partial, [0; 80]).unwrap();
        assert_eq!(Sidecar::load(&paths, Sha256::of(b"a"), Some(100)), known);
        assert_eq!(Sidecar::load(&paths, Sha256::of(b"a"), None), known);
        assert_eq!(Sidecar::load(&paths, Sha256::of(b"b"), Some(100)).done.total(), 0);
        assert_eq!(Sidecar::load(&paths, Sha256::of(b"a"), Some(101)).done.total(), 0);
        std::fs::write(&paths.partial, [0; 30]).unwrap();
        assert_eq!(
            Sidecar::load(&paths, Sha256::of(b"a"), Some(100)).done.total(),
            30,
            "the file lost its end"
        );
        paths.remove().unwrap();
        paths.remove().unwrap();
        assert!(!paths.partial.exists() && !paths.sidecar.exists());
    }

    proptest! {
        #[test]
        fn any_sidecar_is_used_or_ignored(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let folder = tempfile::tempdir().unwrap();
            let paths = PartialPaths::of(&folder.path().join("x"));
            std::fs::write(&paths.partial, [0; 10]).unwrap();
            std::fs::write(&paths.sidecar, bytes).unwrap();
            prop_assert!(Sidecar::load(&paths, Sha256::of(b"a"), Some(10)).done.total() <= 10);
        }
    }
}
