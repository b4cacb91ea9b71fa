//! Finds the useful number of connections: doubles it as long as the last doubling raised the rate.

use std::time::{Duration, Instant};

/// Minimum duration of a measurement after each change.
const MIN_TRIAL: Duration = Duration::from_millis(500);
/// Minimum duration of the first measurement: every download begins with one connection.
const MIN_FIRST_TRIAL: Duration = Duration::from_millis(300);
/// A doubling must raise the rate by at least this factor.
const MIN_GAIN: f64 = 1.25;
/// Measure a doubling without gain again after this long: computer or network may have been busy.
const REMEASURE_AFTER: Duration = Duration::from_secs(2);
/// Stops after this many measurements in a row without gain.
const MAX_WITHOUT_GAIN: u32 = 3;
/// Open no more connections when less than this many seconds are left at the current rate.
const MIN_SECONDS_LEFT: f64 = 1.0;

/// Decides from the bytes downloaded over time.
#[derive(Debug)]
pub struct RampUp {
    target: usize,
    most: usize,
    trial: Option<(Instant, u64)>,
    rate_before: f64,
    /// Measurements in a row without gain.
    looks: u32,
    not_before: Option<Instant>,
}

impl RampUp {
    /// Starts with one connection and goes up to `most`.
    pub fn new(most: usize) -> Self {
        Self { target: 1, most, trial: None, rate_before: 0.0, looks: 0, not_before: None }
    }

    /// The number of connections to have now.
    pub fn target(&self) -> usize {
        self.target
    }

    /// Stops at the current number.
    pub fn stop(&mut self) {
        self.most = self.target;
    }

    /// Limits the number after one has failed.
    pub fn limit_to(&mut self, segments: usize) {
        self.most = segments.max(1);
        self.target = self.target.min(self.most);
    }

    /// Whether to open more now, given the bytes done, the bytes left (if known) and the connections open.
    pub fn wants_more(&mut self, now: Instant, done: u64, left: Option<u64>, segments: usize) -> bool {
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
        if time < if self.target == 1 { MIN_FIRST_TRIAL } else { MIN_TRIAL } {
            return false;
        }
        let rate = done.saturating_sub(before) as f64 / time.as_secs_f64();
        // Fewer are open than wanted (the rest is too short to split), so this is not a measurement.
        if segments < self.target || rate <= 0.0 || (left as f64) < rate * MIN_SECONDS_LEFT {
            self.trial = Some((now, done));
            return false;
        }
        if rate < self.rate_before * MIN_GAIN {
            self.looks += 1;
            self.not_before = Some(now + REMEASURE_AFTER);
            if self.looks >= MAX_WITHOUT_GAIN {
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

    /// Simulates a server that limits each connection and the total, in bytes per second.
    fn settle(per_connection: u64, in_all: u64) -> usize {
        let mut ramp_up = RampUp::new(8);
        let (start, mut done) = (Instant::now(), 0);
        for tick in 0..200 {
            let rate = in_all.min(per_connection * ramp_up.target() as u64);
            done += rate / 10;
            let segments = ramp_up.target();
            ramp_up.wants_more(start + Duration::from_millis(tick * 100), done, Some(u64::MAX / 2), segments);
        }
        ramp_up.target()
    }

    #[test]
    fn connections_are_added_when_throttled_and_not_when_bandwidth_is_used_up() {
        assert_eq!(settle(1_000_000, u64::MAX), 8);
        assert_eq!(
            settle(1_000_000, 4_000_000),
            8,
            "the doubling to four paid, that to eight is tried and is the last"
        );
        assert_eq!(settle(1_000_000, 1_000_000), 2, "the first doubling brings nothing");
    }

    #[test]
    fn a_temporary_slowdown_does_not_stop_the_ramp_up() {
        let mut ramp_up = RampUp::new(8);
        let (start, mut done) = (Instant::now(), 0);
        for tick in 0..200 {
            // Hardly any data arrives between the second and the third second, with any number of connections.
            let busy = (6..30).contains(&tick);
            done += if busy { 20_000 } else { 100_000 * ramp_up.target() as u64 };
            let segments = ramp_up.target();
            ramp_up.wants_more(start + Duration::from_millis(tick * 100), done, Some(u64::MAX / 2), segments);
        }
        assert_eq!(ramp_up.target(), 8);
    }

    #[test]
    fn no_connections_are_added_near_the_end() {
        let mut ramp_up = RampUp::new(8);
        let start = Instant::now();
        for tick in 0..50 {
            let done = tick * 1_000_000;
            assert!(!ramp_up.wants_more(start + Duration::from_millis(tick * 100), done, Some(5_000_000), 1));
        }
        assert_eq!(ramp_up.target(), 1);
    }

    #[test]
    fn a_failure_reduces_connections() {
        let mut ramp_up = RampUp::new(8);
        ramp_up.target = 8;
        ramp_up.limit_to(7);
        assert_eq!(ramp_up.target(), 7);
        ramp_up.limit_to(0);
        assert_eq!(ramp_up.target(), 1);
    }
}
