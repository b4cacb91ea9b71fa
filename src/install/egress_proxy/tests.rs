use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::relay::{LIMITS, RelayLimits, RelayRules, accept, basic, read_head};
use super::*;
use crate::ollama::http::HttpOptions;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn source(proxy: Option<&str>, rate: Option<u64>) -> EngineSource {
    let http = HttpOptions { proxy: proxy.map(|proxy| proxy.parse().unwrap()), ca_file: None };
    EngineSource { http, max_bytes_per_s: rate, ..EngineSource::default() }
}

/// Accepts one connection: records the head of the request, answers, and then echoes.
async fn echo_server(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move { talk(listener.accept().await.unwrap().0, answer).await });
    (address, task)
}

/// The same with TLS and a company's own certificate.
async fn encrypted_echo_server(answer: &'static str) -> (String, JoinHandle<String>) {
    let certificate = rustls::pki_types::CertificateDer::from_pem_slice(include_bytes!(
        "../../../tests/data/tls/server.pem"
    ));
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(include_bytes!(
        "../../../tests/data/tls/server.key"
    ));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap()], key.unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        match acceptor.accept(listener.accept().await.unwrap().0).await {
            Ok(stream) => talk(stream, answer).await,
            Err(refused) => refused.to_string(),
        }
    });
    (address, task)
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &'static str) -> String {
    let mut head = String::new();
    if !answer.is_empty() {
        head = read_head(&mut stream).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
    let (mut read, mut write) = tokio::io::split(stream);
    let mut buffer = [0; 4096];
    loop {
        match read.read(&mut buffer).await {
            Ok(n) if n > 0 => {
                let said: io::Result<()> = async {
                    write.write_all(&buffer[..n]).await?;
                    write.flush().await
                }
                .await;
                said.unwrap();
            }
            _hung_up => break,
        }
    }
    let _hung_up = write.shutdown().await;
    head
}

async fn ask(relay: &Relay, password: &str, target: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(("127.0.0.1", relay.port)).await.unwrap();
    let authorization = basic("acolyte", password);
    let head = format!("CONNECT {target} HTTP/1.1\r\nProxy-Authorization: {authorization}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    (read_head(&mut stream).await.unwrap(), stream)
}

/// Connects to an echoing registry through the relay and checks the echo.
async fn check_echo_through(relay: &Relay) {
    let (answer, mut stream) = ask(relay, &relay.password, "registry.example.org:443").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stream.write_all(b"hello").await.unwrap();
    let mut said = [0; 5];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"hello");
}

