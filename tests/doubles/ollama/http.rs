//! HTTP server and client helpers of the stand-in.

use std::io;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

pub use crate::body::{Piece, PieceBody};

pub type Answer = Response<PieceBody>;

/// A text with a status.
pub fn text(status: u16, content_type: &'static str, text: &str) -> Answer {
    let mut response = Response::new(PieceBody::full(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !content_type.is_empty() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

/// A JSON document with a status.
pub fn json(status: u16, value: &Value) -> Answer {
    text(status, "application/json; charset=utf-8", &value.to_string())
}

/// `{"error": …}`.
pub fn error(status: u16, message: &str) -> Answer {
    json(status, &serde_json::json!({ "error": message }))
}

/// A stream of JSON lines, to be fed through the sender.
pub fn lines() -> (LineSender, Answer) {
    let (sender, body) = PieceBody::new();
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    (LineSender(sender), response)
}

/// Sends JSON lines.
#[derive(Clone)]
pub struct LineSender(mpsc::Sender<Piece>);

/// The client went away.
pub struct Gone;

impl LineSender {
    pub async fn send(&self, value: &Value) -> Result<(), Gone> {
        self.0.send(Ok(Bytes::from(format!("{value}\n")))).await.map_err(|_| Gone)
    }

    /// Resolves when the client goes away.
    pub async fn gone(&self) {
        self.0.closed().await;
    }
}

/// Sends a request to an `http://` address and returns the answer, whatever its status.
pub async fn request(
    method: &str,
    url: &str,
    range: Option<&str>,
    body: Option<&Value>,
) -> io::Result<Response<Incoming>> {
    let uri: Uri = url.parse().map_err(io::Error::other)?;
    let host = uri.host().ok_or_else(|| io::Error::other("no host"))?;
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host, port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // A broken connection is reported to the reader of the answer.
    tokio::spawn(async move { drop(connection.await) });
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let mut builder =
        Request::builder().method(method).uri(path).header(header::HOST, format!("{host}:{port}"));
    if let Some(range) = range {
        builder = builder.header(header::RANGE, range);
    }
    let bytes = body.map_or_else(Bytes::new, |b| Bytes::from(b.to_string()));
    let request = builder.body(Full::new(bytes)).map_err(io::Error::other)?;
    sender.send_request(request).await.map_err(io::Error::other)
}

/// The next piece of an answer's body; `None` at its end.
pub async fn next_piece(body: &mut Incoming) -> io::Result<Option<Bytes>> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(e)) => return Err(io::Error::other(e)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The whole of an answer's body.
pub async fn collect<B>(body: B) -> io::Result<Bytes>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Ok(body.collect().await.map_err(io::Error::other)?.to_bytes())
}
