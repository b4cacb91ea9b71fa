//! `/api/pull`: layers one after another over HTTP, partial files, progress every 60 ms, errors inside the stream.
//!
//! One part per layer: the real server splits layers into parts of at least 100 MB, larger than any test layer. A
//! part's progress is saved when it ends or is cancelled, never in between, so a killed server loses it.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::go;
use crate::http::{self, LineSender};
use crate::log;
use crate::names::{DEFAULT_HOST, Name};
use crate::store::{Store, hex};

/// Interval of progress lines.
const TICK: Duration = Duration::from_millis(60);
/// Attempts for one part before the pull fails.
const TRIES: u32 = 6;

/// Why a pull ended early.
pub enum PullError {
    /// Reported to the client in the stream.
    Reported(String),
    /// The client went away, or the server is told to stop.
    Cancelled,
}

impl From<http::Gone> for PullError {
    fn from(_: http::Gone) -> Self {
        Self::Cancelled
    }
}

impl From<String> for PullError {
    fn from(message: String) -> Self {
        Self::Reported(message)
    }
}

/// Everything a pull needs.
pub struct Puller {
    pub config: Arc<Config>,
    pub store: Store,
    pub stop: CancellationToken,
}

impl Puller {
    /// Pulls a model, telling progress. The `success` line is the caller's.
    pub async fn pull(&self, name: &Name, insecure: bool, to: &LineSender) -> Result<(), PullError> {
        to.send(&json!({"status": "pulling manifest"})).await?;
        if cfg!(windows) && name.host.contains(':') {
            // As the real one, which makes a folder of the host (ollama issue 4088).
            let folder = name.manifest_path(Path::new("manifests"));
            return Err(PullError::Reported(format!(
                "mkdir {}: The directory name is invalid.",
                folder.display()
            )));
        }
        let base = self.base(name, insecure)?;
        let manifest = self.manifest(name, &base).await?;
        let parsed: Value =
            serde_json::from_slice(&manifest).map_err(|e| format!("pull model manifest: {e}"))?;
        let mut layers = parsed["layers"].as_array().cloned().unwrap_or_default();
        layers.push(parsed["config"].clone());
        let mut fresh = Vec::new();
        for layer in &layers {
            let digest = layer["digest"].as_str().unwrap_or_default().to_owned();
            let size = layer["size"].as_u64().unwrap_or(0);
            if digest.is_empty() {
                continue;
            }
            if self.store.blob(&digest).exists() {
                to.send(&progress(&digest, size, size)).await?;
                continue;
            }
            self.layer(&base, &digest, size, to).await?;
            fresh.push(digest);
        }
        to.send(&json!({"status": "verifying sha256 digest"})).await?;
        for digest in fresh {
            self.verify(&digest)?;
        }
        to.send(&json!({"status": "writing manifest"})).await?;
        self.store.write_manifest(name, &manifest)?;
        Ok(())
    }

    /// Address of a model in its registry: `http://HOST/v2/NAMESPACE/MODEL`.
    fn base(&self, name: &Name, insecure: bool) -> Result<String, PullError> {
        let Name { host, namespace, model, tag, plain_http } = name;
        if host == DEFAULT_HOST {
            let registry = self.config.registry.as_ref().ok_or_else(|| {
                let url = format!("https://{host}/v2/{namespace}/{model}/manifests/{tag}");
                refused(&url, &format!("dial tcp: lookup {host} on 192.0.2.53:53: no such host"))
            })?;
            return Ok(format!("{registry}/v2/{namespace}/{model}"));
        }
        if !insecure {
            if *plain_http {
                return Err(PullError::Reported("insecure protocol http".to_owned()));
            }
            let url = format!("https://{host}/v2/{namespace}/{model}/manifests/{tag}");
            return Err(refused(&url, "tls: first record does not look like a TLS handshake"));
        }
        Ok(format!("http://{host}/v2/{namespace}/{model}"))
    }

    async fn manifest(&self, name: &Name, base: &str) -> Result<Vec<u8>, PullError> {
        let url = format!("{base}/manifests/{}", name.tag);
        let answer =
            http::request("GET", &url, None, None).await.map_err(|e| refused(&url, &dial(&url, &e)))?;
        let status = answer.status().as_u16();
        let bytes = http::collect(answer.into_body()).await.map_err(|e| refused(&url, &e.to_string()))?;
        match status {
            200 => Ok(bytes.to_vec()),
            404 => Err("pull model manifest: file does not exist".to_owned().into()),
            _ => Err(format!("pull model manifest: {status}: {}", String::from_utf8_lossy(&bytes)).into()),
        }
    }

