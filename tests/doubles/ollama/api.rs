//! The HTTP API: which path answers what.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, header};
use serde_json::{Value, json};

use crate::breaks;
use crate::config::Break;
use crate::create;
use crate::generate;
use crate::gguf::Gguf;
use crate::http::{self, Answer};
use crate::log;
use crate::names::Name;
use crate::pull::{PullError, Puller};
use crate::server::Server;
use crate::store::Model;

/// Answers one request.
pub async fn answer(request: Request<Incoming>, server: Arc<Server>, own: SocketAddr) -> Answer {
    if !origin_is_allowed(&request) || own.ip().is_loopback() && !host_is_allowed(&request) {
        return http::text(403, "", "");
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    match (&method, path.as_str()) {
        (&Method::GET | &Method::HEAD, "/") => {
            return http::text(200, "text/plain; charset=utf-8", "Ollama is running");
        }
        (&Method::GET | &Method::HEAD, "/api/version") => {
            if let Some(broken) = broken(&server, "version") {
                return breaks::answer(broken).await;
            }
            return http::json(200, &json!({"version": server.config.version}));
        }
        (&Method::GET | &Method::HEAD, "/api/tags") => return tags(&server),
        (&Method::GET, "/api/ps") => return generate::ps(&server).await,
        (&Method::POST | &Method::DELETE, _) => {}
        _ => return http::text(404, "text/plain", "404 page not found"),
    }
    let bytes = http::collect(request.into_body()).await.unwrap_or_default();
    let body: Value = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(e) => return http::error(400, &format!("invalid request: {e}")),
    };
    if let Some(broken) = broken(&server, request_name(&path, &body)) {
        return breaks::answer(broken).await;
    }
    match (&method, path.as_str()) {
        (&Method::POST, "/api/pull") => pull(&body, server).await,
        (&Method::POST, "/api/create") => create::create(&body, server).await,
        (&Method::POST, "/api/show") => show(&body, &server),
        (&Method::POST, "/api/copy") => copy(&body, &server),
        (&Method::POST, "/api/generate") => generate::generate(body, server).await,
        (&Method::POST, "/api/chat") => generate::chat(body, server).await,
        (&Method::POST, "/v1/chat/completions") => generate::completions(&body, server).await,
        (&Method::DELETE, "/api/delete") => delete(&body, &server),
        _ => http::text(404, "text/plain", "404 page not found"),
    }
}

/// The fault of this answer, if any.
fn broken(server: &Server, name: &str) -> Option<Break> {
    server.config.faults.breaks.get(name).copied()
}

/// The name of a request in the configuration of faults.
fn request_name<'a>(path: &'a str, body: &Value) -> &'a str {
    match path.trim_start_matches("/api/") {
        "generate" if body["keep_alive"] == 0 => "unload",
        "generate" if body["prompt"].as_str().unwrap_or_default().is_empty() => "load",
        name => name,
    }
}

/// Of web pages only those of this computer are answered, and those that programs show in a window of their own. What is
/// no page has no origin. Ollama's `envconfig/config.go`.
fn origin_is_allowed(request: &Request<Incoming>) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = header(header::ORIGIN) else { return true };
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    match scheme {
        "app" | "file" | "tauri" | "vscode-webview" | "vscode-file" => true,
        "http" | "https" => {
            let name = rest.split_once(':').map_or(rest, |(name, _port)| name);
            ["localhost", "127.0.0.1", "0.0.0.0"].contains(&name) || header(header::HOST) == Some(rest)
        }
        _ => false,
    }
}

/// On loopback only local host names are accepted, against DNS rebinding.
fn host_is_allowed(request: &Request<Incoming>) -> bool {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => {
            name.is_empty()
                || name == "localhost"
                || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end))
        }
    }
}

/// The model named by a request, or an error answer.
pub fn wanted_name(body: &Value) -> Result<Name, Box<Answer>> {
    let text = body["model"].as_str().or(body["name"].as_str()).unwrap_or_default();
    Name::parse(text).ok_or_else(|| Box::new(http::error(400, "invalid model name")))
}

/// A stored model, or an error answer.
pub fn wanted_model(body: &Value, server: &Server) -> Result<Model, Box<Answer>> {
    let name = wanted_name(body)?;
    let missing = || format!("model '{}' not found", body["model"].as_str().unwrap_or_default());
    server.store.model(&name).ok_or_else(|| Box::new(http::error(404, &missing())))
}

