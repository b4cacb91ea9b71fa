//! Room on a disk while something is written there: what will not fit is said when that is known, not when the disk is
//! full.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::platform::files;

/// The disk is asked this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Watches the disk of a folder.
#[derive(Debug)]
pub struct Room {
    folder: PathBuf,
    looked: Option<Instant>,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// Bytes that are still to be written.
    pub need_bytes: u64,
    /// Bytes that are free.
    pub free_bytes: u64,
}

impl Room {
    /// On the disk of this folder, or of its nearest parent that exists.
    pub fn on_disk_of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), looked: None }
    }

    /// As [`Room::short_of`], twice a second at most.
    pub fn short_of_now_and_then(&mut self, need_bytes: u64) -> Option<Short> {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return None;
        }
        self.short_of(need_bytes)
    }

    /// Whether so much does not fit. Where the system does not tell, a full disk is noticed when it is full.
    pub fn short_of(&mut self, need_bytes: u64) -> Option<Short> {
        self.looked = Some(Instant::now());
        match files::free_bytes(&self.folder) {
            Ok(free_bytes) => (free_bytes < need_bytes).then_some(Short { need_bytes, free_bytes }),
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
    fn what_fits_is_told_from_what_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut room = Room::on_disk_of(&folder.path().join("not/there/yet"));
        assert_eq!(room.short_of(1), None);
        let short = room.short_of(u64::MAX).unwrap();
        assert!(short.need_bytes == u64::MAX && short.free_bytes > 0);
        assert_eq!(room.short_of_now_and_then(u64::MAX), None, "it has just been looked");
    }
}
