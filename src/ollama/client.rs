//! Client of the engine's HTTP API, over loopback only.
//!
//! A stream ends with a final line; without one it has failed, whatever its HTTP status. Drop a call to cancel it: the
//! engine notices the closed connection and keeps what a pull has downloaded.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::models::ModelTag;
pub use crate::ollama::client_error::ClientError;
use crate::ollama::client_error::chain;
use crate::ollama::http::loopback_client;
use crate::ollama::ndjson::{LineTooLong, NdjsonLines};
use crate::ollama::replies::{
    ChatLine, GenerateLine, Listed, Loaded, PsResponse, Refusal, ShowResponse, Status, StatusLine,
    TagsResponse, Version,
};
pub use crate::ollama::requests::{
    AUTOMATIC, ChatMessage, ChatOptions, ChatRequest, ChatRole, CreateParameters, CreateRequest,
    GenerateOptions, GenerateRequest,
};
use crate::platform::listening::Listener;
use crate::untrusted::UntrustedText;

/// Timeout of a call that the engine answers immediately.
const QUICK_LIMIT: Duration = Duration::from_secs(30);
/// Timeout of the version query, which tells whether a server is ready.
const VERSION_LIMIT: Duration = Duration::from_secs(5);
/// Timeout of a pull without output. Verifying a large file on a slow disk is silent for minutes.
const PULL_SILENCE: Duration = Duration::from_secs(900);
/// Upper limits of a line and of a response.
const MAX_LINE_BYTES: usize = 8 << 20;
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// Upper limit of a stream. A pull sends about 150 bytes every 60 ms, so this is enough for more than two days.
const MAX_STREAM_BYTES: u64 = 1 << 30;
/// Upper limit of a response from a server that may not be Ollama. A list of models has some hundred bytes per model.
const MAX_PROBED_ANSWER_BYTES: usize = 1 << 20;

/// A server on this machine's loopback address.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    /// Who listens must be ours; `None` where anybody may answer.
    guard: Option<Guard>,
    /// Timeout of calls that the engine answers immediately.
    quick: Duration,
    longest_answer_bytes: usize,
    max_stream_bytes: u64,
}

