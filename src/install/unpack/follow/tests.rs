#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use super::*;
use crate::checksum::Sha256;
use crate::install::fetch::{DownloadRequest, download};
use crate::ollama::http;
use crate::testing::{Reply, TestServer};

fn archive(content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    tar.append_data(&mut header, "bin/ollama", content).unwrap();
    zstd::stream::encode_all(tar.into_inner().unwrap().as_slice(), 1).unwrap()
}

fn zip(content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    zip.start_file("bin/ollama", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Bytes that do not compress.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Downloads and unpacks at the same time; returns the result and the number of requests for the archive.
fn fetch(
    good: &[u8],
    answer: impl Fn(&crate::testing::ReceivedRequest) -> Reply + Send + Sync + 'static,
) -> (Result<Vec<u8>, UnpackError>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(answer);
    let (dest, staging) = (folder.path().join("archive"), folder.path().join("staging"));
    let growing_file = GrowingFile::new();
    let following =
        follow(growing_file.clone(), dest.clone(), staging.clone(), UnpackLimits::default(), Control::new())
            .unwrap();
    let hash = Sha256::of(good);
    let mut request = DownloadRequest::new(vec![server.url("/f")], dest, Some(good.len() as u64), hash);
    request.retry_policy.backoff = std::time::Duration::from_millis(10);
    request.growing_file = Some(growing_file.clone());
    let client = http::client(&http::HttpOptions::default(), []).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let fetched = download(&client, &request, &|_| {}, &Control::new()).await;
        if fetched.is_err() {
            growing_file.abandon();
        }
        following.outcome.await.unwrap()
    });
    (outcome.map(|_| std::fs::read(staging.join("bin/ollama")).unwrap()), server.requests().len())
}

#[test]
fn an_archive_of_each_format_is_unpacked_while_it_downloads() {
    let content = noise(3_000_000, 1);
    for good in [archive(&content), zip(&content)] {
        let sent = good.clone();
        let (outcome, _) = fetch(&good, move |request| Reply::file(request, &sent, "a"));
        assert!(outcome.unwrap() == content);
    }
}

#[test]
fn files_of_a_wrong_archive_are_discarded() {
    let (content, evil) = (noise(3_000_000, 1), noise(3_000_000, 9));
    let (good, bad) = (archive(&content), archive(&evil));
    // As long as the right archive and valid: only its hash is wrong.
    let mut bad = bad[..bad.len().min(good.len())].to_vec();
    bad.resize(good.len(), 0);
    let sent = good.clone();
    let (outcome, requests) = fetch(&good, move |request| {
        Reply::file(request, if request.earlier == 0 { &bad } else { &sent }, "same")
    });
    assert!(outcome.unwrap() == content, "the second one counts");
    assert_eq!(requests, 2);
}

#[test]
fn an_archive_that_never_verifies_leaves_no_files() {
    let good = archive(&noise(1_000_000, 1));
    let mut bad = good.clone();
    bad[500_000] ^= 1;
    let (outcome, _) = fetch(&good, move |request| Reply::file(request, &bad, "a"));
    assert!(matches!(outcome, Err(UnpackError::Cancelled(_))), "{outcome:?}");
}
