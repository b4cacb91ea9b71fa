#![allow(clippy::unwrap_used, clippy::panic)]

mod connections;
mod disk;
mod trust;

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::Url;
use tempfile::TempDir;

use crate::checksum::Sha256;
use crate::install::fetch::partial::{PartialPaths, Sidecar};
use crate::install::fetch::ranges::ByteSpan;
use crate::install::fetch::*;
use crate::ollama::http;
use crate::testing::{ReceivedRequest, Reply, TestServer};
use crate::text::Text;

fn content(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|i| ((i + seed).wrapping_mul(2_654_435_761) >> 9) as u8).collect()
}

fn sha(content: &[u8]) -> Sha256 {
    Sha256::of(content)
}

struct FetchBench {
    folder: TempDir,
    content: Vec<u8>,
    seen: RefCell<Vec<DownloadProgress>>,
}

impl FetchBench {
    fn new(length: usize) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), content: content(length, 1), seen: RefCell::default() }
    }

    fn request(&self, urls: Vec<Url>) -> DownloadRequest {
        let bytes = Some(self.content.len() as u64);
        let dest = self.folder.path().join("deep").join("file.tar.zst");
        let mut request = DownloadRequest::new(urls, dest, bytes, sha(&self.content));
        request.retry_policy =
            RetryPolicy { silence: Duration::from_millis(400), backoff: Duration::from_millis(10), tries: 3 };
        request
    }

    fn paths(&self) -> PartialPaths {
        let paths = PartialPaths::of(&self.folder.path().join("deep").join("file.tar.zst"));
        std::fs::create_dir_all(paths.partial.parent().unwrap()).unwrap();
        paths
    }

    /// Leaves the partial file of an earlier run with these bytes of this content.
    fn leave(&self, spans: &[(usize, usize)], content: &[u8], validator: Option<(&Url, &str)>) {
        let paths = self.paths();
        let mut sidecar = Sidecar {
            sha256: sha(&self.content),
            bytes: Some(self.content.len() as u64),
            ..Sidecar::new(sha(&self.content), None)
        };
        let mut file = vec![0; self.content.len()];
        for (start, end) in spans {
            file[*start..*end].copy_from_slice(&content[*start..*end]);
            sidecar.done.add(ByteSpan { start: *start as u64, end: *end as u64 });
        }
        if let Some((url, tag)) = validator {
            sidecar.validators.insert(url.to_string(), format!("\"{tag}\""));
        }
        std::fs::write(&paths.partial, file).unwrap();
        sidecar.save(&paths).unwrap();
    }

    /// A server that stalls in the first answer after 200,000 bytes, and a request that waits for it.
    fn stalling_half_way(&self) -> (TestServer, DownloadRequest) {
        let server = self.serve(|request, content| {
            let stall_after = (request.earlier == 0).then_some(200_000);
            Reply { stall_after, ..Reply::file(request, content, "a") }
        });
        let mut request = self.request(vec![server.url("/f")]);
        request.retry_policy.silence = Duration::from_secs(60);
        (server, request)
    }

    fn go(&self, request: &DownloadRequest) -> Result<PathBuf, DownloadError> {
        self.go_with(request, &Control::new(), &|_| {})
    }

    fn go_with(
        &self,
        request: &DownloadRequest,
        control: &Control,
        watch: &dyn Fn(&DownloadProgress),
    ) -> Result<PathBuf, DownloadError> {
        let client = http::client(&http::HttpOptions::default(), []).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let note = |progress: DownloadProgress| {
            watch(&progress);
            self.seen.borrow_mut().push(progress);
        };
        let outcome = runtime.block_on(download(&client, request, &note, control));
        runtime.shutdown_background();
        if let Ok(path) = &outcome {
            assert!(std::fs::read(path).unwrap() == self.content, "a wrong file was accepted");
            let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
            assert_eq!(left.len(), 1, "only the finished file stays: {left:?}");
        }
        outcome
    }

    fn waits(&self) -> Vec<DownloadWait> {
        self.seen.borrow().iter().filter_map(|progress| progress.waiting_for.clone()).collect()
    }

    fn serve(&self, answer: impl Fn(&ReceivedRequest, &[u8]) -> Reply + Send + Sync + 'static) -> TestServer {
        let content = self.content.clone();
        TestServer::start(move |request| answer(request, &content))
    }
}

