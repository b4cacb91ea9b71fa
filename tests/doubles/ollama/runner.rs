//! The `llama-server` of the stand-in: logs where it would put the model, then answers any client of its port with
//! words at a constant rate.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use crate::config::{AnswerFaultKind, Config, own_program, server_beside};
use crate::gguf::Gguf;
use crate::http::{self, Answer, PieceBody};
use crate::layout::{CACHE_TYPES, EngineSetting, Layout, MIB};
use crate::log::raw;

/// What the command line asks for.
struct Arguments {
    model: PathBuf,
    port: u16,
    setting: EngineSetting,
    flash_attention: String,
    /// `LLAMA_ARG_CACHE_RAM`, in MiB.
    prompt_cache_mib: u64,
    /// `-t`; 0 when it was left out.
    threads: u64,
    /// `--spec-draft-n-max`; 0 when it was left out.
    drafted: u64,
    /// `--load-mode none`: weights in main memory are not mapped but read into memory, page-locked where a GPU is.
    loads_into_memory: bool,
}

/// Runs until it is killed. The exit code is for `main`.
pub fn main(arguments: &[String]) -> Result<(), String> {
    let arguments = parse(arguments)?;
    let server = server_beside(&own_program()?).ok_or("no ollama beside llama-server")?;
    let config = Config::beside(&server)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(run(arguments, config))
}

