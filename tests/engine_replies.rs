//! The engine's client with recorded responses of a real server, and with invalid ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use acolyte::models::ModelTag;
use acolyte::ollama::client::{
    Client, ClientError, CreateParameters, CreateRequest, GenerateOptions, GenerateRequest,
};
use acolyte::ollama::replies::{Status, StatusLine};
use acolyte::platform::listening::{Listener, PortOwner};
use serde_json::Value;

/// Sends the same response to every request.
struct Server {
    port: u16,
    /// Connections so far.
    asked: Arc<AtomicUsize>,
}

/// How the body is sent.
#[derive(Clone, Copy)]
enum Body {
    /// In chunks of this many bytes.
    Pieces(usize),
    /// The body repeated without end.
    Endless,
    /// No body.
    Silent,
}

impl Server {
    fn new(status: u16, body: &str, how: Body) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let body = body.to_owned();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                // Some tests close the connection.
                let _hung_up = answer(stream, status, &body, how);
            }
        });
        Self { port, asked }
    }

    /// A recorded response of a real server.
    fn recorded(name: &str) -> Self {
        let (status, body) = recorded(name);
        Self::new(status, &body, Body::Pieces(7))
    }

    fn client(&self) -> Client {
        Client::new(self.port).unwrap()
    }
}

