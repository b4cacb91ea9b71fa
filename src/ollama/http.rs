//! HTTP clients, made in one place so that every one of them has the proxy, certificates, timeouts and user agent.
//!
//! A client made here follows no redirects by itself: the caller decides, for each request, which URLs it may be sent to
//! (see [`HttpPolicy`]).

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::platform::regular;

/// The user agent.
pub const USER_AGENT: &str = concat!("acolyte-installer/", env!("CARGO_PKG_VERSION"));

/// The authorities of a whole system are some hundred kilobytes.
const MAX_CA_FILE_BYTES: u64 = 16 << 20;
/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How to reach the network. The default uses the system's proxy and certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpOptions {
    /// A proxy for every address but loopback ones, instead of the system's.
    pub proxy: Option<ProxyAddress>,
    /// More certificate authorities, as PEM (a company's own).
    pub ca_file: Option<PathBuf>,
}

/// The URL of a proxy. Displayed, logged and serialised without user name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(Url);

impl ProxyAddress {
    /// The URL with user name and password, for talking to the proxy. Never show or write it.
    pub fn with_secrets(&self) -> &Url {
        &self.0
    }

    /// Whether it holds a user name or a password.
    pub fn has_secrets(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }
}

impl FromStr for ProxyAddress {
    type Err = HttpError;

    /// `http://[USER:PASSWORD@]HOST[:PORT]`; without a scheme it is http, as with curl.
    fn from_str(typed: &str) -> Result<Self, HttpError> {
        let typed = typed.trim();
        let whole = if typed.contains("://") { typed.to_owned() } else { format!("http://{typed}") };
        Url::parse(&whole)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .filter(|url| url.has_host() && matches!(url.path(), "" | "/") && url.query().is_none())
            .map(Self)
            .ok_or_else(|| HttpError::Proxy { proxy: without_secrets(typed) })
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without user name and password: no file of ours holds them.
impl Serialize for ProxyAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProxyAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What the user typed, for a message: anything before an `@` may be a password.
fn without_secrets(typed: &str) -> String {
    match typed.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => typed.to_owned(),
    }
}

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not a valid proxy URL.
    #[error("{proxy} is not the address of a proxy")]
    Proxy {
        /// As it was given, without what may be a password.
        proxy: String,
    },
    /// The certificates could not be read.
    #[error("cannot read certificates from {path}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no usable certificates.
    #[error("no PEM certificates in {path}")]
    NoCertificates {
        /// The file.
        path: PathBuf,
    },
    /// The client could not be built.
    #[error("no HTTP client can be made")]
    Build(#[source] reqwest::Error),
    /// Encryption could not be set up.
    #[error("no encryption can be set up")]
    Tls(#[source] rustls::Error),
}

/// A client for hosts that may be anywhere: mirrors, registries, release pages.
///
/// HTTP/1.1 only: several ranges of one file come faster over several connections than multiplexed over one.
///
/// # Errors
/// When the proxy or the certificates named in `options` are unusable.
pub fn client(options: &HttpOptions) -> Result<Client, HttpError> {
    let certificates = certificates(options.ca_file.as_deref())?;
    let make = || -> Result<ClientBuilder, HttpError> {
        let mut builder = base().connect_timeout(CONNECT_TIMEOUT).http1_only();
        if let Some(proxy) = &options.proxy {
            let found = Proxy::all(proxy.with_secrets().clone())
                .map_err(|_| HttpError::Proxy { proxy: proxy.to_string() })?
                .no_proxy(reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1"));
            builder = builder.proxy(found);
        }
        Ok(builder)
    };
    let with_system_store = make()?.tls_certs_merge(as_reqwest(certificates.iter())).build();
    match with_system_store {
        Ok(client) => Ok(client),
        // A system without any certificates (a bare container) still has to reach the release: bring our own.
        Err(error) => {
            tracing::warn!(%error, "the system's certificates cannot be used, using the built-in ones");
            let built_in = as_reqwest(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().chain(&certificates));
            make()?.tls_certs_only(built_in).build().map_err(HttpError::Build)
        }
    }
}

/// TLS settings for connections that are not HTTP of ours: trusts the system's authorities and those in `ca_file`.
///
/// # Errors
/// When `ca_file` cannot be read or holds no certificates.
pub fn tls(ca_file: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, HttpError> {
    let own = certificates(ca_file)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(HttpError::Tls)
    };
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(own.clone(), Arc::clone(&provider));
    let config = match verifier {
        Ok(verifier) => builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        // As for our own downloads: a system without any certificates still has to reach the proxy.
        Err(error) => {
            tracing::warn!(%error, "the system's certificates cannot be used, using the built-in ones");
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(
                webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned().chain(own),
            );
            builder()?.with_root_certificates(roots)
        }
    };
    Ok(Arc::new(config.with_no_client_auth()))
}

/// A client for our own server on this computer: no proxy, ever, and no certificates needed.
///
/// # Errors
/// When the HTTP library cannot be set up at all.
pub fn loopback_client() -> Result<Client, HttpError> {
    base()
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .tls_certs_only(std::iter::empty())
        .build()
        .map_err(HttpError::Build)
}

fn base() -> ClientBuilder {
    // Without a default provider the builder would panic. A second call finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().user_agent(USER_AGENT).redirect(reqwest::redirect::Policy::none()).referer(false)
}

/// The certificates in a PEM file; none without a file.
fn certificates(ca_file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let Some(path) = ca_file else { return Ok(Vec::new()) };
    let pem = regular::read(path, MAX_CA_FILE_BYTES)
        .map_err(|source| HttpError::CaFile { path: path.to_owned(), source })?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(HttpError::NoCertificates { path: path.to_owned() }),
    }
}

/// In reqwest's form; a certificate it cannot use is left out.
fn as_reqwest<'a>(certificates: impl Iterator<Item = &'a CertificateDer<'static>>) -> Vec<Certificate> {
    certificates.filter_map(|der| Certificate::from_der(der).ok()).collect()
}

/// Where a request may go: over https anywhere beyond this computer; over plain http to hosts the user named (a mirror, a
/// registry). To this computer only when the request began there: a server elsewhere must not make us talk to the
/// services that listen on loopback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpPolicy {
    named: Vec<(String, u16)>,
    anywhere: bool,
}

