#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::models::Catalogue;
use crate::ollama::registry::UnreachableCause;
use crate::testing::{Reply, TestServer};

#[path = "../../../tests/common/gguf.rs"]
#[allow(dead_code, reason = "shared with the tests of whole programs")]
mod gguf;

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn manifest(weights_bytes: usize) -> String {
    format!(
        r#"{{"layers":[{{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{DIGEST}",
        "size":{weights_bytes}}},{{"mediaType":"application/vnd.ollama.image.projector",
        "digest":"sha256:{}","size":900}}]}}"#,
        "7".repeat(64)
    )
}

/// A registry with one file under every tag.
fn registry(file: Vec<u8>) -> TestServer {
    TestServer::start(move |request| {
        if request.path.contains("/manifests/") {
            Reply::body(manifest(file.len()))
        } else {
            Reply::file(request, &file, "a")
        }
    })
}

/// The catalogue's model in this registry, and the options to install it into `home`.
fn wanted(server: &TestServer, home: &Path) -> (Arc<Model>, InstallOptions) {
    let reference = format!("{}/library/qwen2.5-coder:7b", server.authority());
    let model = Catalogue::built_in().find(&reference).unwrap();
    (model, InstallOptions { insecure_registry: true, ..InstallOptions::usual(home) })
}

#[test]
fn the_figures_are_those_of_the_file_and_its_manifest() {
    let server = registry(gguf::Shape::tiny().file());
    let home = tempfile::tempdir().unwrap();
    let (model, options) = wanted(&server, home.path());
    let published = read_published_model(&options, &model, &Control::new()).unwrap();
    assert!(published.problem.is_none());
    let found = published.model;
    assert_eq!((found.total_layers(), found.trained_context_tokens), (5, 32_768));
    assert_eq!(found.image_encoder_bytes, 900, "the projector's layer");
    assert_eq!((found.file.source, found.file.sha256), (ModelSource::Registry, DIGEST.parse().ok()));
    assert_eq!((&found.name, &found.title), (&model.name, &model.title));
    let asked = server.requests().len();
    let again = read_published_model(&options, &found, &Control::new()).unwrap();
    assert!(Arc::ptr_eq(&again.model, &found) && server.requests().len() == asked, "it is read once");
}

#[test]
fn a_registry_that_is_too_slow_leaves_the_catalogues_figures() {
    let home = tempfile::tempdir().unwrap();
    let limits = ReadLimits { manifest: Duration::from_millis(200), whole: Duration::from_millis(400) };
    let file = gguf::Shape::tiny().file();
    // The manifest byte by byte, then a header that never ends.
    for slow_manifest in [true, false] {
        let file = file.clone();
        let server = TestServer::start(move |request| match request.path.contains("/manifests/") {
            true if slow_manifest => Reply { pace: Some(20), ..Reply::body(manifest(file.len())) },
            true => Reply::body(manifest(file.len())),
            false => Reply { stall_after: Some(1000), ..Reply::file(request, &file, "a") },
        });
        let (model, options) = wanted(&server, home.path());
        let published = read_within(&options, &model, limits, &Control::new()).unwrap();
        assert!(Arc::ptr_eq(&published.model, &model));
        let problem = published.problem.unwrap();
        let RegistryError::Unreachable { cause: UnreachableCause::Slow { .. }, .. } = &*problem else {
            panic!("{problem:?}")
        };
    }
}

#[test]
fn a_cancelled_reading_ends_at_once() {
    let server = TestServer::start(|_| Reply { stall_after: Some(0), ..Reply::body("{") });
    let home = tempfile::tempdir().unwrap();
    let (model, options) = wanted(&server, home.path());
    let control = Control::new();
    let other = control.clone();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read_published_model(&options, &model, &control));
        while server.requests().is_empty() {
            std::thread::yield_now();
        }
        other.cancel();
        assert!(reading.join().unwrap().is_err());
    });
}

#[test]
fn only_an_answer_that_there_is_no_such_model_is_a_refusal() {
    let home = tempfile::tempdir().unwrap();
    for (status, refused) in [(404, true), (403, true), (412, false), (500, false)] {
        let server = TestServer::start(move |_| Reply::status(status));
        let (model, options) = wanted(&server, home.path());
        let published = read_published_model(&options, &model, &Control::new()).unwrap();
        assert!(Arc::ptr_eq(&published.model, &model) && published.problem.is_some());
        assert_eq!(published.refusal().is_some(), refused, "{status}");
    }
}
