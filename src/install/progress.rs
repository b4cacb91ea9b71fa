//! What a running installation tells: at most a few times a second, and never backwards.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::install::{Event, Receipt, Step, StepState};

/// Progress of bytes is told this often.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// The rate is an average over this long.
const RATE_WINDOW: Duration = Duration::from_secs(5);
/// Bytes that stand still for this long are worth a word.
const STALLED_AFTER: Duration = Duration::from_secs(15);

/// Tells what happens.
pub struct Reporter<'a> {
    events: &'a dyn Fn(Event),
    current: RefCell<Current>,
}

struct Current {
    step: Step,
    told: Option<Instant>,
    waited: Option<Instant>,
    samples: Vec<(Instant, u64)>,
    /// Never told less than this.
    done: u64,
    grew: Instant,
}

impl<'a> Reporter<'a> {
    /// Tells it to this function.
    pub fn new(events: &'a dyn Fn(Event)) -> Self {
        Self { events, current: RefCell::new(Current::new(Step::Check)) }
    }

    /// The step that was begun last.
    pub fn step(&self) -> Step {
        self.current.borrow().step
    }

    /// A step begins.
    pub fn started(&self, step: Step, message: String) {
        *self.current.borrow_mut() = Current::new(step);
        self.tell(StepState::Started, message);
    }

    /// The step goes on with something else.
    pub fn running(&self, message: String) {
        self.tell(StepState::Running, message);
    }

    /// The step waits for something.
    pub fn waiting(&self, message: String) {
        self.tell(StepState::Waiting, message);
    }

    /// As [`Reporter::waiting`], but no more than once a second: for what tells several times a second.
    pub fn waiting_seldom(&self, message: String) {
        let now = Instant::now();
        let soon = {
            let mut current = self.current.borrow_mut();
            let soon = current.waited.is_some_and(|told| now - told < Duration::from_secs(1));
            if !soon {
                current.waited = Some(now);
            }
            soon
        };
        if !soon {
            self.waiting(message);
        }
    }

    /// The step is done.
    pub fn done(&self, message: String) {
        self.tell(StepState::Done, message);
    }

    /// The step had nothing to do.
    pub fn skipped(&self, message: String) {
        self.tell(StepState::Skipped, message);
    }

    /// The step failed.
    pub fn failed(&self, message: String) {
        self.tell(StepState::Failed, message);
    }

    /// The person stopped it.
    pub fn cancelled(&self, message: String) {
        self.tell(StepState::Cancelled, message);
    }

    /// The last event of a good end.
    pub fn finished(&self, message: String, receipt: &Receipt) {
        let mut event = self.event(StepState::Done, message);
        event.receipt = Some(Box::new(receipt.clone()));
        (self.events)(event);
    }

    /// Bytes moved. Gives back for how long nothing has moved, once that is worth a word.
    pub fn bytes(&self, done: u64, total: Option<u64>, message: impl Fn() -> String) -> Option<Duration> {
        let now = Instant::now();
        let (event, stalled) = {
            let mut current = self.current.borrow_mut();
            current.note(now, done);
            let stalled = Some(now - current.grew).filter(|still| *still >= STALLED_AFTER);
            let soon = current.told.is_some_and(|told| now - told < TELL_EVERY);
            if soon || stalled.is_some() {
                return stalled;
            }
            current.told = Some(now);
            (current.event(total), stalled)
        };
        (self.events)(Event { message: message(), ..event });
        stalled
    }

    /// Bytes moved, with a rate that somebody else has measured.
    pub fn bytes_at_rate(
        &self,
        done: u64,
        total: Option<u64>,
        bytes_per_s: f64,
        message: impl Fn() -> String,
    ) {
        let now = Instant::now();
        let event = {
            let mut current = self.current.borrow_mut();
            current.note(now, done);
            if current.told.is_some_and(|told| now - told < TELL_EVERY) {
                return;
            }
            current.told = Some(now);
            current.event_at_rate(total, Some(bytes_per_s).filter(|rate| *rate > 0.0))
        };
        (self.events)(Event { message: message(), ..event });
    }

    fn tell(&self, state: StepState, message: String) {
        (self.events)(self.event(state, message));
    }

    fn event(&self, state: StepState, message: String) -> Event {
        Event {
            step: self.step(),
            state,
            bytes_done: None,
            bytes_total: None,
            bytes_per_s: None,
            seconds_left: None,
            message,
            receipt: None,
        }
    }
}

impl Current {
    fn new(step: Step) -> Self {
        Self { step, told: None, waited: None, samples: Vec::new(), done: 0, grew: Instant::now() }
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

    fn event(&self, total: Option<u64>) -> Event {
        let rate = self.samples.first().zip(self.samples.last()).and_then(|(first, last)| {
            let seconds = (last.0 - first.0).as_secs_f64();
            (seconds > 0.2 && last.1 > first.1).then(|| (last.1 - first.1) as f64 / seconds)
        });
        self.event_at_rate(total, rate)
    }

    fn event_at_rate(&self, total: Option<u64>, rate: Option<f64>) -> Event {
        // A total that turns out too small grows with what has come.
        let total = total.map(|total| total.max(self.done));
        let left = total.zip(rate).map(|(total, rate)| (total - self.done) as f64 / rate);
        Event {
            step: self.step,
            state: StepState::Running,
            bytes_done: Some(self.done),
            bytes_total: total,
            bytes_per_s: rate,
            seconds_left: left,
            message: String::new(),
            receipt: None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bytes_never_go_backwards_and_totals_grow() {
        let told = RefCell::new(Vec::new());
        let events = |event: Event| told.borrow_mut().push(event);
        let reporter = Reporter::new(&events);
        reporter.started(Step::PullModel, String::new());
        for (done, total) in [(50, 100), (30, 100), (120, 100)] {
            reporter.current.borrow_mut().told = None;
            reporter.bytes(done, Some(total), String::new);
        }
        let bytes: Vec<_> = told.borrow()[1..]
            .iter()
            .map(|event| (event.bytes_done.unwrap(), event.bytes_total.unwrap()))
            .collect();
        assert_eq!(bytes, [(50, 100), (50, 100), (120, 120)]);
    }

    #[test]
    fn standing_still_is_noticed() {
        let events = |_: Event| ();
        let reporter = Reporter::new(&events);
        reporter.started(Step::PullModel, String::new());
        assert_eq!(reporter.bytes(5, None, String::new), None);
        reporter.current.borrow_mut().grew -= STALLED_AFTER;
        assert!(reporter.bytes(5, None, String::new).unwrap() >= STALLED_AFTER);
        assert_eq!(reporter.bytes(6, None, String::new), None);
    }
}
