//! One connection: asks for its stretch of the file, checks that the answer is what was asked for, and hands every
//! piece to the sink.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED,
    LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::mpsc::UnboundedSender;

use crate::install::fetch::problem::Problem;
use crate::install::fetch::ranges::Span;
use crate::install::fetch::rate::Limiter;
use crate::install::fetch::sink::{Inlet, Piece};
use crate::ollama::http::HttpPolicy;

/// More redirects than any honest download has (a release page has two).
const MOST_REDIRECTS: usize = 8;

/// The longest a server may have us wait.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The end of a stretch whose end nobody knows.
pub const UNKNOWN_END: u64 = u64::MAX;

/// A stretch of the file on its way. The end may be moved forward while it runs, to share the rest out.
#[derive(Debug)]
pub struct Lane {
    /// First byte.
    pub start: u64,
    at: AtomicU64,
    end: AtomicU64,
}

impl Lane {
    /// A stretch of which nothing has come.
    pub fn new(span: Span) -> Arc<Self> {
        Arc::new(Self { start: span.start, at: AtomicU64::new(span.start), end: AtomicU64::new(span.end) })
    }

    /// What was handed to the sink.
    pub fn sent(&self) -> Span {
        Span { start: self.start, end: self.at.load(Ordering::Relaxed) }
    }

    /// What is still to come.
    pub fn rest(&self) -> Span {
        Span { start: self.at.load(Ordering::Relaxed), end: self.end.load(Ordering::Relaxed) }
    }

    /// Where it ends now.
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Lets it end earlier. What it sends beyond in the meantime does no harm: it is the same bytes.
    pub fn shorten(&self, end: u64) {
        self.end.fetch_min(end, Ordering::Relaxed);
    }
}

/// What the connections share.
#[derive(Debug)]
pub struct Errand {
    /// Client that follows no redirects itself.
    pub client: Client,
    /// Where plain http may go.
    pub policy: HttpPolicy,
    /// The address.
    pub url: Url,
    /// Length the file must have.
    pub bytes: Option<u64>,
    /// Whether to ask for a range at all.
    pub ranged: bool,
    /// How long nothing may come.
    pub patience: Duration,
    /// Keeps the rate down.
    pub limiter: Option<Arc<Limiter>>,
}

/// What the first answer told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Length of the whole file.
    pub bytes: Option<u64>,
    /// Whether the server keeps to ranges.
    pub ranged: bool,
    /// What tells this file from a later one.
    pub validator: Option<String>,
}

/// Fetches a lane to its end. Tells `opened` as soon as the server answered as it should.
pub async fn fetch(
    errand: &Errand,
    lane: &Lane,
    validator: Option<&str>,
    inlet: &Inlet,
    opened: &UnboundedSender<Opened>,
) -> Result<(), Problem> {
    let asked = lane.rest();
    let ask = follow(errand, asked, validator);
    let mut response =
        tokio::time::timeout(errand.patience, ask).await.map_err(|_| Problem::Stalled(errand.patience))??;
    let answer = examine(&response, errand, asked, validator)?;
    // Nobody listens any more once the download is over.
    let _ = opened.send(answer.opened);
    if lane.end() == UNKNOWN_END
        && let Some(end) = answer.end
    {
        lane.shorten(end);
    }

    loop {
        let Span { start: at, end } = lane.rest();
        if at >= end {
            return Ok(());
        }
        let chunk = tokio::time::timeout(errand.patience, response.chunk())
            .await
            .map_err(|_| Problem::Stalled(errand.patience))?
            .map_err(|error| Problem::of(&error))?;
        let Some(mut bytes) = chunk else {
            return if end == UNKNOWN_END || answer.end.is_some_and(|end| at >= end) {
                Ok(())
            } else {
                Err(Problem::CutShort)
            };
        };
        bytes.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
        let length = bytes.len();
        if inlet.send(Piece { offset: at, bytes }).await.is_err() {
            // The sink has failed and tells why itself.
            return Err(Problem::CutShort);
        }
        lane.at.store(at + length as u64, Ordering::Relaxed);
        if let Some(limiter) = &errand.limiter {
            limiter.let_through(length).await;
        }
    }
}

/// Asks, and goes where redirects lead as far as the policy allows.
async fn follow(errand: &Errand, asked: Span, validator: Option<&str>) -> Result<Response, Problem> {
    let mut url = errand.url.clone();
    for _ in 0..=MOST_REDIRECTS {
        if !errand.policy.allows(&url) {
            return Err(Problem::Insecure(url));
        }
        let mut request = errand.client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if errand.ranged {
            let range = match asked.end {
                UNKNOWN_END => format!("bytes={}-", asked.start),
                end => format!("bytes={}-{}", asked.start, end - 1),
            };
            request = request.header(RANGE, range);
            if let Some(validator) = validator {
                request = request.header(IF_RANGE, validator);
            }
        }
        let response = request.send().await.map_err(|error| Problem::of(&error))?;
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(response);
        }
        url = destination(&url, response.headers()).ok_or(Problem::Redirects)?;
    }
    Err(Problem::Redirects)
}

