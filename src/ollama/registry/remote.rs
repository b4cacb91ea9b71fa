//! One model in one registry, over HTTP.

use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, RANGE};
use reqwest::{RequestBuilder, Response, Url};
use tokio_util::bytes::Bytes;

use super::{AnswerProblem, RegistryError, UnreachableCause};
use crate::models::ModelTag;
use crate::models::gguf::HeaderError;
use crate::ollama::http::{self, HttpClient, HttpPolicy, NetworkObstacle};
use crate::ollama::manifest::{Layer, StoredManifest};

/// Upper limit of a manifest; usual ones are a few kilobytes.
const MAX_MANIFEST_BYTES: usize = 1 << 20;
/// Size of the first range. The headers of most models, vocabulary included, are smaller.
const FIRST_BYTES: u64 = 8 << 20;
/// Upper limit of a header.
const MAX_HEADER_BYTES: u64 = 64 << 20;
/// Timeout without data.
const SILENCE: Duration = Duration::from_secs(20);
/// Timeout of a whole manifest, against registries that send byte by byte.
const MANIFEST_LIMIT: Duration = Duration::from_secs(60);
/// Timeout of a whole header; enough for 64 MiB at 1 Mbit/s.
const HEADER_LIMIT: Duration = Duration::from_secs(600);
const MAX_REDIRECTS: usize = 8;
const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A model in its registry.
#[derive(Clone, Debug)]
pub struct Remote {
    client: HttpClient,
    tag: ModelTag,
    policy: HttpPolicy,
    insecure: bool,
    manifest_limit: Duration,
}

impl Remote {
    /// A model in its registry; `client` must not follow redirects.
    pub fn new(client: HttpClient, tag: ModelTag, insecure: bool) -> Self {
        let policy = if insecure { HttpPolicy::http_anywhere() } else { HttpPolicy::default() };
        Self { client, tag, policy, insecure, manifest_limit: MANIFEST_LIMIT }
    }

    /// Sets the timeout of the manifest; the default is 60 s.
    #[must_use]
    pub fn with_manifest_timeout(mut self, limit: Duration) -> Self {
        self.manifest_limit = limit;
        self
    }

    /// The model's manifest.
    ///
    /// # Errors
    /// If the registry cannot be reached or refuses, or its manifest is invalid.
    pub async fn manifest(&self) -> Result<StoredManifest, RegistryError> {
        self.within(self.manifest_limit, async {
            let url = self.url("manifests", self.tag.tag())?;
            let mut response = self.get(url, |request| request.header(ACCEPT, MANIFEST_TYPE)).await?;
            let mut json = Vec::new();
            while let Some(chunk) = self.chunk(&mut response).await? {
                if json.len() + chunk.len() > MAX_MANIFEST_BYTES {
                    return Err(self.unusable(AnswerProblem::ManifestTooLarge));
                }
                json.extend_from_slice(&chunk);
            }
            self.require_no_page(response.url(), &json)?;
            let manifest = serde_json::from_slice(&json).map_err(|error| self.unusable(error))?;
            Ok(StoredManifest { json, manifest })
        })
        .await
    }

    /// Reads the beginning of a layer until `parse` returns a value. It returns `None` if it needs more bytes.
    ///
    /// # Errors
    /// If the registry cannot be reached or refuses, or `parse` fails.
    pub async fn header<T>(
        &self,
        layer: &Layer,
        parse: impl Fn(&[u8]) -> Result<Option<T>, HeaderError>,
    ) -> Result<T, RegistryError> {
        self.within(HEADER_LIMIT, self.read_header(layer, parse)).await
    }

    /// The content of a small layer, up to `max_bytes`.
    ///
    /// # Errors
    /// If the registry cannot be reached or refuses.
    pub async fn small(&self, layer: &Layer, max_bytes: u64) -> Result<Vec<u8>, RegistryError> {
        let most = layer.size.min(max_bytes);
        let mut bytes = Vec::new();
        if most > 0 {
            self.within(self.manifest_limit, self.extend_to(layer, &mut bytes, most, most)).await?;
        }
        Ok(bytes)
    }

    async fn read_header<T>(
        &self,
        layer: &Layer,
        parse: impl Fn(&[u8]) -> Result<Option<T>, HeaderError>,
    ) -> Result<T, RegistryError> {
        let most = layer.size.min(MAX_HEADER_BYTES);
        let mut bytes = Vec::new();
        let mut wanted = FIRST_BYTES.min(most);
        while bytes.len() < wanted as usize {
            let had = bytes.len();
            self.extend_to(layer, &mut bytes, wanted, most).await?;
            if let Some(header) = parse(&bytes).map_err(|problem| self.unusable(problem))? {
                return Ok(header);
            }
            if bytes.len() == had {
                break;
            }
            wanted = (bytes.len() as u64).saturating_mul(2).max(wanted).min(most);
        }
        Err(self.unusable(AnswerProblem::HeaderIncomplete))
    }

