//! Finds the newest release by its published checksums.
//!
//! 1. Request `sha256sum.txt` below `…/releases/latest/download`; the redirect names the version. A mirror is queried
//!    directly, and the version is taken from the URL if it has one.
//! 2. Match its lines (`HASH  ./NAME`) with the names of this system's archives.
//! 3. Refuse a release older than the pinned one: an outdated mirror, or a downgrade attack.
//!
//! The checksums come from the same source as the files. They detect a broken transfer and a mirror that mixes releases,
//! but not an attacker who replaces both. The newest release is therefore less trustworthy than the pinned one, and
//! every offer of it says so.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, Response, Url};

use super::{Asset, AssetRole, Release, ReleaseError, is_folder_name, parse_version};
use crate::checksum::Sha256;
use crate::ollama::http::{
    self, FollowError, HttpClient, HttpError, HttpOptions, HttpPolicy, NetworkObstacle, follow, within,
};
use crate::untrusted::UntrustedText;

/// URL of the project's latest release.
const LATEST: &str = "https://github.com/ollama/ollama/releases/latest/download";
const SUMS: &str = "sha256sum.txt";
/// Upper limit of `sha256sum.txt`, which has about twenty lines.
const MAX_SUMS_BYTES: usize = 1 << 20;
/// Timeout of the whole list, against servers that send byte by byte.
const SUMS_LIMIT: Duration = Duration::from_secs(60);
/// Archives without a pinned checksum, by system and architecture.
const EXTRAS: &[(&str, &str, &str)] = &[
    ("linux", "x86_64", "ollama-linux-amd64-rocm.tar.zst"),
    ("windows", "x86_64", "ollama-windows-amd64-rocm.zip"),
];

/// Why the newest release cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum NewestError {
    /// The HTTP client could not be created.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The pinned release, for comparison, cannot be read.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// No usable response.
    #[error("{host}: {problem}")]
    Unreachable {
        /// Host of the request.
        host: String,
        /// What went wrong.
        problem: UntrustedText,
    },
    /// Something else answered, or the connection is not accepted: a sign-in page, a proxy, a certificate.
    #[error(transparent)]
    Obstacle(#[from] NetworkObstacle),
    /// A redirect to an unencrypted URL.
    #[error("it leads to {address}, which is not encrypted")]
    Insecure {
        /// Target of the redirect.
        address: Url,
    },
    /// The response contains no checksum of an archive for this system.
    #[error("{address} holds no checksum of an archive for this system")]
    NoSums {
        /// URL of the list.
        address: Url,
    },
    /// It is older than the pinned one.
    #[error("{found} is older than {pinned}")]
    Older {
        /// Version found.
        found: String,
        /// The pinned version.
        pinned: String,
    },
}

/// Finds the newest release, with mirrors on the first that responds. Blocks on its own runtime.
///
/// # Errors
/// The last mirror's; see [`NewestError`].
pub fn newest(mirrors: &[String], options: &HttpOptions) -> Result<Release, NewestError> {
    let named = mirrors.iter().filter_map(|mirror| Url::parse(mirror).ok()?.host_str().map(str::to_owned));
    let client = http::client(options, named)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| unreachable(None, error.to_string()))?;
    runtime.block_on(async {
        let mut last = None;
        let bases: Vec<&str> = mirrors.iter().map(String::as_str).collect();
        for base in if bases.is_empty() { &[LATEST][..] } else { &bases[..] } {
            match newest_at(&client, base, !mirrors.is_empty()).await {
                Ok(release) => return Ok(release),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| unreachable(None, String::new())))
    })
}

