//! `ollama serve`: environment, port, and what answers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, own_program, runner_beside};
use crate::generate::Loaded;
use crate::go::IN_USE;
use crate::log;
use crate::store::Store;

/// Everything a handler needs.
pub struct Server {
    pub config: Arc<Config>,
    pub store: Store,
    pub runner_program: Option<PathBuf>,
    pub loaded: tokio::sync::Mutex<Option<Loaded>>,
    pub stop: CancellationToken,
    /// How many pulls, creations and copies have failed because a file was in use.
    pub failed_in_use: Mutex<HashMap<&'static str, u32>>,
}

/// Runs until SIGINT or SIGTERM.
pub fn main() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
        .and_then(|runtime| runtime.block_on(serve()));
    match outcome {
        Ok(code) => code,
        Err(message) => {
            log::raw(&format!("Error: {message}"));
            ExitCode::FAILURE
        }
    }
}

/// Ends this process by a signal, with Linux's number.
#[cfg(unix)]
fn die_of(signal: i32) -> Result<(), String> {
    use rustix::process::{Signal, getpid, kill_process};
    let signal = match signal {
        4 => Signal::ILL,
        7 => Signal::BUS,
        11 => Signal::SEGV,
        _ => Signal::KILL,
    };
    // The first one ends the standard library's own handling of some signals.
    kill_process(getpid(), signal).and_then(|()| kill_process(getpid(), signal)).map_err(|e| e.to_string())
}

#[cfg(not(unix))]
fn die_of(signal: i32) -> Result<(), String> {
    Err(format!("no process ends by signal {signal} here"))
}

async fn serve() -> Result<ExitCode, String> {
    let program = own_program()?;
    let config = Config::beside(&program)?;
    if let Some(message) = &config.faults.serve_fails {
        log::raw(message);
        return Ok(ExitCode::from(127));
    }
    if let Some(signal) = config.faults.serve_dies_of {
        die_of(signal)?;
    }
    tokio::time::sleep(Duration::from_millis(config.start_ms)).await;
    let address = host();
    let listener = tokio::net::TcpListener::bind(&address).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => format!("listen tcp {address}: bind: address already in use"),
        _ => format!("listen tcp {address}: bind: {e}"),
    })?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let store = Store::open(models_folder()?)?;
    log::info("routes.go:1951", "server config", &format!("env={:?}", environment(&store)));
    log::info("routes.go:1953", "Ollama cloud disabled: true", "");
    if !is_true("OLLAMA_NOPRUNE") {
        store.prune();
    }
    let listening = format!("Listening on {address} (version {})", config.version);
    log::info("routes.go:2008", &listening, "");
    log_devices(&config);
    let server = Arc::new(Server {
        config: Arc::new(config),
        store,
        runner_program: runner_beside(&program),
        loaded: tokio::sync::Mutex::new(None),
        stop: CancellationToken::new(),
        failed_in_use: Mutex::default(),
    });
    tokio::spawn(accept(listener, Arc::clone(&server), address));
    tokio::spawn(crate::generate::expire(Arc::clone(&server)));
    stop_signal().await?;
    server.stop.cancel();
    if let Some(loaded) = server.loaded.lock().await.take() {
        loaded.runner.stop().await;
    }
    // Let pulls save their progress.
    tokio::task::yield_now().await;
    Ok(ExitCode::SUCCESS)
}

async fn accept(listener: tokio::net::TcpListener, server: Arc<Server>, address: SocketAddr) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let server = Arc::clone(&server);
                async move { Ok::<_, Infallible>(crate::api::answer(request, server, address).await) }
            });
            // A client that goes away is no news.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

#[cfg(unix)]
async fn stop_signal() -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stop_signal() -> Result<(), String> {
    tokio::signal::ctrl_c().await.map_err(|e| e.to_string())
}

/// `OLLAMA_HOST` as address and port.
fn host() -> String {
    let host = std::env::var("OLLAMA_HOST").unwrap_or_default();
    let host = host.trim();
    let host = host.split_once("://").map_or(host, |(_, rest)| rest).trim_end_matches('/');
    match host.rsplit_once(':') {
        Some(_) => host.to_owned(),
        None if host.is_empty() => "127.0.0.1:11434".to_owned(),
        None => format!("{host}:11434"),
    }
}

fn models_folder() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("OLLAMA_MODELS").filter(|f| !f.is_empty()) {
        return Ok(folder.into());
    }
    let home = std::env::home_dir().ok_or("$HOME is not defined")?;
    Ok(home.join(".ollama/models"))
}

fn is_true(name: &str) -> bool {
    std::env::var(name).is_ok_and(|v| matches!(v.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// The `map[…]` of the line "server config".
fn environment(store: &Store) -> String {
    let text = |name: &str| format!("{name}:{}", std::env::var(name).unwrap_or_default());
    let truth = |name: &str| format!("{name}:{}", is_true(name));
    let number = |name: &str, other: &str| {
        format!("{name}:{}", std::env::var(name).unwrap_or_else(|_| other.to_owned()))
    };
    [
        number("OLLAMA_CONTEXT_LENGTH", "0"),
        truth("OLLAMA_FLASH_ATTENTION"),
        format!("OLLAMA_HOST:http://{}", host()),
        number("OLLAMA_KEEP_ALIVE", "5m0s"),
        text("OLLAMA_KV_CACHE_TYPE"),
        format!("OLLAMA_MODELS:{}", store.root.display()),
        truth("OLLAMA_NOPRUNE"),
        truth("OLLAMA_NO_CLOUD"),
        number("OLLAMA_NUM_PARALLEL", "1"),
    ]
    .join(" ")
    .split_whitespace()
    .fold(String::from("map["), |all, one| if all.ends_with('[') { all + one } else { all + " " + one })
        + "]"
}

fn log_devices(config: &Config) {
    log::info("runner.go:60", "discovering available GPUs...", "");
    let gib = |mib: u64| format!("{:.1} GiB", mib as f64 / 1024.0);
    let rest = match &config.gpu {
        Some(gpu) => format!(
            "id=0 filter_id=0 library=CUDA compute=8.6 name=CUDA0 description={:?} libdirs=ollama,cuda_v13 driver=13.0 \
             pci_id=0000:01:00.0 type=discrete total={:?} available={:?}",
            gpu.name,
            gib(gpu.total_mib),
            gib(gpu.free_mib)
        ),
        None => {
            "id=cpu library=cpu compute=\"\" name=cpu description=cpu libdirs=ollama driver=\"\" pci_id=\"\" \
                 type=\"\" total=\"23.5 GiB\" available=\"23.1 GiB\""
                .to_owned()
        }
    };
    log::info("types.go:50", "inference compute", &rest);
}

impl Server {
    /// The error of a pull, a creation or a copy, while the configuration asks for one.
    pub fn file_in_use(&self, request: &'static str) -> Option<String> {
        let mut failed = self.failed_in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failed.entry(request).or_default();
        if *failed == self.config.faults.files_in_use {
            return None;
        }
        *failed += 1;
        Some(format!(
            r"rename C:\models\blobs\sha256-{failed}-partial C:\models\blobs\sha256-{failed}: {IN_USE}"
        ))
    }

    /// Default of `num_ctx`.
    pub fn default_context(&self) -> u64 {
        let set = std::env::var("OLLAMA_CONTEXT_LENGTH").ok().and_then(|v| v.parse().ok()).filter(|n| *n > 0);
        set.unwrap_or(match self.config.gpu.as_ref().map_or(0, |gpu| gpu.total_mib) {
            48_128.. => 262_144,
            23_552.. => 32_768,
            _ => 4096,
        })
    }
}
