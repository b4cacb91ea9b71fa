//! Creates all HTTP clients, with proxy, certificates, timeouts and user agent.
//!
//! Clients do not follow redirects: the caller checks each URL with [`HttpPolicy`].

mod error;
mod policy;
mod proxy;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use crate::ollama::resolver::Resolver;
use crate::platform::environment::Environment;
use crate::platform::regular;

pub use error::HttpError;
pub use policy::{HttpPolicy, is_redirect, redirect_target};
pub use proxy::ProxyAddress;

/// The user agent.
pub const USER_AGENT: &str = concat!("acolyte-installer/", env!("CARGO_PKG_VERSION"));

/// Upper limit of a CA file; all authorities of a system are some hundred kilobytes.
const MAX_CA_FILE_BYTES: u64 = 16 << 20;
/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Proxy and certificates. By default those of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpOptions {
    /// Proxy for all but loopback addresses, instead of the system's.
    pub proxy: Option<ProxyAddress>,
    /// Additional certificate authorities as PEM, for example a company's.
    pub ca_file: Option<PathBuf>,
}

/// A client for remote hosts: mirrors, registries, release pages.
///
/// `named` are the hosts that the user named, without ports: only their names may resolve to this computer ([`Resolver`]).
///
/// HTTP/1.1 only: several ranges of a file are faster over several connections than multiplexed over one.
///
/// # Errors
/// If proxy or certificates in `options` are invalid.
pub fn client(options: &HttpOptions, named: impl IntoIterator<Item = String>) -> Result<Client, HttpError> {
    let named = named.into_iter().chain(proxy_hosts(options, &Environment::of_process()));
    client_with(options, Arc::new(Resolver::of_system(named)))
}

/// With another way to look names up.
fn client_with(options: &HttpOptions, resolver: Arc<Resolver>) -> Result<Client, HttpError> {
    let certificates = certificates(options.ca_file.as_deref())?;
    let make = || -> Result<ClientBuilder, HttpError> {
        let mut builder = base().connect_timeout(CONNECT_TIMEOUT).http1_only();
        builder = builder.dns_resolver(Arc::clone(&resolver));
        if let Some(proxy) = &options.proxy {
            let found = Proxy::all(proxy.with_secrets().clone())
                .map_err(|_| HttpError::Proxy { proxy: proxy.to_string().into() })?
                .no_proxy(reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1"));
            builder = builder.proxy(found);
        }
        Ok(builder)
    };
    let with_system_store = make()?.tls_certs_merge(as_reqwest(certificates.iter())).build();
    match with_system_store {
        Ok(client) => Ok(client),
        // A system without certificates (a minimal container): use the built-in ones.
        Err(error) => {
            tracing::warn!(%error, "the system's certificates cannot be used, using the built-in ones");
            let built_in = as_reqwest(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().chain(&certificates));
            make()?.tls_certs_only(built_in).build().map_err(HttpError::Build)
        }
    }
}

/// Hosts of the proxies that are named for us; one that runs on this computer is often named as it is.
fn proxy_hosts(options: &HttpOptions, environment: &Environment) -> Vec<String> {
    const VARIABLES: [&str; 6] =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let set = VARIABLES.iter().filter_map(|name| environment.text(name)?.parse::<ProxyAddress>().ok());
    let proxies = options.proxy.clone().into_iter().chain(set);
    proxies.filter_map(|proxy| proxy.with_secrets().host_str().map(str::to_owned)).collect()
}

/// TLS configuration for connections other than our HTTP clients. Trusts the system's authorities and those in
/// `ca_file`.
///
/// # Errors
/// If `ca_file` cannot be read or contains no certificates.
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
        // As for [`client`]: a system without certificates.
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

/// A client for servers on this computer: never uses a proxy, needs no certificates.
///
/// # Errors
/// If the HTTP library cannot be initialised.
pub fn loopback_client() -> Result<Client, HttpError> {
    base()
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .tls_certs_only(std::iter::empty())
        .build()
        .map_err(HttpError::Build)
}

fn base() -> ClientBuilder {
    // Without a default provider the builder panics. It may be installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().user_agent(USER_AGENT).redirect(reqwest::redirect::Policy::none()).referer(false)
}

/// Certificates of a PEM file; none without a file.
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

/// Converts to reqwest's type; unusable certificates are skipped.
fn as_reqwest<'a>(certificates: impl Iterator<Item = &'a CertificateDer<'static>>) -> Vec<Certificate> {
    certificates.filter_map(|der| Certificate::from_der(der).ok()).collect()
}

