//! The finished beginning of a file that is still coming, for somebody who reads it meanwhile.
//!
//! A reader gets only what was hashed already, and the end of the file only once the hash is the right one: whoever has
//! read to the end has read exactly what was verified. When the download begins anew, so must the reader.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Told of in steps of at least so many bytes: waking the reader for each piece would cost more than it gains.
const STEP_BYTES: u64 = 256 << 10;

/// A file that is coming. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Tail(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    round: u64,
    /// Opened when the round begins, because the file gets another name when it ends.
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

/// One attempt at fetching the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round(u64);

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundEnd {
    /// Everything came and has the right hash.
    Verified,
    /// It was begun anew: what was read is worth nothing.
    BegunAnew,
    /// Nothing more will come.
    Abandoned,
}

impl Tail {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file begins, or begins anew.
    pub(super) fn begin(&self, path: &Path) -> io::Result<()> {
        let file = File::open(path)?;
        let mut state = self.lock();
        state.round += 1;
        state.file = Some(file);
        (state.hashed, state.end) = (0, End::Coming);
        self.0.changed.notify_all();
        Ok(())
    }

    /// So much of its beginning is there and hashed.
    pub(super) fn reached(&self, hashed: u64) {
        let mut state = self.lock();
        if hashed >= state.hashed + STEP_BYTES {
            state.hashed = hashed;
            self.0.changed.notify_all();
        }
    }

    /// All of it is there, and has the right hash.
    pub(super) fn verified(&self, bytes: u64) {
        let mut state = self.lock();
        (state.hashed, state.end) = (bytes, End::Verified);
        self.0.changed.notify_all();
    }

    /// Nothing more will come: the reader ends with an error.
    pub fn abandon(&self) {
        let mut state = self.lock();
        if state.end == End::Coming {
            state.end = End::Abandoned;
        }
        self.0.changed.notify_all();
    }

    /// Waits for a file to begin, or to begin anew after this round; `None` when nothing more will come.
    pub fn next_round(&self, after: Option<Round>) -> Option<Round> {
        let mut state = self.lock();
        loop {
            let fresh = state.round > after.map_or(0, |round| round.0);
            match state.end {
                _ if fresh && state.end != End::Abandoned => return Some(Round(state.round)),
                End::Coming => state = self.wait(state),
                End::Verified | End::Abandoned => return None,
            }
        }
    }

    /// Waits until a round has ended.
    pub fn end_of(&self, round: Round) -> RoundEnd {
        let mut state = self.lock();
        loop {
            match state.end {
                _ if state.round != round.0 => return RoundEnd::BegunAnew,
                End::Verified => return RoundEnd::Verified,
                End::Abandoned => return RoundEnd::Abandoned,
                End::Coming => state = self.wait(state),
            }
        }
    }

    /// Reads a round from its beginning, once.
    ///
    /// # Errors
    /// When it was begun anew meanwhile, or is read already.
    pub fn open(&self, round: Round) -> io::Result<TailReader> {
        let mut state = self.lock();
        let file = if state.round == round.0 { state.file.take() } else { None };
        Ok(TailReader { tail: self.clone(), round, file: file.ok_or_else(ended)?, at: 0 })
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what has been hashed, and waits for more.
#[derive(Debug)]
pub struct TailReader {
    tail: Tail,
    round: Round,
    file: File,
    at: u64,
}

impl TailReader {
    /// The file itself, for a format that is read from its end: only once the round is verified.
    ///
    /// # Errors
    /// When it ended otherwise.
    pub fn into_verified_file(self) -> io::Result<File> {
        match self.tail.end_of(self.round) {
            RoundEnd::Verified => Ok(self.file),
            RoundEnd::BegunAnew | RoundEnd::Abandoned => Err(ended()),
        }
    }
}

impl Read for TailReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.tail.lock();
        let there = loop {
            if state.round != self.round.0 || state.end == End::Abandoned {
                return Err(ended());
            }
            if state.hashed > self.at || state.end == End::Verified {
                break state.hashed - self.at;
            }
            state = self.tail.wait(state);
        };
        drop(state);
        let most = buffer.len().min(usize::try_from(there).unwrap_or(usize::MAX));
        let n = self.file.read(&mut buffer[..most])?;
        self.at += n as u64;
        Ok(n)
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the download was begun anew or given up")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_what_is_hashed_and_the_end_only_when_it_is_verified() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.partial");
        std::fs::write(&path, vec![7; 1 << 20]).unwrap();
        let tail = Tail::new();
        tail.begin(&path).unwrap();
        let round = tail.next_round(None).unwrap();
        let mut reader = tail.open(round).unwrap();
        tail.reached(300_000);
        let mut buffer = vec![0; 1 << 20];
        assert_eq!(reader.read(&mut buffer).unwrap(), 300_000, "the rest is on the disk but not hashed");
        let (done, result) = std::sync::mpsc::channel();
        let reading = std::thread::spawn(move || {
            let mut rest = Vec::new();
            done.send(reader.read_to_end(&mut rest).map(|n| n as u64)).unwrap();
        });
        tail.reached(1 << 20);
        assert!(
            result.recv_timeout(std::time::Duration::from_millis(50)).is_err(),
            "the end is not verified"
        );
        tail.verified(1 << 20);
        assert_eq!(result.recv().unwrap().unwrap(), (1 << 20) - 300_000);
        reading.join().unwrap();
        assert_eq!(tail.end_of(round), RoundEnd::Verified);
        assert_eq!(tail.next_round(Some(round)), None);
    }

    #[test]
    fn a_reader_notices_that_it_must_begin_anew_or_give_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.partial");
        std::fs::write(&path, b"old").unwrap();
        let tail = Tail::new();
        tail.begin(&path).unwrap();
        let first = tail.next_round(None).unwrap();
        let mut reader = tail.open(first).unwrap();
        assert!(tail.open(first).is_err(), "one reader a round");
        let waiting = std::thread::spawn(move || reader.read(&mut [0; 10]).map_err(|error| error.kind()));
        tail.begin(&path).unwrap();
        assert_eq!(waiting.join().unwrap(), Err(io::ErrorKind::ConnectionAborted));
        assert_eq!(tail.end_of(first), RoundEnd::BegunAnew);
        let second = tail.next_round(Some(first)).unwrap();
        let reader = tail.open(second).unwrap();
        tail.abandon();
        assert!(reader.into_verified_file().is_err());
        assert_eq!(tail.end_of(second), RoundEnd::Abandoned);
        assert_eq!(tail.next_round(Some(second)), None);
    }
}
