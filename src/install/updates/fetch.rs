//! Fetches the list and its signature.

use std::time::Duration;

use minisign_verify::PublicKey;
use reqwest::{Method, Url};

use crate::checksum::Sha256;
use crate::install::updates::list::{ListProblem, SeenList, UpdateList, verified};
use crate::install::updates::source::UpdateSource;
use crate::ollama::http::{
    self, FollowError, HttpClient, HttpError, HttpOptions, HttpPolicy, NetworkObstacle, follow, within,
};
use crate::untrusted::UntrustedText;

/// Names of the files below an address.
const LIST: &str = "versions.json";
const SIGNATURE: &str = "versions.json.minisig";
/// Upper limit of the list; usual ones have some kilobytes.
const MAX_LIST_BYTES: usize = 1 << 20;
/// Upper limit of a signature, which has some hundred bytes.
const MAX_SIGNATURE_BYTES: usize = 1 << 12;
/// Timeout of each file: nobody waits for it, and a slow network must not keep a thread busy.
const LIMIT: Duration = Duration::from_secs(15);

/// Why nothing is known about newer versions.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The HTTP client could not be created.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No usable answer.
    #[error("{host}: {problem}")]
    Unreachable {
        /// Host of the request.
        host: String,
        /// What went wrong.
        problem: UntrustedText,
    },
    /// Something else answered: a sign-in page, a proxy.
    #[error(transparent)]
    Obstacle(#[from] NetworkObstacle),
    /// The list is not believed.
    #[error("the list of {host} is not used: {problem}")]
    List {
        /// Host of the list.
        host: String,
        /// Why.
        problem: ListProblem,
    },
}

/// The list of the first address that has one to be believed, and its SHA-256. `None` without addresses.
///
/// # Errors
/// That of the last address.
pub async fn fetch_list(
    source: &UpdateSource,
    seen: SeenList,
    options: &HttpOptions,
    now_s: u64,
) -> Result<Option<(UpdateList, Sha256)>, UpdateError> {
    let Some(key) = source.key() else { return Ok(None) };
    let hosts = source.urls().filter_map(|address| address.host_str().map(str::to_owned));
    let client = http::client(options, hosts)?;
    let mut outcome = Ok(None);
    for address in source.urls() {
        outcome = fetch_from(&client, &address, &key, seen, now_s).await.map(Some);
        match &outcome {
            Ok(_) => break,
            Err(error) => tracing::info!(%error, "no list of newer versions"),
        }
    }
    outcome
}

async fn fetch_from(
    client: &HttpClient,
    address: &Url,
    key: &PublicKey,
    seen: SeenList,
    now_s: u64,
) -> Result<(UpdateList, Sha256), UpdateError> {
    let host = address.host_str().unwrap_or_default().to_owned();
    let list = get(client, address, LIST, MAX_LIST_BYTES).await?;
    let signature = get(client, address, SIGNATURE, MAX_SIGNATURE_BYTES).await?;
    let sha256 = Sha256::of(&list);
    let list = verified(&list, &signature, key, seen, now_s)
        .map_err(|problem| UpdateError::List { host, problem })?;
    Ok((list, sha256))
}

/// A small file below an address. Redirects may not leave encryption.
async fn get(client: &HttpClient, base: &Url, name: &str, max_bytes: usize) -> Result<Vec<u8>, UpdateError> {
    let mut first = base.clone();
    first.set_path(&format!("{}/{name}", base.path().trim_end_matches('/')));
    let policy = HttpPolicy::default().allowing_http_to(&first);
    let whole = async {
        let mut answer = follow(client, &policy, Method::GET, first.clone()).await?;
        answer.body(max_bytes).await
    };
    within(LIMIT, &first, whole).await.map_err(UpdateError::of)
}

impl UpdateError {
    fn of(error: FollowError) -> Self {
        let (address, problem) = match error {
            FollowError::Obstacle(obstacle) => return Self::Obstacle(obstacle),
            FollowError::Insecure { address } => (address, "it is not encrypted".to_owned()),
            FollowError::Failed { address, problem } => (address, problem),
            FollowError::TooLarge { address, max_bytes } => (address, format!("more than {max_bytes} bytes")),
        };
        Self::Unreachable { host: address.host_str().unwrap_or_default().to_owned(), problem: problem.into() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::install::updates::list::tests::{NOW_S, key_pair, list};
    use crate::testing::{Reply, TestServer};

    /// What a server with these two files is believed.
    fn fetched(
        files: impl Fn(&str) -> Reply + Send + Sync + 'static,
        key: &PublicKey,
    ) -> Result<u64, String> {
        let server = TestServer::start(move |request| files(&request.path));
        let options = HttpOptions::default();
        let client = http::client(&options, ["127.0.0.1".to_owned()]).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let address = server.url("/updates");
        let fetch = fetch_from(&client, &address, key, SeenList::default(), NOW_S);
        runtime.block_on(fetch).map(|(list, _)| list.serial).map_err(|error| error.to_string())
    }

    #[test]
    fn list_and_signature_are_fetched_from_below_the_address() {
        let (key, sign) = key_pair();
        let (list, signature) = (list(3), sign(&list(3)));
        let files = move |path: &str| match path {
            "/updates/versions.json" => Reply::redirect("/stored/list"),
            "/stored/list" => Reply::body(list.clone()),
            "/updates/versions.json.minisig" => Reply::body(signature.clone()),
            _ => Reply::status(404),
        };
        assert_eq!(fetched(files, &key), Ok(3));
    }

    #[test]
    fn what_is_too_large_missing_or_wrongly_signed_is_refused() {
        let (key, sign) = key_pair();
        let refused = |list_reply: Reply, signature: Reply, why: &str| {
            let files = move |path: &str| {
                if path.ends_with(".minisig") { signature.clone() } else { list_reply.clone() }
            };
            let error = fetched(files, &key).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        let good = || Reply::body(sign(&list(3)));
        refused(Reply::body(vec![b' '; MAX_LIST_BYTES + 1]), good(), "more than");
        refused(Reply::body(list(3)), Reply::status(404), "404");
        refused(Reply::body(list(4)), good(), "the signature is wrong");
        refused(Reply::redirect("/updates/versions.json"), good(), "too many redirects");
    }
}