fn parse(arguments: &[String]) -> Result<Arguments, String> {
    let value = |flag: &str| {
        let at = arguments.iter().position(|a| a == flag)?;
        arguments.get(at + 1).cloned()
    };
    let number = |flag: &str| value(flag).and_then(|v| v.parse::<u64>().ok());
    let cache_type = |flag: &str| {
        let name = value(flag).unwrap_or_else(|| "f16".to_owned());
        if CACHE_TYPES.iter().any(|(known, _)| *known == name) {
            Ok(name)
        } else {
            raw(&format!("error while handling argument {flag:?}: Unsupported cache type: {name}"));
            raw("-ctk,  --cache-type-k TYPE              KV cache data type for K");
            Err(String::new())
        }
    };
    // The environment counts where the command line says nothing.
    let n_cpu_moe = match (variable("LLAMA_ARG_CPU_MOE"), variable("LLAMA_ARG_N_CPU_MOE")) {
        (Some(all), _) if ["1", "true", "on", "enabled"].contains(&all.as_str()) => Some(u64::MAX),
        (_, Some(blocks)) => Some(blocks.parse().map_err(|_| {
            "error while handling environment variable \"LLAMA_ARG_N_CPU_MOE\": stoi".to_owned()
        })?),
        _ => None,
    };
    Ok(Arguments {
        prompt_cache_mib: variable("LLAMA_ARG_CACHE_RAM").and_then(|mib| mib.parse().ok()).unwrap_or(8192),
        threads: number("-t").unwrap_or(0),
        drafted: number("--spec-draft-n-max").unwrap_or(0),
        loads_into_memory: value("--load-mode").as_deref() == Some("none"),
        model: value("--model").map(PathBuf::from).ok_or("--model is missing")?,
        port: number("--port").and_then(|p| u16::try_from(p).ok()).ok_or("--port is missing")?,
        setting: EngineSetting {
            context: number("-c").unwrap_or(4096),
            batch: number("-ub").unwrap_or(512),
            gpu_layers: number("-ngl"),
            k_type: cache_type("--cache-type-k")?,
            v_type: cache_type("--cache-type-v")?,
            n_cpu_moe,
        },
        flash_attention: value("--flash-attn").unwrap_or_else(|| "auto".to_owned()),
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn run(arguments: Arguments, config: Config) -> Result<(), String> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .map_err(|e| format!("bind: {e}"))?;
    let state = Arc::new(State {
        rates: rates(&arguments, &config),
        filled: config.speeds.filled,
        fault: fault(&arguments, &config),
        context: arguments.setting.context,
        dies_after: config.faults.runner_dies_after_tokens,
        ready: Mutex::new(false),
        seen: Mutex::new(Vec::new()),
    });
    let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
    load(&arguments, &config).await?;
    *lock(&state.ready) = true;
    raw(&format!(
        "srv    load_model: initializing, n_slots = 1, n_ctx_slot = {}, kv_unified = 'false'",
        arguments.setting.context
    ));
    match arguments.prompt_cache_mib {
        0 => raw("srv    load_model: prompt cache is disabled - use `--cache-ram N` to enable it"),
        mib => {
            raw(&format!("srv    load_model: prompt cache is enabled, size limit: {mib} MiB"));
            raw("srv    load_model: use `--cache-ram 0` to disable the prompt cache");
        }
    }
    match variable("LLAMA_ARG_CTX_CHECKPOINTS").and_then(|count| count.parse().ok()).unwrap_or(32) {
        0_u32 => raw("srv    load_model: context checkpoints disabled"),
        max => {
            raw(&format!("srv    load_model: context checkpoints enabled, max = {max}, min spacing = 8192"))
        }
    }
    raw("srv  llama_server: model loaded");
    raw(&format!("srv  llama_server: listening on http://127.0.0.1:{}", arguments.port));
    serving.await.map_err(|e| e.to_string())
}

/// Tokens a second: read, written.
fn rates(arguments: &Arguments, config: &Config) -> (f64, f64) {
    let (setting, speeds) = (&arguments.setting, &config.speeds);
    let automatic = config.automatic_decode_tokens_per_s.filter(|_| setting.gpu_layers.is_none());
    let factor = |of: &std::collections::BTreeMap<u64, f64>, value| of.get(&value).copied().unwrap_or(1.0);
    let blocks = Gguf::read(&arguments.model).map_or(0, |model| model.blocks());
    let on_card = blocks.saturating_sub(setting.n_cpu_moe.unwrap_or(blocks));
    let written = automatic.unwrap_or(config.decode_tokens_per_s)
        * factor(&speeds.threads, threads(arguments, config))
        * factor(&speeds.draft, arguments.drafted)
        * if arguments.loads_into_memory { 1.0 } else { speeds.mapped }
        * speeds.block_on_card.powi(i32::try_from(on_card).unwrap_or(0));
    (config.prefill_tokens_per_s * factor(&speeds.batch, setting.batch), written)
}

fn threads(arguments: &Arguments, config: &Config) -> u64 {
    if arguments.threads > 0 { arguments.threads } else { config.cores.1 }
}

/// What happens instead of an answer to a prompt of more than so many tokens.
fn fault(arguments: &Arguments, config: &Config) -> Option<(AnswerFaultKind, usize)> {
    let setting = &arguments.setting;
    let applies = |wanted: Option<u64>, found: u64| wanted.is_none_or(|wanted| wanted == found);
    let found = config.faults.answers.iter().find(|fault| {
        applies(fault.batch, setting.batch)
            && applies(fault.threads, threads(arguments, config))
            && applies(fault.draft, arguments.drafted)
            && applies(fault.n_cpu_moe, setting.n_cpu_moe.unwrap_or(0))
            && fault.automatic.is_none_or(|automatic| automatic == setting.gpu_layers.is_none())
    });
    found.map(|fault| (fault.happens, fault.above_tokens))
}

/// Simulates loading: the same log lines in the same order, or an error.
async fn load(arguments: &Arguments, config: &Config) -> Result<(), String> {
    let model = Gguf::read(&arguments.model).inspect_err(|e| {
        raw(&format!("llama_model_load: error loading model: {e}"));
    })?;
    let mut setting = arguments.setting.clone();
    if config.faults.kv_type_ignored {
        setting.k_type = "f16".to_owned();
        setting.v_type = "f16".to_owned();
    }
    let gpu = config.gpu.as_ref().filter(|_| setting.gpu_layers != Some(0));
    let free = gpu.map(|gpu| gpu.free_mib.saturating_sub(config.faults.vram_taken_mib) * MIB);
    if let (Some(gpu), Some(free)) = (gpu, free) {
        raw(&format!(
            "llama_prepare_model_devices: using device CUDA0 ({}) (0000:01:00.0) - {} MiB free",
            gpu.name,
            free / MIB
        ));
    } else if config.gpu.is_none() {
        raw("warning: no usable GPU found, --gpu-layers option will be ignored");
    }
    let (used, all) = (threads(arguments, config), config.cores.0);
    raw(&format!(
        "cmn  common_param: system_info: n_threads = {used} (n_threads_batch = {used}) / {all} | CPU : SSE3 = 1"
    ));
    raw(&format!("srv    load_model: loading model '{}'", arguments.model.display()));
    raw(&format!("print_info: arch                  = {}", model.architecture()));
    raw(&format!("print_info: n_ctx_train           = {}", model.trained_context()));
    raw(&format!("print_info: n_layer               = {}", model.blocks()));
    if config.faults.load_hangs {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(config.load_ms)).await;
    let layout = Layout::new(&model, &setting, free);
    if config.faults.never_enough_memory {
        let why = "llama_model_load: error loading model: unable to allocate CPU buffer";
        return out_of_memory(layout.weights_cpu, why);
    }
    if let (Some(gpu), true) = (gpu, layout.overflowing > 0) {
        raw(&format!(
            "common_params_fit_impl:   - CUDA0 ({}): {:2} layers ({:2} overflowing), {:6} MiB used, {:6} MiB free",
            gpu.name,
            layout.gpu_layers,
            layout.overflowing,
            layout.gpu_bytes() / MIB,
            free.unwrap_or(0).saturating_sub(layout.gpu_bytes()) / MIB
        ));
    }
    if config.faults.main_memory_mib.is_some_and(|mib| layout.weights_cpu > mib * MIB) {
        killed();
    }
    let pinned = gpu.is_some() && arguments.loads_into_memory && variable("GGML_CUDA_NO_PINNED").is_none();
    if pinned && config.faults.pinnable_mib.is_some_and(|mib| layout.weights_cpu > mib * MIB) {
        raw("load_tensors: loading model tensors, this can take a while... (load_mode = none)");
        raw("ggml-cuda.cu:103: CUDA error");
        raw("CUDA error: out of memory");
        return Err(String::new());
    }
    let room = free.map(|free| free.saturating_sub(gpu.map_or(0, |g| g.context_mib * MIB)));
    let place = match (gpu.is_some(), arguments.loads_into_memory, pinned) {
        (false, ..) | (true, true, false) => "CPU",
        (true, true, true) => "CUDA_Host",
        (true, false, _) => "CPU_Mapped",
    };
    let load_mode = if arguments.loads_into_memory { "none" } else { "mmap" };
    print_weights(&layout, room, (!config.faults.memory_lines_missing).then_some(place), load_mode)?;
    let quantised = !matches!(setting.v_type.as_str(), "f32" | "f16" | "bf16");
    let flash = arguments.flash_attention != "off";
    if quantised && !flash {
        for _ in 0..2 {
            raw("llama_init_from_model: quantized V cache requires flash_attn to be enabled");
        }
        raw("srv  llama_server: exiting due to model loading error");
        return Err(String::new());
    }
    raw("llama_context: constructing llama_context");
    raw(&format!("llama_context: n_ctx                 = {}", setting.context));
    raw(&format!("llama_context: n_batch               = {}", setting.batch));
    raw(&format!("llama_context: n_ubatch              = {}", setting.batch));
    raw(&format!("llama_context: flash_attn            = {}", if flash { "enabled" } else { "disabled" }));
    print_context(&layout, &setting, room, !config.faults.memory_lines_missing)
}

/// `cpu` is the buffer of weights in main memory; `None` for no lines about memory.
fn print_weights(
    layout: &Layout,
    room: Option<u64>,
    cpu: Option<&str>,
    load_mode: &str,
) -> Result<(), String> {
    raw(&format!("load_tensors: loading model tensors, this can take a while... (load_mode = {load_mode})"));
    if let Some(room) = room {
        if layout.weights_gpu > room {
            return out_of_memory(
                layout.weights_gpu,
                "llama_model_load: error loading model: unable to allocate CUDA0 buffer",
            );
        }
        if layout.gpu_layers > 0 {
            raw("load_tensors: offloading output layer to GPU");
        }
        let repeating = layout.gpu_layers.min(layout.total_layers - 1).saturating_sub(1);
        raw(&format!("load_tensors: offloading {repeating} repeating layers to GPU"));
        raw(&format!("load_tensors: offloaded {}/{} layers to GPU", layout.gpu_layers, layout.total_layers));
    }
    if let Some(cpu) = cpu {
        buffer("load_tensors", cpu, "model", layout.weights_cpu);
        if layout.gpu_layers > 0 {
            buffer("load_tensors", "CUDA0", "model", layout.weights_gpu);
        }
    }
    Ok(())
}

fn print_context(
    layout: &Layout,
    setting: &EngineSetting,
    room: Option<u64>,
    lines: bool,
) -> Result<(), String> {
    let mut used = layout.weights_gpu;
    if lines {
        let output = if layout.gpu_layers > 0 { "CUDA_Host" } else { "CPU" };
        buffer("llama_context", output, "output", layout.output_bytes);
    }
    for cache in &layout.caches {
        used += cache.gpu_bytes;
        if room.is_some_and(|room| used > room) {
            let why = "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache";
            return out_of_memory(cache.gpu_bytes, why);
        }
        if lines {
            if cache.cpu_bytes > 0 {
                buffer("llama_kv_cache", "CPU", "KV", cache.cpu_bytes);
            }
            if cache.gpu_bytes > 0 {
                buffer("llama_kv_cache", "CUDA0", "KV", cache.gpu_bytes);
            }
        }
        raw(&format!(
            "llama_kv_cache: size = {:7.2} MiB ({:6} cells, {:3} layers,  1/1 seqs), K ({}): {:7.2} MiB, V ({}): {:7.2} MiB",
            mib(cache.k_bytes + cache.v_bytes),
            cache.cells,
            cache.layers,
            setting.k_type,
            mib(cache.k_bytes),
            setting.v_type,
            mib(cache.v_bytes),
        ));
    }
    if room.is_some_and(|room| used + layout.compute_gpu > room) {
        let why =
            "llama_init_from_model: failed to initialize the context: failed to allocate compute pp buffers";
        return out_of_memory(layout.compute_gpu, why);
    }
    if lines {
        if layout.gpu_layers > 0 {
            buffer("sched_reserve", "CUDA0", "compute", layout.compute_gpu);
            buffer("sched_reserve", "CUDA_Host", "compute", layout.compute_cpu);
        } else {
            buffer("sched_reserve", "CPU", "compute", layout.compute_cpu);
        }
    }
    Ok(())
}

/// As the system does when main memory runs out.
fn killed() -> ! {
    #[cfg(unix)]
    if let Err(error) =
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
    {
        raw(&format!("kill: {error}"));
    }
    std::process::exit(137)
}

fn out_of_memory(bytes: u64, consequence: &str) -> Result<(), String> {
    raw(&format!(
        "ggml_backend_cuda_buffer_type_alloc_buffer: allocating {:.2} MiB on device 0: cudaMalloc failed: out of memory",
        mib(bytes)
    ));
    raw(&format!("alloc_tensor_range: failed to allocate CUDA0 buffer of size {bytes}"));
    raw(consequence);
    raw("srv  llama_server: exiting due to model loading error");
    Err(String::new())
}

fn buffer(component: &str, place: &str, kind: &str, bytes: u64) {
    raw(&format!("{component}: {place:>12} {kind} buffer size = {:8.2} MiB", mib(bytes)));
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

struct State {
    /// Tokens a second: read, written.
    rates: (f64, f64),
    /// Factor of writing with at least 1,000 tokens in the context.
    filled: f64,
    /// What happens instead of an answer to a prompt of more than so many tokens.
    fault: Option<(AnswerFaultKind, usize)>,
    context: u64,
    dies_after: Option<u64>,
    ready: Mutex<bool>,
    /// The last prompt, whose common prefix is not processed again.
    seen: Mutex<Vec<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: tokio::net::TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(answer(request, &state).await) }
            });
            // A client that goes away is no news.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: &Arc<State>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/health") if *lock(&state.ready) => http::json(200, &json!({"status": "ok"})),
        (&Method::GET, "/health") => {
            let loading = json!({"code": 503, "message": "Loading model", "type": "unavailable_error"});
            http::json(503, &json!({ "error": loading }))
        }
        (&Method::POST, "/completion") => {
            let bytes = http::collect(request.into_body()).await.unwrap_or_default();
            match serde_json::from_slice(&bytes) {
                Ok(wanted) => complete(&wanted, state),
                Err(e) => http::error(400, &e.to_string()),
            }
        }
        _ => http::text(404, "text/plain", "not found"),
    }
}

