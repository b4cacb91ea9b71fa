//! The thread that writes what the connections bring, wherever in the file it belongs, and hashes it in order.
//!
//! Bytes that follow what is hashed already are hashed straight from memory; bytes that came early are read back, from
//! the system's cache, once the gap before them is closed. So the file is hashed while it comes, whatever the order, and
//! the last byte is checked the moment it is there.
//!
//! A second thread makes progress last: every two seconds it has the system write the file to the disk and only then
//! notes what is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as sync;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::Digest as _;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::bytes::Bytes;

use crate::checksum::Sha256;
use crate::install::fetch::partial::{Places, Sidecar};
use crate::install::fetch::ranges::Span;
use crate::install::fetch::tail::Tail;

/// Pieces on their way to the disk. A connection brings up to 400 kB at once, so this bounds memory to a few MB.
const QUEUE: usize = 16;
/// How much is read back at a time before looking for new pieces again.
const READ_BACK_BYTES: usize = 1 << 20;
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// Synchronising takes no more than one part in so many of the time.
const SYNC_SHARE: u32 = 10;

/// A piece of the file.
#[derive(Debug)]
pub struct Piece {
    /// Where it belongs.
    pub offset: u64,
    /// What it is.
    pub bytes: Bytes,
}

/// What the connections hand their pieces to.
pub type Inlet = mpsc::Sender<Piece>;

/// The file being written.
pub struct Sink {
    inlet: Option<Inlet>,
    shared: Arc<Shared>,
    finished: Option<oneshot::Receiver<io::Result<Sha256>>>,
}

/// What everybody may look at.
#[derive(Debug)]
pub struct Shared {
    places: Places,
    state: Mutex<State>,
    stop: AtomicBool,
}

#[derive(Debug)]
struct State {
    sidecar: Sidecar,
    hashed: u64,
    ended: bool,
}

impl Sink {
    /// Opens the unfinished file and starts with what the sidecar says is there.
    pub fn open(places: Places, sidecar: Sidecar, tail: Option<Tail>) -> Result<Self, (PathBuf, io::Error)> {
        let failed = |error| (places.partial.clone(), error);
        let file = open_private(&places.partial).map_err(failed)?;
        if sidecar.done.total() == 0 {
            file.set_len(0).map_err(failed)?;
        }
        let reader = File::open(&places.partial).map_err(failed)?;
        sidecar.save(&places).map_err(|error| (places.sidecar.clone(), error))?;
        let durable = file.try_clone().map_err(failed)?;
        if let Some(tail) = &tail {
            tail.begin(&places.partial).map_err(failed)?;
        }

        let shared = Arc::new(Shared {
            places: places.clone(),
            state: Mutex::new(State { sidecar, hashed: 0, ended: false }),
            stop: AtomicBool::new(false),
        });
        let (inlet, pieces) = mpsc::channel(QUEUE);
        let (report, finished) = oneshot::channel();
        let (writing, written) = sync::channel::<()>();
        let writer = Writer {
            file,
            position: 0,
            reader,
            hash: sha2::Sha256::new(),
            shared: Arc::clone(&shared),
            tail,
            _writing: writing,
        };
        let keeper = Arc::clone(&shared);
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
        };
        spawn(
            "download-writer",
            Box::new(move || {
                // Nobody listens any more after a cancellation; what was written is noted all the same.
                let _ = report.send(writer.run(pieces));
            }),
        )
        .map_err(failed)?;
        spawn("download-keeper", Box::new(move || keep(&keeper, &durable, &written))).map_err(failed)?;
        Ok(Self { inlet: Some(inlet), shared, finished: Some(finished) })
    }

    /// For one more connection. `None` once the sink is finishing.
    pub fn inlet(&self) -> Option<Inlet> {
        self.inlet.clone()
    }

    /// What is there, for everybody.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Waits until everything is written and hashed, and tells the hash. All inlets must be gone, or it waits for them.
    pub async fn finish(&mut self) -> io::Result<Sha256> {
        self.inlet = None;
        let Some(finished) = &mut self.finished else {
            return Err(io::Error::other("the file was finished before"));
        };
        let outcome = finished.await;
        self.finished = None;
        outcome.unwrap_or_else(|_| Err(io::Error::other("the writing thread ended early")))
    }

    /// Stops after the piece at hand and notes what is there.
    pub async fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // How it ended was asked for before, or is of no interest any more.
        let _ = self.finish().await;
    }
}

