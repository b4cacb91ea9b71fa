//! Several connections, slow ones and a limit.

use crate::install::fetch::tests::*;

#[test]
fn a_mirror_that_always_stalls_is_replaced_by_the_next() {
    let bench = FetchBench::new(400_000);
    let stalls =
        bench.serve(|request, content| Reply { stall_after: Some(0), ..Reply::file(request, content, "s") });
    let good = bench.serve(|request, content| Reply::file(request, content, "g"));
    bench.go(&bench.request(vec![stalls.url("/f"), good.url("/f")])).unwrap();
    assert_eq!(stalls.requests().len(), 2, "two attempts, because one failure may be temporary");
    let told = bench.waits();
    let said = |wait: &DownloadWait| {
        matches!(wait, DownloadWait::Retry { problem: TransferProblem::Stalled(_), .. })
    };
    assert!(told.iter().any(said), "{told:?}");
}

#[test]
fn a_server_that_stalls_several_connections_gets_fewer() {
    let bench = FetchBench::new(24 << 20);
    // The server serves two connections at a time and never answers the others.
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
fn several_connections_are_faster_than_a_throttled_one() {
    let bench = FetchBench::new(24 << 20);
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
    let bench = FetchBench::new(24 << 20);
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
    let bench = FetchBench::new(600_000);
    let server = bench.serve(|request, content| Reply::file(request, content, "a"));
    let request = DownloadRequest { max_bytes_per_s: Some(500_000), ..bench.request(vec![server.url("/f")]) };
    let start = Instant::now();
    bench.go(&request).unwrap();
    let took = start.elapsed().as_secs_f64();
    assert!((0.9..3.0).contains(&took), "{took}");
}
