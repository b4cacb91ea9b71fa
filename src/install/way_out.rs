//! How the engine reaches its registry while an installation runs.
//!
//! The engine writes its environment into its log, so it is never handed a proxy's password, and it knows no rate limit.
//! Where either matters it is sent through a small proxy of ours on this computer: that one speaks with the real proxy,
//! holds the rate down, and looks into nothing, because what passes is encrypted. Nobody else can use it: it asks for a
//! password of its own, made for this run. It ends with the installation; afterwards the engine needs no network.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::install::Source;
use crate::install::download::Limiter;
use crate::ollama::http::ProxyAddress;

/// The head of a request or an answer of a proxy is no longer than this.
const LONGEST_HEAD: usize = 16 << 10;
const NOT_THROUGH_A_PROXY: &str = "localhost,127.0.0.0/8,127.0.0.1,::1";

/// The engine's way out. What it opened closes when this is dropped.
#[derive(Debug, Default)]
pub struct WayOut {
    environment: BTreeMap<String, String>,
    relay: Option<Relay>,
}

impl WayOut {
    /// As the source says, and the environment where that says nothing.
    ///
    /// # Errors
    /// When nothing can listen on loopback.
    pub async fn open(source: &Source, outside: impl Fn(&str) -> Option<String>) -> io::Result<Self> {
        let set = || ["HTTPS_PROXY", "https_proxy"].into_iter().find_map(&outside);
        let upstream = source.http.proxy.clone().or_else(|| set()?.parse().ok());
        let mut environment = BTreeMap::new();
        let limiter = source.max_bytes_per_s.map(|rate| Arc::new(Limiter::new(rate)));
        let secret = upstream.as_ref().is_some_and(ProxyAddress::has_secrets);
        let relay = if secret || limiter.is_some() {
            Some(Relay::start(upstream.clone(), limiter).await?)
        } else {
            None
        };
        let proxy = match (&relay, &upstream) {
            (Some(relay), _) => Some(relay.address()),
            (None, Some(upstream)) if source.http.proxy.is_some() => Some(upstream.to_string()),
            // The engine gets the environment's own.
            (None, _) => None,
        };
        if let Some(proxy) = proxy {
            for name in ["HTTPS_PROXY", "https_proxy"] {
                environment.insert(name.to_owned(), proxy.clone());
            }
            for name in ["NO_PROXY", "no_proxy"] {
                environment.insert(name.to_owned(), NOT_THROUGH_A_PROXY.to_owned());
            }
        }
        if let Some(ca_file) = &source.http.ca_file {
            environment.insert("SSL_CERT_FILE".to_owned(), ca_file.display().to_string());
        }
        let way = Self { environment, relay };
        tracing::debug!(relayed = way.relay.is_some(), "how the engine reaches its registry");
        Ok(way)
    }

    /// What the engine's environment says about it.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.environment.clone()
    }
}

/// The proxy on loopback.
#[derive(Debug)]
struct Relay {
    port: u16,
    password: String,
    accepting: JoinHandle<()>,
}

struct Rules {
    authorization: String,
    upstream: Option<ProxyAddress>,
    limiter: Option<Arc<Limiter>>,
}

impl Relay {
    async fn start(upstream: Option<ProxyAddress>, limiter: Option<Arc<Limiter>>) -> io::Result<Self> {
        let mut random = [0; 16];
        let provider = rustls::crypto::ring::default_provider();
        provider.secure_random.fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
        let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let port = listener.local_addr()?.port();
        let authorization = basic("acolyte", &password);
        let rules = Arc::new(Rules { authorization, upstream, limiter });
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let rules = Arc::clone(&rules);
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, &rules).await {
                        tracing::debug!(%error, "a connection of the engine ended");
                    }
                });
            }
        });
        Ok(Self { port, password, accepting })
    }

    fn address(&self) -> String {
        format!("http://acolyte:{}@127.0.0.1:{}", self.password, self.port)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection: `CONNECT HOST:PORT` and no other request.
async fn serve(mut client: TcpStream, rules: &Rules) -> io::Result<()> {
    let head = read_head(&mut client).await?;
    let mut lines = head.lines();
    let target =
        lines.next().and_then(|line| line.strip_prefix("CONNECT ")).and_then(|rest| rest.split(' ').next());
    let authorized = lines.filter_map(|line| line.split_once(':')).any(|(name, value)| {
        name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == rules.authorization
    });
    if !authorized {
        return refuse(client, "407 Proxy Authentication Required").await;
    }
    // What the target may hold is what a host and a port consist of: it becomes part of our own request.
    let plain = |target: &&str| {
        target.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']' | b'_')
        })
    };
    let Some(target) = target.filter(plain) else { return refuse(client, "405 Method Not Allowed").await };
    let mut server = match connect(target, rules).await {
        Ok(server) => server,
        Err(error) => {
            tracing::info!(%error, "the engine's connection could not be made");
            return refuse(client, "502 Bad Gateway").await;
        }
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = pump(&mut from_client, &mut to_server, None);
    let down = pump(&mut from_server, &mut to_client, rules.limiter.as_deref());
    tokio::try_join!(up, down).map(drop)
}

