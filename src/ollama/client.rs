//! The engine's HTTP interface, over loopback only.
//!
//! Streams end with a line that says so; a stream that ends without one has failed, whatever its HTTP status was.
//! Every call can simply be dropped to cancel it: the engine notices the closed connection, and keeps what a pull
//! had fetched so far.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::models::ModelTag;
use crate::ollama::failure::EngineFailure;
use crate::ollama::http::loopback_client;
use crate::ollama::ndjson::{LineTooLong, Lines};
use crate::ollama::replies::{
    GenerateLine, Listed, Loaded, Refusal, Running, Shown, Status, StatusLine, Tags, Version,
};
pub use crate::ollama::requests::{
    AUTOMATIC, CreateParameters, CreateRequest, GenerateOptions, GenerateRequest,
};
use crate::untrusted::UntrustedText;

/// Time limit of a call that the engine answers at once.
const QUICK_LIMIT: Duration = Duration::from_secs(30);
/// Time limit for the version, which tells whether a server is ready.
const VERSION_LIMIT: Duration = Duration::from_secs(5);
/// How long a pull may be silent. Verifying a large file on a slow disk says nothing for minutes.
const PULL_SILENCE: Duration = Duration::from_secs(900);
/// The longest line and the longest answer taken.
const MAX_LINE_BYTES: usize = 8 << 20;
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The longest stream of lines taken. A pull says some 150 bytes every 60 ms: enough for more than two days.
const MAX_STREAM_BYTES: u64 = 1 << 30;
/// The longest answer taken of a server that may not be Ollama. A list of models takes some hundred bytes each.
const MAX_PROBED_ANSWER_BYTES: usize = 1 << 20;

/// A server on this machine's loopback address.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    /// No call answered at once may take longer than this.
    quick: Duration,
    longest_answer_bytes: usize,
    longest_stream_bytes: u64,
}

/// What went wrong between us and the engine.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Our side could not be set up.
    #[error("cannot set up an HTTP client: {0}")]
    Setup(String),
    /// No answer.
    #[error("the engine on port {port} does not answer {path}: {cause}")]
    Unreachable {
        /// The port.
        port: u16,
        /// What was asked.
        path: &'static str,
        /// What the system said.
        cause: UntrustedText,
    },
    /// It took too long.
    #[error("the engine has been silent for {seconds} s while answering {path}")]
    Silent {
        /// What was asked.
        path: &'static str,
        /// For how long.
        seconds: u64,
    },
    /// The server says no.
    #[error("the engine answers {path} with {status}: {message}")]
    Refused {
        /// What was asked.
        path: &'static str,
        /// HTTP status; 200 when the refusal came inside the stream.
        status: u16,
        /// The server's own message.
        message: UntrustedText,
        /// What it means.
        failure: EngineFailure,
    },
    /// The stream ended before it said that it was done.
    #[error("the engine's answer to {path} ended too early")]
    CutShort {
        /// What was asked.
        path: &'static str,
    },
    /// Something that is not the engine's language.
    #[error("the engine's answer to {path} cannot be read: {cause}")]
    Unreadable {
        /// What was asked.
        path: &'static str,
        /// What is wrong with it.
        cause: UntrustedText,
    },
}

