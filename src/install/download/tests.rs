#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::RefCell;

use std::time::Instant;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::partial::{Places, Sidecar};
use super::ranges::Span;
use super::*;
use crate::ollama::http;
use crate::testing::{Reply, Request, Server};

fn content(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|i| ((i + seed).wrapping_mul(2_654_435_761) >> 9) as u8).collect()
}

fn sha(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

struct Bench {
    folder: TempDir,
    content: Vec<u8>,
    seen: RefCell<Vec<Progress>>,
}

impl Bench {
    fn new(length: usize) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), content: content(length, 1), seen: RefCell::default() }
    }

    fn request(&self, urls: Vec<Url>) -> DownloadRequest {
        let bytes = Some(self.content.len() as u64);
        let dest = self.folder.path().join("deep").join("file.tar.zst");
        let mut request = DownloadRequest::new(urls, dest, bytes, sha(&self.content));
        request.patience =
            Patience { silence: Duration::from_millis(400), backoff: Duration::from_millis(10), tries: 3 };
        request
    }

    fn places(&self) -> Places {
        let places = Places::of(&self.folder.path().join("deep").join("file.tar.zst"));
        std::fs::create_dir_all(places.partial.parent().unwrap()).unwrap();
        places
    }

    /// As if an earlier run had fetched these bytes of this content.
    fn leave(&self, spans: &[(usize, usize)], content: &[u8], validator: Option<(&Url, &str)>) {
        let places = self.places();
        let mut sidecar = Sidecar {
            sha256: hex(&sha(&self.content)),
            bytes: Some(self.content.len() as u64),
            ..Sidecar::default()
        };
        let mut file = vec![0; self.content.len()];
        for (start, end) in spans {
            file[*start..*end].copy_from_slice(&content[*start..*end]);
            sidecar.done.add(Span { start: *start as u64, end: *end as u64 });
        }
        if let Some((url, tag)) = validator {
            sidecar.validators.insert(url.to_string(), format!("\"{tag}\""));
        }
        std::fs::write(&places.partial, file).unwrap();
        sidecar.save(&places).unwrap();
    }

    fn go(&self, request: &DownloadRequest) -> Result<PathBuf, DownloadError> {
        self.go_with(request, &Control::new(), &|_| {})
    }

    fn go_with(
        &self,
        request: &DownloadRequest,
        control: &Control,
        watch: &dyn Fn(&Progress),
    ) -> Result<PathBuf, DownloadError> {
        let client = http::client(&http::HttpOptions::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let note = |progress: Progress| {
            watch(&progress);
            self.seen.borrow_mut().push(progress);
        };
        let outcome = runtime.block_on(download(&client, request, &note, control));
        runtime.shutdown_background();
        if let Ok(path) = &outcome {
            assert!(std::fs::read(path).unwrap() == self.content, "a wrong file was taken for the right one");
            let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
            assert_eq!(left.len(), 1, "only the finished file stays: {left:?}");
        }
        outcome
    }

    fn waits(&self) -> Vec<Waiting> {
        self.seen.borrow().iter().filter_map(|progress| progress.waiting_for.clone()).collect()
    }

    fn serve(&self, answer: impl Fn(&Request, &[u8]) -> Reply + Send + Sync + 'static) -> Server {
        let content = self.content.clone();
        Server::start(move |request| answer(request, &content))
    }
}