fn tags(server: &Server) -> Answer {
    let models: Vec<Value> = server
        .store
        .models()
        .iter()
        .map(|model| {
            let mut details = model.details();
            if let Some(gguf) = model.gguf_path().and_then(|path| Gguf::read(&path).ok()) {
                details["context_length"] = json!(gguf.trained_context());
                details["embedding_length"] = json!(gguf.number("embedding_length"));
            }
            json!({
                "name": model.name.shortest(), "model": model.name.shortest(),
                "modified_at": log::rfc3339(model.modified_at()), "size": model.size(), "digest": model.digest,
                "details": details, "capabilities": ["completion"],
            })
        })
        .collect();
    http::json(200, &json!({ "models": models }))
}

async fn pull(body: &Value, server: Arc<Server>) -> Answer {
    let name = match wanted_name(body) {
        Ok(name) => name,
        Err(answer) => return *answer,
    };
    let insecure = body["insecure"] == true;
    let (to, answer) = http::lines();
    tokio::spawn(async move {
        let puller = Puller {
            config: Arc::clone(&server.config),
            store: server.store.clone(),
            stop: server.stop.clone(),
        };
        let pulled = puller.pull(&name, insecure, &to).await;
        let pulled =
            pulled.and_then(|()| server.file_in_use("pull").map_or(Ok(()), |e| Err(PullError::Reported(e))));
        let last = match pulled {
            Ok(()) if server.config.faults.pull_without_success => return,
            Ok(()) => json!({"status": "success"}),
            Err(PullError::Reported(message)) => json!({ "error": message }),
            Err(PullError::Cancelled) => return,
        };
        // The client may be gone.
        drop(to.send(&last).await);
    });
    answer
}

fn show(body: &Value, server: &Server) -> Answer {
    let model = match wanted_model(body, server) {
        Ok(model) => model,
        Err(answer) => return *answer,
    };
    let path = model.gguf_path().unwrap_or_default();
    let gguf = match Gguf::read(&path) {
        Ok(gguf) => gguf,
        Err(e) => return http::error(500, &e),
    };
    // The real server iterates over a map: reverse the order to detect code that relies on it.
    let params = model.params();
    let parameters: Vec<String> =
        params.iter().rev().flat_map(|(name, value)| parameter_lines(name, value)).collect();
    let tensors: Vec<Value> =
        gguf.tensors.iter().map(|t| json!({"name": t.name, "type": t.type_name, "shape": t.shape})).collect();
    let mut details = model.details();
    details["parent_model"] = json!(model.parent());
    let modelfile: String = params
        .iter()
        .fold(
            format!(
                "# Modelfile generated by \"ollama show\"\n# To build a new Modelfile based on this, replace FROM \
                 with:\n# FROM {}\n\nFROM {}\nTEMPLATE {}\n",
                model.name.shortest(),
                path.display(),
                model.template()
            ),
            |text, (name, value)| text + &format!("PARAMETER {name} {value}\n"),
        );
    let mut shown = json!({
        "modelfile": modelfile, "parameters": parameters.join("\n"), "template": model.template(),
        "details": details, "model_info": gguf.meta, "tensors": tensors, "capabilities": ["completion"],
        "modified_at": log::rfc3339(model.modified_at()),
    });
    if !model.system().is_empty() {
        shown["system"] = json!(model.system());
    }
    http::json(200, &shown)
}

/// One name and value per line, one line per list item, as printed by Go.
fn parameter_lines(name: &str, value: &Value) -> Vec<String> {
    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    values
        .iter()
        .map(|value| match value.as_f64() {
            Some(number) => format!("{name:<30} {number}"),
            None => format!("{name:<30} {value}"),
        })
        .collect()
}

fn copy(body: &Value, server: &Server) -> Answer {
    let named = |key: &str| body[key].as_str().and_then(Name::parse);
    let (Some(from), Some(to)) = (named("source"), named("destination")) else {
        return http::error(400, "invalid model name");
    };
    let Some(model) = server.store.model(&from) else {
        return http::error(404, &format!("model {:?} not found", from.shortest()));
    };
    if let Some(message) = server.file_in_use("copy") {
        return http::error(500, &message);
    }
    match server.store.write_manifest(&to, &model.json) {
        Ok(()) => http::text(200, "", ""),
        Err(e) => http::error(500, &e),
    }
}

fn delete(body: &Value, server: &Server) -> Answer {
    match wanted_model(body, server) {
        Ok(model) => {
            server.store.remove(&model.name);
            http::text(200, "", "")
        }
        Err(answer) => *answer,
    }
}