/// To the target, through the real proxy where there is one.
async fn connect(target: &str, rules: &Rules) -> io::Result<TcpStream> {
    let Some(upstream) = &rules.upstream else { return TcpStream::connect(target).await };
    let url = upstream.with_secrets();
    if url.scheme() != "http" {
        return Err(io::Error::other("only plain http can be spoken with a proxy that has a password"));
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let mut server = TcpStream::connect((host, url.port_or_known_default().unwrap_or(80))).await?;
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if upstream.has_secrets() {
        let password = percent_decoded(url.password().unwrap_or_default());
        let authorization = basic(&percent_decoded(url.username()), &password);
        head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    server.write_all(format!("{head}\r\n").as_bytes()).await?;
    let answer = read_head(&mut server).await?;
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    if status == "200" { Ok(server) } else { Err(io::Error::other(format!("the proxy answered {status}"))) }
}

/// Reads up to the empty line and not a byte further.
async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST_HEAD {
            return Err(io::Error::other("a request without an end"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    limiter: Option<&Limiter>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = from.read(&mut buffer).await?;
        if n == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..n]).await?;
        if let Some(limiter) = limiter {
            limiter.let_through(n).await;
        }
    }
}

async fn refuse(mut client: TcpStream, status: &str) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 {status}\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

/// RFC 7617.
fn basic(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = "Basic ".to_owned();
    for group in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let sixth = (bits >> (18 - 6 * digit)) & 63;
            encoded.push(if digit <= group.len() { char::from(DIGITS[sixth as usize]) } else { '=' });
        }
    }
    encoded
}

/// An address keeps what has a meaning in it as `%40`.
fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ollama::http::HttpOptions;
    use std::time::Instant;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn source(proxy: Option<&str>, rate: Option<u64>) -> Source {
        let http = HttpOptions { proxy: proxy.map(|proxy| proxy.parse().unwrap()), ca_file: None };
        Source { http, max_bytes_per_s: rate, ..Source::default() }
    }

    /// Accepts once: tells the head of the request, answers, and then says back what it hears.
    async fn far_end(answer: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = String::new();
            if !answer.is_empty() {
                head = read_head(&mut stream).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            let (mut read, mut write) = stream.split();
            let _hung_up = tokio::io::copy(&mut read, &mut write).await;
            head
        });
        (address, task)
    }

    async fn ask(relay: &Relay, password: &str, target: &str) -> (String, TcpStream) {
        let mut stream = TcpStream::connect(("127.0.0.1", relay.port)).await.unwrap();
        let authorization = basic("acolyte", password);
        let head = format!("CONNECT {target} HTTP/1.1\r\nProxy-Authorization: {authorization}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        (read_head(&mut stream).await.unwrap(), stream)
    }

    #[test]
    fn the_engine_never_sees_the_password_and_the_proxy_does() {
        block_on(async {
            let (address, proxy) = far_end("HTTP/1.1 200 fine\r\n\r\n").await;
            let way = WayOut::open(&source(Some(&format!("ana:s3cr%40t@{address}")), None), |_| None)
                .await
                .unwrap();
            let environment = format!("{:?}", way.environment());
            assert!(environment.contains("HTTPS_PROXY") && !environment.contains("s3cr"), "{environment}");
            let relay = way.relay.as_ref().unwrap();
            let (answer, mut stream) = ask(relay, &relay.password, "registry.example.org:443").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            stream.write_all(b"hello").await.unwrap();
            let mut said = [0; 5];
            stream.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"hello");
            drop(stream);
            let head = proxy.await.unwrap();
            assert!(head.starts_with("CONNECT registry.example.org:443 HTTP/1.1\r\n"), "{head}");
            assert!(head.contains(&basic("ana", "s3cr@t")), "{head}");
        });
    }

    #[test]
    fn nobody_else_can_use_it_and_it_only_connects() {
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
    fn a_proxy_that_refuses_is_an_answer_to_the_engine() {
        block_on(async {
            let (address, _proxy) = far_end("HTTP/1.1 403 no\r\n\r\n").await;
            let relay = Relay::start(Some(address.parse().unwrap()), None).await.unwrap();
            assert!(ask(&relay, &relay.password, "example.org:443").await.0.starts_with("HTTP/1.1 502"));
        });
    }

    #[test]
    fn the_rate_limit_holds_for_what_the_engine_fetches() {
        block_on(async {
            let (address, _end) = far_end("").await;
            let way = WayOut::open(&source(None, Some(200_000)), |_| None).await.unwrap();
            let relay = way.relay.as_ref().unwrap();
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
    fn where_nothing_is_hidden_or_held_down_the_engine_goes_its_own_way() {
        block_on(async {
            let env = |name: &str| (name == "HTTPS_PROXY").then(|| "http://proxy:3128".to_owned());
            assert_eq!(WayOut::open(&source(None, None), env).await.unwrap().environment(), BTreeMap::new());
            let named = WayOut::open(&source(Some("other:8080"), None), env).await.unwrap();
            assert_eq!(named.environment()["HTTPS_PROXY"], "http://other:8080");
            assert!(named.relay.is_none());
            let secret =
                |name: &str| (name == "https_proxy").then(|| "http://ana:s3cret@proxy:3128".to_owned());
            assert!(WayOut::open(&source(None, None), secret).await.unwrap().relay.is_some());
        });
    }

    #[test]
    fn passwords_are_written_as_the_specification_says() {
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("a", "b"), "Basic YTpi");
        assert_eq!(basic("test", "123£"), "Basic dGVzdDoxMjPCow==");
        assert_eq!(percent_decoded("a%40b%zz%"), "a@b%zz%");
    }
}
