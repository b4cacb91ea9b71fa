//! One connection: requests its segment of the file, checks that the response matches, and sends every
//! chunk to the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED,
    RANGE, RETRY_AFTER,
};
use reqwest::{Response, StatusCode, Url};
use tokio::sync::mpsc::UnboundedSender;

use crate::install::fetch::problem::TransferProblem;
use crate::install::fetch::ranges::ByteSpan;
use crate::install::fetch::rate::Limiter;
use crate::install::fetch::writer::{Chunk, ChunkSender};
use crate::ollama::http::{self, HttpClient, HttpPolicy, NetworkObstacle};

/// Maximum number of redirects; a release page has two.
const MAX_REDIRECTS: usize = 8;

/// Longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// End of a segment of a file of unknown size.
pub const UNKNOWN_END: u64 = u64::MAX;
/// Maximum size of an archive, for servers that state no length.
const MAX_ARCHIVE_BYTES: u64 = 32 << 30;

/// A segment of the file being downloaded. Its end can be moved forward during the download, to share the rest.
#[derive(Debug)]
pub struct Segment {
    /// First byte.
    pub start: u64,
    at: AtomicU64,
    end: AtomicU64,
}

impl Segment {
    /// A segment of which nothing is downloaded.
    pub fn new(span: ByteSpan) -> Arc<Self> {
        Arc::new(Self { start: span.start, at: AtomicU64::new(span.start), end: AtomicU64::new(span.end) })
    }

    /// The part sent to the writer.
    pub fn sent(&self) -> ByteSpan {
        ByteSpan { start: self.start, end: self.at.load(Ordering::Relaxed) }
    }

    /// The part still to download.
    pub fn rest(&self) -> ByteSpan {
        ByteSpan { start: self.at.load(Ordering::Relaxed), end: self.end.load(Ordering::Relaxed) }
    }

    /// Its current end.
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Moves its end forward. Bytes it still sends beyond are harmless: they are the same.
    pub fn shorten(&self, end: u64) {
        self.end.fetch_min(end, Ordering::Relaxed);
    }
}

/// What all connections request, and how.
#[derive(Debug)]
pub struct RemoteFile {
    /// A client that does not follow redirects itself.
    pub client: HttpClient,
    /// Where plain http is allowed.
    pub policy: HttpPolicy,
    /// The address.
    pub url: Url,
    /// Expected size in bytes, when known.
    pub bytes: Option<u64>,
    /// Whether to request a range.
    pub ranged: bool,
    /// Timeout of a connection without data.
    pub silence_limit: Duration,
    /// Limits the rate.
    pub limiter: Option<Arc<Limiter>>,
}

/// What the first response says about the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Size of the whole file.
    pub bytes: Option<u64>,
    /// Whether the server supports ranges.
    pub ranged: bool,
    /// Entity tag or date of the file.
    pub validator: Option<String>,
}

/// Downloads a segment to its end. Sends to `opened` as soon as the response is valid.
///
/// # Errors
/// When the server refuses, the response does not fit the file, the connection breaks or stalls, or the user cancels.
pub async fn fetch(
    remote: &RemoteFile,
    segment: &Segment,
    validator: Option<&str>,
    chunks: &ChunkSender,
    opened: &UnboundedSender<Opened>,
) -> Result<(), TransferProblem> {
    let requested = segment.rest();
    let ask = follow(remote, requested, validator);
    let mut response = tokio::time::timeout(remote.silence_limit, ask)
        .await
        .map_err(|_| TransferProblem::Stalled(remote.silence_limit))??;
    let answer = match validate(&response, remote, requested, validator) {
        Ok(answer) => answer,
        // A sign-in page of any type has another length.
        Err(problem @ TransferProblem::Length { .. }) if response.status() == StatusCode::OK => {
            let beginning = tokio::time::timeout(remote.silence_limit, response.chunk()).await;
            let beginning = beginning.ok().and_then(Result::ok).flatten().unwrap_or_default();
            let page = NetworkObstacle::in_body(response.url(), &beginning);
            return Err(page.map_or(problem, TransferProblem::Obstacle));
        }
        Err(problem) => return Err(problem),
    };
    // The receiver is dropped when the download ends.
    let _ = opened.send(answer.opened);
    if segment.end() == UNKNOWN_END
        && let Some(end) = answer.end
    {
        segment.shorten(end);
    }

    loop {
        let ByteSpan { start: at, end } = segment.rest();
        if at >= end {
            return Ok(());
        }
        let chunk = tokio::time::timeout(remote.silence_limit, response.chunk())
            .await
            .map_err(|_| TransferProblem::Stalled(remote.silence_limit))?
            .map_err(|error| TransferProblem::of(&error))?;
        let Some(mut bytes) = chunk else {
            return if end == UNKNOWN_END || answer.end.is_some_and(|end| at >= end) {
                Ok(())
            } else {
                Err(TransferProblem::EndedEarly)
            };
        };
        // Neither server nor release states a length: do not fill the disk.
        if end == UNKNOWN_END && at > MAX_ARCHIVE_BYTES {
            return Err(TransferProblem::InvalidResponse(
                format!("more than {MAX_ARCHIVE_BYTES} bytes").into(),
            ));
        }
        if at == 0
            && let Some(page) = NetworkObstacle::in_body(response.url(), &bytes)
        {
            return Err(page.into());
        }
        bytes.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
        let length = bytes.len();
        if chunks.send(Chunk { offset: at, bytes }).await.is_err() {
            // The writer has failed and reports why itself.
            return Err(TransferProblem::EndedEarly);
        }
        segment.at.store(at + length as u64, Ordering::Relaxed);
        if let Some(limiter) = &remote.limiter {
            limiter.let_through(length).await;
        }
    }
}

