//! Lines as the server logs them.

use std::io::Write as _;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The time as the log and the API write it.
pub fn timestamp() -> String {
    rfc3339(OffsetDateTime::now_utc())
}

pub fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

/// `time=… level=… source=… msg="…" REST` on standard error.
pub fn line(level: &str, source: &str, message: &str, rest: &str) {
    let space = if rest.is_empty() { "" } else { " " };
    raw(&format!("time={} level={level} source={source} msg={message:?}{space}{rest}", timestamp()));
}

pub fn info(source: &str, message: &str, rest: &str) {
    line("INFO", source, message, rest);
}

/// A line as it is. When nobody reads the log any more there is nobody to tell either.
pub fn raw(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
