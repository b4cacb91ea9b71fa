#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::ollama::http::{self, HttpOptions, NetworkObstacle};
use crate::ollama::manifest::Manifest;
use crate::testing::{ReceivedRequest, Reply, TestServer};
use crate::text::{Language, Text};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const CONFIG: &str = "sha256:c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0";
const TEXT: &str = "sha256:7070707070707070707070707070707070707070707070707070707070707070";

fn manifest() -> String {
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.docker.container.image.v1+json",
        "digest":"{CONFIG}","size":500,"extra":1}},"layers":[
        {{"mediaType":"application/vnd.ollama.image.template","digest":"{TEXT}","size":40}},
        {{"mediaType":"application/vnd.ollama.image.model","digest":"{DIGEST}","size":30000000}},
        {{"mediaType":"application/vnd.ollama.image.license","digest":"{TEXT}","size":40}}]}}"#
    )
}

/// A blob whose first eight bytes are the length of its "header".
fn blob(header: u64) -> Vec<u8> {
    let mut blob = vec![1; 30_000_000];
    blob[..8].copy_from_slice(&header.to_le_bytes());
    blob
}

fn parse(bytes: &[u8]) -> Result<Option<usize>, HeaderError> {
    let Some(length) = bytes.first_chunk() else { return Ok(None) };
    match u64::from_le_bytes(*length) {
        0 => Err(HeaderError::NotGguf),
        length => Ok((bytes.len() as u64 >= length).then_some(bytes.len())),
    }
}

fn run<T>(server: &TestServer, insecure: bool, path: &str, work: impl AsyncFnOnce(Remote) -> T) -> T {
    let reference = ModelTag::parse(&format!("{}/{path}", server.authority())).unwrap();
    let remote = Remote::new(http::client(&HttpOptions::default(), []).unwrap(), reference, insecure);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work(remote))
}

fn look_up(server: &TestServer) -> Result<usize, RegistryError> {
    run(server, true, "acme/coder:7b", async |remote| {
        let manifest = remote.manifest().await?.manifest;
        let layer = manifest.model_layer().ok_or_else(|| remote.unusable(AnswerProblem::NoModelLayer))?;
        remote.header(layer, parse).await
    })
}

fn registry(header: u64, ranges: bool) -> TestServer {
    let blob = blob(header);
    TestServer::start(move |request: &ReceivedRequest| match request.path.as_str() {
        "/v2/acme/coder/manifests/7b" => Reply::body(manifest()),
        path if path == format!("/v2/acme/coder/blobs/{DIGEST}") => {
            // Redirects to another host, like the public registry; by address if `localhost` does not resolve.
            let resolves = ("localhost", 0).to_socket_addrs().is_ok();
            let host = if resolves { "localhost" } else { "127.0.0.1" };
            let port = request.headers["host"].rsplit(':').next().unwrap();
            Reply::redirect(format!("http://{host}:{port}/cdn"))
        }
        "/cdn" if ranges => Reply::file(request, &blob, "a"),
        "/cdn" => Reply::body(blob.clone()),
        _ => Reply::status(404),
    })
}

#[test]
fn a_header_is_read_by_range_only_as_far_as_needed() {
    let server = registry(1000, true);
    assert_eq!(look_up(&server).unwrap(), 8 << 20);
    let ranges: Vec<_> = server.requests().iter().filter_map(ReceivedRequest::range).collect();
    assert_eq!(ranges, [(0, Some((8 << 20) - 1)); 2], "the range is sent to the redirect target");
    let server = registry(20 << 20, true);
    assert_eq!(look_up(&server).unwrap(), 30_000_000);
    let ranges: Vec<_> = server
        .requests()
        .iter()
        .filter(|request| request.path == "/cdn")
        .map(|r| r.range().unwrap().0)
        .collect();
    assert_eq!(ranges, [0, 8 << 20, 16 << 20], "only missing bytes are requested");
}

