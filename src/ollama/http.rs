//! Creates all HTTP clients, with proxy, certificates, timeouts and user agent.
//!
//! Clients do not follow redirects: the caller checks each URL with [`HttpPolicy`].

mod ca_file;
mod ca_problem;
mod causes;
mod certificate;
mod client;
mod der;
mod error;
mod follow;
mod obstacle;
mod policy;
mod proxy;
mod routes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Proxy};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use serde::{Deserialize, Serialize};

use crate::ollama::resolver::Resolver;
use crate::platform::environment::Environment;
use certificate::ExplainingVerifier;
use routes::ProxyRoutes;

pub use ca_file::CaFile;
pub use ca_problem::{CaEntryProblem, CaFileProblem, SkippedEntry};
pub use certificate::{CertificateProblem, ClockVerdict, Clocks};
pub use client::HttpClient;
pub use error::HttpError;
pub use follow::{FollowError, FollowedResponse, follow, within};
pub use obstacle::{NetworkObstacle, ProxyLogin, ProxyScheme, is_page};
pub use policy::{HttpPolicy, is_redirect, redirect_target};
pub use proxy::ProxyAddress;

/// The user agent.
pub const USER_AGENT: &str = concat!("acolyte-installer/", env!("CARGO_PKG_VERSION"));

