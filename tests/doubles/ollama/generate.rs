//! `/api/generate`, `/api/chat`, `/v1/chat/completions` and `/api/ps`: loading, writing, unloading.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::api::wanted_model;
use crate::engine::{Options, Runner};
use crate::gguf::Gguf;
use crate::http::{self, Answer, LineSender};
use crate::log;
use crate::server::Server;
use crate::store::Model;

/// The model that is loaded.
pub struct Loaded {
    pub runner: Runner,
    name: String,
    digest: String,
    details: Value,
    keep_until: OffsetDateTime,
    users: u32,
}

/// Unloads the model when its keep-alive time is over.
pub async fn expire(server: Arc<Server>) {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut loaded = server.loaded.lock().await;
        let due = |l: &Loaded| l.users == 0 && l.keep_until <= OffsetDateTime::now_utc();
        if loaded.as_ref().is_some_and(due)
            && let Some(old) = loaded.take()
        {
            old.runner.stop().await;
        }
    }
}

/// `/api/ps`.
pub async fn ps(server: &Server) -> Answer {
    let loaded = server.loaded.lock().await;
    let models: Vec<Value> = loaded
        .iter()
        .map(|loaded| {
            let (size, size_vram) = loaded.runner.sizes();
            json!({
                "name": loaded.name, "model": loaded.name, "size": size, "digest": loaded.digest,
                "details": loaded.details, "expires_at": log::rfc3339(loaded.keep_until), "size_vram": size_vram,
                "context_length": loaded.runner.options.num_ctx,
            })
        })
        .collect();
    http::json(200, &json!({ "models": models }))
}

/// `/api/generate`.
pub async fn generate(body: Value, server: Arc<Server>) -> Answer {
    let model = match wanted_model(&body, &server) {
        Ok(model) => model,
        Err(answer) => return *answer,
    };
    let prompt = body["prompt"].as_str().unwrap_or_default().to_owned();
    if prompt.is_empty() && keep_alive(&body) == Some(Duration::ZERO) {
        if let Some(old) = server.loaded.lock().await.take() {
            old.runner.stop().await;
        }
        return http::json(200, &done(&body, "unload"));
    }
    let began = Instant::now();
    let (port, context) = match load(&model, &body, &server).await {
        Ok(there) => there,
        Err(message) => return http::error(500, &message),
    };
    let load_ns = nanoseconds(began.elapsed());
    if prompt.is_empty() {
        return http::json(200, &done(&body, "load"));
    }
    let wanted = json!({"prompt": cut(&prompt, &body, context), "stream": true,
                        "n_predict": body["options"]["num_predict"].as_i64().filter(|n| *n > 0).unwrap_or(128)});
    let url = format!("http://127.0.0.1:{port}/completion");
    let answer = match http::request("POST", &url, None, Some(&wanted)).await {
        Ok(answer) => answer,
        Err(e) => return http::error(500, &format!("an error was encountered while running the model: {e}")),
    };
    if answer.status() != 200 {
        let status = answer.status().as_u16();
        let bytes = http::collect(answer.into_body()).await.unwrap_or_default();
        return http::error(status, &String::from_utf8_lossy(&bytes));
    }
    let (to, streamed) = http::lines();
    let stream = body["stream"] != false;
    let written = write(answer.into_body(), body.clone(), began, load_ns, stream.then_some(to));
    let in_use = InUse::new(&server).await;
    if stream {
        tokio::spawn(async move {
            written.await.ok();
            in_use.end().await;
        });
        return streamed;
    }
    let answer = match written.await {
        Ok(last) => http::json(200, &last),
        Err(message) => http::error(500, &message),
    };
    in_use.end().await;
    answer
}

/// `/api/chat`: the messages are the prompt.
pub async fn chat(mut body: Value, server: Arc<Server>) -> Answer {
    let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
    let messages: Vec<String> = body["messages"].as_array().into_iter().flatten().map(text).collect();
    body["prompt"] = Value::String(messages.join("\n"));
    body["messages"] = json!([]);
    generate(body, server).await
}