#[test]
fn a_registry_without_ranges_works() {
    let server = registry(1000, false);
    assert_eq!(look_up(&server).unwrap(), 30_000_000);
}

#[test]
fn endless_and_missing_headers_are_refused() {
    let problem = |header| match look_up(&registry(header, true)).unwrap_err() {
        RegistryError::Unusable { problem, .. } => *problem,
        other => panic!("{other}"),
    };
    assert!(matches!(problem(0), AnswerProblem::Header(HeaderError::NotGguf)));
    let incomplete = problem(31_000_000);
    assert!(matches!(incomplete, AnswerProblem::HeaderIncomplete));
    assert!(incomplete.explain(Text::new(Language::Spanish)).contains("cabecera"), "in the user's language");
}

#[test]
fn each_blob_counts_once_in_the_size() {
    let manifest: Manifest = serde_json::from_str(&manifest()).unwrap();
    assert_eq!(manifest.download_bytes(), 500 + 40 + 30_000_000);
    assert_eq!(manifest.model_layer().unwrap().size, 30_000_000);
}

#[test]
fn every_refusal_explains_what_to_do() {
    let said = |server: &TestServer, insecure: bool| {
        let error =
            run(server, insecure, "acme/coder:7b", async |remote| remote.manifest().await).unwrap_err();
        for language in Language::ALL {
            let said = error.explain(Text::new(language));
            assert!(said.contains("127.0.0.1") && !said.contains("registry-"), "{said}");
        }
        error
    };
    let answering = |reply: Reply| TestServer::start(move |_| reply.clone());
    assert!(matches!(said(&answering(Reply::status(404)), true), RegistryError::NotFound { .. }));
    assert!(matches!(said(&answering(Reply::status(401)), true), RegistryError::Refused { .. }));
    assert!(matches!(said(&answering(Reply::status(412)), true), RegistryError::NewerEngineNeeded { .. }));
    assert!(matches!(said(&answering(Reply::status(500)), true), RegistryError::Status { status: 500, .. }));
    assert!(matches!(
        said(&answering(Reply::redirect("/again")), true),
        RegistryError::Unusable { problem, .. } if matches!(*problem, AnswerProblem::TooManyRedirects)
    ));
    assert!(matches!(
        said(&answering(Reply::body("hello")), true),
        RegistryError::Unusable { problem, .. } if matches!(*problem, AnswerProblem::Manifest(_))
    ));
    assert!(matches!(
        said(&answering(Reply::body(vec![b' '; 2 << 20])), true),
        RegistryError::Unusable { problem, .. } if matches!(*problem, AnswerProblem::ManifestTooLarge)
    ));
    // A plain-http registry queried with https: the message names the option.
    let error = said(&answering(Reply::body(manifest())), false);
    assert!(matches!(error, RegistryError::Unreachable { encrypted: true, .. }), "{error}");
    assert!(error.explain(Text::new(Language::English)).contains("--insecure-registry"));
}