fn problems(error: &DownloadError) -> Vec<Problem> {
    match error {
        DownloadError::Unavailable { tried, .. } => {
            tried.iter().map(|(_, problem)| problem.clone()).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_is_fetched_checked_and_not_fetched_again() {
    let bench = Bench::new(300_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let request = bench.request(vec![server.url("/f")]);
    bench.go(&request).unwrap();
    let last = bench.seen.borrow().last().cloned().unwrap();
    assert_eq!((last.bytes_done, last.bytes_total), (300_000, Some(300_000)));
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0].headers["user-agent"], http::USER_AGENT);
    bench.go(&request).unwrap();
    assert_eq!(server.requests().len(), 1, "it was there already");
    // A finished file that is not the right one is replaced.
    std::fs::write(&request.dest, b"something else").unwrap();
    bench.go(&request).unwrap();
}

#[test]
fn the_length_may_be_unknown_to_us_and_to_the_server() {
    for until_close in [false, true] {
        let bench = Bench::new(300_000);
        let server = bench.serve(move |_, content| Reply { until_close, ..Reply::body(content) });
        let request = DownloadRequest { bytes: None, ..bench.request(vec![server.url("/f")]) };
        bench.go(&request).unwrap();
    }
}

#[test]
fn an_earlier_part_is_taken_up_with_range_and_if_range() {
    let bench = Bench::new(500_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let url = server.url("/f");
    bench.leave(&[(0, 200_000), (300_000, 400_000)], &bench.content, Some((&url, "a")));
    bench.go(&bench.request(vec![url])).unwrap();
    let ranges: Vec<_> = server.requests().iter().map(|request| request.range().unwrap()).collect();
    assert_eq!(ranges, [(200_000, Some(299_999)), (400_000, Some(499_999))]);
    assert_eq!(server.requests()[0].headers["if-range"], "\"a\"");
}

#[test]
fn a_part_that_lacks_nothing_is_only_checked() {
    let bench = Bench::new(500_000);
    bench.leave(&[(0, 500_000)], &bench.content, None);
    let server = bench.serve(|_, _| Reply::status(500));
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert!(server.requests().is_empty());
}

#[test]
fn a_file_that_changed_on_the_server_is_begun_anew() {
    let bench = Bench::new(500_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "new"));
    let url = server.url("/f");
    bench.leave(&[(0, 200_000)], &content(500_000, 99), Some((&url, "old")));
    bench.go(&bench.request(vec![url])).unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].headers["if-range"], "\"old\"");
    assert_eq!(requests[1].range(), Some((0, Some(499_999))), "from the start");
}

#[test]
fn a_wrong_earlier_part_costs_one_more_download_and_no_more() {
    let bench = Bench::new(500_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let url = server.url("/f");
    bench.leave(&[(0, 200_000)], &content(500_000, 99), Some((&url, "a")));
    bench.go(&bench.request(vec![url])).unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_server_that_ignores_ranges_is_taken_as_it_is() {
    let bench = Bench::new(500_000);
    let server = bench
        .serve(|_, content| Reply { headers: vec![("ETag", "\"a\"".to_owned())], ..Reply::body(content) });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert_eq!(server.requests().len(), 1);
    std::fs::remove_file(bench.request(Vec::new()).dest).unwrap();
    bench.leave(&[(0, 200_000)], &bench.content, None);
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    let requests = server.requests();
    assert!(requests[1].range().is_some() && requests[2].range().is_none(), "asked once, then no more");
}

#[test]
fn broken_connections_are_resumed_where_they_broke() {
    let bench = Bench::new(500_000);
    let server = bench
        .serve(|request, content| Reply { cut_after: Some(100_000), ..Reply::file(request, content, "a") });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    let firsts: Vec<_> = server.requests().iter().map(|request| request.range().unwrap().0).collect();
    assert!(firsts.is_sorted() && firsts.len() >= 5 && *firsts.last().unwrap() >= 400_000, "{firsts:?}");
}

#[test]
fn a_stalled_connection_is_given_up_and_taken_up_again() {
    let bench = Bench::new(500_000);
    let server = bench.serve(|request, content| {
        let stall_after = (request.earlier == 0).then_some(100_000);
        Reply { stall_after, ..Reply::file(request, content, "a") }
    });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert_eq!(server.requests()[1].range(), Some((100_000, Some(499_999))));
}

#[test]
fn troubles_of_a_server_pass_and_what_it_is_waited_for_is_said() {
    let bench = Bench::new(100_000);
    let server = bench.serve(|request, content| match request.earlier {
        0 => Reply::status(503),
        1 => Reply { headers: vec![("Retry-After", "1".to_owned())], ..Reply::status(429) },
        _ => Reply::file(request, content, "a"),
    });
    let start = Instant::now();
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1), "it was asked to wait");
    let waits = bench.waits();
    let expected = Problem::Status { status: 429, retry_after: Some(Duration::from_secs(1)) };
    assert!(
        waits.contains(&Waiting::Retry { host: "127.0.0.1".into(), problem: expected, seconds: 1 }),
        "{waits:?}"
    );
}

