//! A release mirror and model registry on loopback, correct unless a test injects faults.
//!
//! Files are served under `/NAME`. Models are served as by an Ollama registry: manifests under
//! `/v2/NAMESPACE/NAME/manifests/TAG`, blobs under `/v2/…/blobs/sha256:…`, which redirect to another host name
//! ([`other_host`]) because the engine requires that. Ranges and entity tags are supported. Tests inject faults with
//! [`Mirror::fault`] and read the requests with [`Mirror::requests`].

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

#[path = "body.rs"]
mod body;

use body::{Piece, PieceBody};

/// A fault of one answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Only this status.
    Status(u16),
    /// The connection breaks after this many bytes.
    Disconnect(u64),
    /// Nothing is sent after this many bytes, and the connection stays open.
    Stall(u64),
    /// One bit of the byte at this offset of the file is wrong.
    Flip(u64),
    /// A requested range is ignored: 200 and the whole file.
    IgnoreRange,
    /// The file is truncated to this many bytes, with a matching length.
    Truncated(u64),
    /// The stated length is this many bytes too large (or too small).
    WrongLength(i64),
    /// 302 to this address.
    Redirect(String),
    /// Bytes a second for this answer.
    Rate(u64),
    /// Another entity tag, as if the file had been replaced.
    OtherEtag,
    /// 503 with this `Retry-After`, in seconds.
    RetryAfter(u64),
    /// 412, with the words of the real registry for a model that needs a newer engine.
    NewerEngine(&'static str),
    /// A blob is answered with its bytes instead of a redirect to another host.
    NoRedirect,
}

/// An answered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedRequest {
    /// `GET` or `HEAD`.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// Status of the answer.
    pub status: u16,
}

/// A model's layers, as they go into its manifest.
pub struct ModelFiles {
    /// The GGUF.
    pub gguf: Vec<u8>,
    /// Chat template in Go's template language, if there is one.
    pub template: Option<String>,
    /// Default parameters as JSON, if there are any.
    pub params: Option<String>,
    /// `qwen2`, `gemma3`, …
    pub family: String,
    /// `7.6B`, `268M`, …
    pub parameter_size: String,
    /// `Q4_K_M`, …
    pub quantisation: String,
}

#[derive(Clone)]
struct Stored {
    bytes: Bytes,
    etag: String,
    content_type: &'static str,
}

#[derive(Default)]
struct State {
    files: HashMap<String, Stored>,
    blobs: HashMap<String, Bytes>,
    faults: HashMap<String, Vec<(Fault, u32)>>,
    asked: Vec<SavedRequest>,
    bytes_per_s: Option<u64>,
}

/// The server. It stops when this is dropped.
pub struct Mirror {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<thread::JoinHandle<()>>,
}

/// What the public registry answers with 412.
pub const NEWER_ENGINE: &str = "\n\nThe model you are attempting to pull requires a newer version of Ollama that may be in \
                                pre-release.\n\nPlease see https://github.com/ollama/ollama/releases for more details.\n\n";

/// For a permanent fault.
pub const ALWAYS: u32 = u32::MAX;

