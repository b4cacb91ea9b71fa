//! Installations and tunings that run, so that the program can stop them when it has to end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::control::Control;

/// Numbers of running works.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// What cancels each of them, with its number.
type Numbered = Vec<(u64, Control)>;

/// Work that changes something and can be cancelled.
#[derive(Clone, Debug, Default)]
pub struct RunningWork(Arc<(Mutex<Numbered>, Condvar)>);

impl RunningWork {
    /// Does work that this control cancels.
    pub(super) fn run<T>(&self, control: &Control, work: impl FnOnce() -> T) -> T {
        struct Ends<'a>(&'a RunningWork, u64);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.controls().retain(|(number, _)| *number != self.1);
                self.0.0.1.notify_all();
            }
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.controls().push((number, control.clone()));
        // Also when it panics.
        let _ends = Ends(self, number);
        work()
    }

    /// Cancels it, and waits until it has ended and is rolled back, or `limit` has passed. Returns whether it has ended.
    pub fn cancel(&self, limit: Duration) -> bool {
        let controls = self.controls();
        controls.iter().for_each(|(_, control)| control.cancel());
        let waited = self.0.1.wait_timeout_while(controls, limit, |controls| !controls.is_empty());
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn controls(&self) -> MutexGuard<'_, Numbered> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn work_is_cancelled_and_waited_for() {
        let (running, control) = (RunningWork::default(), Control::new());
        assert!(running.cancel(Duration::ZERO), "nothing runs");
        let (started, starts) = channel();
        let worker = {
            let (running, control) = (running.clone(), control.clone());
            std::thread::spawn(move || {
                running.run(&control, || {
                    let _listens = started.send(());
                    pollster::block_on(control.token().cancelled());
                });
            })
        };
        assert!(starts.recv().is_ok());
        assert!(running.cancel(Duration::from_secs(60)));
        assert!(control.token().is_cancelled() && worker.join().is_ok());
    }

    #[test]
    fn work_that_does_not_end_is_not_waited_for_longer() {
        let (running, control) = (RunningWork::default(), Control::new());
        running.run(&control, || assert!(!running.cancel(Duration::from_millis(1))));
        assert!(running.cancel(Duration::ZERO), "it has ended now");
    }
}
