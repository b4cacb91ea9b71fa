//! Checks the stand-in for Ollama: its responses must have the shapes of a real server's recorded ones.
//!
//! Recordings: `tests/fixtures/ollama`, from Ollama 0.32.15. A shape is the set of keys with the types of their
//! values, line by line; values differ with machine and model.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use acolyte::hardware::engines::{Places, find};
use acolyte::hardware::model_folders;
use acolyte::machine::EngineKind;
use common::archive::fake_ollama;
use common::gguf::Shape;
use common::mirror::{ALWAYS, Fault, Mirror};
use common::process::{Signal, below, output, signal};
use common::recordings::{recorded, same_shape, statuses};
use common::server::{Server, last_line, put};
use serde_json::{Value, json};

/// Detects the server, its stored and loaded models, and model files without the server.
#[test]
fn detection_finds_a_server_and_its_models() {
    let mirror = Mirror::start().unwrap();
    let gpu = json!({"gpu": {"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 7800}});
    let server = Server::start(&gpu, &[]);
    server.with_model(&mirror, &Shape::tiny(), &json!({"num_ctx": 32768, "num_gpu": 99}));
    server.post("/api/generate", &json!({"model": "acolyte:latest"}));

    let home = tempfile::tempdir().unwrap();
    let places = Places {
        servers: vec![SocketAddr::from(([127, 0, 0, 1], server.port))],
        folders: vec![server.folder.path().join("bin")],
        ..Places::default()
    };
    let found = find(&places, home.path());
    let of_kind = |kind: EngineKind| found.iter().find(|engine| engine.kind == kind).unwrap();
    let running = of_kind(EngineKind::Server);
    assert_eq!((running.port, running.version.as_deref()), (Some(server.port), Some("0.32.15")));
    assert_eq!(running.exposed, Some(false));
    let loaded: Vec<&str> = running.loaded.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(loaded, ["acolyte:latest"]);
    assert!(running.loaded[0].vram_bytes.is_some_and(|bytes| bytes > 0), "{running:?}");
    assert!(of_kind(EngineKind::Binary).path.as_ref().unwrap().starts_with(server.folder.path()));

    let mut asked: Vec<(String, Option<u64>)> =
        running.models.iter().map(|model| (model.name.to_string(), model.size_bytes)).collect();
    asked.sort();
    let [on_disk] = &model_folders::read(&[server.folder.path().join("models")])[..] else {
        panic!("no models on the disk")
    };
    let read: Vec<(String, Option<u64>)> =
        on_disk.models.iter().map(|model| (model.name.to_string(), model.size_bytes)).collect();
    assert_eq!(asked, read, "server and folder agree");
    assert_eq!(read.len(), 2);
    assert!(on_disk.total_bytes < read.iter().filter_map(|(_, bytes)| *bytes).sum(), "layers are shared");
}

/// Which origins are rejected, and which are accepted (docs/security.md).
#[test]
fn origins_and_hosts_are_accepted_as_recorded() {
    let server = Server::start(&json!({}), &[]);
    let path = common::fixture("ollama/origins.json");
    let recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for asked in recording["asked"].as_array().unwrap() {
        let headers = asked["headers"].as_object().unwrap();
        let own_host = ("Host", "127.0.0.1");
        let given = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        let host = if headers.contains_key("Host") { None } else { Some(own_host) };
        let lines: String = given.chain(host).map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (status, body) = server.ask_with(&lines, "GET", "/api/tags", None);
        assert_eq!(u64::from(status), asked["status"], "{asked}: {body}");
        assert!(status == 200 || body.is_empty(), "{asked}: {body}");
    }
}

#[test]
fn answers_have_the_recorded_shapes() {
    let mirror = Mirror::start().unwrap();
    let environment = [("OLLAMA_KV_CACHE_TYPE", "q8_0"), ("OLLAMA_FLASH_ATTENTION", "1")];
    // Slow prompt processing, so that repeated processing is detected.
    let server = Server::start(&json!({"prefill_tokens_per_s": 200}), &environment);
    same_shape("root", &server.ask("GET", "/", None));
    same_shape("version", &server.ask("GET", "/api/version", None));
    same_shape("tags-empty", &server.ask("GET", "/api/tags", None));
    same_shape("ps-empty", &server.ask("GET", "/api/ps", None));
    same_shape("not-found-path", &server.ask("GET", "/api/nothing", None));
    same_shape("host-header-refused", &server.ask_as("evil.example", "GET", "/api/tags", None));

    let name = put(&mirror, &Shape::tiny());
    // Slow enough for a progress line every 60 ms.
    mirror.limit_rate(8 << 20);
    let pull = json!({"model": name, "insecure": true});
    let pulled = server.post("/api/pull", &pull);
    same_shape("pull", &pulled);
    assert_eq!(statuses(&pulled.1), statuses(&recorded("pull").body));
    let again = server.post("/api/pull", &pull);
    same_shape("pull-again", &again);
    assert_eq!(statuses(&again.1), statuses(&recorded("pull-again").body));
    same_shape("tags", &server.ask("GET", "/api/tags", None));

    let parameters = json!({"num_ctx": 32768, "num_gpu": 0, "num_batch": 512, "temperature": 0.2});
    let create = json!({"model": "acolyte:latest", "from": name, "parameters": parameters});
    let created = server.post("/api/create", &create);
    same_shape("create", &created);
    assert_eq!(statuses(&created.1), statuses(&recorded("create").body));
    let mut quietly = create.clone();
    quietly["stream"] = json!(false);
    same_shape("create-again", &server.post("/api/create", &quietly));
    let shown = server.post("/api/show", &json!({"model": "acolyte:latest"}));
    same_shape("show", &shown);
    let parameters = |body: &str| -> BTreeSet<String> {
        let shown: Value = serde_json::from_str(body).unwrap();
        shown["parameters"].as_str().unwrap().lines().map(str::to_owned).collect()
    };
    assert_eq!(parameters(&shown.1), parameters(&recorded("show").body));

    same_shape("load", &server.post("/api/generate", &json!({"model": "acolyte:latest"})));
    same_shape("ps-loaded", &server.ask("GET", "/api/ps", None));
    let mut prompt = json!({"model": "acolyte:latest", "prompt": "Write a haiku about the sea.",
                            "options": {"num_predict": 12, "seed": 1}});
    let streamed = server.post("/api/generate", &prompt);
    same_shape("generate-stream", &streamed);
    assert_eq!(last_line(&streamed.1)["prompt_eval_count"], 17, "the real server's token count");
    assert_eq!(streamed.1.lines().count(), 13);
    prompt["stream"] = json!(false);
    let repeated = server.post("/api/generate", &prompt);
    same_shape("generate", &repeated);
    assert_eq!(last_line(&repeated.1)["prompt_eval_count"], 17);
    assert!(
        last_line(&repeated.1)["prompt_eval_duration"].as_u64()
            < last_line(&streamed.1)["prompt_eval_duration"].as_u64(),
        "a cached prompt is not processed again"
    );
    let long = json!({"model": "acolyte:latest", "prompt": "word ".repeat(33_000), "stream": false,
                      "truncate": false, "shift": false, "options": {"num_predict": 1}});
    let refused = server.post("/api/generate", &long);
    let inner =
        |body: &str| -> Value { serde_json::from_str(last_line(body)["error"].as_str().unwrap()).unwrap() };
    let expected = recorded("generate-context-too-long");
    assert_eq!((refused.0, inner(&refused.1)), (expected.status, inner(&expected.body)));

    same_shape(
        "copy",
        &server.post("/api/copy", &json!({"source": "acolyte:latest", "destination": "acolyte:previous"})),
    );
    let previous = json!({"model": "acolyte:previous"});
    same_shape("delete", &server.ask("DELETE", "/api/delete", Some(&previous)));
    let missing = server.ask("DELETE", "/api/delete", Some(&previous));
    assert_eq!(missing, (404, recorded("delete-missing").body));
    let chat = json!({"model": "acolyte:latest", "messages": [{"role": "user", "content": "Say hello"}],
                      "stream": false, "options": {"num_predict": 3}});
    same_shape("chat", &server.post("/api/chat", &chat));
    let chat = json!({"model": "acolyte:latest", "messages": [{"role": "user", "content": "Say hello"}],
                      "max_tokens": 3});
    same_shape("chat-completions", &server.post("/v1/chat/completions", &chat));
    let missing = json!({"model": "nope", "messages": [{"role": "user", "content": "x"}]});
    same_shape("chat-completions-missing", &server.post("/v1/chat/completions", &missing));
    let unload = json!({"model": "acolyte:latest", "keep_alive": 0});
    same_shape("unload", &server.post("/api/generate", &unload));
    same_shape("ps-unloaded", &server.ask("GET", "/api/ps", None));
    let none = json!({"model": "none:latest", "prompt": "hi"});
    assert_eq!(server.post("/api/generate", &none), (404, recorded("generate-missing").body));
    assert_eq!(
        server.post("/api/show", &json!({"model": "none:latest"})),
        (404, recorded("show-missing").body)
    );
}

#[test]
fn create_accepts_invalid_options_and_load_does_not() {
    let mirror = Mirror::start().unwrap();
    let mut server = Server::start(&json!({}), &[]);
    server.with_model(&mirror, &Shape::tiny(), &json!({"num_ctx": "many"}));
    let load = json!({"model": "acolyte:latest"});
    let (status, body) = server.post("/api/generate", &load);
    assert_eq!(status, 500, "{body}");
    assert_eq!(last_line(&body)["error"], "option \"num_ctx\" must be of type integer");

    server.with_model(&mirror, &Shape::tiny(), &json!({"low_vram": true, "num_ctx": 65536, "num_gpu": 999}));
    assert_eq!(server.post("/api/generate", &load).0, 200);
    server.wait_for_line("invalid option provided");
    server.wait_for_line("requested context size too large for model");
    let ps: Value = serde_json::from_str(&server.ask("GET", "/api/ps", None).1).unwrap();
    assert_eq!(ps["models"][0]["context_length"], 32_768, "silently clamped");
    assert_eq!(ps["models"][0]["size_vram"], 0, "no GPU, whatever num_gpu says");
}

#[test]
fn pulls_fail_as_recorded() {
    let mirror = Mirror::start().unwrap();
    let server = Server::start(&json!({"pull_retry_s": 0.01}), &[]);
    let pull = |model: String| server.post("/api/pull", &json!({"model": model, "insecure": true}));
    assert_eq!(pull("???".to_owned()), (400, recorded("pull-bad-name").body));
    assert_eq!(pull(format!("{}/acolyte/none:1b", mirror.host())), (200, recorded("pull-missing").body));
    let name = put(&mirror, &Shape::tiny());
    let encrypted = server.post("/api/pull", &json!({"model": name, "stream": true}));
    same_shape("pull-http-refused", &encrypted);
    assert!(encrypted.1.contains("first record does not look like a TLS handshake"));
    let nowhere = server.post("/api/create", &json!({"model": "x:latest", "from": "nothere:1b"}));
    assert_eq!(nowhere, (200, recorded("create-missing-base").body), "to the letter");

    let digest = common::mirror::sha256_hex(&Shape::tiny().file());
    mirror.fault(&format!("/v2/acolyte/tiny/blobs/sha256:{digest}"), Fault::NoRedirect, ALWAYS);
    let kept = pull(name.clone());
    assert_eq!(last_line(&kept.1), json!({"error": "http: no Location header in response"}));
    mirror.heal();
    mirror.fault(&Mirror::blob_path(&digest), Fault::Flip(1_000_000), 1);
    let broken = pull(name.clone());
    assert!(
        last_line(&broken.1)["error"]
            .as_str()
            .unwrap()
            .starts_with("digest mismatch, file must be downloaded again")
    );
    let blob = server.folder.path().join(format!("models/blobs/sha256-{digest}"));
    assert!(!blob.exists(), "a broken blob is deleted whole");
    mirror.fault(&Mirror::blob_path(&digest), Fault::Disconnect(500_000), 2);
    assert_eq!(last_line(&pull(name).1), json!({"status": "success"}), "a cut connection is retried");
    assert!(blob.exists());
    let ranges: Vec<_> = mirror.requests().into_iter().filter_map(|r| r.range).collect();
    assert!(ranges.iter().any(|range| range.starts_with("bytes=500000-")), "it resumes: {ranges:?}");
}

#[test]
fn a_cancelled_pull_resumes() {
    let mirror = Mirror::start().unwrap();
    let server = Server::start(&json!({}), &[]);
    let name = put(&mirror, &Shape::tiny());
    let digest = common::mirror::sha256_hex(&Shape::tiny().file());
    mirror.fault(&Mirror::blob_path(&digest), Fault::Stall(1_000_000), 1);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let body = json!({"model": name, "insecure": true}).to_string();
    write!(
        stream,
        "POST /api/pull HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.contains("\"completed\":1000000,") {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0);
    }
    drop(reader);
    let note = server.folder.path().join(format!("models/blobs/sha256-{digest}-partial-0"));
    let written = wait_until(|| {
        let note: Value = serde_json::from_slice(&std::fs::read(&note).ok()?).ok()?;
        note["Completed"].as_u64().filter(|done| *done > 0)
    });
    assert_eq!(written, 1_000_000);
    let (_, body) = server.post("/api/pull", &json!({"model": name, "insecure": true}));
    assert_eq!(last_line(&body), json!({"status": "success"}));
    assert!(
        mirror.requests().iter().any(|r| r.range.as_deref().is_some_and(|r| r.starts_with("bytes=1000000-")))
    );
}

#[test]
fn the_log_of_a_load_is_as_recorded() {
    let mirror = Mirror::start().unwrap();
    let environment = [("OLLAMA_KV_CACHE_TYPE", "q8_0"), ("OLLAMA_FLASH_ATTENTION", "1")];
    let mut server = Server::start(&json!({}), &environment);
    server.with_model(&mirror, &Shape::tiny(), &json!({"num_ctx": 32768, "num_gpu": 0, "num_batch": 512}));
    assert_eq!(server.post("/api/generate", &json!({"model": "acolyte:latest"})).0, 200);
    server.wait_for_line("llama-server started in");
    let recorded = std::fs::read_to_string(common::fixture("ollama/server-log-load-q8_0-cpu.log")).unwrap();
    // Every kind of line that evidence is parsed from, with figures replaced.
    let kinds = [
        "server config",
        "Listening on",
        "inference compute",
        "starting llama-server",
        "model buffer size",
        "llama_context: n_ctx  ",
        "llama_context: flash_attn",
        "KV buffer size",
        "llama_kv_cache: size",
        "compute buffer size",
    ];
    for kind in kinds {
        let theirs = recorded.lines().find(|line| line.contains(kind)).unwrap();
        let ours = server.logged.iter().find(|line| line.contains(kind));
        let ours = ours.unwrap_or_else(|| panic!("no line {kind:?} in {:#?}", server.logged));
        if !theirs.starts_with("time=") {
            assert_eq!(blank(ours), blank(theirs));
        }
    }
    let arguments = |text: &str| -> Vec<String> {
        let line = text.lines().find(|l| l.contains("starting llama-server")).unwrap();
        let from = line.find("--host").unwrap();
        line[from..].split(' ').map(str::to_owned).collect()
    };
    assert_eq!(arguments(&server.logged.join("\n")), arguments(&recorded), "the same command line");
    assert!(server.logged.iter().all(|line| !line.contains("offloaded")), "no such line without a GPU");
    let child = below(server.folder.path()).into_iter().find(|id| *id != server.process.0.id()).unwrap();
    let cmdline = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap();
    assert!(cmdline.contains("--cache-type-k\0q8_0\0"), "{cmdline:?}");
}

/// Replaces each figure with `#` and each run of spaces with one.
fn blank(line: &str) -> String {
    let hashed: String = line.chars().map(|c| if c.is_ascii_digit() || c == '.' { '#' } else { c }).collect();
    let mut text = String::new();
    for c in hashed.chars() {
        if !((c == '#' || c == ' ') && text.ends_with(c)) {
            text.push(c);
        }
    }
    text.replace("( #", "(#").replace(" CPU", "CPU")
}

#[test]
fn refused_cache_types_fail_the_load_as_recorded() {
    let mirror = Mirror::start().unwrap();
    let load = json!({"model": "acolyte:latest"});
    let mut server = Server::start(&json!({}), &[("OLLAMA_KV_CACHE_TYPE", "q8")]);
    server.with_model(&mirror, &Shape::tiny(), &json!({"num_gpu": 0}));
    assert_eq!(server.post("/api/generate", &load), (500, recorded("load-bad-kv-type").body));
    server.wait_for_line("Unsupported cache type: q8");
    let off = [("OLLAMA_KV_CACHE_TYPE", "q8_0"), ("OLLAMA_FLASH_ATTENTION", "0")];
    let server = Server::start(&json!({}), &off);
    server.with_model(&mirror, &Shape::tiny(), &json!({"num_gpu": 0}));
    let refused = server.post("/api/generate", &load);
    assert_eq!(refused, (500, recorded("load-quantized-kv-without-flash-attention").body));
}

#[test]
fn layers_are_put_on_the_gpu_until_it_is_full() {
    let mirror = Mirror::start().unwrap();
    let gpu =
        json!({"gpu": {"name": "NVIDIA GeForce RTX 3060 Laptop GPU", "total_mib": 6144, "free_mib": 5200}});
    let mut server = Server::start(&gpu, &[("OLLAMA_KV_CACHE_TYPE", "q8_0")]);
    server.with_model(
        &mirror,
        &Shape::qwen_7b(),
        &json!({"num_ctx": 32768, "num_batch": 512, "num_gpu": 29}),
    );
    let (status, body) = server.post("/api/generate", &json!({"model": "acolyte:latest"}));
    assert_eq!(status, 500);
    assert!(body.contains("cudaMalloc failed: out of memory"), "{body}");
    let fewer = json!({"model": "acolyte:latest", "options": {"num_gpu": 20}});
    assert_eq!(server.post("/api/generate", &fewer).0, 200);
    server.wait_for_line("offloaded 20/29 layers to GPU");
    server.wait_for_line("CUDA0 KV buffer size");
    let ps: Value = serde_json::from_str(&server.ask("GET", "/api/ps", None).1).unwrap();
    let bytes = |key: &str| ps["models"][0][key].as_u64().unwrap();
    assert!(bytes("size_vram") > 3 << 30 && bytes("size_vram") < bytes("size"), "{ps}");
}

#[test]
fn a_killed_server_leaves_its_runner_and_a_stopped_one_does_not() {
    let mirror = Mirror::start().unwrap();
    for (stop, left) in [(Signal::Terminate, 0), (Signal::Kill, 1)] {
        let mut server = Server::start(&json!({}), &[]);
        server.with_model(&mirror, &Shape::tiny(), &json!({}));
        assert_eq!(server.post("/api/generate", &json!({"model": "acolyte:latest"})).0, 200);
        assert_eq!(below(server.folder.path()).len(), 2);
        assert!(signal(server.process.0.id(), stop));
        let status = server.process.wait().unwrap();
        assert_eq!(status.code(), (stop == Signal::Terminate).then_some(0));
        assert_eq!(below(server.folder.path()).len(), left, "{stop:?}");
    }
}

#[test]
fn a_killed_runner_breaks_the_answer_and_is_started_again() {
    let mirror = Mirror::start().unwrap();
    let server = Server::start(&json!({"faults": {"runner_dies_after_tokens": 5}}), &[]);
    server.with_model(&mirror, &Shape::tiny(), &json!({}));
    let prompt = json!({"model": "acolyte:latest", "prompt": "Count", "options": {"num_predict": 20}});
    let (status, body) = server.post("/api/generate", &prompt);
    assert_eq!((status, last_line(&body)), (200, last_line(&recorded("generate-runner-killed-midway").body)));
    let short = json!({"model": "acolyte:latest", "prompt": "Count", "options": {"num_predict": 3}});
    assert_eq!(
        last_line(&server.post("/api/generate", &short).1)["done"],
        true,
        "it works without any message"
    );
}

#[test]
fn a_taken_port_is_reported_as_recorded() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let models = tempfile::tempdir().unwrap();
    let output = output(
        Command::new(fake_ollama())
            .arg("serve")
            .env("OLLAMA_HOST", address.to_string())
            .env("OLLAMA_MODELS", models.path()),
    );
    let recorded = std::fs::read_to_string(common::fixture("ollama/serve-port-taken.txt")).unwrap();
    let (code, said) = recorded.trim_end().split_once('\n').unwrap();
    assert_eq!(format!("exit {}", output.status.code().unwrap()), code);
    assert_eq!(
        String::from_utf8(output.stderr).unwrap().trim_end(),
        said.replace("127.0.0.1:42436", &address.to_string())
    );
}

#[test]
fn archives_contain_a_releases_files() {
    use common::archive::{Format, engine_archive};
    let folder = tempfile::tempdir().unwrap();
    for format in Format::ALL {
        let into: PathBuf = folder.path().join(format.suffix());
        let bytes = engine_archive(format, &json!({"version": "0.32.15"}));
        unpack(format, &bytes, &into);
        let output = output(Command::new(into.join("bin/ollama")).arg("--version"));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "ollama version is 0.32.15\n");
        let link = std::fs::read_link(into.join("lib/ollama/libggml-base.so.0")).unwrap();
        assert_eq!(link, Path::new("libggml-base.so.0.0.1"));
    }
}

fn unpack(format: common::archive::Format, bytes: &[u8], into: &Path) {
    use common::archive::Format;
    match format {
        Format::TarZst => tar::Archive::new(zstd::Decoder::new(bytes).unwrap()).unpack(into).unwrap(),
        Format::Tgz => tar::Archive::new(flate2::read::GzDecoder::new(bytes)).unpack(into).unwrap(),
        Format::Zip => zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap().extract(into).unwrap(),
    }
}

/// Polls the state of other processes until there is a result.
fn wait_until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed().as_secs() < 20, "it did not happen in 20 s");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