#[test]
fn the_next_mirror_goes_on_where_the_first_failed() {
    for first in [404, 403, 500] {
        let bench = Bench::new(400_000);
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
fn when_nothing_helps_every_address_is_named_with_its_reason() {
    let bench = Bench::new(100_000);
    let missing = bench.serve(|_, _| Reply::status(404));
    let broken = bench.serve(|_, _| Reply::status(500));
    let longer = bench.serve(|request, content| Reply::file(request, &[content, b"x"].concat(), "a"));
    let closed = Url::parse("http://127.0.0.1:1/f").unwrap();
    let urls = vec![missing.url("/f"), broken.url("/f"), longer.url("/f"), closed];
    let error = bench.go(&bench.request(urls)).unwrap_err();
    let problems = problems(&error);
    assert_eq!(problems[0], Problem::Status { status: 404, retry_after: None });
    assert_eq!(problems[1], Problem::Status { status: 500, retry_after: None });
    assert_eq!(problems[2], Problem::Length { expected: 100_000, actual: 100_001 });
    assert!(matches!(problems[3], Problem::Connection(_)), "{:?}", problems[3]);
    assert_eq!(broken.requests().len(), 3, "as often as patience allows");
    for language in crate::text::Language::ALL {
        let said = error.explain(Text::new(language));
        assert!(said.contains("500") && said.contains("file.tar.zst") && !said.contains("fetch-"), "{said}");
    }
}

#[test]
fn lengths_that_lie_are_not_believed() {
    let bench = Bench::new(100_000);
    // Says the right length and sends less; says nothing and sends more.
    let short = bench.serve(|request, content| Reply {
        declared: Some(content.len()),
        body: content[..request.earlier.min(1) * 10].to_vec(),
        status: 200,
        ..Reply::default()
    });
    let error = bench.go(&bench.request(vec![short.url("/f")])).unwrap_err();
    assert!(matches!(problems(&error)[0], Problem::Connection(_) | Problem::CutShort), "{error}");
    let bench = Bench::new(100_000);
    let long = bench.serve(|_, content| Reply {
        until_close: true,
        ..Reply::body([&content[..50_000], &[0; 500_000][..]].concat())
    });
    let error = bench.go(&bench.request(vec![long.url("/f")])).unwrap_err();
    assert!(matches!(error, DownloadError::CheckSum { .. }), "{error}");
}

#[test]
fn a_range_that_was_not_asked_for_is_refused() {
    let bench = Bench::new(100_000);
    bench.leave(&[(0, 50_000)], &bench.content, None);
    let server = bench.serve(|_, content| Reply {
        status: 206,
        headers: vec![("Content-Range", "bytes 0-49999/100000".to_owned())],
        body: content[..50_000].to_vec(),
        ..Reply::default()
    });
    let error = bench.go(&bench.request(vec![server.url("/f")])).unwrap_err();
    assert!(matches!(problems(&error)[0], Problem::Nonsense(_)), "{error}");
}

#[test]
fn a_wrong_file_is_deleted_and_fetched_from_elsewhere_once() {
    let flipped = |request: &Request, content: &[u8]| {
        let mut content = content.to_vec();
        content[70_000] ^= 1;
        Reply::file(request, &content, "bad")
    };
    let bench = Bench::new(100_000);
    let (bad, good) = (bench.serve(flipped), bench.serve(|r, c| Reply::file(r, c, "good")));
    bench.go(&bench.request(vec![bad.url("/f"), good.url("/f")])).unwrap();
    assert_eq!(good.requests()[0].range(), Some((0, Some(99_999))), "nothing of the wrong file is kept");

    let bench = Bench::new(100_000);
    let bad = bench.serve(flipped);
    let error = bench.go(&bench.request(vec![bad.url("/f")])).unwrap_err();
    let DownloadError::CheckSum { expected, actual, .. } = &error else { panic!("{error}") };
    assert_eq!(*expected, hex(&sha(&bench.content)));
    assert_ne!(expected, actual);
    assert_eq!(bad.requests().len(), 2);
    let places = bench.places();
    assert!(!places.partial.exists() || std::fs::metadata(&places.partial).unwrap().len() == 0);
    assert!(!bench.request(Vec::new()).dest.exists());
}

#[test]
fn redirects_lead_to_good_places_only() {
    let bench = Bench::new(100_000);
    let server = bench.serve(|request, content| match request.path.as_str() {
        "/f" => Reply::redirect("/hop"),
        "/hop" => Reply::redirect(format!("http://{}/real", request.headers["host"])),
        "/real" => Reply::file(request, content, "a"),
        "/away" => Reply::redirect("http://example.org/f"),
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/bare" => Reply::status(302),
        _ => Reply::redirect("/loop"),
    });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    let real = server.requests().into_iter().find(|request| request.path == "/real").unwrap();
    assert!(real.range().is_some(), "the range goes along");
    for (path, problem) in [
        ("/away", Problem::Insecure(Url::parse("http://example.org/f").unwrap())),
        ("/file", Problem::Insecure(Url::parse("file:///etc/passwd").unwrap())),
        ("/bare", Problem::Redirects),
        ("/loop", Problem::Redirects),
    ] {
        let bench = Bench::new(100_000);
        let error = bench.go(&bench.request(vec![server.url(path)])).unwrap_err();
        assert_eq!(problems(&error), [problem]);
    }
    let error = bench.go(&DownloadRequest {
        dest: bench.folder.path().join("other"),
        ..bench.request(vec![Url::parse("http://192.0.2.1/f").unwrap()])
    });
    assert!(matches!(problems(&error.unwrap_err())[0], Problem::Insecure(_)), "plain http is not even tried");
}

#[test]
fn cancelling_is_quick_and_the_next_run_goes_on() {
    let bench = Bench::new(400_000);
    let server = bench.serve(|request, content| {
        let stall_after = (request.earlier == 0).then_some(200_000);
        Reply { stall_after, ..Reply::file(request, content, "a") }
    });
    let mut request = bench.request(vec![server.url("/f")]);
    request.patience.silence = Duration::from_secs(60);
    let control = Control::new();
    let asked = RefCell::new(None);
    let watch = |progress: &Progress| {
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
fn a_pause_drops_the_connection_and_resuming_goes_on() {
    let bench = Bench::new(400_000);
    let server = bench.serve(|request, content| {
        let stall_after = (request.earlier == 0).then_some(200_000);
        Reply { stall_after, ..Reply::file(request, content, "a") }
    });
    let mut request = bench.request(vec![server.url("/f")]);
    request.patience.silence = Duration::from_secs(60);
    let control = Control::new();
    let resumer = RefCell::new(None);
    let watch = |progress: &Progress| {
        if progress.bytes_done == 200_000 && resumer.borrow().is_none() {
            control.pause();
        }
        if progress.waiting_for == Some(Waiting::Resume) {
            let control = control.clone();
            *resumer.borrow_mut() = Some(std::thread::spawn(move || control.resume()));
        }
    };
    bench.go_with(&request, &control, &watch).unwrap();
    assert!(resumer.into_inner().is_some());
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = Bench::new(10);
    let blocked = bench.folder.path().join("blocked");
    std::fs::write(&blocked, b"a file, not a folder").unwrap();
    let request = DownloadRequest { dest: blocked.join("x"), ..bench.request(Vec::new()) };
    let error = bench.go(&request).unwrap_err();
    assert!(matches!(&error, DownloadError::Io { path, .. } if path.starts_with(&blocked)), "{error}");
}

#[test]
fn too_large_for_the_disk_is_said_before_a_byte_is_asked_for() {
    let bench = Bench::new(10);
    let server = bench.serve(|_, _| Reply::status(500));
    let request = DownloadRequest { bytes: Some(1 << 60), ..bench.request(vec![server.url("/f")]) };
    let error = bench.go(&request).unwrap_err();
    assert!(matches!(error, DownloadError::DiskFull { missing_bytes: Some(_), .. }), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_disk_that_fills_up_meanwhile_is_noticed_before_it_is_full() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static FREE: AtomicU64 = AtomicU64::new(u64::MAX);
    let bench = Bench::new(40 << 20);
    let server =
        bench.serve(|request, content| Reply { pace: Some(1 << 20), ..Reply::file(request, content, "a") });
    let mut request = bench.request(vec![server.url("/f")]);
    request.free_space = |_| Ok(FREE.load(Ordering::Relaxed));
    request.max_connections = 1;
    let watch = |progress: &Progress| {
        if progress.bytes_done > 1 << 20 {
            // Somebody else takes the rest of the disk.
            FREE.store(1 << 20, Ordering::Relaxed);
        }
    };
    let error = bench.go_with(&request, &Control::new(), &watch).unwrap_err();
    let DownloadError::DiskFull { missing_bytes: Some(missing), .. } = error else { panic!("{error}") };
    assert!((30 << 20..40 << 20).contains(&missing), "{missing}");
    // What came is kept, and the next run goes on from there.
    let places = bench.places();
    let kept = Sidecar::load(&places, &hex(&request.sha256), request.bytes).done.total();
    assert!(kept > 1 << 20, "{kept}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for path in [&places.partial, &places.sidecar] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
        }
    }
}

#[test]
fn a_server_that_always_stalls_is_left_for_the_next_one() {
    let bench = Bench::new(400_000);
    let stalls =
        bench.serve(|request, content| Reply { stall_after: Some(0), ..Reply::file(request, content, "s") });
    let good = bench.serve(|request, content| Reply::file(request, content, "g"));
    bench.go(&bench.request(vec![stalls.url("/f"), good.url("/f")])).unwrap();
    assert_eq!(stalls.requests().len(), 2, "it is asked twice, because once may be chance");
    let told = bench.waits();
    let said = |wait: &Waiting| matches!(wait, Waiting::Retry { problem: Problem::Stalled(_), .. });
    assert!(told.iter().any(said), "{told:?}");
}

#[test]
fn a_server_that_stalls_several_connections_is_asked_over_fewer() {
    let bench = Bench::new(24 << 20);
    // It serves two connections at a time, and lets all others wait for ever.
    let server = bench.serve(|request, content| {
        let reply = Reply { pace: Some(3 << 20), ..Reply::file(request, content, "a") };
        if request.earlier == 2 || request.earlier == 3 {
            Reply { stall_after: Some(0), ..reply }
        } else {
            reply
        }
    });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    let most = bench.seen.borrow().iter().map(|progress| progress.connections).max().unwrap();
    assert!(most >= 3, "{most} connections were tried");
    let last = bench.seen.borrow().iter().rev().find(|p| p.connections > 0).unwrap().connections;
    assert!(last < most, "{last} of {most} were left");
    assert!(bench.seen.borrow().is_sorted_by_key(|progress| progress.bytes_done), "never backwards");
}

#[test]
fn several_connections_outrun_a_throttled_one() {
    let bench = Bench::new(24 << 20);
    let server =
        bench.serve(|request, content| Reply { pace: Some(3 << 20), ..Reply::file(request, content, "a") });
    let request = bench.request(vec![server.url("/f")]);
    let start = Instant::now();
    bench.go(&request).unwrap();
    let took = start.elapsed().as_secs_f64();
    let most = bench.seen.borrow().iter().map(|progress| progress.connections).max().unwrap();
    assert!(most >= 4, "{most} connections");
    assert!(took < 8.0 / 2.0, "one connection would have taken 8 s, this took {took:.1} s");
    assert!(bench.seen.borrow().is_sorted_by_key(|progress| progress.bytes_done), "never backwards");
}

#[test]
fn several_connections_survive_one_that_fails() {
    let bench = Bench::new(24 << 20);
    let server = bench.serve(|request, content| {
        let bad = request.earlier == 2 || request.earlier == 4;
        let reply = Reply { pace: Some(4 << 20), ..Reply::file(request, content, "a") };
        if bad { Reply { cut_after: Some(100_000), ..reply } } else { reply }
    });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
    assert!(server.requests().len() > 3);
}

#[test]
fn a_rate_limit_is_kept() {
    let bench = Bench::new(600_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let request = DownloadRequest { max_bytes_per_s: Some(500_000), ..bench.request(vec![server.url("/f")]) };
    let start = Instant::now();
    bench.go(&request).unwrap();
    let took = start.elapsed().as_secs_f64();
    assert!((0.9..3.0).contains(&took), "{took}");
}

#[test]
fn unfinished_files_of_killed_runs_are_of_use() {
    // A run that ends without a word (here: its runtime is thrown away in the middle) leaves what the next one needs.
    let bench = Bench::new(3_000_000);
    let server = bench.serve(|request, content| Reply {
        stall_after: Some(1_000_000),
        ..Reply::file(request, content, "a")
    });
    let mut request = bench.request(vec![server.url("/f")]);
    request.patience.silence = Duration::from_secs(60);
    let client = http::client(&http::HttpOptions::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (reached, half) = tokio::sync::oneshot::channel();
    let reached = RefCell::new(Some(reached));
    let note = |progress: Progress| {
        if progress.bytes_done >= 1_000_000
            && let Some(reached) = reached.borrow_mut().take()
        {
            let _ = reached.send(());
        }
    };
    let control = Control::new();
    runtime.block_on(async {
        tokio::select! {
            outcome = download(&client, &request, &note, &control) => panic!("{outcome:?}"),
            _ = half => {}
        }
    });
    runtime.shutdown_background();
    let places = bench.places();
    let deadline = Instant::now() + Duration::from_secs(10);
    while Sidecar::load(&places, &hex(&request.sha256), request.bytes).done.total() < 1_000_000 {
        assert!(Instant::now() < deadline, "what is there was never noted");
        std::thread::yield_now();
    }
    let good = bench.serve(|request, content| Reply::file(request, content, "a"));
    bench.go(&bench.request(vec![good.url("/f")])).unwrap();
    assert!(good.requests()[0].range().unwrap().0 >= 1_000_000);
}

#[test]
fn hashes_are_written_as_everywhere() {
    assert_eq!(hex(&sha(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
