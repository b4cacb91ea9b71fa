//! Free disk space, watched while something is written, so that a shortage is reported before the disk is full.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::platform::files;

/// Minimum time between two queries of the disk.
const INTERVAL: Duration = Duration::from_millis(500);

/// Watches the disk of a folder.
#[derive(Debug)]
pub struct DiskWatch {
    folder: PathBuf,
    last: Option<Instant>,
}

/// A shortage of disk space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskShortage {
    /// Bytes still to be written.
    pub need_bytes: u64,
    /// Bytes free.
    pub free_bytes: u64,
}

impl DiskWatch {
    /// Watches the disk of this folder, or of its nearest existing parent.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), last: None }
    }

    /// As [`DiskWatch::shortage`], but at most twice a second.
    pub fn shortage_throttled(&mut self, need_bytes: u64) -> Option<DiskShortage> {
        if self.last.is_some_and(|at| at.elapsed() < INTERVAL) {
            return None;
        }
        self.shortage(need_bytes)
    }

    /// The shortage if so many bytes do not fit; `None` also if free space is unknown.
    pub fn shortage(&mut self, need_bytes: u64) -> Option<DiskShortage> {
        self.last = Some(Instant::now());
        match files::free_bytes(&self.folder) {
            Ok(free_bytes) => (free_bytes < need_bytes).then_some(DiskShortage { need_bytes, free_bytes }),
            Err(error) => {
                tracing::debug!(%error, "free space unknown");
                None
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_fit_is_a_shortage() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = DiskWatch::new(&folder.path().join("not/there/yet"));
        assert_eq!(watch.shortage(1), None);
        let shortage = watch.shortage(u64::MAX).unwrap();
        assert!(shortage.need_bytes == u64::MAX && shortage.free_bytes > 0);
        assert_eq!(watch.shortage_throttled(u64::MAX), None, "queried a moment ago");
    }
}