impl Client {
    /// A client of the server on this port. It uses no proxy: loopback must never be asked of one.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(port: u16) -> Result<Self, ClientError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::with_limits(address, QUICK_LIMIT, MAX_ANSWER_BYTES)
    }

    /// A client that asks whether an unknown program on this address is an Ollama server: impatient, and taking little.
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
        Ok(Self { http, address, quick, longest_answer_bytes, longest_stream_bytes: MAX_STREAM_BYTES })
    }

    /// Takes at most so many bytes of a stream of lines, instead of 1 GiB.
    #[must_use]
    pub fn taking_streams_of(mut self, longest_stream_bytes: u64) -> Self {
        self.longest_stream_bytes = longest_stream_bytes;
        self
    }

    /// The port it talks to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The engine's version.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn version(&self) -> Result<UntrustedText, ClientError> {
        let path = "/api/version";
        let request = self.http.get(self.url(path));
        Ok(self.answer::<Version>(path, request, self.quick.min(VERSION_LIMIT)).await?.version.into())
    }

    /// The models on disk.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn tags(&self) -> Result<Vec<Listed>, ClientError> {
        let path = "/api/tags";
        Ok(self.answer::<Tags>(path, self.http.get(self.url(path)), self.quick).await?.models)
    }

    /// The loaded models.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ps(&self) -> Result<Vec<Loaded>, ClientError> {
        let path = "/api/ps";
        Ok(self.answer::<Running>(path, self.http.get(self.url(path)), self.quick).await?.models)
    }

    /// What the engine knows about a model.
    ///
    /// # Errors
    /// When it does not answer or has no such model.
    pub async fn show(&self, model: &ModelTag) -> Result<Shown, ClientError> {
        let path = "/api/show";
        self.answer(path, self.post(path, &json!({ "model": model })), self.quick).await
    }

    /// Fetches a model, telling each line. What was fetched before is not fetched again.
    ///
    /// # Errors
    /// When the engine says so, is silent for 15 minutes, or ends without `success`.
    pub async fn pull(
        &self,
        model: &ModelTag,
        insecure: bool,
        on_line: impl FnMut(&StatusLine),
    ) -> Result<(), ClientError> {
        let body = json!({ "model": model, "insecure": insecure, "stream": true });
        self.status_stream("/api/pull", &body, on_line).await
    }

    /// Creates a model. The engine checks nothing: read it back with [`Client::show`].
    ///
    /// # Errors
    /// As [`Client::pull`].
    pub async fn create(
        &self,
        request: &CreateRequest,
        on_line: impl FnMut(&StatusLine),
    ) -> Result<(), ClientError> {
        self.status_stream("/api/create", request, on_line).await
    }

    /// Loads a model into memory, and waits for it as long as `limit`.
    ///
    /// # Errors
    /// When the engine cannot load it (its message says why), or the time is over.
    pub async fn load(&self, model: &ModelTag, limit: Duration) -> Result<(), ClientError> {
        let path = "/api/generate";
        let body = json!({ "model": model, "prompt": "", "stream": false });
        let line: GenerateLine = self.answer(path, self.post(path, &body), limit).await?;
        line.error.map_or(Ok(()), |message| Err(ClientError::refused(path, 200, &message)))
    }

    /// Takes a model out of memory.
    ///
    /// # Errors
    /// When the engine does not answer or has no such model.
    pub async fn unload(&self, model: &ModelTag) -> Result<(), ClientError> {
        let path = "/api/generate";
        let body = json!({ "model": model, "prompt": "", "keep_alive": 0, "stream": false });
        self.answer::<GenerateLine>(path, self.post(path, &body), self.quick).await.map(drop)
    }

    /// Generates, passing each line to `on_line`, and returns the last one. `silence` is how long no line may come, which
    /// must cover the reading of the prompt.
    ///
    /// # Errors
    /// When the engine says so, is silent for too long, or ends without its last line.
    pub async fn generate(
        &self,
        request: &GenerateRequest,
        silence: Duration,
        mut on_line: impl FnMut(&GenerateLine),
    ) -> Result<GenerateLine, ClientError> {
        let path = "/api/generate";
        let mut last = None;
        self.stream(path, request, silence, |line: GenerateLine| {
            if let Some(message) = line.error {
                return Err(ClientError::refused(path, 200, &message));
            }
            on_line(&line);
            last = line.done.then_some(line);
            Ok(())
        })
        .await?;
        last.ok_or(ClientError::CutShort { path })
    }

    /// Gives a model a second name.
    ///
    /// # Errors
    /// When the engine does not answer or has no such model.
    pub async fn copy(&self, source: &ModelTag, destination: &ModelTag) -> Result<(), ClientError> {
        let path = "/api/copy";
        let body = json!({ "source": source, "destination": destination });
        self.within(path, self.quick, self.sent(path, self.post(path, &body))).await.map(drop)
    }

    /// Deletes a model and the layers only it uses; false when there is no such model.
    ///
    /// # Errors
    /// When the engine does not answer or cannot.
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
        if success { Ok(()) } else { Err(ClientError::CutShort { path }) }
    }

    async fn stream<L: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &impl Serialize,
        silence: Duration,
        mut on_line: impl FnMut(L) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let mut response = self.within(path, silence, self.sent(path, self.post(path, body))).await?;
        let mut lines = Lines::new(MAX_LINE_BYTES);
        let mut taken = 0;
        let mut take = |line: &[u8]| on_line(parse(path, line)?);
        loop {
            let next = async { response.chunk().await.map_err(|error| self.unreachable(path, &error)) };
            let Some(bytes) = self.within(path, silence, next).await? else { break };
            taken += bytes.len() as u64;
            if taken > self.longest_stream_bytes {
                let cause = format!("it is longer than {} bytes", self.longest_stream_bytes);
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

    /// Sends a request; a status that is no success becomes the server's own message.
    async fn sent(
        &self,
        path: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        let mut response = request.send().await.map_err(|error| self.unreachable(path, &error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let mut body = Vec::new();
        // A refusal whose text cannot be read to its end is still a refusal.
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

impl ClientError {
    /// A refusal. What it means is read from the message as it came, with its lines.
    fn refused(path: &'static str, status: u16, message: &str) -> Self {
        Self::Refused { path, status, message: message.into(), failure: EngineFailure::of(message) }
    }

    /// What the failure means; `None` when the engine did not answer at all.
    pub fn failure(&self) -> Option<EngineFailure> {
        match self {
            Self::Refused { failure, .. } => Some(*failure),
            Self::CutShort { .. } | Self::Silent { .. } => Some(EngineFailure::Transient),
            _ => None,
        }
    }

    /// The server's own message, when it gave one.
    pub fn server_message(&self) -> Option<&str> {
        match self {
            Self::Refused { message, .. } => Some(message),
            _ => None,
        }
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

/// An error with all its causes: reqwest's own text only says that something failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}
