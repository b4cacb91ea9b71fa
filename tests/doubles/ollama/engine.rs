//! The loaded model: starting its runner, reading its log, unloading it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::config::Config;
use crate::gguf::Gguf;
use crate::http;
use crate::log;

/// The runner options of a request or a model, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub num_ctx: u64,
    pub num_batch: u64,
    pub num_gpu: i64,
    pub num_thread: u64,
    pub use_mmap: Option<bool>,
    pub draft_num_predict: u64,
}

/// Integer options; anything else in their place fails at load.
const INTEGERS: [&str; 6] = ["num_ctx", "num_batch", "num_gpu", "num_thread", "main_gpu", "num_predict"];
/// What the server knows besides.
const OTHERS: [&str; 14] = [
    "num_keep",
    "seed",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "repeat_last_n",
    "temperature",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "use_mmap",
    "draft_num_predict",
];

impl Options {
    /// Merges the model's parameters with a request's. Unknown names are only logged.
    pub fn resolve(
        params: &Map<String, Value>,
        request: Option<&Map<String, Value>>,
        gguf: &Gguf,
        default_context: u64,
        clamped_to: Option<u64>,
    ) -> Result<Self, String> {
        let mut merged = params.clone();
        merged.extend(request.cloned().unwrap_or_default());
        for (name, value) in &merged {
            if INTEGERS.contains(&name.as_str()) && value.as_f64().is_none() {
                return Err(format!("option {name:?} must be of type integer"));
            }
            if !INTEGERS.contains(&name.as_str()) && !OTHERS.contains(&name.as_str()) {
                log::line("WARN", "types.go:991", "invalid option provided", &format!("option={name}"));
            }
        }
        let whole = |name: &str| merged.get(name).and_then(Value::as_f64).map(|n| n as i64);
        let unsigned = |name: &str| whole(name).and_then(|n| u64::try_from(n).ok());
        let mut num_ctx = unsigned("num_ctx").unwrap_or(default_context).max(4);
        let trained = gguf.trained_context();
        if num_ctx > trained {
            let rest = format!("num_ctx={num_ctx} n_ctx_train={trained}");
            log::line("WARN", "server.go:114", "requested context size too large for model", &rest);
            num_ctx = trained;
        }
        num_ctx = num_ctx.min(clamped_to.unwrap_or(u64::MAX));
        let automatic = match num_ctx {
            32_769.. => 2048,
            4097.. => 1024,
            _ => 512,
        };
        Ok(Self {
            num_ctx,
            num_batch: unsigned("num_batch").unwrap_or(automatic),
            num_gpu: whole("num_gpu").unwrap_or(-1),
            num_thread: unsigned("num_thread").unwrap_or(0),
            use_mmap: merged.get("use_mmap").and_then(Value::as_bool),
            // Without a value in the model or the request heads are not used.
            draft_num_predict: unsigned("draft_num_predict").unwrap_or(0),
        })
    }
}

/// What the runner's log said about memory.
#[derive(Default)]
struct Noted {
    total: f64,
    gpu: f64,
    layers: Option<(u64, u64)>,
    errors: Vec<String>,
}

/// A runner that is up.
pub struct Runner {
    child: Child,
    pub port: u16,
    noted: Arc<Mutex<Noted>>,
    pub options: Options,
    pub gguf_path: PathBuf,
}

impl Runner {
    /// Starts `llama-server` and waits until the model is loaded.
    pub async fn start(
        config: &Config,
        program: &Path,
        gguf_path: &Path,
        options: &Options,
    ) -> Result<Self, String> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(arguments(config, gguf_path, options, port));
        let shown: Vec<_> = command.as_std().get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let shown = format!("cmd={:?}", format!("{} {}", program.display(), shown.join(" ")));
        log::info("server.go:109", "using llama-server for model", &format!("model={}", gguf_path.display()));
        log::info("llama_server.go:433", "starting llama-server", &shown);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // An abandoned load must not outlive the server.
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("fork/exec {}: {e}", program.display()))?;
        let noted = Arc::new(Mutex::new(Noted::default()));
        let stderr = child.stderr.take().ok_or("no pipe to llama-server")?;
        let reading = tokio::spawn(forward(stderr, Arc::clone(&noted)));
        log::info("llama_server.go:1295", "waiting for llama-server to start responding", "");
        let began = std::time::Instant::now();
        loop {
            if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
                // The last lines contain the reason.
                let _ = reading.await;
                let errors = lock(&noted).errors.join("\n");
                let said = if errors.is_empty() { String::new() } else { format!(": {errors}") };
                let message = match status.code() {
                    Some(code) => format!("llama-server process has terminated: exit status {code}{said}"),
                    // As Go words it. What the runner said takes the signal's place.
                    None if errors.is_empty() => {
                        "llama-server process has terminated: signal: killed".to_owned()
                    }
                    None => format!("llama-server process has terminated: {errors}{said}"),
                };
                log::info("sched.go:641", "Load failed", &format!("error={message:?}"));
                return Err(message);
            }
            if is_healthy(port).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        log::info("llama_server.go:1362", &format!("llama-server started in {seconds:.2} seconds"), "");
        Ok(Self { child, port, noted, options: options.clone(), gguf_path: gguf_path.to_owned() })
    }

    /// Whether it still runs, and answers: connections of a runner that was killed are closed before its end can be
    /// waited for.
    pub async fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None)) && is_healthy(self.port).await
    }

    /// `size` and `size_vram` of `/api/ps`, from the log as the server does it.
    pub fn sizes(&self) -> (u64, u64) {
        let noted = lock(&self.noted);
        if noted.total == 0.0 {
            let file = std::fs::metadata(&self.gguf_path).map(|m| m.len()).unwrap_or(0);
            return (file, file);
        }
        let (total, gpu) = (noted.total as u64, noted.gpu as u64);
        let whole = noted.layers.is_some_and(|(on_gpu, all)| on_gpu >= all);
        (if whole { gpu } else { total }, gpu)
    }

    /// Ends it and waits for its end.
    pub async fn stop(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().await;
    }
}