    /// Extends `bytes` up to `wanted` bytes. The response of a registry that ignores ranges is read up to `max` bytes
    /// at once, because another request would start from the beginning.
    async fn extend_to(
        &self,
        layer: &Layer,
        bytes: &mut Vec<u8>,
        wanted: u64,
        most: u64,
    ) -> Result<(), RegistryError> {
        let url = self.url("blobs", &format!("sha256:{}", layer.sha256))?;
        let range = format!("bytes={}-{}", bytes.len(), wanted - 1);
        let mut response = self
            .get(url, |request| request.header(RANGE, &range).header(ACCEPT_ENCODING, "identity"))
            .await?;
        let limit = if response.status().as_u16() == 206 {
            wanted
        } else {
            bytes.clear();
            most
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        while bytes.len() < limit
            && let Some(chunk) = self.chunk(&mut response).await?
        {
            bytes.extend_from_slice(&chunk[..chunk.len().min(limit - bytes.len())]);
        }
        self.require_no_page(response.url(), bytes)
    }

    /// A sign-in page may be sent with any type.
    fn require_no_page(&self, url: &Url, body: &[u8]) -> Result<(), RegistryError> {
        NetworkObstacle::in_body(url, body).map_or(Ok(()), |page| Err(self.obstructed(page)))
    }

    /// Sends a request and follows redirects that the policy allows.
    async fn get(
        &self,
        first: Url,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let mut url = first.clone();
        for _ in 0..=MAX_REDIRECTS {
            if !self.policy.allows(&first, &url) {
                return Err(RegistryError::Insecure { host: self.host(), address: url });
            }
            let send = finish(self.client.get(url.clone())).send();
            let sent = tokio::time::timeout(SILENCE, send).await.map_err(|_| self.silent())?;
            let response = match sent {
                Ok(response) => response,
                Err(error) => {
                    let obstacle = self.client.obstacle(&url, &error).await;
                    let cause = obstacle.map_or_else(
                        || UnreachableCause::of(&error),
                        |found| UnreachableCause::Obstacle(Box::new(found)),
                    );
                    return Err(self.unreachable(cause));
                }
            };
            if let Some(obstacle) = self.client.obstacle_in(&response) {
                return Err(self.obstructed(obstacle));
            }
            match response.status().as_u16() {
                200 | 206 => return Ok(response),
                _ if http::is_redirect(response.status()) => {
                    url = http::redirect_target(&url, response.headers())
                        .ok_or_else(|| self.unusable(AnswerProblem::Redirect))?;
                }
                404 => return Err(RegistryError::NotFound { tag: self.tag.clone() }),
                401 | 403 => {
                    return Err(RegistryError::Refused { tag: self.tag.clone() });
                }
                412 => return Err(RegistryError::NewerEngineNeeded { tag: self.tag.clone() }),
                status => return Err(RegistryError::Status { host: self.host(), status }),
            }
        }
        Err(self.unusable(AnswerProblem::TooManyRedirects))
    }

    /// The model.
    pub fn tag(&self) -> &ModelTag {
        &self.tag
    }

    /// Does `work` within a time limit, beyond which the registry counts as unreachable.
    ///
    /// # Errors
    /// Those of `work`, and [`UnreachableCause::Slow`].
    pub async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let slow = |_| self.unreachable(UnreachableCause::Slow { seconds: limit.as_secs() });
        tokio::time::timeout(limit, work).await.map_err(slow)?
    }

    async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>, RegistryError> {
        tokio::time::timeout(SILENCE, response.chunk())
            .await
            .map_err(|_| self.silent())?
            .map_err(|error| self.unreachable(UnreachableCause::of(&error)))
    }

    fn url(&self, what: &str, which: &str) -> Result<Url, RegistryError> {
        let scheme = if self.insecure { "http" } else { "https" };
        let (namespace, name) = (self.tag.namespace(), self.tag.name());
        Url::parse(&format!("{scheme}://{}/v2/{namespace}/{name}/{what}/{which}", self.tag.host()))
            .map_err(|error| self.unusable(AnswerProblem::Url(error.to_string())))
    }

    fn host(&self) -> String {
        self.tag.host().to_owned()
    }

    fn silent(&self) -> RegistryError {
        self.unreachable(UnreachableCause::Silent { seconds: SILENCE.as_secs() })
    }

    /// Error: the registry did not respond.
    pub fn unreachable(&self, cause: UnreachableCause) -> RegistryError {
        let encrypted = !self.insecure && !self.tag.is_from_default_registry();
        RegistryError::Unreachable { host: self.host(), cause, encrypted }
    }

    fn obstructed(&self, obstacle: NetworkObstacle) -> RegistryError {
        self.unreachable(UnreachableCause::Obstacle(Box::new(obstacle)))
    }

    /// Error: the registry's response cannot be used.
    pub fn unusable(&self, problem: impl Into<AnswerProblem>) -> RegistryError {
        RegistryError::Unusable { tag: self.tag.clone(), problem: Box::new(problem.into()) }
    }
}