/// `/v1/chat/completions`, without streaming.
pub async fn completions(body: &Value, server: Arc<Server>) -> Answer {
    if wanted_model(body, &server).is_err() {
        let message = format!("model '{}' not found", body["model"].as_str().unwrap_or_default());
        let error = json!({"message": message, "type": "not_found_error", "param": null, "code": null});
        return http::json(404, &json!({ "error": error }));
    }
    let asked = json!({"model": body["model"], "messages": body["messages"], "stream": false,
                       "options": {"num_predict": body["max_tokens"]}});
    let answer = chat(asked, server).await;
    let status = answer.status().as_u16();
    let bytes = http::collect(answer.into_body()).await.unwrap_or_default();
    let answered: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if status != 200 {
        return http::json(
            status,
            &json!({"error": {"message": answered["error"], "type": "api_error",
                                                    "param": null, "code": null}}),
        );
    }
    let (read, written) = (answered["prompt_eval_count"].as_u64(), answered["eval_count"].as_u64());
    http::json(
        200,
        &json!({
            "id": "chatcmpl-675", "object": "chat.completion", "created": OffsetDateTime::now_utc().unix_timestamp(),
            "model": body["model"], "system_fingerprint": "fp_ollama",
            "choices": [{"index": 0, "message": answered["message"], "finish_reason": answered["done_reason"]}],
            "usage": {"prompt_tokens": read, "completion_tokens": written,
                      "total_tokens": read.unwrap_or(0) + written.unwrap_or(0)},
        }),
    )
}

/// A line as `/api/generate` has it, or as `/api/chat` does: the text in a message, and no tokens of the context.
fn as_asked(body: &Value, mut line: Value) -> Value {
    if body["messages"].is_array()
        && let Some(line) = line.as_object_mut()
        && let Some(text) = line.remove("response")
    {
        line.remove("context");
        line.insert("message".to_owned(), json!({"role": "assistant", "content": text}));
    }
    line
}

/// Counts who uses the loaded model, so that it is not unloaded under them.
struct InUse(Arc<Server>);

impl InUse {
    async fn new(server: &Arc<Server>) -> Self {
        if let Some(loaded) = server.loaded.lock().await.as_mut() {
            loaded.users += 1;
        }
        Self(Arc::clone(server))
    }

    async fn end(self) {
        if let Some(loaded) = self.0.loaded.lock().await.as_mut() {
            loaded.users = loaded.users.saturating_sub(1);
        }
    }
}

/// Loads the model as requested if necessary; returns its runner's port and context.
async fn load(model: &Model, body: &Value, server: &Server) -> Result<(u16, u64), String> {
    let path = model.gguf_path().ok_or("model has no weights")?;
    let gguf = Gguf::read(&path)?;
    let request: Option<&Map<String, Value>> = body["options"].as_object();
    let options = Options::resolve(
        &model.params(),
        request,
        &gguf,
        server.default_context(),
        server.config.faults.context_clamped_to,
    )?;
    let keep = keep_alive(body).or_else(default_keep_alive).unwrap_or(Duration::from_secs(300));
    let now = OffsetDateTime::now_utc();
    let keep_until = now.checked_add(keep.try_into().unwrap_or(time::Duration::MAX)).unwrap_or(now + FOREVER);
    let mut loaded = server.loaded.lock().await;
    if let Some(there) = loaded.as_mut()
        && there.runner.gguf_path == path
        && there.runner.options == options
        && there.runner.alive().await
    {
        there.keep_until = keep_until;
        there.name = model.name.shortest();
        there.digest.clone_from(&model.digest);
        return Ok((there.runner.port, options.num_ctx));
    }
    if let Some(old) = loaded.take() {
        old.runner.stop().await;
    }
    let program = server.runner_program.as_ref().ok_or(
        "llama-server binary not found. Run 'cmake --preset cpu && cmake --build --preset cpu' first",
    )?;
    let runner = Runner::start(&server.config, program, &path, &options).await?;
    let port = runner.port;
    *loaded = Some(Loaded {
        runner,
        name: model.name.shortest(),
        digest: model.digest.clone(),
        details: model.details(),
        keep_until,
        users: 0,
    });
    Ok((port, options.num_ctx))
}

/// Expiry of the real server for "forever".
const FOREVER: time::Duration = time::Duration::days(365 * 292);