fn recorded(name: &str) -> (u16, String) {
    let path = format!("{}/tests/fixtures/ollama/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // Long recordings omit lines and mark it: "… 1873 lines like these …".
    let body = json["body"].as_str().unwrap().split_inclusive('\n').filter(|line| !line.starts_with('…'));
    (u16::try_from(json["status"].as_u64().unwrap()).unwrap(), body.collect())
}

fn answer(stream: TcpStream, status: u16, body: &str, how: Body) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    let mut out = stream;
    write!(out, "HTTP/1.1 {status} Said\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")?;
    let mut send = |piece: &[u8]| -> std::io::Result<()> {
        write!(out, "{:x}\r\n", piece.len())?;
        out.write_all(piece)?;
        out.write_all(b"\r\n")?;
        out.flush()
    };
    match how {
        Body::Pieces(size) => {
            for piece in body.as_bytes().chunks(size) {
                send(piece)?;
            }
            out.write_all(b"0\r\n\r\n")
        }
        Body::Endless => loop {
            send(body.as_bytes())?;
        },
        Body::Silent => {
            // Wait until the client closes the connection.
            out.read(&mut [0; 1]).map(drop)
        }
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn pull(server: &Server) -> (Result<(), ClientError>, Vec<StatusLine>) {
    let mut lines = Vec::new();
    let result = run(server.client().pull(&tag("m"), true, |line| lines.push(line.clone())));
    (result, lines)
}

fn refusal(error: ClientError) -> (u16, String) {
    match error {
        ClientError::Refused { status, message, .. } => (status, message.into()),
        other => panic!("{other:?}"),
    }
}

fn tag(text: &str) -> ModelTag {
    ModelTag::parse(text).unwrap()
}

fn prompt() -> GenerateRequest {
    GenerateRequest {
        model: tag("acolyte:latest"),
        prompt: "hi".to_owned(),
        raw: true,
        truncate: false,
        options: GenerateOptions { num_predict: 8, seed: 1, temperature: 0.0 },
    }
}

/// The port changes hands: before a request nothing is sent, after it nothing is believed.
#[test]
fn only_our_own_server_is_asked_and_believed() {
    let stranger =
        || Listener::Other(PortOwner { name: Some("evil".into()), pid: Some(7), ..PortOwner::default() });
    let guarded = |server: &Server, holders: Vec<Listener>| {
        let holders = Mutex::new(holders.into_iter());
        let port = server.port;
        Client::of_own_server(port, move |asked| {
            assert_eq!(asked, port);
            holders.lock().unwrap().next().unwrap()
        })
        .unwrap()
    };
    let version = |holders: Vec<Listener>| {
        let server = Server::recorded("version");
        let answer = run(guarded(&server, holders).version());
        (answer, server.asked.load(Ordering::SeqCst))
    };
    for holder in [Listener::Ours, Listener::Unknown] {
        let (answer, asked) = version(vec![holder.clone(), holder]);
        assert_eq!((answer.unwrap(), asked), ("0.32.15".into(), 1));
    }
    let (answer, asked) = version(vec![stranger()]);
    assert!(matches!(&answer, Err(ClientError::Stranger { by, .. }) if by.pid == Some(7)), "{answer:?}");
    assert_eq!(asked, 0, "it was asked");
    let (answer, asked) = version(vec![Listener::Ours, stranger()]);
    assert!(matches!(&answer, Err(ClientError::Stranger { .. })), "{answer:?}");
    assert_eq!(asked, 1);
    let (answer, asked) = version(vec![Listener::Nobody]);
    assert!(matches!(&answer, Err(ClientError::NotListening { .. })), "{answer:?}");
    assert_eq!(asked, 0);

    // Every other call.
    let server = Server::recorded("version");
    let client = guarded(&server, vec![stranger(); 10]);
    let parameters =
        CreateParameters { num_ctx: 32_768, num_batch: Some(512), ..CreateParameters::default() };
    let request = CreateRequest { model: tag("m"), from: tag("base"), parameters };
    let (model, prompt) = (tag("m"), prompt());
    let refused: [Result<(), ClientError>; 10] = run(async {
        [
            client.tags().await.map(drop),
            client.ps().await.map(drop),
            client.show(&model).await.map(drop),
            client.pull(&model, true, |_| ()).await,
            client.create(&request, |_| ()).await,
            client.load(&model, Duration::from_secs(1)).await,
            client.unload(&model).await,
            client.generate(&prompt, Duration::from_secs(1), |_| ()).await.map(drop),
            client.copy(&model, &model).await,
            client.delete(&model).await.map(drop),
        ]
    });
    for (call, answer) in refused.iter().enumerate() {
        assert!(matches!(answer, Err(ClientError::Stranger { .. })), "call {call}: {answer:?}");
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 0, "a stranger was asked");
}

#[test]
fn a_pull_succeeds_only_by_its_last_line() {
    for name in ["pull", "pull-again", "pull-resumed"] {
        let (result, lines) = pull(&Server::recorded(name));
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(lines.last().unwrap().status, Status::Success, "{name}");
        assert!(lines.iter().any(|line| line.total == 253_113_024), "{name}");
        assert!(lines.iter().any(|line| line.status == Status::Verifying), "{name}");
    }
    let whole = recorded("pull").1;
    let cut = &whole[..whole.find("{\"status\":\"success\"").unwrap()];
    let (result, lines) = pull(&Server::new(200, cut, Body::Pieces(1000)));
    assert!(matches!(result, Err(ClientError::EndedEarly { .. })), "{result:?}");
    assert_eq!(lines.last().unwrap().status, Status::Other);
}

#[test]
fn errors_inside_a_stream_have_the_servers_message() {
    for (name, words) in [
        ("pull-missing", "file does not exist"),
        ("pull-no-registry", "connection refused"),
        ("pull-http-refused", "does not look like a TLS handshake"),
        ("pull-disk-full", "no space left on device"),
        ("pull-digest-mismatch", "digest mismatch, file must be downloaded again"),
        ("pull-stalled-then-registry-gone", "max retries exceeded"),
    ] {
        let (status, message) = refusal(pull(&Server::recorded(name)).0.unwrap_err());
        assert_eq!(status, 200, "{name}");
        assert!(message.contains(words), "{name}: {message}");
    }
    let (status, _) = refusal(pull(&Server::recorded("pull-bad-name")).0.unwrap_err());
    assert_eq!(status, 400);
}

#[test]
fn created_parameters_can_be_read() {
    let parameters =
        CreateParameters { num_ctx: 32_768, num_batch: Some(512), ..CreateParameters::default() };
    let request = CreateRequest { model: tag("acolyte:latest"), from: tag("base"), parameters };
    assert_eq!(
        serde_json::to_string(&request.parameters).unwrap(),
        r#"{"num_ctx":32768,"num_gpu":0,"num_batch":512}"#,
        "numbers: the engine takes texts in silence and fails when it loads"
    );
    run(Server::recorded("create").client().create(&request, |_| ())).unwrap();
    let error = run(Server::recorded("create-missing-base").client().create(&request, |_| ())).unwrap_err();
    assert!(refusal(error).1.contains("no such host"));

    let shown = run(Server::recorded("show").client().show(&tag("acolyte:latest"))).unwrap();
    assert_eq!(shown.parameter("num_ctx"), Some("32768"));
    assert_eq!(shown.parameter("num_gpu"), Some("0"));
    assert_eq!(shown.parameter("num_batch"), Some("512"));
    assert_eq!(shown.parameter("num"), None, "names are compared completely");
    assert_eq!(shown.trained_context_tokens(), Some(32_768));
    assert_eq!(shown.block_count(), Some(18));
    let error = run(Server::recorded("show-missing").client().show(&tag("none:latest"))).unwrap_err();
    assert_eq!(refusal(error), (404, "model 'none:latest' not found".to_owned()));
}

#[test]
fn loading_succeeds_or_has_a_reason() {
    let limit = Duration::from_secs(60);
    for name in ["load", "load-q8_0", "load-num-gpu-999", "load-num-ctx-65536"] {
        run(Server::recorded(name).client().load(&tag("acolyte:latest"), limit)).unwrap();
    }
    let error = run(Server::recorded("load-bad-kv-type").client().load(&tag("m"), limit)).unwrap_err();
    assert_eq!(refusal(error), (500, "llama-server process has terminated: exit status 1".to_owned()));
    let name = "load-quantized-kv-without-flash-attention";
    let error = run(Server::recorded(name).client().load(&tag("m"), limit)).unwrap_err();
    assert!(refusal(error).1.contains("requires flash_attn"));
}

#[test]
fn loaded_models_are_read_from_the_server() {
    let loaded = run(Server::recorded("ps-loaded").client().ps()).unwrap();
    assert_eq!((loaded[0].name.as_str(), loaded[0].context_length), ("acolyte:latest", 32_768));
    let clamped = run(Server::recorded("ps-clamped").client().ps()).unwrap();
    assert_eq!(clamped[0].context_length, 32_768, "65,536 were requested");
    assert_eq!(run(Server::recorded("ps-num-gpu-999").client().ps()).unwrap()[0].size_vram, 0);
    assert!(run(Server::recorded("ps-empty").client().ps()).unwrap().is_empty());
    assert_eq!(run(Server::recorded("version").client().version()).unwrap(), "0.32.15");
    assert_eq!(
        run(Server::recorded("tags").client().tags()).unwrap()[0].name,
        "127.0.0.1:5055/acolyte/gemma3:270m"
    );
}

#[test]
fn a_response_is_streamed_and_ends_with_its_figures() {
    let limit = Duration::from_secs(60);
    let mut said = String::new();
    let server = Server::recorded("generate-stream");
    let last = run(server.client().generate(&prompt(), limit, |line| said.push_str(&line.response))).unwrap();
    assert!(said.starts_with("Write a haiku about the sea."), "{said}");
    assert_eq!((last.done_reason.as_deref(), last.eval_count), (Some("length"), 12));
    assert!(last.prompt_eval_duration > 0 && last.eval_duration > 0);

    let died = Server::recorded("generate-runner-killed-midway");
    let mut pieces = 0;
    let error = run(died.client().generate(&prompt(), limit, |_| pieces += 1)).unwrap_err();
    assert!(pieces > 10, "earlier parts are passed on");
    assert!(refusal(error).1.contains("unexpected EOF"));

    let long = Server::recorded("generate-context-too-long");
    let (status, message) = refusal(run(long.client().generate(&prompt(), limit, |_| ())).unwrap_err());
    assert_eq!(status, 400);
    assert!(
        message.starts_with("request (33010 tokens) exceeds"),
        "taken out of JSON inside JSON: {message}"
    );

    let whole = recorded("generate-stream").1;
    let cut = Server::new(200, &whole[..whole.len() / 2], Body::Pieces(50));
    let error = run(cut.client().generate(&prompt(), limit, |_| ())).unwrap_err();
    assert!(matches!(error, ClientError::Unreadable { .. } | ClientError::EndedEarly { .. }), "{error:?}");
}

#[test]
fn deleting_a_missing_model_is_not_an_error() {
    assert!(run(Server::recorded("delete").client().delete(&tag("m"))).unwrap());
    assert!(!run(Server::recorded("delete-missing").client().delete(&tag("m"))).unwrap());
}

#[test]
fn an_unexpected_server_is_an_error_and_not_a_hang() {
    let (status, body) = recorded("host-header-refused");
    let error = run(Server::new(status, &body, Body::Pieces(1)).client().tags()).unwrap_err();
    assert_eq!(refusal(error), (403, "Forbidden".to_owned()));

    let page = Server::new(200, "<html>hello</html>", Body::Pieces(4));
    assert!(matches!(run(page.client().version()), Err(ClientError::Unreadable { .. })));

    let endless = Server::new(200, &"x".repeat(64 * 1024), Body::Endless);
    assert!(matches!(pull(&endless).0, Err(ClientError::Unreadable { .. })), "a line without end");

    let lines = Server::new(200, "{\"status\":\"pulling manifest\"}\n", Body::Endless);
    let client = lines.client().with_stream_limit(1 << 20);
    let error = run(client.pull(&tag("m"), true, |_| ())).unwrap_err();
    assert!(matches!(error, ClientError::Unreadable { .. }), "lines without end: {error:?}");

    let silent = Server::new(200, "", Body::Silent);
    let error = run(silent.client().load(&tag("m"), Duration::from_millis(200))).unwrap_err();
    assert!(matches!(error, ClientError::Silent { .. }), "{error:?}");

    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let error = run(Client::new(nobody).unwrap().version()).unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { port, .. } if port == nobody), "{error:?}");
}

/// Control characters in a server's error are escaped, and the error is still classified.
#[test]
fn a_servers_messages_are_escaped() {
    let error = "llama-server failed, retrying without pipeline parallelism\ncudaMalloc failed: out of memory \u{1b}[2J\u{202e}";
    let server = Server::new(500, &serde_json::json!({ "error": error }).to_string(), Body::Pieces(7));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(server.client().ps()).unwrap_err();
    let message = refused.server_message().unwrap();
    assert!(
        message.contains(r"\u{1b}[2J\u{202e}") && !message.contains(['\u{1b}', '\u{202e}', '\n']),
        "{message:?}"
    );
    let explained = refused.explain(acolyte::text::Text::new(acolyte::text::Language::English));
    assert!(explained.contains(r"\u{202e}") && !explained.contains(['\u{1b}', '\u{202e}']), "{explained:?}");
    assert_eq!(refused.failure(), Some(acolyte::ollama::failure::EngineFailure::OutOfMemory));
    let versions = Server::new(200, "{\"version\": \"1\u{202e}2\"}", Body::Pieces(7));
    assert_eq!(runtime.block_on(versions.client().version()).unwrap(), r"1\u{202e}2");
}