/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Proxy and certificates. By default those of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpOptions {
    /// Proxy for all but loopback addresses, instead of the system's.
    pub proxy: Option<ProxyAddress>,
    /// Additional certificate authorities, for example a company's: see [`CaFile`].
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
pub fn client(
    options: &HttpOptions,
    named: impl IntoIterator<Item = String>,
) -> Result<HttpClient, HttpError> {
    let environment = Environment::of_process();
    let named = named.into_iter().chain(proxy_hosts(options, &environment));
    client_with(options, &environment, Resolver::of_system(named), tls(options.ca_file.as_deref())?)
}

/// With another environment, another way to look names up, and other certificates.
fn client_with(
    options: &HttpOptions,
    environment: &Environment,
    resolver: Resolver,
    tls: Arc<rustls::ClientConfig>,
) -> Result<HttpClient, HttpError> {
    let routes = Arc::new(ProxyRoutes::new(options.proxy.as_ref(), environment));
    let chosen = Arc::clone(&routes);
    let client = base()
        .connect_timeout(CONNECT_TIMEOUT)
        .http1_only()
        .dns_resolver(Arc::new(resolver))
        .proxy(Proxy::custom(move |url| chosen.proxy_for(url)))
        .tls_backend_preconfigured(Arc::unwrap_or_clone(tls))
        .build()
        .map_err(HttpError::Build)?;
    Ok(HttpClient::new(client, routes))
}

/// Hosts of the proxies that are named for us; one that runs on this computer is often named as it is.
fn proxy_hosts(options: &HttpOptions, environment: &Environment) -> Vec<String> {
    const VARIABLES: [&str; 6] =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let set = VARIABLES.iter().filter_map(|name| environment.text(name)?.parse::<ProxyAddress>().ok());
    let proxies = options.proxy.clone().into_iter().chain(set);
    proxies.filter_map(|proxy| proxy.with_secrets().host_str().map(str::to_owned)).collect()
}

/// TLS configuration of all connections to remote hosts. Trusts the system's authorities and those in `ca_file`.
///
/// # Errors
/// If `ca_file` cannot be read or contains no certificates.
pub fn tls(ca_file: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, HttpError> {
    let own = match ca_file {
        Some(path) => CaFile::read(path)?.certificates,
        None => Vec::new(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(own.clone(), Arc::clone(&provider));
    let verifier: Arc<dyn ServerCertVerifier> = match verifier {
        Ok(verifier) => Arc::new(verifier),
        // A system without certificates (a minimal container): use the built-in ones.
        Err(error) => {
            tracing::warn!(%error, "the system's certificates cannot be used, using the built-in ones");
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(
                webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned().chain(own.clone()),
            );
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            built.build().map_err(|error| HttpError::Tls(rustls::Error::General(error.to_string())))?
        }
    };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(HttpError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ExplainingVerifier::new(verifier, own)))
        .with_no_client_auth();
    Ok(Arc::new(config))
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
    #![allow(clippy::unwrap_used, clippy::panic)]
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
        let refused = client(&empty, []);
        let is_told =
            matches!(&refused, Err(HttpError::NoCertificates { problem: CaFileProblem::NoFormat, .. }));
        assert!(is_told, "{refused:?}");
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
            Resolver::with(named.iter().map(|host| (*host).to_owned()), |host| {
                let addresses: &[&str] = match host {
                    "mapped.example" => &["[::ffff:127.0.0.1]:0"],
                    "nowhere.example" => &["0.0.0.0:0", "[::]:0"],
                    // The first is reserved for documentation: nothing answers there, and loopback is not tried.
                    "both.example" => &["192.0.2.1:0", "127.0.0.1:0"],
                    _ => &["127.0.0.1:0", "[::1]:0"],
                };
                Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
            })
        };
        let ask = |client: &Client, host: &str| fetch(client, url(&format!("http://{host}:{port}/api/tags")));
        let options = HttpOptions::default();
        let environment = Environment::default();
        let client =
            client_with(&options, &environment, resolver(&["My-Mirror.example"]), tls(None).unwrap());
        let client = client.unwrap();
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
        let (problem, _) = obstacle(&client(&HttpOptions::default(), []).unwrap(), server.url("/"));
        let issuer = Some("ACOLYTE installer tests: authority".into());
        let problem = problem.unwrap();
        let expected = CertificateProblem::UnknownIssuer { issuer };
        assert_eq!(problem, NetworkObstacle::Certificate { host: "127.0.0.1".to_owned(), problem: expected });
    }

    /// What stood in the way of a request, and the error.
    fn obstacle(client: &HttpClient, url: Url) -> (Option<NetworkObstacle>, reqwest::Error) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let error = client.get(url.clone()).send().await.unwrap_err();
            (client.obstacle(&url, &error).await, error)
        })
    }

    /// A clock that stands still.
    #[derive(Debug)]
    struct Standing(u64);

    impl rustls::time_provider::TimeProvider for Standing {
        fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
            Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
        }
    }

    #[test]
    fn a_wrong_clock_is_told_by_the_servers_own() {
        const HERE: u64 = 86_400;
        let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/authority.pem");
        let mut config = Arc::unwrap_or_clone(tls(Some(Path::new(authority))).unwrap());
        config.time_provider = Arc::new(Standing(HERE));
        let config = Arc::new(config);
        let problem = |date: Option<&'static str>| {
            let server = TestServer::start_encrypted_or_plain(move |_| Reply {
                headers: date.map(|date| ("Date", date.to_owned())).into_iter().collect(),
                ..Reply::status(400)
            });
            let resolver = Resolver::of_system([]);
            let client =
                client_with(&HttpOptions::default(), &Environment::default(), resolver, Arc::clone(&config));
            match obstacle(&client.unwrap(), server.url("/file")).0 {
                Some(NetworkObstacle::Certificate { problem, .. }) => problem,
                other => panic!("{other:?}"),
            }
        };
        let not_yet = |there| CertificateProblem::NotYetValid {
            begin: Some(1_795_413_220),
            clocks: Clocks { here: HERE, there },
        };
        assert_eq!(problem(None), not_yet(None));
        assert_eq!(problem(Some("yesterday")), not_yet(None));
        assert_eq!(problem(Some("Fri, 27 Nov 2026 12:00:00 GMT")), not_yet(Some(1_795_780_800)));
    }

    #[test]
    fn a_proxy_that_requires_authentication_is_asked_how() {
        let answer = |schemes: &'static [&'static str]| {
            TestServer::start(move |_| Reply {
                headers: schemes.iter().map(|scheme| ("Proxy-Authenticate", (*scheme).to_owned())).collect(),
                ..Reply::status(407)
            })
        };
        let ask = |proxy: &TestServer, secrets: &str, url: &str| {
            let typed = format!("{secrets}{}", proxy.authority());
            let options = HttpOptions { proxy: Some(typed.parse().unwrap()), ..HttpOptions::default() };
            let client = client(&options, []).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let found = runtime.block_on(async {
                match client.get(url).send().await {
                    Ok(answer) => client.obstacle_in(&answer),
                    Err(error) => client.obstacle(&Url::parse(url).unwrap(), &error).await,
                }
            });
            match found {
                Some(NetworkObstacle::ProxyLogin(login)) => login,
                other => panic!("{url}: {other:?}"),
            }
        };
        let windows = answer(&["Negotiate", "NTLM"]);
        let both = answer(&["NTLM, Basic realm=\"proxy\""]);
        let silent = answer(&[]);
        // Through a tunnel, and by a request that the proxy answers itself.
        for url in ["https://registry.example.org/v2/", "http://registry.example.org/v2/"] {
            let login = ask(&windows, "", url);
            assert_eq!(login.schemes, [ProxyScheme::Negotiate, ProxyScheme::Ntlm], "{url}");
            assert!(!login.takes_password() && !login.refused_password);
            let login = ask(&both, "ana:s3cret@", url);
            assert_eq!(login.schemes, [ProxyScheme::Ntlm, ProxyScheme::Basic], "{url}");
            assert!(login.takes_password() && login.refused_password);
            assert_eq!(ask(&silent, "", url), ProxyLogin::default(), "{url}");
        }
        assert!(both.requests().iter().all(|request| request.headers.contains_key("proxy-authorization")));
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