/// `keep_alive` of a request: seconds or "10m"; negative is forever.
fn keep_alive(body: &Value) -> Option<Duration> {
    match &body["keep_alive"] {
        Value::Number(seconds) => Some(seconds_or_forever(seconds.as_f64()?)),
        Value::String(text) => duration(text),
        _ => None,
    }
}

fn default_keep_alive() -> Option<Duration> {
    duration(&std::env::var("OLLAMA_KEEP_ALIVE").ok()?)
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || ".-".contains(c));
    let number: f64 = text[..text.len() - unit.len()].parse().ok()?;
    let seconds = match unit {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "ms" => 1e-3,
        _ => return None,
    };
    Some(seconds_or_forever(number * seconds))
}

fn seconds_or_forever(seconds: f64) -> Duration {
    let forever = FOREVER.unsigned_abs();
    if seconds < 0.0 { forever } else { Duration::try_from_secs_f64(seconds).unwrap_or(forever).min(forever) }
}

/// Silently truncates a prompt that is too long, unless the request forbids it.
fn cut(prompt: &str, body: &Value, context: u64) -> String {
    let words: Vec<&str> = prompt.split_inclusive(' ').collect();
    let limit = usize::try_from(context / 2 + 2).unwrap_or(usize::MAX);
    if body["truncate"] == false || words.len() + 9 < usize::try_from(context).unwrap_or(usize::MAX) {
        return prompt.to_owned();
    }
    let rest = format!("limit={limit} prompt={} keep=4 new={limit}", words.len());
    log::line("WARN", "llama_server.go:325", "truncating input prompt", &rest);
    words[words.len() - limit..].concat()
}

/// Forwards the runner's tokens and ends with the figures. Returns the last line, with the whole text.
async fn write(
    mut events: hyper::body::Incoming,
    body: Value,
    began: Instant,
    load_ns: u64,
    to: Option<LineSender>,
) -> Result<Value, String> {
    let mut buffer = String::new();
    let mut text = String::new();
    loop {
        let piece = match http::next_piece(&mut events).await {
            Ok(Some(piece)) => piece,
            Ok(None) | Err(_) => {
                let message = "an error was encountered while running the model: unexpected EOF";
                if let Some(to) = &to {
                    // The client may be gone as well.
                    drop(to.send(&json!({ "error": message })).await);
                }
                return Err(message.to_owned());
            }
        };
        buffer.push_str(&String::from_utf8_lossy(&piece));
        while let Some(end) = buffer.find("\n\n") {
            let event: String = buffer.drain(..end + 2).collect();
            let event: Value =
                serde_json::from_str(event.trim().trim_start_matches("data: ")).unwrap_or_default();
            if event["ends"] == true {
                return Err("the answer ended".to_owned());
            }
            if event["stop"] == true {
                let last = last_line(&body, &event, began, load_ns, if to.is_some() { "" } else { &text });
                if let Some(to) = &to {
                    // The client may be gone as well.
                    drop(to.send(&last).await);
                }
                return Ok(last);
            }
            let word = event["content"].as_str().unwrap_or_default();
            text.push_str(word);
            let line = json!({"model": body["model"], "created_at": log::timestamp(), "response": word, "done": false});
            let line = as_asked(&body, line);
            if let Some(to) = &to
                && to.send(&line).await.is_err()
            {
                return Err("client gone".to_owned());
            }
        }
    }
}

fn last_line(body: &Value, event: &Value, began: Instant, load_ns: u64, text: &str) -> Value {
    let ns = |key: &str| (event["timings"][key].as_f64().unwrap_or(0.0) * 1e6) as u64;
    let count = event["tokens_evaluated"].as_u64().unwrap_or(0);
    let line = json!({
        "model": body["model"], "created_at": log::timestamp(), "response": text, "done": true,
        "done_reason": "length", "context": (0..count.min(32)).collect::<Vec<_>>(),
        "total_duration": nanoseconds(began.elapsed()), "load_duration": load_ns,
        "prompt_eval_count": count, "prompt_eval_duration": ns("prompt_ms"),
        "eval_count": event["tokens_predicted"], "eval_duration": ns("predicted_ms"),
    });
    as_asked(body, line)
}

fn done(body: &Value, reason: &str) -> Value {
    let line = json!({"model": body["model"], "created_at": log::timestamp(), "response": "", "done": true,
                      "done_reason": reason});
    as_asked(body, line)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