impl HttpPolicy {
    /// Allows plain http everywhere. Only where the user asked for exactly that, and for data that is verified or not
    /// trusted.
    pub fn anywhere() -> Self {
        Self { anywhere: true, ..Self::default() }
    }

    /// Also allows the host and port of a URL that the user named.
    #[must_use]
    pub fn naming(mut self, url: &Url) -> Self {
        if let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) {
            self.named.push((host.to_owned(), port));
        }
        self
    }

    /// Whether a request that began at `first` may go to `url`, which is `first` itself or where a redirect leads.
    pub fn allows(&self, first: &Url, url: &Url) -> bool {
        if leads_to_this_computer(url) {
            return matches!(url.scheme(), "http" | "https") && leads_to_this_computer(first);
        }
        match url.scheme() {
            "https" => true,
            "http" => {
                self.anywhere
                    || self.named.iter().any(|(host, port)| {
                        url.host_str() == Some(host.as_str()) && url.port_or_known_default() == Some(*port)
                    })
            }
            _ => false,
        }
    }
}

/// Whether a URL is on this computer, as far as its text tells: a name that the network's DNS resolves to loopback is not
/// recognised.
fn leads_to_this_computer(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            address.is_loopback() || address.is_unspecified()
        }
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// Whether a status sends the request elsewhere.
pub fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads; `None` without a valid location.
pub fn redirect_target(from: &Url, headers: &HeaderMap) -> Option<Url> {
    from.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

/// The last cause of an error: the part that says what really happened ("connection refused", "unknown issuer").
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{Reply, Server};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn plain_http_goes_to_loopback_and_named_addresses_only() {
        let policy = HttpPolicy::default();
        let itself = |address: &str| policy.allows(&url(address), &url(address));
        for allowed in
            ["https://example.org/x", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:9/"]
        {
            assert!(itself(allowed), "{allowed}");
        }
        for refused in [
            "http://example.org/",
            "http://127.0.0.1.example.org/",
            "http://localhost.example.org/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
        ] {
            assert!(!itself(refused), "{refused}");
        }
        let first = url("http://mirror.example.org:8000/ollama/");
        let named = policy.naming(&first);
        assert!(named.allows(&first, &url("http://mirror.example.org:8000/else")));
        assert!(
            !named.allows(&first, &url("http://mirror.example.org/else")),
            "another port is another server"
        );
        assert!(!named.allows(&first, &url("http://example.org:8000/else")));
    }

    #[test]
    fn a_server_elsewhere_cannot_lead_to_this_computer() {
        let far = url("https://mirror.example.org/ollama/");
        let near = url("http://127.0.0.1:5055/ollama/");
        for policy in [HttpPolicy::default(), HttpPolicy::default().naming(&far), HttpPolicy::anywhere()] {
            for here in [
                "http://127.0.0.1:42434/api/delete",
                "https://127.0.0.1/",
                "http://127.9.9.9/",
                "http://2130706433/",
                "http://localhost:11434/",
                "http://LOCALHOST./",
                "http://mirror.localhost/",
                "http://[::1]/",
                "http://[::ffff:127.0.0.1]/",
                "http://0.0.0.0:42434/",
                "http://[::]:42434/",
            ] {
                assert!(!policy.allows(&far, &url(here)), "{here}");
                assert!(policy.allows(&near, &url(here)), "{here}");
            }
        }
        assert!(HttpPolicy::anywhere().allows(&far, &url("http://cdn.example.org/")));
    }

    #[test]
    fn clients_can_be_made_without_anything_prepared() {
        client(&HttpOptions::default()).unwrap();
        loopback_client().unwrap();
    }

    #[test]
    fn unusable_options_are_named() {
        let missing = HttpOptions { ca_file: Some("/nowhere/ca.pem".into()), ..HttpOptions::default() };
        assert!(matches!(client(&missing), Err(HttpError::CaFile { .. })));
        for wrong in ["http://[nonsense", "", "ftp://proxy:21", "http://proxy/path", "socks5://proxy"] {
            assert!(matches!(wrong.parse::<ProxyAddress>(), Err(HttpError::Proxy { .. })), "{wrong}");
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("empty.pem");
        std::fs::write(&path, "not a certificate").unwrap();
        let empty = HttpOptions { ca_file: Some(path), ..HttpOptions::default() };
        assert!(matches!(client(&empty), Err(HttpError::NoCertificates { .. })));
    }

    #[test]
    fn passwords_of_proxies_reach_the_proxy_and_nothing_that_is_written() {
        let proxy = Server::start(|_| Reply::body("through"));
        let typed = format!("ana:s3cret@{}", proxy.authority());
        let options = HttpOptions { proxy: Some(typed.parse().unwrap()), ..HttpOptions::default() };
        assert_eq!(fetch(&client(&options).unwrap(), url("http://example.org/f")).unwrap(), "through");
        assert_eq!(proxy.requests()[0].headers["proxy-authorization"], "Basic YW5hOnMzY3JldA==");
        let address = options.proxy.clone().unwrap();
        assert!(address.has_secrets() && !"proxy:3128".parse::<ProxyAddress>().unwrap().has_secrets());
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(
            serde_json::from_str::<HttpOptions>(&json).unwrap().proxy.unwrap().to_string(),
            address.to_string()
        );
        for written in [format!("{options:?}"), format!("{address}"), json] {
            assert!(written.contains("127.0.0.1") && !written.contains("s3cret"), "{written}");
            assert!(!written.contains("ana"), "{written}");
        }
        let error = "http://ana:s3cret@[nonsense".parse::<ProxyAddress>().unwrap_err();
        for written in [
            format!("{error:?}"),
            format!("{error}"),
            error.explain(crate::text::Text::new(crate::text::Language::English)),
        ] {
            assert!(!written.contains("s3cret") && written.contains("nonsense"), "{written}");
        }
    }

    fn fetch(client: &Client, url: Url) -> Result<String, reqwest::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { client.get(url).send().await?.text().await })
    }

    #[test]
    fn a_companys_own_authority_is_trusted_when_it_is_named_and_not_before() {
        let server = Server::start_encrypted(|_| Reply::body("hello"));
        let trusting = HttpOptions {
            ca_file: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/authority.pem").into()),
            ..HttpOptions::default()
        };
        assert_eq!(fetch(&client(&trusting).unwrap(), server.url("/")).unwrap(), "hello");
        let error = fetch(&client(&HttpOptions::default()).unwrap(), server.url("/")).unwrap_err();
        assert!(innermost(&error).contains("UnknownIssuer"), "{error:?}");
    }

    #[test]
    fn a_proxy_gets_everything_but_what_is_for_this_computer() {
        let proxy = Server::start(|_| Reply::body("through the proxy"));
        let direct = Server::start(|_| Reply::body("directly"));
        let options =
            HttpOptions { proxy: Some(proxy.url("").as_str().parse().unwrap()), ..HttpOptions::default() };
        let client = client(&options).unwrap();
        let far = url("http://mirror.example.org/file");
        assert_eq!(fetch(&client, far).unwrap(), "through the proxy");
        assert_eq!(proxy.requests()[0].path, "http://mirror.example.org/file");
        assert_eq!(fetch(&client, direct.url("/")).unwrap(), "directly");
        assert_eq!(proxy.requests().len(), 1);
        let ours = loopback_client().unwrap();
        assert_eq!(fetch(&ours, direct.url("/")).unwrap(), "directly");
    }
}