    async fn layer(&self, base: &str, digest: &str, size: u64, to: &LineSender) -> Result<(), PullError> {
        let url = format!("{base}/blobs/{digest}");
        let direct = self.direct_url(&url).await?;
        let part = Part::open(&self.store.blob(digest), size, self.config.faults.pull_disk_full_after)?;
        log::info("download.go:181", &format!("downloading {} in 1 {size} B part(s)", short(digest)), "");
        let completed = Arc::new(AtomicU64::new(part.done));
        let download = self.download(part, &direct, digest, Arc::clone(&completed));
        tokio::pin!(download);
        let mut ticks = tokio::time::interval(TICK);
        ticks.tick().await;
        let mut went_back = !self.config.faults.pull_goes_back;
        loop {
            tokio::select! {
                done = &mut download => return done,
                _ = ticks.tick() => {
                    let mut done = completed.load(Ordering::Relaxed);
                    if !went_back && done > size / 2 {
                        done /= 2;
                        went_back = true;
                    }
                    if to.send(&progress(digest, size, done)).await.is_err() {
                        return self.cancelled(digest, size, &completed);
                    }
                }
                () = to.gone() => return self.cancelled(digest, size, &completed),
                () = self.stop.cancelled() => return self.cancelled(digest, size, &completed),
            }
        }
    }

    /// Saves a part's progress when it is cancelled.
    fn cancelled(&self, digest: &str, size: u64, completed: &AtomicU64) -> Result<(), PullError> {
        Part::note(&self.store.blob(digest), size, completed.load(Ordering::Relaxed))?;
        Err(PullError::Cancelled)
    }

    /// Requires that a blob's address redirects to another host, like the real server.
    async fn direct_url(&self, url: &str) -> Result<String, PullError> {
        let origin = host_of(url);
        let mut url = url.to_owned();
        for _ in 0..10 {
            let answer = http::request("GET", &url, None, None)
                .await
                .map_err(|e| format!("Get {url:?}: {}", dial(&url, &e)))?;
            let status = answer.status().as_u16();
            if status != 307 && status != 200 {
                return Err(format!("unexpected status code {status}").into());
            }
            let location = answer.headers().get(header::LOCATION).and_then(|l| l.to_str().ok());
            let location =
                location.ok_or_else(|| "http: no Location header in response".to_owned())?.to_owned();
            if host_of(&location) != origin {
                return Ok(location);
            }
            url = location;
        }
        Err("max redirects exceeded".to_owned().into())
    }

    async fn download(
        &self,
        mut part: Part,
        url: &str,
        digest: &str,
        completed: Arc<AtomicU64>,
    ) -> Result<(), PullError> {
        let mut tries = 0;
        while part.done < part.size {
            let Err(problem) = self.chunk(&mut part, url, &completed).await else {
                break;
            };
            match problem {
                Chunk::Disk(message) => return Err(message.into()),
                Chunk::Stalled => {
                    log::info("download.go:415", &format!("{} part 0 stalled; retrying.", short(digest)), "");
                }
                Chunk::Broken(message) => {
                    let wait = self.config.pull_retry_s * f64::from(1_u32 << tries);
                    let note = format!("{} part 0 attempt {tries} failed: {message}", short(digest));
                    log::info("download.go:320", &format!("{note}, retrying in {wait}s"), "");
                    tries += 1;
                    if tries == TRIES {
                        return Err(format!("max retries exceeded: Get {url:?}: {message}").into());
                    }
                    tokio::time::sleep(Duration::from_secs_f64(wait)).await;
                }
            }
        }
        part.finish()?;
        Ok(())
    }

    async fn chunk(&self, part: &mut Part, url: &str, completed: &AtomicU64) -> Result<(), Chunk> {
        let range = format!("bytes={}-{}", part.done, part.size.saturating_sub(1));
        let stall = Duration::from_secs_f64(self.config.pull_stall_s);
        let broken = |e: std::io::Error| Chunk::Broken(dial(url, &e));
        let answer = tokio::time::timeout(stall, http::request("GET", url, Some(&range), None))
            .await
            .map_err(|_| Chunk::Stalled)?
            .map_err(broken)?;
        let mut body = answer.into_body();
        while part.done < part.size {
            let piece = match tokio::time::timeout(stall, http::next_piece(&mut body)).await {
                Err(_) => Err(Chunk::Stalled),
                Ok(Err(e)) => Err(Chunk::Broken(e.to_string())),
                Ok(Ok(None)) => Err(Chunk::Broken("unexpected EOF".to_owned())),
                Ok(Ok(Some(piece))) => Ok(piece),
            };
            let piece = match piece {
                Ok(piece) => piece,
                Err(problem) => {
                    part.write_down().map_err(Chunk::Disk)?;
                    return Err(problem);
                }
            };
            part.write(&piece).map_err(Chunk::Disk)?;
            completed.store(part.done, Ordering::Relaxed);
        }
        part.write_down().map_err(Chunk::Disk)
    }

