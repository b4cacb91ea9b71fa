//! Formats figures with units, decimals and separators of the language.

use time::{Duration, OffsetDateTime};

use crate::GIB;
use crate::figures::Range;
use crate::say;
use crate::text::{Language, Text};

impl Text {
    /// A whole number with thousands separators: `32,768`, `32.768`.
    pub fn count(self, number: u64) -> String {
        let digits = number.to_string();
        // Spanish sets four digits without a separator (RAE).
        if self.language() == Language::Spanish && digits.len() <= 4 {
            return digits;
        }
        let separator = match self.language() {
            Language::English => ',',
            Language::Spanish => '.',
        };
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push(separator);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A number with this many decimals: `7.6`, `7,6`.
    pub fn decimal(self, number: f64, decimals: usize) -> String {
        let plain = format!("{number:.decimals$}");
        match self.language() {
            Language::English => plain,
            Language::Spanish => plain.replace('.', ","),
        }
    }

    /// Memory in advertised units, one decimal below 100, none for a whole number: `7.6 GB`, `8 GB`. These "GB" are
    /// 2^30 bytes, as for cards and memory modules.
    pub fn memory(self, bytes: u64) -> String {
        format!("{}\u{a0}GB", self.memory_number(bytes))
    }

    /// A range of memory, `6.4–6.7 GB`.
    pub fn memory_range(self, low_bytes: u64, high_bytes: u64) -> String {
        let (low, high) = (self.memory_number(low_bytes), self.memory(high_bytes));
        if self.memory(low_bytes) == high { high } else { format!("{low}–{high}") }
    }

    /// As [`Text::memory`], without the unit.
    pub fn memory_number(self, bytes: u64) -> String {
        let gib = bytes as f64 / GIB as f64;
        let decimals = if (gib - gib.round()).abs() < 0.05 || gib >= 100.0 { 0 } else { 1 };
        self.decimal(gib, decimals)
    }

    /// A file or download in decimal units, as disks and networks count: `4.7 GB`, `397.8 MB`.
    pub fn file_size(self, bytes: u64) -> String {
        let bytes = bytes as f64;
        let (number, unit) = match bytes {
            b if b >= 1e11 => return format!("{}\u{a0}GB", self.decimal(b / 1e9, 0)),
            b if b >= 1e9 => (b / 1e9, "GB"),
            b if b >= 1e6 => (b / 1e6, "MB"),
            b if b >= 1e3 => (b / 1e3, "kB"),
            b => return format!("{}\u{a0}B", self.decimal(b, 0)),
        };
        format!("{}\u{a0}{unit}", self.decimal(number, 1))
    }

    /// A range with an en dash; the smaller the figures, the more decimals: `32–44`, `4.1–6.8`, `0.21–0.34`.
    pub fn range(self, range: Range) -> String {
        let decimals = decimals_for(range.low);
        let (low, high) = (self.decimal(range.low, decimals), self.decimal(range.high, decimals));
        if low == high { low } else { format!("{low}–{high}") }
    }

    /// A measured figure, with decimals as in [`Text::range`].
    pub fn figure(self, number: f64) -> String {
        self.decimal(
            number,
            if number >= 100.0 {
                0
            } else if number < 1.0 {
                2
            } else {
                1
            },
        )
    }

    /// A date with the time of day in UTC: `27 November 2026, 09:05 UTC`. From seconds since the Unix epoch.
    pub fn moment(self, seconds: u64) -> String {
        let last = OffsetDateTime::UNIX_EPOCH + Duration::days(365 * 1_000);
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(last);
        say!(
            self,
            "units-moment",
            day = moment.day(),
            month = u8::from(moment.month()),
            year = moment.year().to_string(),
            time = format!("{:02}:{:02}", moment.hour(), moment.minute())
        )
    }

    /// A percentage without decimals: `62 %`.
    pub fn percent(self, share: f64) -> String {
        format!("{}\u{a0}%", self.decimal(share * 100.0, 0))
    }

    /// A time span in the two largest units, without zeros: `45 s`, `2 min 55 s`, `1 min`, `1 h 4 min`.
    pub fn duration(self, seconds: f64) -> String {
        let whole = seconds.max(0.0).round() as u64;
        let units = |larger: String, rest: u64, unit: &str| match rest {
            0 => larger,
            rest => format!("{larger} {rest}\u{a0}{unit}"),
        };
        match whole {
            s if s < 60 => format!("{s}\u{a0}s"),
            s if s < 3600 => units(format!("{}\u{a0}min", s / 60), s % 60, "s"),
            s => units(format!("{}\u{a0}h", s / 3600), s % 3600 / 60, "min"),
        }
    }
}

fn decimals_for(number: f64) -> usize {
    match number.abs() {
        n if n >= 10.0 => 0,
        n if n >= 1.0 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn a_moment_is_written_as_people_write_it() {
        let of = |language, seconds| Text::new(language).moment(seconds);
        assert_eq!(of(Language::English, 1_795_770_305), "27 November 2026, 09:05 UTC");
        assert_eq!(of(Language::Spanish, 1_795_770_305), "27 de noviembre de 2026, 09:05 UTC");
        assert_eq!(of(Language::English, 0), "1 January 1970, 00:00 UTC");
        assert!(of(Language::Spanish, u64::MAX).ends_with("UTC"));
    }

    #[test]
    fn a_time_span_has_two_units_and_no_zeros() {
        let text = Text::new(Language::English);
        let spans = [45.2, 60.0, 175.0, 3600.0, 3840.0].map(|seconds| text.duration(seconds));
        let expected = ["45 s", "1 min", "2 min 55 s", "1 h", "1 h 4 min"];
        assert_eq!(spans.map(|span| span.replace('\u{a0}', " ")), expected);
    }
}