fn lock(noted: &Mutex<Noted>) -> std::sync::MutexGuard<'_, Noted> {
    noted.lock().unwrap_or_else(PoisonError::into_inner)
}

fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|l| l.local_addr()).map(|a| a.port()).map_err(|e| e.to_string())
}

fn arguments(config: &Config, model: &Path, options: &Options, port: u16) -> Vec<String> {
    let kv = std::env::var("OLLAMA_KV_CACHE_TYPE").unwrap_or_default().to_lowercase();
    let flash = match std::env::var("OLLAMA_FLASH_ATTENTION").as_deref() {
        Err(_) | Ok("") => "auto",
        Ok("0" | "false" | "f" | "F" | "False" | "FALSE") => "off",
        Ok(_) => "on",
    };
    let mut all: Vec<String> = vec!["--model".into(), model.display().to_string()];
    let text = format!("--port {port} --host 127.0.0.1 --no-webui --offline -c {} -np 1", options.num_ctx);
    all.extend(text.split(' ').map(str::to_owned));
    let text = "--log-verbosity 4 --no-log-prefix --no-log-timestamps --no-jinja --chat-template chatml";
    all.extend(text.split(' ').map(str::to_owned));
    let unmapped = config.gpu.is_none() || options.num_gpu == 0 || config.faults.maps_no_weights;
    if !options.use_mmap.unwrap_or(!unmapped) {
        all.extend(["--load-mode".into(), "none".into()]);
    }
    if !kv.is_empty() {
        all.extend(["--cache-type-k".into(), kv.clone(), "--cache-type-v".into(), kv]);
    }
    all.extend(["--flash-attn".into(), flash.into()]);
    all.extend(["-b".into(), options.num_batch.to_string(), "-ub".into(), options.num_batch.to_string()]);
    if options.num_gpu >= 0 {
        all.extend(["-ngl".into(), options.num_gpu.to_string()]);
    }
    if options.num_thread > 0 {
        all.extend(["-t".into(), options.num_thread.to_string()]);
    }
    if options.draft_num_predict > 0 {
        let drafted = options.draft_num_predict.to_string();
        all.extend(["--spec-type".into(), "draft-mtp".into(), "--spec-draft-n-max".into(), drafted]);
    }
    all.extend(["--context-shift".into(), "--keep".into(), "4".into()]);
    all
}

/// Hands the runner's log on to ours, and notes what it says about memory.
async fn forward(stderr: tokio::process::ChildStderr, noted: Arc<Mutex<Noted>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        note(&mut lock(&noted), &line);
        log::raw(&line);
    }
}

fn note(noted: &mut Noted, line: &str) {
    if let Some((before, size)) = line.split_once(" buffer size =") {
        let mib = size.trim().trim_end_matches("MiB").trim().parse::<f64>().unwrap_or(0.0);
        let place = before.split_whitespace().rev().nth(1).unwrap_or_default();
        let bytes = (mib * 1_048_576.0).floor();
        noted.total += bytes;
        if place != "CPU" && !place.starts_with("CPU_") && !place.ends_with("_Host") {
            noted.gpu += bytes;
        }
    }
    if let Some(layers) = line.split_once("offloaded ").map(|(_, rest)| rest)
        && let Some((on_gpu, all)) = layers.split(' ').next().and_then(|n| n.split_once('/'))
        && let (Ok(on_gpu), Ok(all)) = (on_gpu.parse(), all.parse())
    {
        noted.layers = Some((on_gpu, all));
    }
    // As the engine extracts them from its runner's output (llm/status.go): from the first of these on, or the whole
    // line about memory running out.
    let prefixes = [
        "panic:",
        "fatal error:",
        "error:",
        "Error:",
        "CUDA error",
        "ROCm error",
        "cudaMalloc failed",
        "error loading model",
        "GGML_ASSERT",
        "llama_init_from_model:",
    ];
    let out_of_memory = ["out of memory", "failed to allocate", "allocation failed", "not enough memory"];
    if let Some(at) = prefixes.iter().filter_map(|prefix| line.find(prefix)).min() {
        noted.errors.push(line[at..].trim_end().to_owned());
    } else if out_of_memory.iter().any(|part| line.to_lowercase().contains(part)) {
        noted.errors.push(line.trim_end().to_owned());
    }
}

async fn is_healthy(port: u16) -> bool {
    let health = http::request("GET", &format!("http://127.0.0.1:{port}/health"), None, None).await;
    health.is_ok_and(|answer| answer.status() == 200)
}