impl Mirror {
    /// Starts on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let mut listeners = vec![listener];
        if let Ok(host) = other_host().parse::<Ipv4Addr>() {
            listeners.push(std::net::TcpListener::bind((host, address.port()))?);
        }
        for listener in &listeners {
            listener.set_nonblocking(true)?;
        }
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let server = thread::spawn(move || {
            runtime.block_on(async move {
                for listener in
                    listeners.into_iter().filter_map(|it| tokio::net::TcpListener::from_std(it).ok())
                {
                    tokio::spawn(accept(listener, Arc::clone(&shared), address.port()));
                }
                // An error says the same: the mirror was dropped.
                let _ = stopped.await;
            });
            // Do not wait for stalled answers.
            runtime.shutdown_background();
        });
        Ok(Self { address, state, stop: Some(stop), server: Some(server) })
    }

    /// Base address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The registry part of a model's name: `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Serves a file and returns its SHA-256.
    pub fn put(&self, name: &str, bytes: impl Into<Bytes>) -> String {
        let bytes = bytes.into();
        let digest = sha256_hex(&bytes);
        let stored = Stored {
            etag: format!("\"{}\"", &digest[..16]),
            content_type: "application/octet-stream",
            bytes,
        };
        self.state().files.insert(format!("/{name}"), stored);
        digest
    }

    /// Puts a model into the registry. `name` is `NAMESPACE/NAME:TAG`. Returns the digest of its GGUF.
    pub fn put_model(&self, name: &str, files: &ModelFiles) -> String {
        self.put_model_of_size(name, files, files.gguf.len())
    }

    /// The same, with weights of this size by the manifest: a model whose header alone is there, to be planned and not
    /// pulled.
    pub fn put_model_of_size(&self, name: &str, files: &ModelFiles, weights_bytes: usize) -> String {
        let (path, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
        let gguf = self.put_blob(files.gguf.clone());
        let mut layers = vec![(gguf.clone(), weights_bytes, "model")];
        if let Some(template) = &files.template {
            layers.push((self.put_blob(template.clone()), template.len(), "template"));
        }
        if let Some(params) = &files.params {
            layers.push((self.put_blob(params.clone()), params.len(), "params"));
        }
        let config = serde_json::json!({
            "model_format": "gguf", "model_family": files.family, "model_families": [files.family],
            "model_type": files.parameter_size, "file_type": files.quantisation,
            "architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers",
                       "diff_ids": layers.iter().map(|(d, _, _)| format!("sha256:{d}")).collect::<Vec<_>>()},
        })
        .to_string();
        let config_bytes = config.len();
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                       "digest": format!("sha256:{}", self.put_blob(config)), "size": config_bytes},
            "layers": layers.iter().map(|(digest, size, kind)| serde_json::json!({
                "mediaType": format!("application/vnd.ollama.image.{kind}"),
                "digest": format!("sha256:{digest}"), "size": size,
            })).collect::<Vec<_>>(),
        });
        let bytes = Bytes::from(manifest.to_string());
        let stored = Stored {
            etag: format!("\"{}\"", &sha256_hex(&bytes)[..16]),
            content_type: "application/vnd.docker.distribution.manifest.v2+json",
            bytes,
        };
        self.state().files.insert(format!("/v2/{path}/manifests/{tag}"), stored);
        gguf
    }

    /// The path of a blob's bytes after the redirect, for faults of a pull.
    pub fn blob_path(digest: &str) -> String {
        format!("/cdn/sha256-{digest}")
    }

    /// Injects a fault into the next `times` answers for this path. Several faults for a path are used one after
    /// another.
    pub fn fault(&self, path: &str, fault: Fault, times: u32) {
        self.state().faults.entry(path.to_owned()).or_default().push((fault, times));
    }

    /// Removes all faults and limits.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.bytes_per_s = None;
    }

    /// Limits the rate of each answer, in bytes per second.
    pub fn limit_rate(&self, bytes_per_s: u64) {
        self.state().bytes_per_s = Some(bytes_per_s);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<SavedRequest> {
        self.state().asked.clone()
    }

    fn put_blob(&self, bytes: impl Into<Bytes>) -> String {
        let bytes = bytes.into();
        let digest = sha256_hex(&bytes);
        self.state().blobs.insert(digest.clone(), bytes);
        digest
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            // Fails only after a panic of the server, which it has printed.
            let _ = server.join();
        }
    }
}

/// Another name of this computer: `localhost`, or where that does not resolve (a root without `/etc/hosts`) another
/// address of Linux' loopback interface, on which the mirror then listens as well.
fn other_host() -> &'static str {
    static HOST: LazyLock<&str> = LazyLock::new(|| {
        let resolves = ("localhost", 0).to_socket_addrs().is_ok();
        if resolves { "localhost" } else { "127.0.0.2" }
    });
    *HOST
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: tokio::net::TcpListener, state: Arc<Mutex<State>>, port: u16) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&request, &state, port);
                async move { Ok::<_, Infallible>(answer) }
            });
            // Clients may close connections, and faults break them.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Answers one request and records it.
fn answer(request: &Request<Incoming>, state: &Mutex<State>, port: u16) -> Response<PieceBody> {
    let path = request.uri().path().to_owned();
    let range = request.headers().get(header::RANGE).and_then(|r| r.to_str().ok()).map(str::to_owned);
    let mut state = lock(state);
    let fault = state.next_fault(&path);
    let response = state.respond(request.method(), &path, range.as_deref(), fault, port);
    state.asked.push(SavedRequest {
        method: request.method().to_string(),
        path,
        range,
        status: response.status().as_u16(),
    });
    response
}

impl State {
    fn next_fault(&mut self, path: &str) -> Option<Fault> {
        let waiting = self.faults.get_mut(path)?;
        let (fault, times) = waiting.first_mut()?;
        let fault = fault.clone();
        if *times != ALWAYS {
            *times -= 1;
            if *times == 0 {
                waiting.remove(0);
            }
        }
        Some(fault)
    }

