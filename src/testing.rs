//! An HTTP server on loopback whose answers, including faulty ones, are chosen by the test.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A received request.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    /// Path with query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// Number of earlier requests.
    pub earlier: usize,
}

impl ReceivedRequest {
    /// First byte and, if given, last byte of the requested range.
    pub fn range(&self) -> Option<(usize, Option<usize>)> {
        let (first, last) = self.headers.get("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }
}

/// An answer and its faults.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers besides the length.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// A wrong `Content-Length`.
    pub declared: Option<usize>,
    /// Send no length: the body ends when the connection closes.
    pub until_close: bool,
    /// Close the connection after this many bytes of the body.
    pub cut_after: Option<usize>,
    /// Send nothing after this many bytes of the body, but keep the connection open.
    pub stall_after: Option<usize>,
    /// Rate in bytes per second.
    pub pace: Option<usize>,
}

impl Reply {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A redirect.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self { status: 307, headers: vec![("Location", to.into())], ..Self::default() }
    }

    /// A whole body.
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, body: body.into(), ..Self::default() }
    }

    /// The answer of a correct server for a file: ranges, and the whole file if it has changed (`If-Range`).
    pub fn file(request: &ReceivedRequest, content: &[u8], etag: &str) -> Self {
        let tag = ("ETag", format!("\"{etag}\""));
        let same = request.headers.get("if-range").is_none_or(|known| *known == tag.1);
        match request.range().filter(|_| same) {
            Some((first, _)) if first >= content.len() => Self {
                status: 416,
                headers: vec![tag, ("Content-Range", format!("bytes */{}", content.len()))],
                ..Self::default()
            },
            Some((first, last)) => {
                let last = last.unwrap_or(usize::MAX).min(content.len() - 1);
                let range = format!("bytes {first}-{last}/{}", content.len());
                let headers = vec![tag, ("Content-Range", range)];
                Self { status: 206, headers, body: content[first..=last].to_vec(), ..Self::default() }
            }
            None => Self { status: 200, headers: vec![tag], body: content.to_vec(), ..Self::default() },
        }
    }
}

/// The server; stops when dropped.
pub struct TestServer {
    scheme: &'static str,
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl TestServer {
    /// Starts on a free port of loopback.
    pub fn start(answer: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with("http", answer, |stream, answer, log| serve(stream, answer, log))
    }

    /// Starts with TLS, with a certificate for 127.0.0.1 of the authority in `tests/data/tls/authority.pem`.
    pub fn start_encrypted(answer: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static) -> Self {
        let config = tls_config();
        Self::start_with("https", answer, move |stream, answer, log| {
            let session =
                rustls::ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
            serve(rustls::StreamOwned::new(session, stream), answer, log)
        })
    }

    /// As [`TestServer::start_encrypted`], and answers requests without TLS too, as many servers do with an error.
    pub fn start_encrypted_or_plain(
        answer: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        /// First byte of a TLS handshake.
        const HANDSHAKE: u8 = 0x16;
        let config = tls_config();
        Self::start_with("https", answer, move |stream, answer, log| {
            let mut first = [0];
            if stream.peek(&mut first)? == 1 && first[0] != HANDSHAKE {
                return serve(stream, answer, log);
            }
            let session =
                rustls::ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
            serve(rustls::StreamOwned::new(session, stream), answer, log)
        })
    }

    fn start_with(
        scheme: &'static str,
        answer: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static,
        speak: impl Fn(
            &TcpStream,
            &dyn Fn(&ReceivedRequest) -> Reply,
            &Mutex<Vec<ReceivedRequest>>,
        ) -> std::io::Result<()>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let (both, log, open) = (Arc::new((answer, speak)), Arc::clone(&requests), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let (both, log) = (Arc::clone(&both), Arc::clone(&log));
                std::thread::spawn(move || {
                    // Many tests close the connection.
                    let _ = both.1(&stream, &both.0, &log);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { scheme, address, requests, connections }
    }

    /// URL of a path on it.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}://{}{path}", self.scheme, self.address)).unwrap()
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().unwrap().clone()
    }
}

fn tls_config() -> Arc<rustls::ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tests/data/tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tests/data/tls/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

impl Drop for TestServer {
    fn drop(&mut self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn serve(
    stream: impl Read + Write,
    answer: &dyn Fn(&ReceivedRequest) -> Reply,
    log: &Mutex<Vec<ReceivedRequest>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let request = {
            let mut log = log.lock().unwrap();
            let request = ReceivedRequest { path, headers, earlier: log.len() };
            log.push(request.clone());
            request
        };
        let reply = answer(&request);
        let mut head = format!("HTTP/1.1 {} Test\r\n", reply.status);
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if reply.until_close {
            head.push_str("Connection: close\r\n\r\n");
        } else {
            head.push_str(&format!("Content-Length: {}\r\n\r\n", reply.declared.unwrap_or(reply.body.len())));
        }
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes())?;
        let end = reply.cut_after.or(reply.stall_after).unwrap_or(usize::MAX).min(reply.body.len());
        send(stream, &reply.body[..end], reply.pace)?;
        if reply.stall_after.is_some_and(|after| after <= reply.body.len()) {
            // Wait until the client closes the connection.
            let mut nothing = [0];
            while reader.read(&mut nothing)? > 0 {}
            return Ok(());
        }
        if reply.cut_after.is_some() || reply.until_close || reply.declared.is_some() {
            return Ok(());
        }
    }
}

fn send(stream: &mut impl Write, body: &[u8], pace: Option<usize>) -> std::io::Result<()> {
    let Some(pace) = pace else { return stream.write_all(body) };
    // Twenty chunks per second, in real time, because the client measures with its own clock.
    for piece in body.chunks((pace / 20).max(1)) {
        stream.write_all(piece)?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