async fn newest_at(client: &HttpClient, base: &str, named: bool) -> Result<Release, NewestError> {
    let wrong = || ReleaseError::BadAddress { address: base.into() };
    let base = Url::parse(&format!("{}/{SUMS}", base.trim_end_matches('/'))).map_err(|_| wrong())?;
    let policy = if named { HttpPolicy::default().allowing_http_to(&base) } else { HttpPolicy::default() };
    let mut answer = follow(client, &policy, Method::GET, base).await.map_err(NewestError::of)?;
    let last = answer.last.clone();
    let bytes = within(SUMS_LIMIT, &last, answer.body(MAX_SUMS_BYTES)).await.map_err(NewestError::of)?;
    if let Some(page) = NetworkObstacle::in_body(&last, &bytes) {
        return Err(page.into());
    }
    let sums = parse_sums(&String::from_utf8_lossy(&bytes));
    let mut release = release_of(&sums, &answer.named, Release::built_in())?;
    for asset in &mut release.assets {
        let url = answer.named.join(&asset.name).map_err(|_| wrong())?;
        // Not every server sends the length here; it is known when the download starts.
        asset.bytes = match follow(client, &policy, Method::HEAD, url).await.map_err(NewestError::of) {
            Ok(head) => length(&head.response),
            Err(error) => {
                tracing::debug!(%error, asset = asset.name, "length unknown");
                None
            }
        };
    }
    Ok(release)
}

/// The release these checksums belong to.
fn release_of(
    sums: &BTreeMap<String, Option<Sha256>>,
    address: &Url,
    pinned: &Release,
) -> Result<Release, NewestError> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let base = pinned.asset(AssetRole::Base, os, arch)?;
    let with = |name: &str, role| -> Option<Asset> {
        let sha256 = sums.get(name).copied().flatten()?;
        Some(Asset { name: name.to_owned(), sha256, role, bytes: None, unpacked_bytes: None, ..base.clone() })
    };
    let Some(found) = with(&base.name, AssetRole::Base) else {
        return Err(NewestError::NoSums { address: address.clone() });
    };
    let version =
        version_in(address).unwrap_or_else(|| format!("newest-{}", &found.sha256.to_string()[..12]));
    if let (Some(new), Some(old)) = (parse_version(&version), parse_version(&pinned.version))
        && new < old
    {
        return Err(NewestError::Older { found: version, pinned: pinned.version.clone() });
    }
    let extra = EXTRAS.iter().find(|extra| (extra.0, extra.1) == (os, arch));
    let extra = extra.and_then(|extra| with(extra.2, AssetRole::Rocm));
    let base_url = address.join(".").ok().map(|folder| folder.as_str().trim_end_matches('/').to_owned());
    Ok(Release {
        schema: crate::SCHEMA,
        version,
        base_url,
        assets: std::iter::once(found).chain(extra).collect(),
    })
}

/// Parses `sha256sum.txt`: names without `./`, checksums in lower case. A name with two different checksums maps to `None`.
/// Other lines are skipped: a captive portal's login page has only those.
pub fn parse_sums(text: &str) -> BTreeMap<String, Option<Sha256>> {
    let mut sums: BTreeMap<String, Option<Sha256>> = BTreeMap::new();
    for line in text.lines() {
        let Some((hash, name)) = line.trim_end().split_once([' ', '\t']) else { continue };
        let name = name.trim_start().trim_start_matches('*');
        let name = name.strip_prefix("./").unwrap_or(name);
        let Some(hash) = hash.parse::<Sha256>().ok().filter(|_| is_folder_name(name)) else { continue };
        sums.entry(name.to_owned())
            .and_modify(|known| {
                if known.as_ref() != Some(&hash) {
                    *known = None;
                }
            })
            .or_insert(Some(hash));
    }
    sums
}

/// The version in a URL: `v0.35.1`.
fn version_in(address: &Url) -> Option<String> {
    let mut parts = address.path_segments()?;
    let version = parts.find(|part| parse_version(part.trim_start_matches('v')).is_some())?;
    Some(version.trim_start_matches('v').to_owned()).filter(|version| is_folder_name(version))
}

impl NewestError {
    fn of(error: FollowError) -> Self {
        match error {
            FollowError::Insecure { address } => Self::Insecure { address },
            FollowError::Obstacle(obstacle) => Self::Obstacle(obstacle),
            FollowError::Failed { address, problem } => unreachable(Some(&address), problem),
            FollowError::TooLarge { address, .. } => Self::NoSums { address },
        }
    }
}