/// A network's sign-in page, or a filter, in place of the registry.
#[test]
fn a_sign_in_page_or_filter_is_named_with_its_host() {
    let page = |status: u16, kind: &str, body: &str| Reply {
        status,
        headers: vec![("Content-Type", kind.to_owned())],
        ..Reply::body(body)
    };
    let host_of = |error: RegistryError| match error {
        RegistryError::Unreachable { cause: UnreachableCause::Obstacle(obstacle), .. } => match *obstacle {
            NetworkObstacle::SignInPage { host } => host,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    };
    let manifest_error = |server: &TestServer| {
        run(server, true, "acme/coder:7b", async |remote| remote.manifest().await).unwrap_err()
    };
    for reply in [
        page(200, "text/html; charset=utf-8", "Welcome"),
        page(200, "Text/HTML", "<html>"),
        page(200, "application/json", "\u{feff}\r\n <!DOCTYPE html><html>"),
        Reply::body("<html>Sign in</html>"),
        page(403, "text/html", "<html>Blocked by policy</html>"),
        page(451, "text/html", "<html>Blocked</html>"),
        Reply::status(511),
    ] {
        let server = TestServer::start(move |_| reply.clone());
        let error = manifest_error(&server);
        let said = error.explain(Text::new(Language::English));
        assert!(said.contains("a sign-in page or filter answered at 127.0.0.1"), "{said}");
        assert!(said.contains("Open a browser"), "{said}");
        assert_eq!(host_of(error), "127.0.0.1");
    }
    let portal = TestServer::start(|request: &ReceivedRequest| match request.path.as_str() {
        "/portal" => Reply::body("<html>Sign in</html>"),
        _ => {
            let port = request.headers["host"].rsplit(':').next().unwrap();
            Reply { status: 302, ..Reply::redirect(format!("http://127.0.0.2:{port}/portal")) }
        }
    });
    // Only Linux answers at all of 127.0.0.0/8.
    if cfg!(target_os = "linux") {
        let error = run(&portal, true, "acme/coder:7b", async |remote| remote.manifest().await).unwrap_err();
        assert!(matches!(&error, RegistryError::Unreachable { .. }), "{error}");
    }
    let blob = TestServer::start(move |request: &ReceivedRequest| match request.path.as_str() {
        "/v2/acme/coder/manifests/7b" => Reply::body(manifest()),
        _ => Reply::body("<html>Sign in</html>"),
    });
    assert_eq!(host_of(look_up(&blob).unwrap_err()), "127.0.0.1");
    // A registry's own refusal.
    let refusing = TestServer::start(move |_| page(403, "application/json", r#"{"errors":[]}"#));
    assert!(matches!(manifest_error(&refusing), RegistryError::Refused { .. }));
}

/// Every byte arrives before the timeout without data.
#[test]
fn a_manifest_sent_byte_by_byte_times_out() {
    let server = TestServer::start(|_| Reply { pace: Some(20), ..Reply::body(manifest()) });
    let result = run(&server, true, "acme/coder:7b", async |remote| {
        remote.with_manifest_timeout(Duration::from_millis(300)).manifest().await
    });
    let error = result.unwrap_err();
    let RegistryError::Unreachable { cause: UnreachableCause::Slow { .. }, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(error.explain(Text::new(Language::English)).contains("not complete"));
}

#[test]
fn a_remote_registry_cannot_redirect_to_this_computer() {
    let first = Url::parse("https://registry.example.org/v2/a/b/manifests/c").unwrap();
    for policy in [http::HttpPolicy::default(), http::HttpPolicy::http_anywhere()] {
        assert!(!policy.allows(&first, &Url::parse("http://127.0.0.1:42434/api/tags").unwrap()));
    }
}

#[test]
fn an_https_registry_cannot_redirect_to_plain_http() {
    let first = Url::parse("https://registry.example.org/v2/a/b/manifests/c").unwrap();
    let policy = http::HttpPolicy::default();
    assert!(policy.allows(&first, &Url::parse("https://cdn.example.org/x").unwrap()));
    assert!(!policy.allows(&first, &Url::parse("http://cdn.example.org/x").unwrap()));
}

proptest! {
    #[test]
    fn any_manifest_is_parsed_or_refused(json in "\\PC{0,200}", digest in "[a-f0-9:/.-]{0,80}", size: u64) {
        let _ = serde_json::from_str::<Manifest>(&json).map(|manifest| manifest.download_bytes());
        let layer = format!(
            r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{digest}","size":{size}}}"#
        );
        let json = format!(r#"{{"config":{layer},"layers":[{layer},{layer}]}}"#);
        // A digest becomes part of URLs and paths, so it must be valid.
        match serde_json::from_str::<Manifest>(&json) {
            Ok(manifest) => {
                prop_assert!(digest.len() == 64);
                prop_assert_eq!(manifest.download_bytes(), size);
            }
            Err(_) => prop_assert!(digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit())),
        }
    }
}
