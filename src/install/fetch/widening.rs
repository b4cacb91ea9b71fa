//! How many connections are worth having: one more doubling as long as the last one paid.

use std::time::{Duration, Instant};

/// Measured over at least so long after each change.
const TRIAL: Duration = Duration::from_millis(500);
/// The first decision comes sooner: one connection is how every download begins.
const FIRST_TRIAL: Duration = Duration::from_millis(300);
/// A doubling must bring at least this much more.
const WORTHWHILE: f64 = 1.25;
/// A doubling that seems not to pay is measured again after this long: the computer or the line may have been busy.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// So many looks in a row that find nothing gained end it.
const MOST_LOOKS: u32 = 3;
/// With less left than this many seconds' worth, new connections would come too late.
const SECONDS_WORTH_IT: f64 = 1.0;

/// Decides, from how much has come at what time.
#[derive(Debug)]
pub struct Widening {
    target: usize,
    most: usize,
    trial: Option<(Instant, u64)>,
    rate_before: f64,
    /// Looks in a row that found nothing gained.
    looks: u32,
    not_before: Option<Instant>,
}

impl Widening {
    /// Starts with one and goes up to `most`.
    pub fn new(most: usize) -> Self {
        Self { target: 1, most, trial: None, rate_before: 0.0, looks: 0, not_before: None }
    }

    /// How many there should be.
    pub fn target(&self) -> usize {
        self.target
    }

    /// No more than there are.
    pub fn stop(&mut self) {
        self.most = self.target;
    }

    /// No more than this: one of them has failed.
    pub fn limit_to(&mut self, lanes: usize) {
        self.most = lanes.max(1);
        self.target = self.target.min(self.most);
    }

    /// Whether to open more now, given what has come, what is left (if known) and how many there are.
    pub fn wants_more(&mut self, now: Instant, done: u64, left: Option<u64>, lanes: usize) -> bool {
        let (Some(left), true) = (left, self.target < self.most) else { return false };
        if self.not_before.is_some_and(|not_before| now < not_before) {
            self.trial = Some((now, done));
            return false;
        }
        let Some((since, before)) = self.trial else {
            self.trial = Some((now, done));
            return false;
        };
        let time = now.duration_since(since);
        if time < if self.target == 1 { FIRST_TRIAL } else { TRIAL } {
            return false;
        }
        let rate = done.saturating_sub(before) as f64 / time.as_secs_f64();
        // Fewer than wanted are at work (the rest is too short to share): nothing to learn from.
        if lanes < self.target || rate <= 0.0 || (left as f64) < rate * SECONDS_WORTH_IT {
            self.trial = Some((now, done));
            return false;
        }
        if rate < self.rate_before * WORTHWHILE {
            self.looks += 1;
            self.not_before = Some(now + SECOND_LOOK);
            if self.looks >= MOST_LOOKS {
                self.stop();
            }
            return false;
        }
        self.looks = 0;
        self.rate_before = rate;
        self.target = (self.target * 2).min(self.most);
        self.trial = Some((now, done));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that gives each connection so much, and no more than so much to all. Bytes a second.
    fn settle(per_connection: u64, in_all: u64) -> usize {
        let mut widening = Widening::new(8);
        let (start, mut done) = (Instant::now(), 0);
        for tick in 0..200 {
            let rate = in_all.min(per_connection * widening.target() as u64);
            done += rate / 10;
            let lanes = widening.target();
            widening.wants_more(start + Duration::from_millis(tick * 100), done, Some(u64::MAX / 2), lanes);
        }
        widening.target()
    }

    #[test]
    fn throttled_connections_are_multiplied_and_a_full_line_is_not() {
        assert_eq!(settle(1_000_000, u64::MAX), 8);
        assert_eq!(
            settle(1_000_000, 4_000_000),
            8,
            "the doubling to four paid, that to eight is tried and is the last"
        );
        assert_eq!(settle(1_000_000, 1_000_000), 2, "the first doubling brings nothing");
    }

    #[test]
    fn a_busy_moment_does_not_keep_connections_from_being_added() {
        let mut widening = Widening::new(8);
        let (start, mut done) = (Instant::now(), 0);
        for tick in 0..200 {
            // Between the second and the third second hardly anything comes, however many there are.
            let busy = (6..30).contains(&tick);
            done += if busy { 20_000 } else { 100_000 * widening.target() as u64 };
            let lanes = widening.target();
            widening.wants_more(start + Duration::from_millis(tick * 100), done, Some(u64::MAX / 2), lanes);
        }
        assert_eq!(widening.target(), 8);
    }

    #[test]
    fn the_end_is_not_worth_more_connections() {
        let mut widening = Widening::new(8);
        let start = Instant::now();
        for tick in 0..50 {
            let done = tick * 1_000_000;
            assert!(!widening.wants_more(
                start + Duration::from_millis(tick * 100),
                done,
                Some(5_000_000),
                1
            ));
        }
        assert_eq!(widening.target(), 1);
    }

    #[test]
    fn a_failure_takes_connections_back() {
        let mut widening = Widening::new(8);
        widening.target = 8;
        widening.limit_to(7);
        assert_eq!(widening.target(), 7);
        widening.limit_to(0);
        assert_eq!(widening.target(), 1);
    }
}
