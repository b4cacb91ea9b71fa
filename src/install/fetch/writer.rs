//! Writes the chunks of all connections to the file, on its own thread, and hashes the file in order.
//!
//! Bytes that follow the hashed part are hashed from memory; bytes that arrived early are read back from the page cache
//! once the gap before them is closed. So the file is hashed while it arrives, in any order, and the hash is ready with
//! the last byte.
//!
//! A second thread makes progress durable: every two seconds it syncs the file and only then saves
//! the sidecar.

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
use crate::install::fetch::growing_file::GrowingFile;
use crate::install::fetch::partial::{PartialPaths, Sidecar};
use crate::install::fetch::ranges::ByteSpan;
use crate::platform::files;

/// Chunks in the queue. A connection delivers up to 400 kB at once, so this bounds memory to a few MB.
const QUEUE: usize = 16;
/// Bytes read back at a time before checking for new chunks.
const READ_BACK_BYTES: usize = 1 << 20;
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// Syncing takes at most this fraction (1/n) of the time.
const SYNC_SHARE: u32 = 10;

/// A chunk of the file.
#[derive(Debug)]
pub struct Chunk {
    /// Its position in the file.
    pub offset: u64,
    /// Its content.
    pub bytes: Bytes,
}

/// Where connections send their chunks.
pub type ChunkSender = mpsc::Sender<Chunk>;

/// The file being written.
pub struct FileWriter {
    chunks: Option<ChunkSender>,
    shared: Arc<SharedWriter>,
    finished: Option<oneshot::Receiver<io::Result<Sha256>>>,
}

/// State shared with the connections.
#[derive(Debug)]
pub struct SharedWriter {
    paths: PartialPaths,
    state: Mutex<WriterState>,
    /// Locked while the sidecar is written, because both threads write it.
    saving: Mutex<()>,
    stop: AtomicBool,
}

#[derive(Debug)]
struct WriterState {
    sidecar: Sidecar,
    hashed: u64,
    ended: bool,
}

impl FileWriter {
    /// Opens the partial file and continues from the sidecar.
    ///
    /// # Errors
    /// The file that cannot be opened or read, and why.
    pub fn open(
        paths: PartialPaths,
        sidecar: Sidecar,
        growing_file: Option<GrowingFile>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let failed = |error| (paths.partial.clone(), error);
        let file = open_private(&paths.partial).map_err(failed)?;
        if sidecar.done.total() == 0 {
            file.set_len(0).map_err(failed)?;
        }
        let reader = files::open_own(OpenOptions::new().read(true), &paths.partial).map_err(failed)?;
        sidecar.save(&paths).map_err(|error| (paths.sidecar.clone(), error))?;
        let durable = file.try_clone().map_err(failed)?;
        if let Some(growing_file) = &growing_file {
            growing_file.begin(&paths.partial).map_err(failed)?;
        }

        let shared = Arc::new(SharedWriter {
            paths: paths.clone(),
            state: Mutex::new(WriterState { sidecar, hashed: 0, ended: false }),
            saving: Mutex::new(()),
            stop: AtomicBool::new(false),
        });
        let (sender, chunks) = mpsc::channel(QUEUE);
        let (report, finished) = oneshot::channel();
        let (writing, written) = sync::channel::<()>();
        let writer = WriterThread {
            file,
            position: 0,
            reader,
            hash: sha2::Sha256::new(),
            shared: Arc::clone(&shared),
            growing_file,
            _writing: writing,
        };
        let keeper = Arc::clone(&shared);
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
        };
        spawn(
            "download-writer",
            Box::new(move || {
                // After a cancellation there is no receiver; the sidecar is saved anyway.
                let _ = report.send(writer.run(chunks));
            }),
        )
        .map_err(failed)?;
        spawn("download-keeper", Box::new(move || sync_periodically(&keeper, &durable, &written)))
            .map_err(failed)?;
        Ok(Self { chunks: Some(sender), shared, finished: Some(finished) })
    }

    /// A sender for one more connection. `None` once the writer is finishing.
    pub fn chunks(&self) -> Option<ChunkSender> {
        self.chunks.clone()
    }

    /// The shared state.
    pub fn shared(&self) -> &Arc<SharedWriter> {
        &self.shared
    }

    /// Waits until everything is written and hashed, and returns the checksum. Waits for all senders to be dropped.
    ///
    /// # Errors
    /// When the file cannot be written or read back.
    pub async fn finish(&mut self) -> io::Result<Sha256> {
        self.chunks = None;
        let Some(finished) = &mut self.finished else {
            return Err(io::Error::other("the file was finished before"));
        };
        let outcome = finished.await;
        self.finished = None;
        outcome.unwrap_or_else(|_| Err(io::Error::other("the writing thread ended early")))
    }

    /// Stops after the current chunk and saves the sidecar.
    pub async fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // The result was received before, or is no longer needed.
        let _ = self.finish().await;
    }
}