fn destination(from: &Url, headers: &HeaderMap) -> Option<Url> {
    from.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

/// An answer that fits the question.
struct Answer {
    opened: Opened,
    /// Where the body ends, if the server said so.
    end: Option<u64>,
}

fn examine(
    response: &Response,
    errand: &Errand,
    asked: Span,
    validator: Option<&str>,
) -> Result<Answer, Problem> {
    let headers = response.headers();
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Problem::Nonsense("Content-Encoding".to_owned()));
    }
    let found = validator_of(headers);
    let changed = matches!((validator, &found), (Some(known), Some(found)) if known != found);
    let (bytes, end, ranged) = match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            let nonsense = || Problem::Nonsense(format!("Content-Range {:?}", headers.get(CONTENT_RANGE)));
            let (span, bytes) = headers.get(CONTENT_RANGE).and_then(content_range).ok_or_else(nonsense)?;
            if span.start != asked.start
                || span.end > asked.end
                || bytes.is_some_and(|bytes| span.end > bytes)
            {
                return Err(nonsense());
            }
            (bytes, Some(span.end), true)
        }
        StatusCode::OK if asked.start > 0 => {
            // SavedRequest for a part, got the whole: either the file is another one, or ranges mean nothing here.
            return Err(if changed {
                Problem::Changed
            } else {
                Problem::RangesIgnored { same_file: validator.is_some() && found.is_some() }
            });
        }
        StatusCode::OK => (response.content_length(), response.content_length(), false),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            // `bytes */LENGTH` tells how long the file really is.
            let actual = headers.get(CONTENT_RANGE).and_then(unsatisfied_length);
            return Err(match (errand.bytes, actual) {
                (Some(expected), Some(actual)) if expected != actual => Problem::Length { expected, actual },
                _ => Problem::Changed,
            });
        }
        status => {
            let retry_after = headers.get(RETRY_AFTER).and_then(retry_after);
            return Err(Problem::Status { status: status.as_u16(), retry_after });
        }
    };
    if changed {
        return Err(Problem::Changed);
    }
    match (errand.bytes, bytes) {
        (Some(expected), Some(actual)) if expected != actual => Err(Problem::Length { expected, actual }),
        _ => Ok(Answer { opened: Opened { bytes, ranged, validator: found }, end }),
    }
}

/// A strong entity tag, else the date of the last change; a weak tag may not be used with ranges (RFC 9110, 13.1.5).
fn validator_of(headers: &HeaderMap) -> Option<String> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    headers
        .get(ETAG)
        .and_then(text)
        .filter(|tag| tag.starts_with('"'))
        .or_else(|| headers.get(LAST_MODIFIED).and_then(text))
}

/// `bytes FIRST-LAST/LENGTH`, where the length may be `*`.
fn content_range(value: &HeaderValue) -> Option<(Span, Option<u64>)> {
    let (span, length) = value.to_str().ok()?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.trim().split_once('-')?;
    let start: u64 = first.parse().ok()?;
    let end = last.parse::<u64>().ok()?.checked_add(1)?;
    let length = if length == "*" { None } else { Some(length.parse().ok()?) };
    (start < end).then_some((Span { start, end }, length))
}

fn unsatisfied_length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim().strip_prefix("bytes */")?.parse().ok()
}

/// Seconds; the other form, a date, would need a clock that agrees with the server's.
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_the_specification_writes_them() {
        let read = |text: &str| content_range(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read("bytes 0-99/200"), Some((Span { start: 0, end: 100 }, Some(200))));
        assert_eq!(read("bytes 5-5/*"), Some((Span { start: 5, end: 6 }, None)));
        for wrong in
            ["bytes */200", "0-99/200", "bytes 9-5/200", "bytes a-b/c", "bytes 0-18446744073709551615/*", ""]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(unsatisfied_length(&HeaderValue::from_static("bytes */200")), Some(200));
        assert_eq!(retry_after(&HeaderValue::from_static("7")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&HeaderValue::from_static("9999999")), Some(LONGEST_RETRY_AFTER));
        assert_eq!(retry_after(&HeaderValue::from_static("Wed, 21 Oct 2026 07:28:00 GMT")), None);
    }

    #[test]
    fn weak_tags_are_not_used() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("W/\"x\""));
        assert_eq!(validator_of(&headers), None);
        headers.insert(LAST_MODIFIED, HeaderValue::from_static("Wed, 21 Oct 2026 07:28:00 GMT"));
        assert_eq!(validator_of(&headers).as_deref(), Some("Wed, 21 Oct 2026 07:28:00 GMT"));
        headers.insert(ETAG, HeaderValue::from_static("\"x\""));
        assert_eq!(validator_of(&headers).as_deref(), Some("\"x\""));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in "[ -~]{0,40}") {
            let value = HeaderValue::from_str(&text).unwrap();
            if let Some((span, _)) = content_range(&value) {
                prop_assert!(span.start < span.end);
            }
            let _ = (unsatisfied_length(&value), retry_after(&value));
        }
    }
}