fn length(response: &Response) -> Option<u64> {
    let length = response.headers().get(reqwest::header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok().filter(|length| *length > 0)
}

fn unreachable(url: Option<&Url>, problem: String) -> NewestError {
    let host = url.and_then(Url::host_str).unwrap_or_default().to_owned();
    NewestError::Unreachable { host, problem: problem.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::{Reply, TestServer};

    fn sums(hash: char) -> String {
        let hash = hash.to_string().repeat(64);
        let line = |name: &str| format!("{hash}  ./{name}\n");
        let assets = &Release::built_in().assets;
        assets.iter().map(|asset| line(&asset.name)).chain(EXTRAS.iter().map(|extra| line(extra.2))).collect()
    }

    fn mirror(server: &TestServer, path: &str) -> Vec<String> {
        vec![server.url(path).to_string()]
    }

    #[test]
    fn version_and_archives_come_from_redirect_and_checksums() {
        let server = TestServer::start(|request| match request.path.as_str() {
            "/latest/download/sha256sum.txt" => Reply::redirect("/download/v0.99.1/sha256sum.txt"),
            "/download/v0.99.1/sha256sum.txt" => Reply::redirect("/stored/4711?key=1"),
            "/stored/4711?key=1" => Reply::body(sums('A')),
            _ => Reply { declared: Some(1234), ..Reply::status(200) },
        });
        let found = newest(&mirror(&server, "/latest/download"), &HttpOptions::default()).unwrap();
        assert_eq!(found.version, "0.99.1");
        let asset = &found.assets[0];
        assert_eq!(asset.sha256.to_string(), "a".repeat(64), "lower case");
        let url = found.url(asset, None).unwrap();
        assert_eq!(
            url.path(),
            format!("/download/v0.99.1/{}", asset.name),
            "the same release, not the newest"
        );
        assert_eq!(asset.bytes, Some(1234));
        assert_eq!(found.assets.len(), 2, "the extra for AMD cards has a hash here");
    }

    #[test]
    fn without_a_version_in_the_url_the_version_is_derived_from_the_hash() {
        let server = TestServer::start(|request| match request.path.as_str() {
            "/o/sha256sum.txt" => Reply::body(sums('b')),
            _ => Reply::status(405),
        });
        let found = newest(&mirror(&server, "/o/"), &HttpOptions::default()).unwrap();
        assert_eq!(found.version, "newest-bbbbbbbbbbbb");
        assert_eq!(found.base_url, Some(server.url("/o").to_string()));
        assert_eq!(found.assets[0].bytes, None);
    }

    #[test]
    fn an_unusable_release_is_refused_and_the_next_mirror_is_queried() {
        let error_at = |server: &TestServer, path: &str| {
            newest(&mirror(server, path), &HttpOptions::default()).unwrap_err()
        };
        let server = TestServer::start(|request| match request.path.as_str() {
            "/v0.30.0/sha256sum.txt" => Reply::body(sums('c')),
            "/login/sha256sum.txt" => Reply::body("<html>Please log in</html>"),
            "/endless/sha256sum.txt" => Reply::body(vec![b'x'; MAX_SUMS_BYTES + 1]),
            "/away/sha256sum.txt" => Reply::redirect("http://192.0.2.1/sha256sum.txt"),
            "/twice/sha256sum.txt" => Reply::body(sums('a') + &sums('b')),
            "/good/sha256sum.txt" => Reply::body(sums('d')),
            _ => Reply::status(404),
        });
        assert!(matches!(error_at(&server, "/v0.30.0"), NewestError::Older { .. }));
        let page = NetworkObstacle::SignInPage { host: "127.0.0.1".to_owned() };
        assert!(matches!(error_at(&server, "/login"), NewestError::Obstacle(found) if found == page));
        for path in ["/endless", "/twice"] {
            assert!(matches!(error_at(&server, path), NewestError::NoSums { .. }), "{path}");
        }
        assert!(matches!(error_at(&server, "/away"), NewestError::Insecure { .. }));
        let missing = error_at(&server, "/none");
        assert!(matches!(missing, NewestError::Unreachable { .. }), "{missing}");
        assert!(missing.explain(crate::text::Text::new(crate::text::Language::Spanish)).contains("404"));
        let both = [mirror(&server, "/none"), mirror(&server, "/good")].concat();
        assert!(newest(&both, &HttpOptions::default()).is_ok());
    }
}