/// Tells who listens on a port, as [`crate::platform::listening::listener`] does.
#[derive(Clone)]
struct Guard(Arc<dyn Fn(u16) -> Listener + Send + Sync>);

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl Client {
    /// A client of the server on this port. Never uses a proxy.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(port: u16) -> Result<Self, ClientError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::with_limits(address, QUICK_LIMIT, MAX_ANSWER_BYTES)
    }

    /// A client of our own server. `listener` tells who listens on the port, and is asked before each request and before
    /// its answer is used: our server may have ended meanwhile, and another program may have taken the port. It may block.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn of_own_server(
        port: u16,
        listener: impl Fn(u16) -> Listener + Send + Sync + 'static,
    ) -> Result<Self, ClientError> {
        Ok(Self { guard: Some(Guard(Arc::new(listener))), ..Self::new(port)? })
    }

    /// A client to check whether an unknown program on this address is an Ollama server, with a short timeout and small
    /// limits.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn probing(address: SocketAddr, limit: Duration) -> Result<Self, ClientError> {
        Self::with_limits(address, limit, MAX_PROBED_ANSWER_BYTES)
    }

    fn with_limits(
        address: SocketAddr,
        quick: Duration,
        longest_answer_bytes: usize,
    ) -> Result<Self, ClientError> {
        let http = loopback_client().map_err(|error| ClientError::Setup(chain(&error)))?;
        Ok(Self {
            http,
            address,
            guard: None,
            quick,
            longest_answer_bytes,
            max_stream_bytes: MAX_STREAM_BYTES,
        })
    }

    /// Sets the upper limit of a stream; the default is 1 GiB.
    #[must_use]
    pub fn with_stream_limit(mut self, max_stream_bytes: u64) -> Self {
        self.max_stream_bytes = max_stream_bytes;
        self
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The engine's version.
    ///
    /// # Errors
    /// If the server does not respond.
    pub async fn version(&self) -> Result<UntrustedText, ClientError> {
        let path = "/api/version";
        let request = self.http.get(self.url(path));
        Ok(self.answer::<Version>(path, request, self.quick.min(VERSION_LIMIT)).await?.version.into())
    }

    /// The models on disk.
    ///
    /// # Errors
    /// If the server does not respond.
    pub async fn tags(&self) -> Result<Vec<Listed>, ClientError> {
        let path = "/api/tags";
        Ok(self.answer::<TagsResponse>(path, self.http.get(self.url(path)), self.quick).await?.models)
    }

    /// The loaded models.
    ///
    /// # Errors
    /// If the server does not respond.
    pub async fn ps(&self) -> Result<Vec<Loaded>, ClientError> {
        let path = "/api/ps";
        Ok(self.answer::<PsResponse>(path, self.http.get(self.url(path)), self.quick).await?.models)
    }

    /// The engine's information about a model.
    ///
    /// # Errors
    /// If the server does not respond or has no such model.
    pub async fn show(&self, model: &ModelTag) -> Result<ShowResponse, ClientError> {
        let path = "/api/show";
        self.answer(path, self.post(path, &json!({ "model": model })), self.quick).await
    }

    /// Pulls a model and passes each status line to `on_line`. Layers that exist already are not downloaded again.
    ///
    /// # Errors
    /// If the engine reports an error, is silent for 15 minutes, or ends without `success`.
    pub async fn pull(
        &self,
        model: &ModelTag,
        insecure: bool,
        on_line: impl FnMut(&StatusLine),
    ) -> Result<(), ClientError> {
        let body = json!({ "model": model, "insecure": insecure, "stream": true });
        self.status_stream("/api/pull", &body, on_line).await
    }

    /// Creates a model. The engine validates nothing: check the result with [`Client::show`].
    ///
    /// # Errors
    /// Those of [`Client::pull`].
    pub async fn create(
        &self,
        request: &CreateRequest,
        on_line: impl FnMut(&StatusLine),
    ) -> Result<(), ClientError> {
        self.status_stream("/api/create", request, on_line).await
    }

    /// Loads a model into memory and waits at most `limit`.
    ///
    /// # Errors
    /// If the engine cannot load it (its message says why), or after the timeout.
    pub async fn load(&self, model: &ModelTag, limit: Duration) -> Result<(), ClientError> {
        let path = "/api/generate";
        let body = json!({ "model": model, "prompt": "", "stream": false });
        let line: GenerateLine = self.answer(path, self.post(path, &body), limit).await?;
        line.error.map_or(Ok(()), |message| Err(ClientError::refused(path, 200, &message)))
    }

    /// Unloads a model from memory.
    ///
    /// # Errors
    /// If the server does not respond or has no such model.
    pub async fn unload(&self, model: &ModelTag) -> Result<(), ClientError> {
        let path = "/api/generate";
        let body = json!({ "model": model, "prompt": "", "keep_alive": 0, "stream": false });
        self.answer::<GenerateLine>(path, self.post(path, &body), self.quick).await.map(drop)
    }

    /// Generates text, passes each line to `on_line`, and returns the last one. `silence` is the timeout between lines;
    /// it must cover prompt processing.
    ///
    /// # Errors
    /// If the engine reports an error, is silent for longer than `silence`, or ends without its final line.
    pub async fn generate(
        &self,
        request: &GenerateRequest,
        silence: Duration,
        mut on_line: impl FnMut(&GenerateLine),
    ) -> Result<GenerateLine, ClientError> {
        let path = "/api/generate";
        let mut last = None;
        self.stream(path, request, silence, |line| take(path, line, &mut on_line, &mut last)).await?;
        last.ok_or(ClientError::EndedEarly { path })
    }

    /// Continues a conversation; the rest as [`Client::generate`].
    ///
    /// # Errors
    /// Those of [`Client::generate`].
    pub async fn chat(
        &self,
        request: &ChatRequest,
        silence: Duration,
        mut on_line: impl FnMut(&GenerateLine),
    ) -> Result<GenerateLine, ClientError> {
        let path = "/api/chat";
        let mut last = None;
        let on_chat_line = |line: ChatLine| take(path, line.into(), &mut on_line, &mut last);
        self.stream(path, request, silence, on_chat_line).await?;
        last.ok_or(ClientError::EndedEarly { path })
    }

    /// Copies a model to another name.
    ///
    /// # Errors
    /// If the server does not respond or has no such model.
    pub async fn copy(&self, source: &ModelTag, destination: &ModelTag) -> Result<(), ClientError> {
        let path = "/api/copy";
        let body = json!({ "source": source, "destination": destination });
        self.within(path, self.quick, self.sent(path, self.post(path, &body))).await.map(drop)
    }

    /// Deletes a model and the layers that only it uses. Returns false if there is no such model.
    ///
    /// # Errors
    /// If the server does not respond or cannot delete it.
    pub async fn delete(&self, model: &ModelTag) -> Result<bool, ClientError> {
        let path = "/api/delete";
        let request = self.http.delete(self.url(path)).json(&json!({ "model": model }));
        match self.within(path, self.quick, self.sent(path, request)).await {
            Ok(_) => Ok(true),
            Err(ClientError::Refused { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn status_stream(
        &self,
        path: &'static str,
        body: &impl Serialize,
        mut on_line: impl FnMut(&StatusLine),
    ) -> Result<(), ClientError> {
        let mut success = false;
        self.stream(path, body, PULL_SILENCE, |line: StatusLine| {
            if let Some(message) = line.error {
                return Err(ClientError::refused(path, 200, &message));
            }
            // Only the last line counts.
            success = line.status == Status::Success;
            on_line(&line);
            Ok(())
        })
        .await?;
        if success { Ok(()) } else { Err(ClientError::EndedEarly { path }) }
    }

    async fn stream<L: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &impl Serialize,
        silence: Duration,
        mut on_line: impl FnMut(L) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let mut response = self.within(path, silence, self.sent(path, self.post(path, body))).await?;
        let mut lines = NdjsonLines::new(MAX_LINE_BYTES);
        let mut taken = 0;
        let mut take = |line: &[u8]| on_line(parse(path, line)?);
        loop {
            let next = async { response.chunk().await.map_err(|error| self.unreachable(path, &error)) };
            let Some(bytes) = self.within(path, silence, next).await? else { break };
            taken += bytes.len() as u64;
            if taken > self.max_stream_bytes {
                let cause = format!("it is longer than {} bytes", self.max_stream_bytes);
                return Err(ClientError::Unreadable { path, cause: cause.into() });
            }
            lines.push(&bytes);
            while let Some(line) = lines.next_line().map_err(|long| too_long(path, long))? {
                take(&line)?;
            }
        }
        lines.rest().map_or(Ok(()), |line| take(&line))
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        path: &'static str,
        request: reqwest::RequestBuilder,
        limit: Duration,
    ) -> Result<T, ClientError> {
        let body = async {
            let mut response = self.sent(path, request).await?;
            let mut body = Vec::new();
            while let Some(bytes) = response.chunk().await.map_err(|error| self.unreachable(path, &error))? {
                body.extend_from_slice(&bytes);
                if body.len() > self.longest_answer_bytes {
                    let limit_bytes = self.longest_answer_bytes;
                    return Err(too_long(path, LineTooLong { limit_bytes }));
                }
            }
            Ok(body)
        };
        parse(path, &self.within(path, limit, body).await?)
    }

    async fn within<T>(
        &self,
        path: &'static str,
        limit: Duration,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let silent = |_| ClientError::Silent { path, seconds: limit.as_secs() };
        tokio::time::timeout(limit, work).await.map_err(silent)?
    }

    /// Sends a request. A status other than success becomes an error with the server's message.
    async fn sent(
        &self,
        path: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        self.require_own().await?;
        let mut response = request.send().await.map_err(|error| self.unreachable(path, &error))?;
        self.require_own().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let mut body = Vec::new();
        // A refusal counts even if its text is incomplete.
        while let Ok(Some(bytes)) = response.chunk().await {
            body.extend_from_slice(&bytes);
            if body.len() > MAX_LINE_BYTES {
                break;
            }
        }
        let message = match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) if !refusal.error.is_empty() => refusal.message(),
            _ if body.is_empty() => status.canonical_reason().unwrap_or("no reason given").to_owned(),
            _ => String::from_utf8_lossy(&body).chars().take(500).collect(),
        };
        Err(ClientError::refused(path, status.as_u16(), &message))
    }

    /// Refuses to go on where another program listens. Where the system does not tell, nothing is refused.
    async fn require_own(&self) -> Result<(), ClientError> {
        let Some(Guard(listener)) = self.guard.clone() else { return Ok(()) };
        let port = self.port();
        match tokio::task::spawn_blocking(move || listener(port)).await {
            Ok(Listener::Ours | Listener::Unknown) => Ok(()),
            Ok(Listener::Other(by)) => Err(ClientError::Stranger { port, by }),
            Ok(Listener::Nobody) => Err(ClientError::NotListening { port }),
            Err(error) => Err(ClientError::Setup(error.to_string())),
        }
    }

    fn post(&self, path: &str, body: &impl Serialize) -> reqwest::RequestBuilder {
        self.http.post(self.url(path)).json(body)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn unreachable(&self, path: &'static str, error: &reqwest::Error) -> ClientError {
        ClientError::Unreachable { port: self.port(), path, cause: chain(error).into() }
    }
}

fn parse<T: DeserializeOwned>(path: &'static str, json: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(json).map_err(|error| ClientError::Unreadable {
        path,
        cause: format!("{error}: {}", String::from_utf8_lossy(&json[..json.len().min(200)])).into(),
    })
}

fn too_long(path: &'static str, long: LineTooLong) -> ClientError {
    ClientError::Unreadable { path, cause: long.to_string().into() }
}

/// Passes one line of a stream on, and keeps the last one.
fn take(
    path: &'static str,
    line: GenerateLine,
    on_line: &mut impl FnMut(&GenerateLine),
    last: &mut Option<GenerateLine>,
) -> Result<(), ClientError> {
    if let Some(message) = line.error {
        return Err(ClientError::refused(path, 200, &message));
    }
    on_line(&line);
    *last = line.done.then_some(line);
    Ok(())
}
