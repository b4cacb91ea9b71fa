//! A file that is still downloading, for a reader that follows it.
//!
//! The reader gets only bytes that are hashed already, and the end of the file only after verification: a reader that
//! reached the end has read exactly what was verified. When the download restarts, the reader must restart too.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::platform::regular;

/// Wake the reader after this many bytes; waking it for every chunk is too expensive.
const STEP_BYTES: u64 = 256 << 10;

/// A file being downloaded. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct GrowingFile(Arc<SharedGrowth>);

#[derive(Debug, Default)]
struct SharedGrowth {
    state: Mutex<GrowthState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GrowthState {
    attempt: u64,
    /// Opened when the attempt begins, because the file is renamed when it ends.
    file: Option<File>,
    hashed: u64,
    end: End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Coming,
    Verified,
    Abandoned,
}

/// One attempt at downloading the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadAttempt(u64);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The file is complete and verified.
    Verified,
    /// The download restarted: discard what was read.
    Restarted,
    /// The download was abandoned.
    Abandoned,
}

impl GrowingFile {
    /// Nothing is downloaded yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts, or restarts, the file.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub(super) fn begin(&self, path: &Path) -> io::Result<()> {
        let file = regular::open_no_link(path)?;
        let mut state = self.lock();
        state.attempt += 1;
        state.file = Some(file);
        (state.hashed, state.end) = (0, End::Coming);
        self.0.changed.notify_all();
        Ok(())
    }

    /// The first `hashed` bytes are written and hashed.
    pub(super) fn reached(&self, hashed: u64) {
        let mut state = self.lock();
        if hashed >= state.hashed + STEP_BYTES {
            state.hashed = hashed;
            self.0.changed.notify_all();
        }
    }

    /// The file is complete and verified.
    pub(super) fn verified(&self, bytes: u64) {
        let mut state = self.lock();
        (state.hashed, state.end) = (bytes, End::Verified);
        self.0.changed.notify_all();
    }

    /// Abandons the download: the reader ends with an error.
    pub fn abandon(&self) {
        let mut state = self.lock();
        if state.end == End::Coming {
            state.end = End::Abandoned;
        }
        self.0.changed.notify_all();
    }

    /// Waits for the attempt after this one; `None` when there is no other.
    pub fn next_attempt(&self, after: Option<DownloadAttempt>) -> Option<DownloadAttempt> {
        let mut state = self.lock();
        loop {
            let fresh = state.attempt > after.map_or(0, |attempt| attempt.0);
            match state.end {
                _ if fresh && state.end != End::Abandoned => return Some(DownloadAttempt(state.attempt)),
                End::Coming => state = self.wait(state),
                End::Verified | End::Abandoned => return None,
            }
        }
    }

    /// Waits until an attempt has ended.
    pub fn end_of(&self, attempt: DownloadAttempt) -> AttemptEnd {
        let mut state = self.lock();
        loop {
            match state.end {
                _ if state.attempt != attempt.0 => return AttemptEnd::Restarted,
                End::Verified => return AttemptEnd::Verified,
                End::Abandoned => return AttemptEnd::Abandoned,
                End::Coming => state = self.wait(state),
            }
        }
    }

    /// A reader of an attempt from its beginning. There can be only one per attempt.
    ///
    /// # Errors
    /// When the download has restarted, or the attempt is being read already.
    pub fn open(&self, attempt: DownloadAttempt) -> io::Result<GrowingFileReader> {
        let mut state = self.lock();
        let file = if state.attempt == attempt.0 { state.file.take() } else { None };
        Ok(GrowingFileReader { growing_file: self.clone(), attempt, file: file.ok_or_else(ended)?, at: 0 })
    }

    fn wait<'a>(&self, state: MutexGuard<'a, GrowthState>) -> MutexGuard<'a, GrowthState> {
        self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, GrowthState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what is hashed, and waits for more.
#[derive(Debug)]
pub struct GrowingFileReader {
    growing_file: GrowingFile,
    attempt: DownloadAttempt,
    file: File,
    at: u64,
}

impl GrowingFileReader {
    /// The file itself, for a format read from its end, once the attempt is verified.
    ///
    /// # Errors
    /// When the attempt ended otherwise.
    pub fn into_verified_file(self) -> io::Result<File> {
        match self.growing_file.end_of(self.attempt) {
            AttemptEnd::Verified => Ok(self.file),
            AttemptEnd::Restarted | AttemptEnd::Abandoned => Err(ended()),
        }
    }
}

impl Read for GrowingFileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.growing_file.lock();
        let there = loop {
            if state.attempt != self.attempt.0 || state.end == End::Abandoned {
                return Err(ended());
            }
            if state.hashed > self.at || state.end == End::Verified {
                break state.hashed - self.at;
            }
            state = self.growing_file.wait(state);
        };
        drop(state);
        let most = buffer.len().min(usize::try_from(there).unwrap_or(usize::MAX));
        let n = self.file.read(&mut buffer[..most])?;
        self.at += n as u64;
        Ok(n)
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the download restarted or was abandoned")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_hashed_bytes_and_the_end_only_after_verification() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.partial");
        std::fs::write(&path, vec![7; 1 << 20]).unwrap();
        let growing_file = GrowingFile::new();
        growing_file.begin(&path).unwrap();
        let attempt = growing_file.next_attempt(None).unwrap();
        let mut reader = growing_file.open(attempt).unwrap();
        growing_file.reached(300_000);
        let mut buffer = vec![0; 1 << 20];
        assert_eq!(reader.read(&mut buffer).unwrap(), 300_000, "the rest is on the disk but not hashed");
        let (done, result) = std::sync::mpsc::channel();
        let reading = std::thread::spawn(move || {
            let mut rest = Vec::new();
            done.send(reader.read_to_end(&mut rest).map(|n| n as u64)).unwrap();
        });
        growing_file.reached(1 << 20);
        assert!(
            result.recv_timeout(std::time::Duration::from_millis(50)).is_err(),
            "the end is not verified"
        );
        growing_file.verified(1 << 20);
        assert_eq!(result.recv().unwrap().unwrap(), (1 << 20) - 300_000);
        reading.join().unwrap();
        assert_eq!(growing_file.end_of(attempt), AttemptEnd::Verified);
        assert_eq!(growing_file.next_attempt(Some(attempt)), None);
    }

    #[test]
    fn a_reader_is_told_when_the_download_restarts_or_is_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.partial");
        std::fs::write(&path, b"old").unwrap();
        let growing_file = GrowingFile::new();
        growing_file.begin(&path).unwrap();
        let first = growing_file.next_attempt(None).unwrap();
        let mut reader = growing_file.open(first).unwrap();
        assert!(growing_file.open(first).is_err(), "one reader per attempt");
        let waiting = std::thread::spawn(move || reader.read(&mut [0; 10]).map_err(|error| error.kind()));
        growing_file.begin(&path).unwrap();
        assert_eq!(waiting.join().unwrap(), Err(io::ErrorKind::ConnectionAborted));
        assert_eq!(growing_file.end_of(first), AttemptEnd::Restarted);
        let second = growing_file.next_attempt(Some(first)).unwrap();
        let reader = growing_file.open(second).unwrap();
        growing_file.abandon();
        assert!(reader.into_verified_file().is_err());
        assert_eq!(growing_file.end_of(second), AttemptEnd::Abandoned);
        assert_eq!(growing_file.next_attempt(Some(second)), None);
    }
}
