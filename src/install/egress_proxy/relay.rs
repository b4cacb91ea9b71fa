//! A proxy on loopback that forwards to the real one.
//!
//! Implemented without hyper: one method, no bodies, and raw streams on both sides afterwards, for which hyper would
//! need a service, an upgrade and an adapter on each side.
//!
//! Any local user can connect to it, so unauthenticated connections are few and short-lived: above the limit the oldest
//! one is closed. They do not count against the limit for the engine's connections.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio_rustls::TlsConnector;

use crate::install::fetch::Limiter;
use crate::ollama::http::ProxyAddress;

/// Maximum size of the head of a request or of a proxy's response, in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// The proxy on loopback; stops when dropped.
#[derive(Debug)]
pub struct Relay {
    /// Port it listens on.
    pub port: u16,
    /// Password it requires.
    pub password: String,
    accepting: JoinHandle<()>,
}

/// What the relay requires of a connection, and its connection to the real proxy.
pub(super) struct RelayRules {
    pub authorization: String,
    pub upstream: Option<Upstream>,
    pub limiter: Option<Arc<Limiter>>,
    pub limits: RelayLimits,
}

/// How many connections the relay holds, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct RelayLimits {
    /// Connections that have not authenticated yet.
    pub handshakes: usize,
    /// How long such a connection may take to send its request.
    pub handshake: Duration,
    /// Connections that have authenticated.
    pub tunnels: usize,
    /// Timeout for connecting to the target.
    pub connect: Duration,
}

/// 64 connections in total. The engine downloads over 16 at a time.
pub(super) const LIMITS: RelayLimits = RelayLimits {
    handshakes: 32,
    handshake: Duration::from_secs(10),
    tunnels: 32,
    connect: Duration::from_secs(30),
};

/// Wait before accepting again after an error: no file descriptor or memory is left.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// The real proxy.
pub struct Upstream {
    /// Its address, with user name and password.
    pub address: ProxyAddress,
    /// Trusted certificates, for a proxy that is itself reached over https.
    pub tls: Arc<rustls::ClientConfig>,
}

impl Relay {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When it cannot listen, or the system has no random numbers.
    pub async fn start(upstream: Option<Upstream>, limiter: Option<Arc<Limiter>>) -> io::Result<Self> {
        Self::start_with(upstream, limiter, LIMITS).await
    }

    /// As [`Relay::start`], with other limits.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub(super) async fn start_with(
        upstream: Option<Upstream>,
        limiter: Option<Arc<Limiter>>,
        limits: RelayLimits,
    ) -> io::Result<Self> {
        let mut random = [0; 16];
        let provider = rustls::crypto::ring::default_provider();
        provider.secure_random.fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
        let password = hex::encode(random);
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let port = listener.local_addr()?.port();
        let authorization = basic("acolyte", &password);
        let rules = Arc::new(RelayRules { authorization, upstream, limiter, limits });
        let accepting = tokio::spawn(async move {
            accept(|cx| listener.poll_accept(cx).map_ok(|(stream, _)| stream), &rules).await;
        });
        Ok(Self { port, password, accepting })
    }

    /// The proxy URL for the engine.
    pub fn address(&self) -> String {
        format!("http://acolyte:{}@127.0.0.1:{}", self.password, self.port)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An authenticated connection and its target.
struct Authenticated {
    client: TcpStream,
    target: String,
}

/// Accepts and serves connections until it is dropped, which closes them all.
pub(super) async fn accept(
    mut next: impl FnMut(&mut Context<'_>) -> Poll<io::Result<TcpStream>>,
    rules: &Arc<RelayRules>,
) {
    let mut handshakes: JoinSet<io::Result<Option<Authenticated>>> = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    let mut tunnels: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            // Finished handshakes first, so that an authenticated connection is not closed as idle.
            biased;
            Some(_) = tunnels.join_next() => {}
            Some(done) = handshakes.join_next() => match done {
                Ok(Ok(Some(authenticated))) if tunnels.len() < rules.limits.tunnels => {
                    let rules = Arc::clone(rules);
                    tunnels.spawn(async move {
                        if let Err(error) = tunnel(authenticated, &rules).await {
                            tracing::debug!(%error, "a connection of the engine ended");
                        }
                    });
                }
                Ok(Ok(Some(authenticated))) => {
                    // Too many tunnels are open; the engine retries.
                    tunnels.spawn(async move {
                        let _hung_up = refuse(authenticated.client, "503 Service Unavailable").await;
                    });
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a connection ended before it authenticated"),
                // Closed in favour of a newer one.
                Err(_aborted) => {}
            },
            accepted = poll_fn(&mut next) => match accepted {
                Ok(stream) => {
                    oldest_first.retain(|handshake| !handshake.is_finished());
                    if oldest_first.len() >= rules.limits.handshakes
                        && let Some(oldest) = oldest_first.pop_front()
                    {
                        oldest.abort();
                    }
                    let rules = Arc::clone(rules);
                    oldest_first.push_back(handshakes.spawn(async move {
                        let limit = rules.limits.handshake;
                        let timed_out = |_| io::Error::from(io::ErrorKind::TimedOut);
                        tokio::time::timeout(limit, authenticate(stream, &rules)).await.map_err(timed_out)?
                    }));
                }
                Err(error) => {
                    tracing::warn!(%error, "the relay cannot accept a connection");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            },
        }
    }
}

/// Reads a request; accepts only `CONNECT HOST:PORT`. Returns `None` when it was refused.
async fn authenticate(mut client: TcpStream, rules: &RelayRules) -> io::Result<Option<Authenticated>> {
    let head = read_head(&mut client).await?;
    let mut lines = head.lines();
    let target =
        lines.next().and_then(|line| line.strip_prefix("CONNECT ")).and_then(|rest| rest.split(' ').next());
    let authorized = lines.filter_map(|line| line.split_once(':')).any(|(name, value)| {
        name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == rules.authorization
    });
    if !authorized {
        refuse(client, "407 Proxy Authentication Required").await?;
        return Ok(None);
    }
    // The target becomes part of our own request: allow only characters of a host and a port.
    let plain = |target: &&str| {
        target.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']' | b'_')
        })
    };
    let Some(target) = target.filter(plain).map(str::to_owned) else {
        refuse(client, "405 Method Not Allowed").await?;
        return Ok(None);
    };
    Ok(Some(Authenticated { client, target }))
}