/// For reading and writing; made if it is not there, for this person only.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// Which bytes were written.
    #[cfg(test)]
    pub fn done(&self) -> super::ranges::Spans {
        self.lock().sidecar.done.clone()
    }

    /// Up to where it is hashed.
    pub fn hashed(&self) -> u64 {
        self.lock().hashed
    }

    /// Notes the length once a server told it.
    pub fn note_length(&self, bytes: u64) {
        self.lock().sidecar.bytes = Some(bytes);
    }

    /// What tells the file at this address from a later one.
    pub fn validator(&self, address: &str) -> Option<String> {
        self.lock().sidecar.validators.get(address).cloned()
    }

    /// Notes what tells the file at this address from a later one.
    pub fn note_validator(&self, address: &str, validator: &str) {
        self.lock().sidecar.validators.insert(address.to_owned(), validator.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, sidecar: &Sidecar) {
        // Without the sidecar the next run only fetches again what it could have kept; the download itself goes on.
        if let Err(error) = sidecar.save(&self.places) {
            tracing::warn!(%error, path = %self.places.sidecar.display(), "progress could not be noted");
        }
    }
}

struct Writer {
    file: File,
    position: u64,
    reader: File,
    hash: sha2::Sha256,
    shared: Arc<Shared>,
    tail: Option<Tail>,
    /// Dropped at the end: that is how the keeper knows.
    _writing: sync::Sender<()>,
}

impl Writer {
    fn run(mut self, mut pieces: mpsc::Receiver<Piece>) -> io::Result<Sha256> {
        let outcome = self.work(&mut pieces);
        // Connections that still send learn it from the closed queue.
        pieces.close();
        let sidecar = {
            let mut state = self.shared.lock();
            state.ended = true;
            state.sidecar.clone()
        };
        self.shared.save(&sidecar);
        outcome.map(|()| self.hash.into())
    }

    fn work(&mut self, pieces: &mut mpsc::Receiver<Piece>) -> io::Result<()> {
        let mut buffer = vec![0; READ_BACK_BYTES];
        loop {
            if self.shared.stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let piece = match pieces.try_recv() {
                Ok(piece) => Some(piece),
                Err(TryRecvError::Empty) if self.behind() => None,
                Err(TryRecvError::Empty) => match pieces.blocking_recv() {
                    Some(piece) => Some(piece),
                    None => return Ok(()),
                },
                Err(TryRecvError::Disconnected) if self.behind() => None,
                Err(TryRecvError::Disconnected) => return Ok(()),
            };
            if let Some(piece) = piece {
                self.write(&piece)?;
            }
            self.read_back(&mut buffer)?;
        }
    }

    fn behind(&self) -> bool {
        let state = self.shared.lock();
        state.hashed < state.sidecar.done.prefix()
    }

    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        if self.position != piece.offset {
            self.file.seek(SeekFrom::Start(piece.offset))?;
        }
        self.position = piece.offset;
        self.file.write_all(&piece.bytes)?;
        let end = piece.offset + piece.bytes.len() as u64;
        self.position = end;
        let hashed = self.shared.hashed();
        let fresh = (piece.offset..end).contains(&hashed);
        if fresh {
            self.hash.update(&piece.bytes[(hashed - piece.offset) as usize..]);
        }
        let mut state = self.shared.lock();
        state.sidecar.done.add(Span { start: piece.offset, end });
        if fresh {
            state.hashed = end;
        }
        drop(state);
        if let Some(tail) = self.tail.as_ref().filter(|_| fresh) {
            tail.reached(end);
        }
        Ok(())
    }

    /// Hashes one buffer of what lies behind the hashed part without a gap.
    fn read_back(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let (from, to) = {
            let state = self.shared.lock();
            (state.hashed, state.sidecar.done.prefix())
        };
        if from >= to {
            return Ok(());
        }
        let length = buffer.len().min(usize::try_from(to - from).unwrap_or(usize::MAX));
        self.reader.seek(SeekFrom::Start(from))?;
        self.reader.read_exact(&mut buffer[..length])?;
        self.hash.update(&buffer[..length]);
        let hashed = from + length as u64;
        self.shared.lock().hashed = hashed;
        if let Some(tail) = &self.tail {
            tail.reached(hashed);
        }
        Ok(())
    }
}

