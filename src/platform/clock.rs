//! The time of day. Durations are measured with [`std::time::Instant`].

#![expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Current UTC time as RFC 3339 in whole seconds, for example `2026-11-27T00:40:12Z`.
pub fn rfc3339_now() -> String {
    let now = OffsetDateTime::now_utc();
    let seconds = now.replace_nanosecond(0).unwrap_or(now);
    seconds.format(&Rfc3339).unwrap_or_else(|_| now.unix_timestamp().to_string())
}

/// Seconds since the Unix epoch of a time as RFC 3339; `None` if it is not one, or earlier.
pub fn seconds_of_rfc3339(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp()).ok()
}

/// Time since the Unix epoch; zero if the clock is before it.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn now_is_written_in_whole_seconds() {
        let now = super::rfc3339_now();
        let read = time::OffsetDateTime::parse(&now, &super::Rfc3339).unwrap();
        assert!(now.ends_with('Z') && !now.contains('.'), "{now}");
        let seconds = u64::try_from(read.unix_timestamp()).unwrap();
        assert!(super::since_1970().as_secs().abs_diff(seconds) < 5, "{now}");
    }
}