fn problems(error: &DownloadError) -> Vec<TransferProblem> {
    match error {
        DownloadError::Unavailable { tried, .. } => {
            tried.iter().map(|(_, problem)| problem.clone()).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_is_downloaded_verified_and_not_downloaded_again() {
    let bench = FetchBench::new(300_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let request = bench.request(vec![server.url("/f")]);
    bench.go(&request).unwrap();
    let last = bench.seen.borrow().last().cloned().unwrap();
    assert_eq!((last.bytes_done, last.bytes_total), (300_000, Some(300_000)));
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0].headers["user-agent"], http::USER_AGENT);
    bench.go(&request).unwrap();
    assert_eq!(server.requests().len(), 1, "it was there already");
    // A finished file with another checksum is replaced.
    std::fs::write(&request.dest, b"something else").unwrap();
    bench.go(&request).unwrap();
}

#[test]
fn the_length_may_be_unknown_to_us_and_to_the_server() {
    for until_close in [false, true] {
        let bench = FetchBench::new(300_000);
        let server = bench.serve(move |_, content| Reply { until_close, ..Reply::body(content) });
        let request = DownloadRequest { bytes: None, ..bench.request(vec![server.url("/f")]) };
        bench.go(&request).unwrap();
    }
}

#[test]
fn a_partial_download_resumes_with_range_and_if_range() {
    let bench = FetchBench::new(500_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let url = server.url("/f");
    bench.leave(&[(0, 200_000), (300_000, 400_000)], &bench.content, Some((&url, "a")));
    bench.go(&bench.request(vec![url])).unwrap();
    let ranges: Vec<_> = server.requests().iter().map(|request| request.range().unwrap()).collect();
    assert_eq!(ranges, [(200_000, Some(299_999)), (400_000, Some(499_999))]);
    assert_eq!(server.requests()[0].headers["if-range"], "\"a\"");
}

#[test]
fn a_complete_partial_file_is_only_verified() {
    let bench = FetchBench::new(500_000);
    bench.leave(&[(0, 500_000)], &bench.content, None);
    let server = bench.serve(|_, _| Reply::status(500));
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert!(server.requests().is_empty());
}

#[test]
fn a_file_that_changed_on_the_server_is_downloaded_again() {
    let bench = FetchBench::new(500_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "new"));
    let url = server.url("/f");
    bench.leave(&[(0, 200_000)], &content(500_000, 99), Some((&url, "old")));
    bench.go(&bench.request(vec![url])).unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].headers["if-range"], "\"old\"");
    assert_eq!(requests[1].range(), Some((0, Some(499_999))), "from the start");
}