/// Notes, every now and then, what is surely on the disk, until the writer ends. A disk that takes long is asked less
/// often: it is busy with what is downloaded and unpacked.
fn keep(shared: &Shared, durable: &File, written: &sync::Receiver<()>) {
    let mut pause = SAVE_EVERY;
    while written.recv_timeout(pause) == Err(sync::RecvTimeoutError::Timeout) {
        let sidecar = shared.lock().sidecar.clone();
        let began = Instant::now();
        let synchronised = durable.sync_data();
        pause = SAVE_EVERY.max(began.elapsed() * SYNC_SHARE);
        match synchronised {
            // Noted under the lock: once the writer has ended, its own note is the last one, and the file may be gone.
            Ok(()) => {
                let state = shared.lock();
                if !state.ended {
                    shared.save(&sidecar);
                }
            }
            Err(error) => tracing::warn!(%error, "the unfinished file could not be synchronised"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// In whatever order pieces come, once or twice, after whatever was there: the hash is that of the whole.
        #[test]
        fn the_hash_does_not_depend_on_the_order(
            mut cuts in prop::collection::vec(0usize..5000, 0..12), order in any::<prop::sample::Index>(), kept in 0usize..5000,
        ) {
            let whole = content(5000);
            let folder = tempfile::tempdir().unwrap();
            let places = Places::of(&folder.path().join("x"));
            let mut sidecar = Sidecar::new(Sha256::of(b""), None);
            std::fs::write(&places.partial, &whole[..kept]).unwrap();
            sidecar.done.add(Span { start: 0, end: kept as u64 });
            cuts.extend([0, 5000]);
            cuts.sort_unstable();
            let mut pieces: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
            let turn = order.index(pieces.len());
            pieces.rotate_left(turn);
            pieces.push(pieces[0]);

            let mut sink = Sink::open(places.clone(), sidecar, None).unwrap();
            let hash = block_on(async {
                let inlet = sink.inlet().unwrap();
                for (start, end) in pieces {
                    let bytes = Bytes::copy_from_slice(&whole[start..end]);
                    inlet.send(Piece { offset: start as u64, bytes }).await.unwrap();
                }
                drop(inlet);
                sink.finish().await.unwrap()
            });
            prop_assert_eq!(hash, Sha256::of(&whole));
            prop_assert_eq!(std::fs::read(&places.partial).unwrap(), whole);
            prop_assert!(Sidecar::load(&places, Sha256::of(b""), None).done.covers(5000));
        }
    }

    #[test]
    fn stopping_notes_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::of(&folder.path().join("x"));
        let mut sink = Sink::open(places.clone(), Sidecar::new(Sha256::of(b""), None), None).unwrap();
        block_on(async {
            let inlet = sink.inlet().unwrap();
            inlet.send(Piece { offset: 10, bytes: Bytes::from_static(b"abc") }).await.unwrap();
            while sink.shared().done().total() == 0 {
                tokio::task::yield_now().await;
            }
            drop(inlet);
            sink.stop().await;
        });
        assert_eq!(
            Sidecar::load(&places, Sha256::of(b""), None).done.missing(13),
            [Span { start: 0, end: 10 }]
        );
    }

    #[test]
    fn a_disk_that_takes_no_more_ends_it_with_the_systems_word() {
        let full = std::path::Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let places = Places { partial: full.to_owned(), sidecar: folder.path().join("s") };
        // A device has no length to be cut to: as if something were there already.
        let mut sidecar = Sidecar::new(Sha256::of(b""), None);
        sidecar.done.add(Span { start: 0, end: 1 });
        let mut sink = Sink::open(places, sidecar, None).unwrap();
        let error = block_on(async {
            let inlet = sink.inlet().unwrap();
            let _ = inlet.send(Piece { offset: 1, bytes: Bytes::from_static(b"abc") }).await;
            drop(inlet);
            sink.finish().await.unwrap_err()
        });
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