/// Opens for reading and writing; created private to the user; no link.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    files::open_own(files::private(options.read(true).write(true).create(true).truncate(false)), path)
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl SharedWriter {
    /// Which bytes were written.
    #[cfg(test)]
    pub fn done(&self) -> super::ranges::Spans {
        self.lock().sidecar.done.clone()
    }

    /// Bytes hashed so far.
    pub fn hashed(&self) -> u64 {
        self.lock().hashed
    }

    /// Records the size a server stated.
    pub fn record_length(&self, bytes: u64) {
        self.lock().sidecar.bytes = Some(bytes);
    }

    /// The validator of the file at this URL.
    pub fn validator(&self, address: &str) -> Option<String> {
        self.lock().sidecar.validators.get(address).cloned()
    }

    /// Records the validator of the file at this URL.
    pub fn record_validator(&self, address: &str, validator: &str) {
        self.lock().sidecar.validators.insert(address.to_owned(), validator.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, WriterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, sidecar: &Sidecar) {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        // Without the sidecar the next run cannot resume; this download is not affected.
        if let Err(error) = sidecar.save(&self.paths) {
            tracing::warn!(%error, path = %self.paths.sidecar.display(), "progress could not be saved");
        }
    }
}

struct WriterThread {
    file: File,
    position: u64,
    reader: File,
    hash: sha2::Sha256,
    shared: Arc<SharedWriter>,
    growing_file: Option<GrowingFile>,
    /// Dropped at the end, which ends the sync thread.
    _writing: sync::Sender<()>,
}

impl WriterThread {
    fn run(mut self, mut chunks: mpsc::Receiver<Chunk>) -> io::Result<Sha256> {
        let outcome = self.work(&mut chunks);
        // Connections that still send notice the closed queue.
        chunks.close();
        let sidecar = {
            let mut state = self.shared.lock();
            state.ended = true;
            state.sidecar.clone()
        };
        self.shared.save(&sidecar);
        outcome.map(|()| self.hash.into())
    }

    fn work(&mut self, chunks: &mut mpsc::Receiver<Chunk>) -> io::Result<()> {
        let mut buffer = vec![0; READ_BACK_BYTES];
        loop {
            if self.shared.stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let chunk = match chunks.try_recv() {
                Ok(chunk) => Some(chunk),
                Err(TryRecvError::Empty) if self.is_behind() => None,
                Err(TryRecvError::Empty) => match chunks.blocking_recv() {
                    Some(chunk) => Some(chunk),
                    None => return Ok(()),
                },
                Err(TryRecvError::Disconnected) if self.is_behind() => None,
                Err(TryRecvError::Disconnected) => return Ok(()),
            };
            if let Some(chunk) = chunk {
                self.write(&chunk)?;
            }
            self.read_back(&mut buffer)?;
        }
    }

    fn is_behind(&self) -> bool {
        let state = self.shared.lock();
        state.hashed < state.sidecar.done.prefix()
    }

    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        if self.position != chunk.offset {
            self.file.seek(SeekFrom::Start(chunk.offset))?;
        }
        self.position = chunk.offset;
        self.file.write_all(&chunk.bytes)?;
        let end = chunk.offset + chunk.bytes.len() as u64;
        self.position = end;
        let hashed = self.shared.hashed();
        let fresh = (chunk.offset..end).contains(&hashed);
        if fresh {
            self.hash.update(&chunk.bytes[(hashed - chunk.offset) as usize..]);
        }
        let mut state = self.shared.lock();
        state.sidecar.done.add(ByteSpan { start: chunk.offset, end });
        if fresh {
            state.hashed = end;
        }
        drop(state);
        if let Some(growing_file) = self.growing_file.as_ref().filter(|_| fresh) {
            growing_file.reached(end);
        }
        Ok(())
    }

    /// Reads back and hashes one buffer after the hashed part.
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
        if let Some(growing_file) = &self.growing_file {
            growing_file.reached(hashed);
        }
        Ok(())
    }
}

