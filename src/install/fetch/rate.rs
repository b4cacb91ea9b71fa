//! Measuring and limiting the download rate.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::figures::typed_decimal;

/// The rate is averaged over this window: long enough to be steady, short enough to follow a change.
const WINDOW: Duration = Duration::from_secs(5);
/// Reads a rate limit as curl writes it: a number of bytes a second, with `k`, `M` or `G` for 2^10, 2^20 and 2^30 of
/// them. `None` for anything else, and for zero.
pub fn parse_rate(typed: &str) -> Option<u64> {
    let typed = typed.trim();
    let (number, unit) = match typed.char_indices().last()? {
        (at, 'k' | 'K') => (&typed[..at], 1 << 10),
        (at, 'm' | 'M') => (&typed[..at], 1 << 20),
        (at, 'g' | 'G') => (&typed[..at], 1 << 30),
        (at, 'b' | 'B') => (&typed[..at], 1),
        _ => (typed, 1),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')) {
        return None;
    }
    let bytes = typed_decimal(number).ok()? * f64::from(unit);
    (bytes >= 1.0 && bytes <= (1_u64 << 50) as f64).then_some(bytes as u64)
}

/// Bytes per second over the last seconds, from a running total that may start anywhere.
#[derive(Debug, Default)]
pub struct Meter {
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Records the total at a time.
    pub fn note(&mut self, now: Instant, total: u64) {
        // A total that went back (a restarted file) starts a new measurement.
        if self.samples.back().is_some_and(|(_, last)| *last > total) {
            self.samples.clear();
        }
        self.samples.push_back((now, total));
        while self.samples.len() > 2 && now.duration_since(self.samples[1].0) >= WINDOW {
            self.samples.pop_front();
        }
    }

    /// Discards all samples, because the time of a pause does not count.
    pub fn reset(&mut self) {
        self.samples.clear();
    }

    /// Bytes a second; 0 until there are two samples.
    pub fn bytes_per_s(&self) -> f64 {
        match (self.samples.front(), self.samples.back()) {
            (Some((start, before)), Some((end, after))) if end > start => {
                (after - before) as f64 / end.duration_since(*start).as_secs_f64()
            }
            _ => 0.0,
        }
    }
}

/// Limits the rate of all connections together.
#[derive(Debug)]
pub struct Limiter {
    bytes_per_s: u64,
    /// Time until which the bytes let through so far use up the limit.
    used_until: Mutex<Instant>,
}

impl Limiter {
    /// Limits to this many bytes per second.
    pub fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s: bytes_per_s.max(1), used_until: Mutex::new(Instant::now()) }
    }

    /// Waits until these bytes are within the limit.
    pub async fn let_through(&self, bytes: usize) {
        let until = self.reserve(Instant::now(), bytes);
        tokio::time::sleep_until(until.into()).await;
    }

    fn reserve(&self, now: Instant, bytes: usize) -> Instant {
        let mut used_until = self.used_until.lock().unwrap_or_else(PoisonError::into_inner);
        let worth = Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64);
        *used_until = (*used_until).max(now) + worth;
        *used_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_parsed_as_in_curl() {
        for (typed, bytes) in [
            ("5M", 5 << 20),
            ("500k", 500 << 10),
            (" 1G ", 1 << 30),
            ("1.5m", 3 << 19),
            ("1000", 1000),
            ("9B", 9),
            ("1,5M", 1_572_864),
            ("1.5m", 1_572_864),
        ] {
            assert_eq!(parse_rate(typed), Some(bytes), "{typed}");
        }
        for wrong in ["", "M", "0", "-5M", "5T", "1e6", "5 M", "5MB", "1.234,5k", "inf", "nan", "ñ"] {
            assert_eq!(parse_rate(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_rate_follows_the_last_seconds() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut meter = Meter::default();
        assert!(meter.bytes_per_s().abs() < f64::EPSILON);
        for tick in 0..=100 {
            meter.note(at(tick * 100), tick * 1000);
        }
        assert!((meter.bytes_per_s() - 10_000.0).abs() < 1.0);
        // The download stops: five seconds later the rate is 0.
        for tick in 101..=160 {
            meter.note(at(tick * 100), 100_000);
        }
        assert!(meter.bytes_per_s() < 1.0);
        // A restart never gives a negative rate.
        meter.note(at(16_100), 0);
        meter.note(at(17_100), 500);
        assert!((meter.bytes_per_s() - 500.0).abs() < 1.0);
    }

    #[test]
    fn all_connections_together_stay_below_the_limit() {
        let limiter = Limiter::new(1000);
        let now = Instant::now();
        let mut last = now;
        for _ in 0..10 {
            last = limiter.reserve(now, 500);
        }
        let seconds = last.duration_since(now).as_secs_f64();
        assert!((4.9..5.1).contains(&seconds), "{seconds}");
        // Idle time does not allow a burst.
        let later = last + Duration::from_secs(100);
        assert_eq!(limiter.reserve(later, 1000), later + Duration::from_secs(1));
    }
}
