//! The connections of one attempt: sends them out, splits their stretches, collects what they brought.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::install::fetch::connection::{self, Errand, Lane, Opened, UNKNOWN_END};
use crate::install::fetch::problem::Problem;
use crate::install::fetch::ranges::{Span, Spans};
use crate::install::fetch::sink::Inlet;

/// A stretch is not split into parts smaller than this: a connection costs a few round trips.
const SMALLEST_PART: u64 = 1 << 20;

/// The connections of one attempt.
pub struct Crew {
    errand: Arc<Errand>,
    /// Where they all hand their pieces to.
    pub inlet: Inlet,
    /// Each ends with its lane's number.
    pub tasks: JoinSet<(usize, Result<(), Problem>)>,
    /// Those that are out.
    pub lanes: HashMap<usize, Arc<Lane>>,
    next_id: usize,
    open: UnboundedSender<Opened>,
    /// What their servers answered.
    pub opened: UnboundedReceiver<Opened>,
}

impl Crew {
    /// Nobody out yet.
    pub fn new(errand: Arc<Errand>, inlet: Inlet) -> Self {
        let (open, opened) = mpsc::unbounded_channel();
        Self { errand, inlet, tasks: JoinSet::new(), lanes: HashMap::new(), next_id: 0, open, opened }
    }

    /// One more connection.
    pub fn send_out(&mut self, span: Span, validator: Option<String>) {
        let (id, lane) = (self.next_id, Lane::new(span));
        self.next_id += 1;
        self.lanes.insert(id, Arc::clone(&lane));
        let (errand, inlet, open) = (Arc::clone(&self.errand), self.inlet.clone(), self.open.clone());
        self.tasks.spawn(async move {
            (id, connection::fetch(&errand, &lane, validator.as_deref(), &inlet, &open).await)
        });
    }

    /// Notes what one brought that has ended.
    pub fn come_home(&mut self, id: usize, sent: &mut Spans) {
        if let Some(lane) = self.lanes.remove(&id) {
            sent.add(lane.sent());
        }
    }

    /// Takes the second half of the longest stretch from its lane.
    pub fn split_longest(&self) -> Option<Span> {
        let lane = self.lanes.values().max_by_key(|lane| lane.rest().len())?;
        let rest = lane.rest();
        if rest.end == UNKNOWN_END || rest.len() < 2 * SMALLEST_PART {
            return None;
        }
        let middle = rest.start + rest.len() / 2;
        lane.shorten(middle);
        Some(Span { start: middle, end: rest.end })
    }

    /// Ends all connections and notes what they brought.
    pub async fn dismiss(&mut self, sent: &mut Spans) {
        self.tasks.shutdown().await;
        for (_, lane) in self.lanes.drain() {
            sent.add(lane.sent());
        }
    }
}