#[test]
fn a_wrong_partial_file_costs_one_more_download() {
    let bench = FetchBench::new(500_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let url = server.url("/f");
    bench.leave(&[(0, 200_000)], &content(500_000, 99), Some((&url, "a")));
    bench.go(&bench.request(vec![url])).unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_server_that_ignores_ranges_is_supported() {
    let bench = FetchBench::new(500_000);
    let server = bench
        .serve(|_, content| Reply { headers: vec![("ETag", "\"a\"".to_owned())], ..Reply::body(content) });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert_eq!(server.requests().len(), 1);
    std::fs::remove_file(bench.request(Vec::new()).dest).unwrap();
    bench.leave(&[(0, 200_000)], &bench.content, None);
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    let requests = server.requests();
    assert!(requests[1].range().is_some() && requests[2].range().is_none(), "ranges are requested once only");
}

#[test]
fn broken_connections_are_resumed_where_they_broke() {
    let bench = FetchBench::new(500_000);
    let server = bench
        .serve(|request, content| Reply { cut_after: Some(100_000), ..Reply::file(request, content, "a") });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    let firsts: Vec<_> = server.requests().iter().map(|request| request.range().unwrap().0).collect();
    assert!(firsts.is_sorted() && firsts.len() >= 5 && *firsts.last().unwrap() >= 400_000, "{firsts:?}");
}

#[test]
fn a_stalled_connection_is_dropped_and_the_download_resumes() {
    let bench = FetchBench::new(500_000);
    let server = bench.serve(|request, content| {
        let stall_after = (request.earlier == 0).then_some(100_000);
        Reply { stall_after, ..Reply::file(request, content, "a") }
    });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert_eq!(server.requests()[1].range(), Some((100_000, Some(499_999))));
}

#[test]
fn temporary_server_errors_are_retried_and_the_wait_is_reported() {
    let bench = FetchBench::new(100_000);
    let server = bench.serve(|request, content| match request.earlier {
        0 => Reply::status(503),
        1 => Reply { headers: vec![("Retry-After", "1".to_owned())], ..Reply::status(429) },
        _ => Reply::file(request, content, "a"),
    });
    let start = Instant::now();
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After was ignored");
    let waits = bench.waits();
    let expected = TransferProblem::Status { status: 429, retry_after: Some(Duration::from_secs(1)) };
    assert!(
        waits.contains(&DownloadWait::Retry { host: "127.0.0.1".into(), problem: expected, seconds: 1 }),
        "{waits:?}"
    );
}

#[test]
fn the_next_mirror_resumes_where_the_first_failed() {
    for first in [404, 403, 500] {
        let bench = FetchBench::new(400_000);
        let bad = bench.serve(move |_, _| Reply::status(first));
        let good = bench.serve(|request, content| Reply::file(request, content, "g"));
        bench.leave(&[(0, 150_000)], &bench.content, Some((&bad.url("/f"), "b")));
        bench.go(&bench.request(vec![bad.url("/f"), good.url("/f")])).unwrap();
        assert_eq!(good.requests()[0].range(), Some((150_000, Some(399_999))));
        assert!(
            !good.requests()[0].headers.contains_key("if-range"),
            "one server's tag means nothing to another"
        );
    }
}

#[test]
fn when_every_mirror_fails_each_is_named_with_its_reason() {
    let bench = FetchBench::new(100_000);
    let missing = bench.serve(|_, _| Reply::status(404));
    let broken = bench.serve(|_, _| Reply::status(500));
    let longer = bench.serve(|request, content| Reply::file(request, &[content, b"x"].concat(), "a"));
    let closed = Url::parse("http://127.0.0.1:1/f").unwrap();
    let urls = vec![missing.url("/f"), broken.url("/f"), longer.url("/f"), closed];
    let error = bench.go(&bench.request(urls)).unwrap_err();
    let problems = problems(&error);
    assert_eq!(problems[0], TransferProblem::Status { status: 404, retry_after: None });
    assert_eq!(problems[1], TransferProblem::Status { status: 500, retry_after: None });
    assert_eq!(problems[2], TransferProblem::Length { expected: 100_000, actual: 100_001 });
    assert!(matches!(problems[3], TransferProblem::Connection(_)), "{:?}", problems[3]);
    assert_eq!(broken.requests().len(), 3, "as often as the policy allows");
    for language in crate::text::Language::ALL {
        let said = error.explain(Text::new(language));
        assert!(said.contains("500") && said.contains("file.tar.zst") && !said.contains("fetch-"), "{said}");
    }
}

#[test]
fn cancelling_is_quick_and_the_next_run_resumes() {
    let bench = FetchBench::new(400_000);
    let (server, request) = bench.stalling_half_way();
    let control = Control::new();
    let asked = RefCell::new(None);
    let watch = |progress: &DownloadProgress| {
        if progress.bytes_done >= 200_000 {
            asked.borrow_mut().get_or_insert_with(Instant::now);
            control.cancel();
        }
    };
    let error = bench.go_with(&request, &control, &watch).unwrap_err();
    let took = asked.borrow().unwrap().elapsed();
    assert!(matches!(error, DownloadError::Cancelled(_)), "{error}");
    assert!(took < Duration::from_millis(100), "{took:?}");
    bench.go(&request).unwrap();
    assert_eq!(server.requests()[1].range(), Some((200_000, Some(399_999))));
}

#[test]
fn a_pause_drops_the_connection_and_resuming_continues() {
    let bench = FetchBench::new(400_000);
    let (server, request) = bench.stalling_half_way();
    let control = Control::new();
    let resumer = RefCell::new(None);
    let watch = |progress: &DownloadProgress| {
        if progress.bytes_done == 200_000 && resumer.borrow().is_none() {
            control.pause();
        }
        if progress.waiting_for == Some(DownloadWait::Resume) {
            let control = control.clone();
            *resumer.borrow_mut() = Some(std::thread::spawn(move || control.resume()));
        }
    };
    bench.go_with(&request, &control, &watch).unwrap();
    assert!(resumer.into_inner().is_some());
    assert_eq!(server.requests().len(), 2);
}
