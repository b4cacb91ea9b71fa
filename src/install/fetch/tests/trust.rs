//! Responses of a server are verified: lengths, ranges, hashes, redirects.

use crate::install::fetch::tests::*;
use crate::ollama::http::NetworkObstacle;
use crate::text::{Language, Text};

#[test]
fn wrong_lengths_are_detected() {
    let bench = FetchBench::new(100_000);
    // States the right length and sends less; states none and sends more.
    let short = bench.serve(|request, content| Reply {
        declared: Some(content.len()),
        body: content[..request.earlier.min(1) * 10].to_vec(),
        status: 200,
        ..Reply::default()
    });
    let error = bench.go(&bench.request(vec![short.url("/f")])).unwrap_err();
    assert!(
        matches!(problems(&error)[0], TransferProblem::Connection(_) | TransferProblem::EndedEarly),
        "{error}"
    );
    let bench = FetchBench::new(100_000);
    let long = bench.serve(|_, content| Reply {
        until_close: true,
        ..Reply::body([&content[..50_000], &[0; 500_000][..]].concat())
    });
    let error = bench.go(&bench.request(vec![long.url("/f")])).unwrap_err();
    assert!(matches!(error, DownloadError::CheckSum { .. }), "{error}");
}

#[test]
fn a_range_that_was_not_requested_is_refused() {
    let bench = FetchBench::new(100_000);
    bench.leave(&[(0, 50_000)], &bench.content, None);
    let server = bench.serve(|_, content| Reply {
        status: 206,
        headers: vec![("Content-Range", "bytes 0-49999/100000".to_owned())],
        body: content[..50_000].to_vec(),
        ..Reply::default()
    });
    let error = bench.go(&bench.request(vec![server.url("/f")])).unwrap_err();
    assert!(matches!(problems(&error)[0], TransferProblem::InvalidResponse(_)), "{error}");
}

#[test]
fn a_wrong_file_is_deleted_and_downloaded_once_from_another_mirror() {
    let flipped = |request: &ReceivedRequest, content: &[u8]| {
        let mut content = content.to_vec();
        content[70_000] ^= 1;
        Reply::file(request, &content, "bad")
    };
    let bench = FetchBench::new(100_000);
    let (bad, good) = (bench.serve(flipped), bench.serve(|r, c| Reply::file(r, c, "good")));
    bench.go(&bench.request(vec![bad.url("/f"), good.url("/f")])).unwrap();
    assert_eq!(good.requests()[0].range(), Some((0, Some(99_999))), "nothing of the wrong file is kept");

    let bench = FetchBench::new(100_000);
    let bad = bench.serve(flipped);
    let error = bench.go(&bench.request(vec![bad.url("/f")])).unwrap_err();
    let DownloadError::CheckSum { expected, actual, .. } = &error else { panic!("{error}") };
    assert_eq!(*expected, sha(&bench.content));
    assert_ne!(expected, actual);
    assert_eq!(bad.requests().len(), 2);
    let paths = bench.paths();
    assert!(!paths.partial.exists() || std::fs::metadata(&paths.partial).unwrap().len() == 0);
    assert!(!bench.request(Vec::new()).dest.exists());
}

#[test]
fn redirects_are_limited_to_allowed_addresses() {
    let bench = FetchBench::new(100_000);
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
        ("/away", TransferProblem::Insecure(Url::parse("http://example.org/f").unwrap())),
        ("/file", TransferProblem::Insecure(Url::parse("file:///etc/passwd").unwrap())),
        ("/bare", TransferProblem::Redirects),
        ("/loop", TransferProblem::Redirects),
    ] {
        let bench = FetchBench::new(100_000);
        let error = bench.go(&bench.request(vec![server.url(path)])).unwrap_err();
        assert_eq!(problems(&error), [problem]);
    }
    let error = bench.go(&DownloadRequest {
        dest: bench.folder.path().join("other"),
        ..bench.request(vec![Url::parse("http://192.0.2.1/f").unwrap()])
    });
    assert!(
        matches!(problems(&error.unwrap_err())[0], TransferProblem::Insecure(_)),
        "plain http is not even tried"
    );
}

#[test]
fn a_sign_in_page_in_place_of_the_file_is_named_and_not_retried() {
    let page = |status: u16, kind: Option<&str>| Reply {
        status,
        headers: kind.map(|kind| ("Content-Type", kind.to_owned())).into_iter().collect(),
        ..Reply::body("<!DOCTYPE html><html>Sign in</html>")
    };
    let of_no_length = Reply { until_close: true, ..page(200, Some("application/octet-stream")) };
    for reply in [
        page(200, Some("text/html; charset=utf-8")),
        page(200, None),
        of_no_length,
        page(403, Some("text/html")),
        page(511, None),
    ] {
        for begun in [false, true] {
            let bench = FetchBench::new(100_000);
            if begun {
                bench.leave(&[(0, 50_000)], &bench.content, None);
            }
            let answer = reply.clone();
            let server = bench.serve(move |_, _| answer.clone());
            let error = bench.go(&bench.request(vec![server.url("/f")])).unwrap_err();
            let page = NetworkObstacle::SignInPage { host: "127.0.0.1".to_owned() };
            assert_eq!(problems(&error), [TransferProblem::Obstacle(page)], "{reply:?}");
            assert!(server.requests().len() <= 2, "{reply:?}");
            let said = error.explain(Text::new(Language::English));
            assert!(said.contains("a sign-in page or filter answered at 127.0.0.1"), "{said}");
            assert!(said.contains("Open a browser"), "{said}");
        }
    }
    // An archive that its server calls a page.
    let bench = FetchBench::new(100_000);
    let server = bench.serve(|request, content| {
        let mut reply = Reply::file(request, content, "a");
        reply.headers.push(("Content-Type", "text/html".to_owned()));
        reply.status = 200;
        reply.headers.retain(|(name, _)| *name != "Content-Range");
        reply.body = content.to_vec();
        reply
    });
    bench.go(&bench.request(vec![server.url("/f")])).unwrap();
}

#[test]
fn a_proxys_demand_for_a_password_is_named_with_what_works() {
    let bench = FetchBench::new(100_000);
    let server = bench.serve(|_, _| Reply {
        headers: vec![
            ("Proxy-Authenticate", "NTLM".to_owned()),
            ("Proxy-Authenticate", "Negotiate".to_owned()),
        ],
        ..Reply::status(407)
    });
    let error = bench.go(&bench.request(vec![server.url("/f")])).unwrap_err();
    for language in Language::ALL {
        let said = error.explain(Text::new(language));
        assert!(said.contains("NTLM, Negotiate (Kerberos)") && said.contains("cntlm"), "{said}");
    }
    assert_eq!(server.requests().len(), 1, "asking again would not help");
}