    fn verify(&self, digest: &str) -> Result<(), PullError> {
        let path = self.store.blob(digest);
        let bytes = fs::read(&path).map_err(|e| go::file_error("open", &[&path], &e))?;
        let got = format!("sha256:{}", hex(&bytes));
        if got == digest {
            return Ok(());
        }
        fs::remove_file(&path).map_err(|e| go::file_error("remove", &[&path], &e))?;
        Err(format!("digest mismatch, file must be downloaded again: want {digest}, got {got}").into())
    }
}

/// Why one request for a part ended early.
enum Chunk {
    Stalled,
    Broken(String),
    Disk(String),
}

/// `…-partial` with the bytes and `…-partial-0` with their count.
struct Part {
    blob: PathBuf,
    file: File,
    size: u64,
    done: u64,
    full_after: Option<u64>,
}

impl Part {
    fn open(blob: &Path, size: u64, full_after: Option<u64>) -> Result<Self, String> {
        let said = |e: std::io::Error, path: &Path| go::file_error("open", &[path], &e);
        let partial = with_suffix(blob, "-partial");
        let note = with_suffix(blob, "-partial-0");
        let done = fs::read(&note)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            .and_then(|note| note["Completed"].as_u64())
            .filter(|done| *done <= size)
            .unwrap_or(0);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&partial)
            .map_err(|e| said(e, &partial))?;
        file.set_len(size).and_then(|()| file.seek(SeekFrom::Start(done))).map_err(|e| said(e, &partial))?;
        Self::note(blob, size, done)?;
        Ok(Self { blob: blob.to_owned(), file, size, done, full_after })
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), String> {
        let most = usize::try_from(self.size - self.done).unwrap_or(usize::MAX);
        let piece = &piece[..piece.len().min(most)];
        let path = with_suffix(&self.blob, "-partial");
        if self.full_after.is_some_and(|limit| self.done + piece.len() as u64 > limit) {
            return Err(format!("write {}: no space left on device", path.display()));
        }
        self.file.write_all(piece).map_err(|e| go::file_error("write", &[&path], &e))?;
        self.done += piece.len() as u64;
        Ok(())
    }

    fn write_down(&self) -> Result<(), String> {
        Self::note(&self.blob, self.size, self.done)
    }

    fn note(blob: &Path, size: u64, done: u64) -> Result<(), String> {
        let path = with_suffix(blob, "-partial-0");
        let note = json!({"N": 0, "Offset": 0, "Size": size, "Completed": done}).to_string();
        fs::write(&path, note).map_err(|e| go::file_error("open", &[&path], &e))
    }

    fn finish(self) -> Result<(), String> {
        let partial = with_suffix(&self.blob, "-partial");
        let note = with_suffix(&self.blob, "-partial-0");
        // Closed before it is renamed.
        drop(self.file);
        fs::remove_file(&note).map_err(|e| go::file_error("remove", &[&note], &e))?;
        fs::rename(&partial, &self.blob).map_err(|e| go::file_error("rename", &[&partial, &self.blob], &e))
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A line of progress. Omits zeros, like the real server.
fn progress(digest: &str, total: u64, completed: u64) -> Value {
    let mut line = json!({"status": format!("pulling {}", short(digest)), "digest": digest});
    for (key, value) in [("total", total), ("completed", completed)] {
        if value > 0 {
            line[key] = json!(value);
        }
    }
    line
}

fn short(digest: &str) -> &str {
    digest.get(7..19).unwrap_or(digest)
}

fn refused(url: &str, why: &str) -> PullError {
    log::info("images.go:1314", &format!("request failed: Get {url:?}: {why}"), "");
    PullError::Reported(format!("pull model manifest: Get {url:?}: {why}"))
}

/// A failed connection in Go's words.
fn dial(url: &str, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => {
            let host = url.split_once("://").map_or(url, |(_, rest)| rest);
            let address = host.split('/').next().unwrap_or(host);
            format!("dial tcp {address}: connect: connection refused")
        }
        std::io::ErrorKind::Other => "EOF".to_owned(),
        _ => error.to_string(),
    }
}

fn host_of(url: &str) -> String {
    url.parse::<hyper::Uri>().ok().and_then(|u| u.host().map(str::to_owned)).unwrap_or_default()
}