/// The innermost cause of an error, which is the specific one ("connection refused", "unknown issuer").
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
    use reqwest::Url;

    use super::*;
    use crate::testing::{Reply, TestServer};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn clients_can_be_created_without_setup() {
        client(&HttpOptions::default(), []).unwrap();
        loopback_client().unwrap();
    }

    #[test]
    fn invalid_options_are_errors() {
        let missing = HttpOptions { ca_file: Some("/nowhere/ca.pem".into()), ..HttpOptions::default() };
        assert!(matches!(client(&missing, []), Err(HttpError::CaFile { .. })));
        for wrong in ["http://[nonsense", "", "ftp://proxy:21", "http://proxy/path", "socks5://proxy"] {
            assert!(matches!(wrong.parse::<ProxyAddress>(), Err(HttpError::Proxy { .. })), "{wrong}");
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("empty.pem");
        std::fs::write(&path, "not a certificate").unwrap();
        let empty = HttpOptions { ca_file: Some(path), ..HttpOptions::default() };
        assert!(matches!(client(&empty, []), Err(HttpError::NoCertificates { .. })));
    }

    #[test]
    fn passwords_of_proxies_reach_the_proxy_and_nothing_that_is_written() {
        let proxy = TestServer::start(|_| Reply::body("through"));
        let typed = format!("ana:s3cret@{}", proxy.authority());
        let options = HttpOptions { proxy: Some(typed.parse().unwrap()), ..HttpOptions::default() };
        assert_eq!(fetch(&client(&options, []).unwrap(), url("http://example.org/f")).unwrap(), "through");
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

    /// A name is all that a server elsewhere needs to lead us here, if its DNS plays along.
    #[test]
    fn a_name_that_resolves_to_this_computer_is_not_connected_to() {
        use crate::ollama::resolver::LeadsHere;
        let service = TestServer::start(|_| Reply::body("not for you"));
        let port = service.url("/").port().unwrap();
        let resolver = |named: &[&str]| {
            Arc::new(Resolver::with(named.iter().map(|host| (*host).to_owned()), |host| {
                let addresses: &[&str] = match host {
                    "mapped.example" => &["[::ffff:127.0.0.1]:0"],
                    "nowhere.example" => &["0.0.0.0:0", "[::]:0"],
                    // The first is reserved for documentation: nothing answers there, and loopback is not tried.
                    "both.example" => &["192.0.2.1:0", "127.0.0.1:0"],
                    _ => &["127.0.0.1:0", "[::1]:0"],
                };
                Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
            }))
        };
        let ask = |client: &Client, host: &str| fetch(client, url(&format!("http://{host}:{port}/api/tags")));
        let options = HttpOptions::default();
        let client = client_with(&options, resolver(&["My-Mirror.example"])).unwrap();
        for host in ["rebound.example", "REBOUND.example.", "mapped.example", "nowhere.example"] {
            let error = ask(&client, host).unwrap_err();
            assert!(LeadsHere::in_causes_of(&error).is_some(), "{host}: {error:?}");
        }
        let limited = client.get(url(&format!("http://both.example:{port}/")));
        let limited = limited.timeout(Duration::from_millis(200));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert!(
            runtime.block_on(async { limited.send().await }).is_err(),
            "only the address elsewhere is tried"
        );
        assert_eq!(service.requests().len(), 0, "nothing was sent to the service here");
        // What the user named may be here, and so may a proxy.
        assert_eq!(ask(&client, "my-mirror.example").unwrap(), "not for you");
        assert_eq!(ask(&client, "localhost").unwrap(), "not for you");
        let environment = Environment::given([("https_proxy", "http://ana:pw@tower:3128")]);
        assert_eq!(proxy_hosts(&options, &environment), ["tower"]);
    }

    #[test]
    fn a_companys_own_authority_is_trusted_when_it_is_named_and_not_before() {
        let server = TestServer::start_encrypted(|_| Reply::body("hello"));
        let trusting = HttpOptions {
            ca_file: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/authority.pem").into()),
            ..HttpOptions::default()
        };
        assert_eq!(fetch(&client(&trusting, []).unwrap(), server.url("/")).unwrap(), "hello");
        let error = fetch(&client(&HttpOptions::default(), []).unwrap(), server.url("/")).unwrap_err();
        assert!(innermost(&error).contains("UnknownIssuer"), "{error:?}");
    }

    #[test]
    fn a_proxy_gets_everything_but_what_is_for_this_computer() {
        let proxy = TestServer::start(|_| Reply::body("through the proxy"));
        let direct = TestServer::start(|_| Reply::body("directly"));
        let options =
            HttpOptions { proxy: Some(proxy.url("").as_str().parse().unwrap()), ..HttpOptions::default() };
        let client = client(&options, []).unwrap();
        let far = url("http://mirror.example.org/file");
        assert_eq!(fetch(&client, far).unwrap(), "through the proxy");
        assert_eq!(proxy.requests()[0].path, "http://mirror.example.org/file");
        assert_eq!(fetch(&client, direct.url("/")).unwrap(), "directly");
        assert_eq!(proxy.requests().len(), 1);
        let ours = loopback_client().unwrap();
        assert_eq!(fetch(&ours, direct.url("/")).unwrap(), "directly");
    }
}
