//! The workers of one attempt: starts one per connection, splits segments, collects what was downloaded.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::install::fetch::connection::{self, Opened, RemoteFile, Segment, UNKNOWN_END};
use crate::install::fetch::problem::TransferProblem;
use crate::install::fetch::ranges::{ByteSpan, Spans};
use crate::install::fetch::writer::ChunkSender;

/// Segments are not split below this size: a connection costs a few round trips.
const MIN_PART_BYTES: u64 = 1 << 20;

/// The workers of one attempt, one per connection.
pub struct Workers {
    remote: Arc<RemoteFile>,
    /// Where they send their chunks.
    pub chunks: ChunkSender,
    /// Each returns its segment's number.
    pub tasks: JoinSet<(usize, Result<(), TransferProblem>)>,
    /// Segments being downloaded, by number.
    pub segments: HashMap<usize, Arc<Segment>>,
    next_id: usize,
    open: UnboundedSender<Opened>,
    /// First responses of their servers.
    pub opened: UnboundedReceiver<Opened>,
}

impl Workers {
    /// No worker yet.
    pub fn new(remote: Arc<RemoteFile>, chunks: ChunkSender) -> Self {
        let (open, opened) = mpsc::unbounded_channel();
        Self { remote, chunks, tasks: JoinSet::new(), segments: HashMap::new(), next_id: 0, open, opened }
    }

    /// Starts one more worker.
    pub fn start(&mut self, span: ByteSpan, validator: Option<String>) {
        let (id, segment) = (self.next_id, Segment::new(span));
        self.next_id += 1;
        self.segments.insert(id, Arc::clone(&segment));
        let (remote, chunks, open) = (Arc::clone(&self.remote), self.chunks.clone(), self.open.clone());
        self.tasks.spawn(async move {
            (id, connection::fetch(&remote, &segment, validator.as_deref(), &chunks, &open).await)
        });
    }

    /// Starts workers up to `target` for a file of `total` bytes: on gaps first, then on the second half of the longest
    /// segment. `sent` are the bytes that no worker has to download.
    pub fn start_up_to(&mut self, target: usize, sent: &Spans, total: u64, validator: Option<&str>) {
        while self.segments.len() < target {
            let mut taken = sent.clone();
            for segment in self.segments.values() {
                taken.add(ByteSpan { start: segment.start, end: segment.end() });
            }
            let gap = taken.missing(total).first().copied();
            let Some(span) = gap.or_else(|| self.split_longest()) else { return };
            self.start(span, validator.map(str::to_owned));
        }
    }

    /// Bytes downloaded: those in `sent`, and those of unfinished segments.
    pub fn bytes_done(&self, sent: &Spans) -> u64 {
        let mut done = sent.clone();
        for segment in self.segments.values() {
            done.add(segment.sent());
        }
        done.total()
    }

    /// Records what a finished worker downloaded.
    pub fn finish(&mut self, id: usize, sent: &mut Spans) {
        if let Some(segment) = self.segments.remove(&id) {
            sent.add(segment.sent());
        }
    }

    /// Cuts the second half off the longest segment and returns it.
    fn split_longest(&self) -> Option<ByteSpan> {
        let segment = self.segments.values().max_by_key(|segment| segment.rest().len())?;
        let rest = segment.rest();
        if rest.end == UNKNOWN_END || rest.len() < 2 * MIN_PART_BYTES {
            return None;
        }
        let middle = rest.start + rest.len() / 2;
        segment.shorten(middle);
        Some(ByteSpan { start: middle, end: rest.end })
    }

    /// Stops all workers and records what they downloaded.
    pub async fn stop_all(&mut self, sent: &mut Spans) {
        self.tasks.shutdown().await;
        for (_, segment) in self.segments.drain() {
            sent.add(segment.sent());
        }
    }
}