#[test]
fn the_engine_never_sees_the_password_and_the_proxy_does() {
    block_on(async {
        let (address, proxy) = echo_server("HTTP/1.1 200 fine\r\n\r\n").await;
        let egress =
            EgressProxy::open(&source(Some(&format!("ana:s3cr%40t@{address}")), None), None, |_| None)
                .await
                .unwrap();
        let environment = format!("{:?}", egress.environment());
        assert!(environment.contains("HTTPS_PROXY") && !environment.contains("s3cr"), "{environment}");
        let relay = egress.relay.as_ref().unwrap();
        check_echo_through(relay).await;
        let head = proxy.await.unwrap();
        assert!(head.starts_with("CONNECT registry.example.org:443 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&basic("ana", "s3cr@t")), "{head}");
    });
}

#[test]
fn a_proxy_that_is_reached_over_https_gets_its_password_there() {
    block_on(async {
        let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/authority.pem");
        let (address, proxy) = encrypted_echo_server("HTTP/1.1 200 fine\r\n\r\n").await;
        let mut source = source(Some(&format!("https://ana:s3cr%40t@{address}")), None);
        source.http.ca_file = Some(authority.into());
        let egress = EgressProxy::open(&source, source.http.ca_file.as_deref(), |_| None).await.unwrap();
        let relay = egress.relay.as_ref().unwrap();
        check_echo_through(relay).await;
        let head = proxy.await.unwrap();
        assert!(head.contains(&basic("ana", "s3cr@t")), "{head}");

        // A proxy with an untrusted certificate gets neither the request nor the password.
        let (address, proxy) = encrypted_echo_server("HTTP/1.1 200 fine\r\n\r\n").await;
        source.http.proxy = Some(format!("https://ana:s3cr%40t@{address}").parse().unwrap());
        source.http.ca_file = None;
        let egress = EgressProxy::open(&source, source.http.ca_file.as_deref(), |_| None).await.unwrap();
        let relay = egress.relay.as_ref().unwrap();
        assert!(ask(relay, &relay.password, "registry.example.org:443").await.0.starts_with("HTTP/1.1 502"));
        let head = proxy.await.unwrap();
        assert!(!head.contains("CONNECT"), "{head}");
    });
}

#[test]
fn it_requires_its_password_and_only_accepts_connect() {
    block_on(async {
        let relay = Relay::start(None, None).await.unwrap();
        assert!(ask(&relay, "wrong", "example.org:443").await.0.starts_with("HTTP/1.1 407"));
        let injected = "x:1 HTTP/1.1\r\nEvil: 1\r\n\r\nGET";
        assert!(!ask(&relay, &relay.password, injected).await.0.starts_with("HTTP/1.1 200"));
        let mut stream = TcpStream::connect(("127.0.0.1", relay.port)).await.unwrap();
        let head = format!(
            "GET http://example.org/ HTTP/1.1\r\nProxy-Authorization: {}\r\n\r\n",
            basic("acolyte", &relay.password)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(read_head(&mut stream).await.unwrap().starts_with("HTTP/1.1 405"));
        let other = Relay::start(None, None).await.unwrap();
        assert_ne!(relay.password, other.password);
    });
}

#[test]
fn a_refusal_of_the_proxy_is_forwarded_to_the_engine() {
    block_on(async {
        let (address, _proxy) = echo_server("HTTP/1.1 403 no\r\n\r\n").await;
        let tls = http::tls(None).unwrap();
        let upstream = Upstream { address: address.parse().unwrap(), tls };
        let relay = Relay::start(Some(upstream), None).await.unwrap();
        assert!(ask(&relay, &relay.password, "example.org:443").await.0.starts_with("HTTP/1.1 502"));
    });
}

#[test]
fn the_rate_limit_applies_to_the_engines_downloads() {
    block_on(async {
        let (address, _end) = echo_server("").await;
        let egress = EgressProxy::open(&source(None, Some(200_000)), None, |_| None).await.unwrap();
        let relay = egress.relay.as_ref().unwrap();
        let (_, mut stream) = ask(relay, &relay.password, &address).await;
        let began = Instant::now();
        let (mut read, mut write) = stream.split();
        let sending = async {
            write.write_all(&[7; 150_000]).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let mut all = Vec::new();
        let (_, read) = tokio::join!(sending, read.read_to_end(&mut all));
        assert_eq!((read.unwrap(), all.len()), (150_000, 150_000));
        assert!(began.elapsed().as_secs_f64() > 0.4, "{:?}", began.elapsed());
    });
}

#[test]
fn without_a_password_or_rate_limit_no_relay_is_used() {
    block_on(async {
        let env = |name: &str| (name == "HTTPS_PROXY").then(|| "http://proxy:3128".to_owned());
        assert_eq!(
            EgressProxy::open(&source(None, None), None, env).await.unwrap().environment(),
            BTreeMap::new()
        );
        let named = EgressProxy::open(&source(Some("other:8080"), None), None, env).await.unwrap();
        assert_eq!(named.environment()["HTTPS_PROXY"], "http://other:8080");
        assert!(named.relay.is_none());
        let secret = |name: &str| (name == "https_proxy").then(|| "http://ana:s3cret@proxy:3128".to_owned());
        assert!(EgressProxy::open(&source(None, None), None, secret).await.unwrap().relay.is_some());
    });
}

#[test]
fn passwords_are_encoded_as_in_rfc_7617() {
    assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(basic("a", "b"), "Basic YTpi");
    assert_eq!(basic("test", "123£"), "Basic dGVzdDoxMjPCow==");
}

/// More idle connections than there are file descriptors: the oldest are closed, and the engine can still connect.
#[test]
fn idle_connections_do_not_block_the_engine() {
    block_on(async {
        let (address, _proxy) = echo_server("HTTP/1.1 200 fine\r\n\r\n").await;
        let upstream = Upstream { address: address.parse().unwrap(), tls: http::tls(None).unwrap() };
        let relay = Relay::start(Some(upstream), None).await.unwrap();
        let mut idle = Vec::new();
        for _ in 0..100 {
            idle.push(TcpStream::connect(("127.0.0.1", relay.port)).await.unwrap());
        }
        check_echo_through(&relay).await;
        let mut first = idle.remove(0);
        let closed = tokio::time::timeout(Duration::from_secs(5), first.read(&mut [0; 1])).await;
        assert!(matches!(closed, Ok(Ok(0) | Err(_))), "the oldest idle connection stays open: {closed:?}");
    });
}

/// 64 connections in all. One of the engine's beyond its share is told to come back.
#[test]
fn connections_are_limited() {
    assert_eq!((LIMITS.handshakes + LIMITS.tunnels, LIMITS.handshake), (64, Duration::from_secs(10)));
    block_on(async {
        // Connections to it wait to be accepted, and stay open.
        let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = (target.local_addr().unwrap().to_string(), target);
        let relay = Relay::start_with(None, None, RelayLimits { tunnels: 2, ..LIMITS }).await.unwrap();
        let mut open = Vec::new();
        for expected in ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 503"] {
            let (answer, stream) = ask(&relay, &relay.password, &target.0).await;
            assert!(answer.starts_with(expected), "{answer}");
            open.push(stream);
        }
    });
}

#[test]
fn a_connection_without_a_request_times_out() {
    block_on(async {
        let limits = RelayLimits {
            handshakes: 4,
            handshake: Duration::from_millis(50),
            tunnels: 4,
            connect: Duration::from_secs(5),
        };
        let relay = Relay::start_with(None, None, limits).await.unwrap();
        let mut slow = TcpStream::connect(("127.0.0.1", relay.port)).await.unwrap();
        slow.write_all(b"CONNECT registry").await.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(5), slow.read(&mut [0; 1])).await;
        assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{closed:?}");
    });
}

/// The relay survives running out of file descriptors.
#[test]
fn accepting_continues_after_an_error() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let rules = Arc::new(RelayRules {
            authorization: basic("acolyte", "secret"),
            upstream: None,
            limiter: None,
            limits: LIMITS,
        });
        let mut failures = 2;
        let accepting = tokio::spawn(async move {
            let next = |cx: &mut Context<'_>| {
                if failures > 0 {
                    failures -= 1;
                    return Poll::Ready(Err(io::Error::other("Too many open files (os error 24)")));
                }
                listener.poll_accept(cx).map_ok(|(stream, _)| stream)
            };
            accept(next, &rules).await;
        });
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(b"CONNECT a:1 HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(read_head(&mut stream).await.unwrap().starts_with("HTTP/1.1 407"));
        accepting.abort();
    });
}

#[test]
fn connections_end_with_the_relay() {
    block_on(async {
        let (address, _proxy) = echo_server("HTTP/1.1 200 fine\r\n\r\n").await;
        let egress = EgressProxy::open(&source(Some(&address), Some(1 << 20)), None, |_| None).await.unwrap();
        let relay = egress.relay.as_ref().unwrap();
        let (answer, mut stream) = ask(relay, &relay.password, "registry.example.org:443").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        drop(egress);
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 1])).await;
        assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{closed:?}");
    });
}