/// The times of an answer, as the real one logs them.
fn print_timing(prompt: usize, prompt_s: f64, written: u64, writing_s: f64) {
    let line = |name: &str, count: f64, seconds: f64| {
        let (ms, each, rate) = (seconds * 1e3, seconds * 1e3 / count.max(1.0), count / seconds.max(1e-9));
        raw(&format!(
            "slot print_timing: id  0 | task 0 | {name} time = {ms:11.2} ms / {count:5.0} tokens ({each:8.2} ms per token, {rate:8.2} tokens per second)"
        ));
    };
    line("prompt eval", prompt as f64, prompt_s);
    line("       eval", written as f64, writing_s);
}

/// Server-sent events: one a token, then one with the times.
fn complete(wanted: &Value, state: &Arc<State>) -> Answer {
    let tokens = tokens(wanted["prompt"].as_str().unwrap_or_default());
    if tokens.len() as u64 >= state.context {
        let (count, context) = (tokens.len(), state.context);
        let message = format!(
            "request ({count} tokens) exceeds the available context size ({context} tokens), try increasing it"
        );
        return http::json(
            400,
            &json!({"error": {"code": 400, "message": message, "type": "exceed_context_size_error",
                              "n_prompt_tokens": count, "n_ctx": context}}),
        );
    }
    let cached = {
        let mut seen = lock(&state.seen);
        let same = seen.iter().zip(&tokens).take_while(|(a, b)| a == b).count();
        seen.clone_from(&tokens);
        // The last token is always processed again.
        same.min(tokens.len().saturating_sub(1))
    };
    let most = wanted["n_predict"].as_u64().unwrap_or(128);
    let state = Arc::clone(state);
    let (sender, body) = PieceBody::new();
    tokio::spawn(async move {
        let event = |value: &Value| Ok(Bytes::from(format!("data: {value}\n\n")));
        let (read, written) = state.rates;
        let written = if tokens.len() >= 1000 { written * state.filled } else { written };
        // As told, not as timed: a busy computer would make them vary.
        let prompt_s = (tokens.len() - cached) as f64 / read;
        tokio::time::sleep(Duration::from_secs_f64(prompt_s)).await;
        let fault = state.fault.filter(|(_, above)| tokens.len() > *above).map(|(kind, _)| kind);
        match fault {
            Some(AnswerFaultKind::Killed) => killed(),
            Some(AnswerFaultKind::OutOfMemory) => {
                raw("CUDA error: out of memory");
                std::process::exit(1);
            }
            Some(AnswerFaultKind::Hang) => std::future::pending::<()>().await,
            Some(AnswerFaultKind::NoLastLine) | None => {}
        }
        let writing = Instant::now();
        for n in 0..most {
            if state.dies_after.is_some_and(|after| n >= after) {
                std::process::exit(139);
            }
            let due = writing + Duration::from_secs_f64((n + 1) as f64 / written);
            tokio::time::sleep_until(due.into()).await;
            let word = WORDS[n as usize % WORDS.len()];
            if sender.send(event(&json!({"content": word, "stop": false}))).await.is_err() {
                return;
            }
            if fault == Some(AnswerFaultKind::NoLastLine) && n == 2 {
                // As the engine does after equal tokens: the stream ends, and nothing is wrong with it.
                let _ = sender.send(event(&json!({"ends": true}))).await;
                return;
            }
        }
        print_timing(tokens.len() - cached, prompt_s, most, most as f64 / written);
        raw(&format!(
            "slot      release: id  0 | task 0 | stop processing: n_tokens = {}, truncated = 0",
            tokens.len() as u64 + most
        ));
        let last = json!({"content": "", "stop": true, "stop_type": "limit",
            "tokens_evaluated": tokens.len(), "tokens_predicted": most,
            "timings": {"cache_n": cached, "prompt_n": tokens.len() - cached, "prompt_ms": prompt_s * 1e3,
                        "predicted_n": most, "predicted_ms": most as f64 / written * 1e3}});
        // The client may be gone.
        let _ = sender.send(event(&last)).await;
    });
    http::text(200, "text/event-stream", "").map(|_| body)
}

const WORDS: [&str; 8] = ["The", " sea", " is", " wide", " and", " the", " wind", " turns"];

/// One token per word of up to eight letters and per punctuation mark, and ten for the template.
fn tokens(prompt: &str) -> Vec<String> {
    let mut tokens = vec!["<t>".to_owned(); 10];
    for word in prompt.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let letters = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let chars: Vec<char> = letters.chars().collect();
        tokens.extend(chars.chunks(8).map(|piece| piece.iter().collect()));
        tokens.extend(word[letters.len()..].chars().filter(|c| !c.is_whitespace()).map(String::from));
    }
    tokens
}
