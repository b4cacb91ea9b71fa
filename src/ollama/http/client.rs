//! A client for remote hosts, which can say what stands between it and a server.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use reqwest::header::DATE;
use reqwest::{Response, Url};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::causes::causes;
use super::certificate::CertificateProblem;
use super::obstacle::{NetworkObstacle, ProxyLogin};
use super::routes::ProxyRoutes;

/// Timeout of a question that only makes a message better.
const ASK_LIMIT: Duration = Duration::from_secs(3);
/// Maximum size of the head of a proxy's answer, in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// What the HTTP library says where a proxy opens no tunnel. Its type is private, and has no headers.
const NO_TUNNEL: [&str; 2] = ["tunnel error: proxy authorization required", "tunnel error: unsuccessful"];

/// A client for remote hosts. Does not follow redirects.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    routes: Arc<ProxyRoutes>,
}

impl Deref for HttpClient {
    type Target = reqwest::Client;

    fn deref(&self) -> &reqwest::Client {
        &self.client
    }
}

impl HttpClient {
    pub(super) fn new(client: reqwest::Client, routes: Arc<ProxyRoutes>) -> Self {
        Self { client, routes }
    }

    /// What stood in the way of a request that failed; `None` for a network that does not answer. Asks the proxy for its
    /// schemes, or a server for its time, where that is not known: up to 3 s.
    pub async fn obstacle(&self, url: &Url, error: &reqwest::Error) -> Option<NetworkObstacle> {
        if causes(error).any(|cause| NO_TUNNEL.contains(&cause.to_string().as_str())) {
            let proxy = self.routes.proxy_for(url)?;
            return tokio::time::timeout(ASK_LIMIT, obstacle_at(&proxy, url)).await.ok()?;
        }
        let mut problem = CertificateProblem::in_causes_of(error)?;
        if problem.is_about_time() {
            problem = problem.with_server_clock(self.clock_of(url).await);
        }
        Some(NetworkObstacle::Certificate { host: url.host_str().unwrap_or_default().to_owned(), problem })
    }

    /// What answered in place of the server, by an answer's status and headers.
    pub fn obstacle_in(&self, answer: &Response) -> Option<NetworkObstacle> {
        let refused_password = self.routes.proxy_for(answer.url()).is_some_and(|proxy| has_password(&proxy));
        NetworkObstacle::in_answer(answer, refused_password)
    }

    /// The time of a server, by its answer without encryption: at the usual port, or at its own, where many servers refuse
    /// the request with an answer that has a date. Used for a message only.
    async fn clock_of(&self, url: &Url) -> Option<u64> {
        let mut plain = url.clone();
        plain.set_scheme("http").ok()?;
        plain.set_port(url.port()).ok()?;
        plain.set_path("/");
        plain.set_query(None);
        let answer = self.client.head(plain).timeout(ASK_LIMIT).send().await.ok()?;
        let date = answer.headers().get(DATE)?.to_str().ok()?;
        let time = OffsetDateTime::parse(date, &Rfc2822).ok()?;
        u64::try_from(time.unix_timestamp()).ok()
    }
}

fn has_password(proxy: &Url) -> bool {
    !proxy.username().is_empty() || proxy.password().is_some()
}

/// Asks a proxy for a tunnel, as the HTTP library did: what it says of authentication, or a filter in its place.
async fn obstacle_at(proxy: &Url, target: &Url) -> Option<NetworkObstacle> {
    if proxy.scheme() != "http" {
        // The library said that it requires authentication, or that it refuses.
        return None;
    }
    let host = proxy.host_str()?.trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, proxy.port_or_known_default()?)).await.ok()?;
    let target = format!("{}:{}", target.host_str()?, target.port_or_known_default()?);
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if has_password(proxy) {
        head.push_str(&format!("Proxy-Authorization: {}\r\n", basic(proxy)));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") && answer.len() < MAX_HEAD_BYTES {
        answer.push(stream.read_u8().await.ok()?);
    }
    let answer = String::from_utf8_lossy(&answer);
    let mut lines = answer.lines();
    let status = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let values = |name: &str| -> Vec<String> {
        let named = headers.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| (*value).to_owned()).collect()
    };
    let is_page = values("content-type").iter().any(|kind| kind.starts_with("text/html"));
    match status.as_str() {
        "407" => {
            let login = ProxyLogin::of_values(values("proxy-authenticate"), has_password(proxy));
            Some(NetworkObstacle::ProxyLogin(login))
        }
        "302" | "303" | "307" | "511" => Some(NetworkObstacle::SignInPage { host: host.to_owned() }),
        "200" | "403" | "451" if is_page => Some(NetworkObstacle::SignInPage { host: host.to_owned() }),
        _ => None,
    }
}

/// RFC 7617.
fn basic(proxy: &Url) -> String {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(proxy.username()), decoded(proxy.password().unwrap_or_default()));
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {encoded}")
}
