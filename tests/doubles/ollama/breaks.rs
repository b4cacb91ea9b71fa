//! Answers that break, on request.

use hyper::body::Bytes;
use serde_json::json;

use crate::config::Break;
use crate::http::{self, Answer, PieceBody};

/// The broken answer.
pub async fn answer(broken: Break) -> Answer {
    match broken {
        Break::Hang => std::future::pending().await,
        Break::Exit => std::process::exit(3),
        Break::Error => {
            http::error(500, "something went wrong, please see the ollama server logs for details")
        }
        Break::Missing => http::error(404, "model not found"),
        Break::Disconnect => {
            let (sender, body) = PieceBody::new();
            // The body was just made and holds more than two pieces: neither can fail.
            let _ = sender.try_send(Ok(Bytes::from_static(b"{\"status\":")));
            let _ = sender.try_send(Err(std::io::ErrorKind::ConnectionReset.into()));
            hyper::Response::new(body)
        }
        Break::Malformed => http::text(200, "application/x-ndjson", "{\"status\":\"pulling\",,\n"),
        Break::ErrorLine => {
            let line = json!({"error": "an error was encountered while running the model: unexpected EOF"});
            http::text(200, "application/x-ndjson", &format!("{line}\n"))
        }
        Break::NoLastLine => {
            let line = json!({"status": "pulling manifest", "response": "a", "done": false});
            http::text(200, "application/x-ndjson", &format!("{line}\n"))
        }
    }
}
