//! A request and its redirects, for small files of releases and lists.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode, Url};

use super::{HttpClient, HttpPolicy, NetworkObstacle, innermost, is_redirect, redirect_target};

/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_secs(20);
const MAX_REDIRECTS: usize = 8;

/// A response after its redirects.
pub struct FollowedResponse {
    /// The response.
    pub response: Response,
    /// The last URL with the file's name; later redirects are to its storage.
    pub named: Url,
    /// The URL of the response.
    pub last: Url,
}

/// Why there is no response.
#[derive(Debug)]
pub enum FollowError {
    /// A redirect to an unencrypted URL.
    Insecure {
        /// Target of the redirect.
        address: Url,
    },
    /// Something else answered, or the connection is not accepted.
    Obstacle(NetworkObstacle),
    /// No usable response.
    Failed {
        /// URL of the request.
        address: Url,
        /// What went wrong.
        problem: String,
    },
    /// The body is larger than expected.
    TooLarge {
        /// URL of the response.
        address: Url,
        /// Its upper limit, in bytes.
        max_bytes: usize,
    },
}

/// Sends a request and follows redirects that the policy allows.
///
/// # Errors
/// When no response with status 200 came, or a redirect is not allowed.
pub async fn follow(
    client: &HttpClient,
    policy: &HttpPolicy,
    method: Method,
    address: Url,
) -> Result<FollowedResponse, FollowError> {
    let name = |url: &Url| url.path_segments().and_then(|mut parts| parts.next_back().map(str::to_owned));
    let file = name(&address).unwrap_or_default();
    let (mut url, mut named) = (address.clone(), address.clone());
    for _ in 0..=MAX_REDIRECTS {
        if !policy.allows(&address, &url) {
            return Err(FollowError::Insecure { address: url });
        }
        if name(&url).as_ref() == Some(&file) {
            named = url.clone();
        }
        let sent = tokio::time::timeout(SILENCE, client.request(method.clone(), url.clone()).send()).await;
        let response = match sent.map_err(|_| silent(&url))? {
            Ok(response) => response,
            Err(error) => {
                let obstacle = client.obstacle(&url, &error).await;
                return Err(obstacle.map_or_else(|| failed(&url, innermost(&error)), FollowError::Obstacle));
            }
        };
        // A mirror may give an archive any type.
        let asks_for_body = method == Method::GET;
        if let Some(obstacle) = client.obstacle_in(&response).filter(|_| asks_for_body) {
            return Err(FollowError::Obstacle(obstacle));
        }
        match response.status() {
            StatusCode::OK => return Ok(FollowedResponse { response, named, last: url }),
            status if is_redirect(status) => {
                url = redirect_target(&url, response.headers())
                    .ok_or_else(|| failed(&url, "a redirect has no valid location".to_owned()))?;
            }
            status => return Err(failed(&url, status.as_u16().to_string())),
        }
    }
    Err(failed(&url, "too many redirects".to_owned()))
}

impl FollowedResponse {
    /// The whole body.
    ///
    /// # Errors
    /// When it is larger than `max_bytes`, or stops arriving.
    pub async fn body(&mut self, max_bytes: usize) -> Result<Vec<u8>, FollowError> {
        let mut bytes = Vec::new();
        let (response, address) = (&mut self.response, &self.last);
        loop {
            let chunk = tokio::time::timeout(SILENCE, response.chunk()).await.map_err(|_| silent(address))?;
            match chunk.map_err(|error| failed(address, innermost(&error)))? {
                Some(chunk) if bytes.len() + chunk.len() > max_bytes => {
                    return Err(FollowError::TooLarge { address: address.clone(), max_bytes });
                }
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => return Ok(bytes),
            }
        }
    }
}

/// What `work` returns, if it ends within `limit`.
///
/// # Errors
/// Its own, and when it does not end in time.
pub async fn within<T>(
    limit: Duration,
    address: &Url,
    work: impl Future<Output = Result<T, FollowError>>,
) -> Result<T, FollowError> {
    let slow = |_| failed(address, format!("not complete after {} s", limit.as_secs()));
    tokio::time::timeout(limit, work).await.map_err(slow)?
}

fn silent(url: &Url) -> FollowError {
    failed(url, format!("nothing came for {} s", SILENCE.as_secs()))
}

fn failed(url: &Url, problem: String) -> FollowError {
    FollowError::Failed { address: url.clone(), problem }
}