/// Connects to the target and forwards data in both directions.
async fn tunnel(Authenticated { mut client, target }: Authenticated, rules: &RelayRules) -> io::Result<()> {
    let connected = match tokio::time::timeout(rules.limits.connect, connect(&target, rules)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    let server = match connected {
        Ok(server) => server,
        Err(error) => {
            tracing::info!(%error, "the engine's connection could not be made");
            // The engine repeats the status in its message.
            let is_login = error.kind() == io::ErrorKind::PermissionDenied;
            let status = if is_login { "407 Proxy Authentication Required" } else { "502 Bad Gateway" };
            return refuse(client, status).await;
        }
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let up = pump(&mut from_client, &mut to_server, None);
    let down = pump(&mut from_server, &mut to_client, rules.limiter.as_deref());
    tokio::try_join!(up, down).map(drop)
}

/// A connection, encrypted or not.
trait Pipe: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Pipe for T {}

/// Connects to the target, through the real proxy where there is one.
async fn connect(target: &str, rules: &RelayRules) -> io::Result<Box<dyn Pipe>> {
    let Some(upstream) = &rules.upstream else { return Ok(Box::new(TcpStream::connect(target).await?)) };
    let url = upstream.address.with_secrets();
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let plain = TcpStream::connect((host, url.port_or_known_default().unwrap_or(80))).await?;
    let mut server: Box<dyn Pipe> = match url.scheme() {
        "http" => Box::new(plain),
        "https" => {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            Box::new(TlsConnector::from(Arc::clone(&upstream.tls)).connect(name, plain).await?)
        }
        other => return Err(io::Error::other(format!("a proxy cannot be reached over {other}"))),
    };
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if upstream.address.has_secrets() {
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let authorization = basic(&decoded(url.username()), &decoded(url.password().unwrap_or_default()));
        head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    server.write_all(format!("{head}\r\n").as_bytes()).await?;
    server.flush().await?;
    let answer = read_head(&mut server).await?;
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    let refused = format!("the proxy answered {status}");
    match status.as_str() {
        "200" => Ok(server),
        "407" => Err(io::Error::new(io::ErrorKind::PermissionDenied, refused)),
        _ => Err(io::Error::other(refused)),
    }
}

/// Reads up to and including the empty line, and no further byte.
///
/// # Errors
/// When the connection ends or fails before the empty line, or the head is too long.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD_BYTES {
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
        to.flush().await?;
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
pub(super) fn basic(user: &str, password: &str) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {encoded}")
}
