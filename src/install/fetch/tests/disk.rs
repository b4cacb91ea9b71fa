//! Folders that cannot be written, a disk that is full or fills up, partial files of earlier runs.

use crate::install::fetch::tests::*;

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = FetchBench::new(10);
    let blocked = bench.folder.path().join("blocked");
    std::fs::write(&blocked, b"a file, not a folder").unwrap();
    let request = DownloadRequest { dest: blocked.join("x"), ..bench.request(Vec::new()) };
    let error = bench.go(&request).unwrap_err();
    assert!(matches!(&error, DownloadError::File(error) if error.path.starts_with(&blocked)), "{error}");
}

#[test]
fn a_file_too_large_for_the_disk_fails_before_any_request() {
    let bench = FetchBench::new(10);
    let server = bench.serve(|_, _| Reply::status(500));
    let request = DownloadRequest { bytes: Some(1 << 60), ..bench.request(vec![server.url("/f")]) };
    let error = bench.go(&request).unwrap_err();
    assert!(matches!(error, DownloadError::DiskFull { missing_bytes: Some(_), .. }), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_disk_that_fills_up_during_the_download_is_noticed_before_it_is_full() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static FREE: AtomicU64 = AtomicU64::new(u64::MAX);
    let bench = FetchBench::new(40 << 20);
    let server =
        bench.serve(|request, content| Reply { pace: Some(1 << 20), ..Reply::file(request, content, "a") });
    let mut request = bench.request(vec![server.url("/f")]);
    request.free_space = |_| Ok(FREE.load(Ordering::Relaxed));
    request.max_connections = 1;
    let watch = |progress: &DownloadProgress| {
        if progress.bytes_done > 1 << 20 {
            // Another program fills the disk.
            FREE.store(1 << 20, Ordering::Relaxed);
        }
    };
    let error = bench.go_with(&request, &Control::new(), &watch).unwrap_err();
    let DownloadError::DiskFull { missing_bytes: Some(missing), .. } = error else { panic!("{error}") };
    assert!((30 << 20..40 << 20).contains(&missing), "{missing}");
    // The downloaded part is kept, and the next run resumes from there.
    let paths = bench.paths();
    let kept = Sidecar::load(&paths, request.sha256, request.bytes).done.total();
    assert!(kept > 1 << 20, "{kept}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for path in [&paths.partial, &paths.sidecar] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
        }
    }
}

#[test]
fn the_partial_file_of_a_killed_run_is_resumed() {
    // A run that is killed (here: its runtime is dropped) leaves what the next one needs.
    let bench = FetchBench::new(3_000_000);
    let server = bench.serve(|request, content| Reply {
        stall_after: Some(1_000_000),
        ..Reply::file(request, content, "a")
    });
    let mut request = bench.request(vec![server.url("/f")]);
    request.retry_policy.silence = Duration::from_secs(60);
    let client = http::client(&http::HttpOptions::default(), []).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (reached, half) = tokio::sync::oneshot::channel();
    let reached = RefCell::new(Some(reached));
    let note = |progress: DownloadProgress| {
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
    let paths = bench.paths();
    let deadline = Instant::now() + Duration::from_secs(10);
    while Sidecar::load(&paths, request.sha256, request.bytes).done.total() < 1_000_000 {
        assert!(Instant::now() < deadline, "progress was never saved");
        std::thread::yield_now();
    }
    let good = bench.serve(|request, content| Reply::file(request, content, "a"));
    bench.go(&bench.request(vec![good.url("/f")])).unwrap();
    assert!(good.requests()[0].range().unwrap().0 >= 1_000_000);
}
