//! What a watch of an installation finds, and what connects the page that shows it with the thread that looks.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::monitor::Sample;

/// What a look at the cards, the model and the server's log found.
#[derive(Clone, Debug)]
pub struct LiveLook {
    /// The cards and the model.
    pub sample: Sample,
    /// Whether no card tells how full it is.
    pub is_blind: bool,
    /// The last lines of the server's log, with names and keys redacted.
    pub log: Vec<String>,
}

/// Connects a page with the thread that looks for it. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct LiveWatch(Arc<(Mutex<WatchState>, Condvar)>);

#[derive(Debug, Default)]
struct WatchState {
    stopped: bool,
    /// A look was sent that is not drawn yet.
    undrawn: bool,
}

impl LiveWatch {
    /// Ends the watch for good. The thread ends after the look that it takes now.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.0.1.notify_all();
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// The last look was drawn: the next one may be taken.
    pub fn drawn(&self) {
        let was_undrawn = std::mem::take(&mut self.state().undrawn);
        if was_undrawn {
            self.0.1.notify_all();
        }
    }

    /// A look is being sent, which is not drawn yet.
    pub(super) fn sent(&self) {
        self.state().undrawn = true;
    }

    /// Waits for this long, then until the last look is drawn. Returns whether to go on.
    pub(super) fn wait(&self, interval: Duration) -> bool {
        let waited = self.0.1.wait_timeout_while(self.state(), interval, |state| !state.stopped);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let drawn = self.0.1.wait_while(state, |state| !state.stopped && state.undrawn);
        !drawn.unwrap_or_else(PoisonError::into_inner).stopped
    }

    fn state(&self) -> MutexGuard<'_, WatchState> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
