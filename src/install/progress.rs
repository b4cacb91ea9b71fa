//! Reports events: at most a few times a second, with byte counts that never decrease.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::install::event::{Activity, ByteProgress};
use crate::install::{Event, InstallError, Receipt, Step, StepState};

/// Interval between reports of byte counts.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// Interval between reports of a wait.
const WAIT_EVERY: Duration = Duration::from_secs(1);
/// Window over which the rate is averaged.
const RATE_WINDOW: Duration = Duration::from_secs(5);
/// Report a stall after this long without progress.
const STALLED_AFTER: Duration = Duration::from_secs(15);

/// Reports to a function.
pub struct Reporter<'a> {
    events: &'a dyn Fn(Event),
    current: RefCell<Current>,
}

/// The current step.
struct Current {
    step: Step,
    reported: Option<Instant>,
    waited: Option<Instant>,
    samples: Vec<(Instant, u64)>,
    /// The most bytes reported.
    done: u64,
    grew: Instant,
}

impl<'a> Reporter<'a> {
    /// Reports to this function.
    pub fn new(events: &'a dyn Fn(Event)) -> Self {
        Self { events, current: RefCell::new(Current::new(Step::Check)) }
    }

    /// A step begins.
    pub fn started(&self, step: Step, activity: Activity) {
        *self.current.borrow_mut() = Current::new(step);
        self.report(StepState::Started, activity);
    }

    /// The step does something else.
    pub fn running(&self, activity: Activity) {
        self.report(StepState::Running, activity);
    }

    /// The step waits for something.
    pub fn waiting(&self, activity: Activity) {
        self.report(StepState::Waiting, activity);
    }

    /// As [`Reporter::waiting`], but at most once a second.
    pub fn waiting_throttled(&self, activity: Activity) {
        let now = Instant::now();
        let last = self.current.borrow().waited;
        if last.is_none_or(|last| now - last >= WAIT_EVERY) {
            self.current.borrow_mut().waited = Some(now);
            self.waiting(activity);
        }
    }

    /// The step is done.
    pub fn done(&self, activity: Activity) {
        self.report(StepState::Done, activity);
    }

    /// The step had nothing to do.
    pub fn skipped(&self, activity: Activity) {
        self.report(StepState::Skipped, activity);
    }

    /// Reports how a run ended, and returns it.
    ///
    /// # Errors
    /// The run's.
    pub fn end(&self, outcome: Result<Receipt, InstallError>) -> Result<Receipt, Arc<InstallError>> {
        let outcome = outcome.map_err(Arc::new);
        match &outcome {
            Ok(receipt) => self.finished(receipt),
            Err(error) => self.ended(error),
        }
        outcome
    }

    /// The installation succeeded.
    fn finished(&self, receipt: &Receipt) {
        self.report(StepState::Done, Activity::Finished(Box::new(receipt.clone())));
    }

    /// The installation failed or was cancelled.
    fn ended(&self, error: &Arc<InstallError>) {
        let state = if error.is_cancelled() { StepState::Cancelled } else { StepState::Failed };
        self.report(state, Activity::Ended(Arc::clone(error)));
    }

    /// Bytes moved. Returns for how long nothing has moved, once that is a stall.
    pub fn bytes(&self, done: u64, total: Option<u64>, activity: Activity) -> Option<Duration> {
        let now = Instant::now();
        let (bytes, stalled) = {
            let mut current = self.current.borrow_mut();
            current.note(now, done);
            let stalled = Some(now - current.grew).filter(|still| *still >= STALLED_AFTER);
            if stalled.is_some() || !current.is_due(now) {
                return stalled;
            }
            (current.progress(total, current.rate()), stalled)
        };
        self.report_bytes(bytes, activity);
        stalled
    }

    /// Bytes moved, with a rate measured elsewhere.
    pub fn bytes_at_rate(&self, done: u64, total: Option<u64>, bytes_per_s: f64, activity: Activity) {
        let now = Instant::now();
        let bytes = {
            let mut current = self.current.borrow_mut();
            current.note(now, done);
            if !current.is_due(now) {
                return;
            }
            current.progress(total, Some(bytes_per_s).filter(|rate| *rate > 0.0))
        };
        self.report_bytes(bytes, activity);
    }

    fn report(&self, state: StepState, activity: Activity) {
        let step = self.current.borrow().step;
        (self.events)(Event { step, state, bytes: None, activity });
    }

    fn report_bytes(&self, bytes: ByteProgress, activity: Activity) {
        let step = self.current.borrow().step;
        (self.events)(Event { step, state: StepState::Running, bytes: Some(bytes), activity });
    }
}

impl Current {
    fn new(step: Step) -> Self {
        Self { step, reported: None, waited: None, samples: Vec::new(), done: 0, grew: Instant::now() }
    }

    /// Whether bytes are to be reported again; if so, they count as reported.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.reported.is_none_or(|reported| now - reported >= REPORT_EVERY);
        if due {
            self.reported = Some(now);
        }
        due
    }

    fn note(&mut self, now: Instant, done: u64) {
        if done > self.done {
            self.done = done;
            self.grew = now;
        }
        self.samples.push((now, self.done));
        let too_old = |sample: &(Instant, u64)| now - sample.0 > RATE_WINDOW;
        let old = self.samples.iter().take_while(|sample| too_old(sample)).count();
        self.samples.drain(..old);
    }

    /// Bytes a second; `None` while nothing moves or it is too early to tell.
    fn rate(&self) -> Option<f64> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        let seconds = (last.0 - first.0).as_secs_f64();
        (seconds > 0.2 && last.1 > first.1).then(|| (last.1 - first.1) as f64 / seconds)
    }

    fn progress(&self, total: Option<u64>, per_s: Option<f64>) -> ByteProgress {
        // A total that turns out too small grows with the bytes received.
        let total = total.map(|total| total.max(self.done));
        let seconds_left = total.zip(per_s).map(|(total, rate)| (total - self.done) as f64 / rate);
        ByteProgress { done: self.done, total, per_s, seconds_left }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bytes_never_go_backwards_and_totals_grow() {
        let reported = RefCell::new(Vec::new());
        let events = |event: Event| reported.borrow_mut().extend(event.bytes);
        let reporter = Reporter::new(&events);
        reporter.started(Step::PullModel, Activity::Unpacking);
        for (done, total) in [(50, 100), (30, 100), (120, 100)] {
            reporter.current.borrow_mut().reported = None;
            reporter.bytes(done, Some(total), Activity::Unpacking);
        }
        let bytes: Vec<_> =
            reported.borrow().iter().map(|bytes| (bytes.done, bytes.total.unwrap())).collect();
        assert_eq!(bytes, [(50, 100), (50, 100), (120, 120)]);
    }

    #[test]
    fn a_stall_is_noticed() {
        let events = |_: Event| ();
        let reporter = Reporter::new(&events);
        reporter.started(Step::PullModel, Activity::Unpacking);
        assert_eq!(reporter.bytes(5, None, Activity::Unpacking), None);
        reporter.current.borrow_mut().grew -= STALLED_AFTER;
        assert!(reporter.bytes(5, None, Activity::Unpacking).unwrap() >= STALLED_AFTER);
        assert_eq!(reporter.bytes(6, None, Activity::Unpacking), None);
    }
}
