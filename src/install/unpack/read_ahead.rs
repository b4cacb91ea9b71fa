//! Reads ahead on its own thread, so that decompressing and writing run in parallel.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of one chunk.
const CHUNK_BYTES: usize = 512 << 10;
/// Chunks that may be queued: four, plus two in use, limit memory to 3 MB.
const CHUNKS: usize = 4;

/// The reading end of the other thread's output.
pub struct ReadAhead {
    chunks: Receiver<io::Result<Vec<u8>>>,
    back: SyncSender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl ReadAhead {
    /// Starts to read. The thread ends at the end of the stream, at its first error, or when this is dropped.
    ///
    /// # Errors
    /// When the system provides no thread.
    pub fn new(mut inner: impl Read + Send + 'static) -> io::Result<Self> {
        let (send, chunks) = sync_channel(CHUNKS);
        let (back, used) = sync_channel::<Vec<u8>>(CHUNKS + 2);
        std::thread::Builder::new().name("decompressor".to_owned()).spawn(move || {
            loop {
                let mut chunk = used.try_recv().unwrap_or_default();
                chunk.resize(CHUNK_BYTES, 0);
                let read = fill(&mut inner, &mut chunk);
                let last = !matches!(read, Ok(CHUNK_BYTES));
                let sent = send.send(read.map(|n| {
                    chunk.truncate(n);
                    chunk
                }));
                // The receiver is dropped once an archive is refused.
                if sent.is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Self { chunks, back, chunk: Vec::new(), at: 0, ended: false })
    }
}

/// Fills the buffer as far as data is available; returns the bytes read. Data in the same chunk as an error is discarded.
///
/// # Errors
/// When the reader fails.
pub(super) fn fill(inner: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match inner.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            if self.ended {
                return Ok(0);
            }
            // A closed channel is the end of the stream; an error would have been sent before.
            let Ok(next) = self.chunks.recv() else {
                self.ended = true;
                return Ok(0);
            };
            let used = std::mem::replace(&mut self.chunk, next?);
            self.at = 0;
            // Drop the buffer when the other thread has ended or has enough of them.
            let _ = self.back.try_send(used);
        }
        let n = buffer.len().min(self.chunk.len() - self.at);
        buffer[..n].copy_from_slice(&self.chunk[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Returns this many bytes in chunks of irregular size, then an error or the end.
    struct Source {
        left: usize,
        broken: bool,
    }

    impl Read for Source {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 && self.broken {
                return Err(io::Error::other("broken"));
            }
            let n = buffer.len().min(self.left).min(77_777);
            for (i, byte) in buffer[..n].iter_mut().enumerate() {
                *byte = (self.left - i) as u8;
            }
            self.left -= n;
            Ok(n)
        }
    }

    #[test]
    fn the_output_equals_the_input() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 10 * CHUNK_BYTES + 5] {
            let (mut plain, mut read_ahead) = (Vec::new(), Vec::new());
            Source { left: length, broken: false }.read_to_end(&mut plain).unwrap();
            ReadAhead::new(Source { left: length, broken: false })
                .unwrap()
                .read_to_end(&mut read_ahead)
                .unwrap();
            assert!(plain == read_ahead, "{length}");
        }
    }

    #[test]
    fn an_error_arrives_and_a_reader_that_stops_early_leaves_no_thread_waiting() {
        let mut all = Vec::new();
        let error =
            ReadAhead::new(Source { left: 3 * CHUNK_BYTES + 9, broken: true }).unwrap().read_to_end(&mut all);
        assert_eq!(error.unwrap_err().to_string(), "broken");
        assert_eq!(all.len(), 3 * CHUNK_BYTES, "whole chunks only");
        let (dropped, told) = std::sync::mpsc::channel();
        struct Tells(Source, std::sync::mpsc::Sender<()>);
        impl Read for Tells {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0.read(buffer)
            }
        }
        impl Drop for Tells {
            fn drop(&mut self) {
                let _ = self.1.send(());
            }
        }
        let endless = Source { left: usize::MAX, broken: false };
        let mut read_ahead = ReadAhead::new(Tells(endless, dropped)).unwrap();
        read_ahead.read_exact(&mut [0; 100]).unwrap();
        drop(read_ahead);
        told.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    }
}