/// Syncs the file and saves the sidecar periodically, until the writer ends. A slow disk is synced less
/// often: it is busy with what is downloaded and unpacked.
fn sync_periodically(shared: &SharedWriter, durable: &File, written: &sync::Receiver<()>) {
    let mut pause = SAVE_EVERY;
    while written.recv_timeout(pause) == Err(sync::RecvTimeoutError::Timeout) {
        let sidecar = shared.lock().sidecar.clone();
        let began = Instant::now();
        let synchronised = files::sync_data(durable);
        pause = SAVE_EVERY.max(began.elapsed() * SYNC_SHARE);
        match synchronised {
            // Saved under the lock: once the writer has ended, its own save is the last, and the file may be gone.
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

        /// The hash is that of the whole file, in whatever order chunks arrive, also repeated ones, and whatever was
        /// there before.
        #[test]
        fn the_hash_does_not_depend_on_the_order(
            mut cuts in prop::collection::vec(0usize..5000, 0..12), order in any::<prop::sample::Index>(), kept in 0usize..5000,
        ) {
            let whole = content(5000);
            let folder = tempfile::tempdir().unwrap();
            let paths = PartialPaths::of(&folder.path().join("x"));
            let mut sidecar = Sidecar::new(Sha256::of(b""), None);
            std::fs::write(&paths.partial, &whole[..kept]).unwrap();
            sidecar.done.add(ByteSpan { start: 0, end: kept as u64 });
            cuts.extend([0, 5000]);
            cuts.sort_unstable();
            let mut spans: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
            let turn = order.index(spans.len());
            spans.rotate_left(turn);
            spans.push(spans[0]);

            let mut writer = FileWriter::open(paths.clone(), sidecar, None).unwrap();
            let hash = block_on(async {
                let chunks = writer.chunks().unwrap();
                for (start, end) in spans {
                    let bytes = Bytes::copy_from_slice(&whole[start..end]);
                    chunks.send(Chunk { offset: start as u64, bytes }).await.unwrap();
                }
                drop(chunks);
                writer.finish().await.unwrap()
            });
            prop_assert_eq!(hash, Sha256::of(&whole));
            prop_assert_eq!(std::fs::read(&paths.partial).unwrap(), whole);
            prop_assert!(Sidecar::load(&paths, Sha256::of(b""), None).done.covers(5000));
        }
    }

    #[test]
    fn stopping_saves_the_sidecar() {
        let folder = tempfile::tempdir().unwrap();
        let paths = PartialPaths::of(&folder.path().join("x"));
        let mut writer = FileWriter::open(paths.clone(), Sidecar::new(Sha256::of(b""), None), None).unwrap();
        block_on(async {
            let chunks = writer.chunks().unwrap();
            chunks.send(Chunk { offset: 10, bytes: Bytes::from_static(b"abc") }).await.unwrap();
            while writer.shared().done().total() == 0 {
                tokio::task::yield_now().await;
            }
            drop(chunks);
            writer.stop().await;
        });
        assert_eq!(
            Sidecar::load(&paths, Sha256::of(b""), None).done.missing(13),
            [ByteSpan { start: 0, end: 10 }]
        );
    }

    #[test]
    fn a_disk_that_refuses_ends_it_with_the_systems_error() {
        let folder = tempfile::tempdir().unwrap();
        let paths = PartialPaths::of(&folder.path().join("x"));
        let mut writer = FileWriter::open(paths, Sidecar::new(Sha256::of(b""), None), None).unwrap();
        let error = block_on(async {
            let chunks = writer.chunks().unwrap();
            // Beyond the longest file that any system has.
            let offset = i64::MAX as u64 - 1;
            let _ = chunks.send(Chunk { offset, bytes: Bytes::from_static(b"abc") }).await;
            drop(chunks);
            writer.finish().await.unwrap_err()
        });
        assert!(error.raw_os_error().is_some(), "{error:?}");
    }
}