/// Sends the request and follows redirects as far as the policy allows.
async fn follow(
    remote: &RemoteFile,
    requested: ByteSpan,
    validator: Option<&str>,
) -> Result<Response, TransferProblem> {
    let mut url = remote.url.clone();
    for _ in 0..=MAX_REDIRECTS {
        if !remote.policy.allows(&remote.url, &url) {
            return Err(TransferProblem::Insecure(url));
        }
        let mut request = remote.client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if remote.ranged {
            let range = match requested.end {
                UNKNOWN_END => format!("bytes={}-", requested.start),
                end => format!("bytes={}-{}", requested.start, end - 1),
            };
            request = request.header(RANGE, range);
            if let Some(validator) = validator {
                request = request.header(IF_RANGE, validator);
            }
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let obstacle = remote.client.obstacle(&url, &error).await;
                return Err(obstacle.map_or_else(|| TransferProblem::of(&error), TransferProblem::Obstacle));
            }
        };
        if !http::is_redirect(response.status()) {
            return Ok(response);
        }
        url = http::redirect_target(&url, response.headers()).ok_or(TransferProblem::Redirects)?;
    }
    Err(TransferProblem::Redirects)
}

/// A valid response.
struct ValidResponse {
    opened: Opened,
    /// Position in the file where the body ends, if stated.
    end: Option<u64>,
}

fn validate(
    response: &Response,
    remote: &RemoteFile,
    requested: ByteSpan,
    validator: Option<&str>,
) -> Result<ValidResponse, TransferProblem> {
    let headers = response.headers();
    // A server may give an archive a wrong type, but not the right length to a page.
    let has_length = response.content_length().is_some_and(|bytes| remote.bytes == Some(bytes));
    if let Some(obstacle) = remote.client.obstacle_in(response).filter(|_| !has_length) {
        return Err(obstacle.into());
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(TransferProblem::InvalidResponse("Content-Encoding".into()));
    }
    let found = validator_of(headers);
    let changed = matches!((validator, &found), (Some(known), Some(found)) if known != found);
    let (bytes, end, ranged) = match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            let nonsense = || {
                TransferProblem::InvalidResponse(
                    format!("Content-Range {:?}", headers.get(CONTENT_RANGE)).into(),
                )
            };
            let (span, bytes) = headers.get(CONTENT_RANGE).and_then(content_range).ok_or_else(nonsense)?;
            if span.start != requested.start
                || span.end > requested.end
                || bytes.is_some_and(|bytes| span.end > bytes)
            {
                return Err(nonsense());
            }
            (bytes, Some(span.end), true)
        }
        StatusCode::OK if requested.start > 0 => {
            // A range was requested and the whole file was sent: the file has changed, or the server ignores ranges.
            return Err(if changed {
                TransferProblem::Changed
            } else {
                TransferProblem::RangesIgnored { same_file: validator.is_some() && found.is_some() }
            });
        }
        StatusCode::OK => (response.content_length(), response.content_length(), false),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            // `bytes */LENGTH` has the actual length of the file.
            let actual = headers.get(CONTENT_RANGE).and_then(unsatisfied_length);
            return Err(match (remote.bytes, actual) {
                (Some(expected), Some(actual)) if expected != actual => {
                    TransferProblem::Length { expected, actual }
                }
                _ => TransferProblem::Changed,
            });
        }
        status => {
            let retry_after = headers.get(RETRY_AFTER).and_then(retry_after);
            return Err(TransferProblem::Status { status: status.as_u16(), retry_after });
        }
    };
    if changed {
        return Err(TransferProblem::Changed);
    }
    match (remote.bytes, bytes) {
        (Some(expected), Some(actual)) if expected != actual => {
            Err(TransferProblem::Length { expected, actual })
        }
        _ => Ok(ValidResponse { opened: Opened { bytes, ranged, validator: found }, end }),
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
fn content_range(value: &HeaderValue) -> Option<(ByteSpan, Option<u64>)> {
    let (span, length) = value.to_str().ok()?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.trim().split_once('-')?;
    let start: u64 = first.parse().ok()?;
    let end = last.parse::<u64>().ok()?.checked_add(1)?;
    let length = if length == "*" { None } else { Some(length.parse().ok()?) };
    (start < end).then_some((ByteSpan { start, end }, length))
}

fn unsatisfied_length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim().strip_prefix("bytes */")?.parse().ok()
}

/// Seconds; the other form, a date, would need a clock that agrees with the server's.
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn content_ranges_are_parsed() {
        let read = |text: &str| content_range(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read("bytes 0-99/200"), Some((ByteSpan { start: 0, end: 100 }, Some(200))));
        assert_eq!(read("bytes 5-5/*"), Some((ByteSpan { start: 5, end: 6 }, None)));
        for wrong in
            ["bytes */200", "0-99/200", "bytes 9-5/200", "bytes a-b/c", "bytes 0-18446744073709551615/*", ""]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(unsatisfied_length(&HeaderValue::from_static("bytes */200")), Some(200));
        assert_eq!(retry_after(&HeaderValue::from_static("7")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&HeaderValue::from_static("9999999")), Some(MAX_RETRY_AFTER));
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
        fn any_header_is_parsed_or_refused(text in "[ -~]{0,40}") {
            let value = HeaderValue::from_str(&text).unwrap();
            if let Some((span, _)) = content_range(&value) {
                prop_assert!(span.start < span.end);
            }
            let _ = (unsatisfied_length(&value), retry_after(&value));
        }
    }
}