    fn respond(
        &self,
        method: &Method,
        path: &str,
        range: Option<&str>,
        fault: Option<Fault>,
        port: u16,
    ) -> Response<PieceBody> {
        match &fault {
            Some(Fault::Status(code)) => {
                return plain(StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
            }
            Some(Fault::NewerEngine(words)) => {
                let mut response = Response::new(PieceBody::full(Bytes::from_static(words.as_bytes())));
                *response.status_mut() = StatusCode::PRECONDITION_FAILED;
                return response;
            }
            Some(Fault::Redirect(to)) => return with_header(plain(StatusCode::FOUND), header::LOCATION, to),
            Some(Fault::RetryAfter(seconds)) => {
                let unavailable = plain(StatusCode::SERVICE_UNAVAILABLE);
                return with_header(unavailable, header::RETRY_AFTER, &seconds.to_string());
            }
            _ => {}
        }
        let blob = path.split_once("/blobs/sha256:").map(|(_, digest)| digest);
        if let Some(digest) = blob
            && method == Method::GET
            && fault != Some(Fault::NoRedirect)
            && self.blobs.contains_key(digest)
        {
            let to = format!("http://{}:{port}{}", other_host(), Mirror::blob_path(digest));
            return with_header(plain(StatusCode::TEMPORARY_REDIRECT), header::LOCATION, &to);
        }
        let stored = match blob.or_else(|| path.strip_prefix("/cdn/sha256-")) {
            Some(digest) => self.blobs.get(digest).map(|bytes| Stored {
                bytes: bytes.clone(),
                etag: format!("\"{digest}\""),
                content_type: "application/octet-stream",
            }),
            None => self.files.get(path).cloned(),
        };
        match stored {
            Some(stored) => send(method, stored, range, fault, self.bytes_per_s),
            None => not_found(),
        }
    }
}

fn send(
    method: &Method,
    mut stored: Stored,
    range: Option<&str>,
    fault: Option<Fault>,
    bytes_per_s: Option<u64>,
) -> Response<PieceBody> {
    let size = stored.bytes.len() as u64;
    if fault == Some(Fault::OtherEtag) {
        stored.etag = "\"replaced\"".to_owned();
    }
    if let Some(Fault::Flip(at)) = fault
        && at < size
    {
        let mut bytes = stored.bytes.to_vec();
        bytes[at as usize] ^= 1;
        stored.bytes = bytes.into();
    }
    if let Some(Fault::Truncated(bytes)) = fault {
        stored.bytes.truncate(usize::try_from(bytes.min(size)).unwrap_or(usize::MAX));
    }
    let size = stored.bytes.len() as u64;
    let range = if fault == Some(Fault::IgnoreRange) { None } else { range };
    let (status, from, to) = match range.map(|r| parse_range(r, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(None) => {
            let response = plain(StatusCode::RANGE_NOT_SATISFIABLE);
            return with_header(response, header::CONTENT_RANGE, &format!("bytes */{size}"));
        }
    };
    let content = stored.bytes.slice(from as usize..to as usize);
    let claimed = match fault {
        Some(Fault::WrongLength(by)) => (to - from).saturating_add_signed(by),
        _ => to - from,
    };
    let (sender, body) = PieceBody::new();
    if method == Method::GET {
        let pace = match fault {
            Some(Fault::Rate(rate)) => Some(rate),
            _ => bytes_per_s,
        };
        tokio::spawn(feed(sender, content, fault, pace));
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{size}", to.saturating_sub(1));
        response = with_header(response, header::CONTENT_RANGE, &range);
    }
    response = with_header(response, header::CONTENT_LENGTH, &claimed.to_string());
    response = with_header(response, header::ACCEPT_RANGES, "bytes");
    response = with_header(response, header::CONTENT_TYPE, stored.content_type);
    with_header(response, header::ETAG, &stored.etag)
}

/// Sends the content in chunks, with the rate and the fault of this answer.
async fn feed(sender: mpsc::Sender<Piece>, content: Bytes, fault: Option<Fault>, bytes_per_s: Option<u64>) {
    let whole = content.len() as u64;
    let end = match fault {
        Some(Fault::Disconnect(after) | Fault::Stall(after)) => after.min(whole),
        _ => whole,
    };
    let piece_bytes = bytes_per_s.map_or(1 << 18, |rate| (rate / 50).clamp(1, 1 << 18));
    let began = Instant::now();
    let mut sent = 0;
    while sent < end {
        let next = (sent + piece_bytes).min(end);
        if sender.send(Ok(content.slice(sent as usize..next as usize))).await.is_err() {
            return;
        }
        sent = next;
        if let Some(rate) = bytes_per_s {
            let due = began + Duration::from_secs_f64(sent as f64 / rate as f64);
            tokio::time::sleep_until(due.into()).await;
        }
    }
    match fault {
        Some(Fault::Disconnect(_)) => {
            // Let the sent data out before the connection breaks; the reader may be gone already.
            let _ = sender.reserve_many(sender.max_capacity()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            let _ = sender.send(Err(io::ErrorKind::ConnectionReset.into())).await;
        }
        Some(Fault::Stall(_)) => sender.closed().await,
        _ => {}
    }
}

/// `bytes=A-B`, `bytes=A-` or `bytes=-N` as a half-open range, if it lies in the file.
fn parse_range(range: &str, size: u64) -> Option<(u64, u64)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    if from.is_empty() {
        let last: u64 = to.parse().ok()?;
        return (last > 0 && size > 0).then(|| (size.saturating_sub(last), size));
    }
    let from: u64 = from.parse().ok()?;
    let to = if to.is_empty() { size } else { to.parse::<u64>().ok()?.saturating_add(1).min(size) };
    (from < size && from < to).then_some((from, to))
}

fn plain(status: StatusCode) -> Response<PieceBody> {
    let mut response = Response::new(PieceBody::full(Bytes::new()));
    *response.status_mut() = status;
    response
}

fn not_found() -> Response<PieceBody> {
    let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
    let mut response = Response::new(PieceBody::full(Bytes::from_static(body)));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn with_header(
    mut response: Response<PieceBody>,
    name: header::HeaderName,
    value: &str,
) -> Response<PieceBody> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
