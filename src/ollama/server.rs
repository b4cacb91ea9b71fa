//! The private server's process: its environment, its start, when it is ready, its end.
//!
//! It gets exactly our settings and what a program needs to run, nothing else of our environment, so that a foreign
//! `OLLAMA_HOST` cannot leak in. It listens on loopback, outlives us, and writes to a log of its own. It is ready when
//! `/api/version` answers, and has failed when its process ends: never when a time is over while it still starts.

mod log;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::models::KvCacheType;
use crate::ollama::client::{Client, ClientError};
use crate::ollama::http::ProxyAddress;
use crate::platform::environment::Environment;
use crate::platform::files::{FileError, writing};
use crate::platform::listening::{self, Holder, PortOwner};
use crate::platform::process::{self, ProcessError};
use crate::platform::program;
use crate::untrusted::UntrustedText;
pub use log::{last_lines, log_since, rotate_while_running, rotated_logs};
use log::{open_log, rotate};

/// The ports ACOLYTE looks at.
pub const PORTS: std::ops::RangeInclusive<u16> = 42434..=42453;
/// How long a server may take to answer for the first time. It looks for graphics cards meanwhile.
pub const READY_LIMIT: Duration = Duration::from_secs(120);
/// How long a server is given to end by itself; it ends its own child within a tenth of a second.
pub const STOP_GRACE: Duration = Duration::from_secs(15);

/// Variables that are handed on when they are set: which cards to use, how to reach the model's registry, where
/// temporary files go, and what Windows programs cannot start without.
const INHERITED: &[&str] = &[
    "CUDA_VISIBLE_DEVICES",
    "GGML_VK_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "HIP_VISIBLE_DEVICES",
    "HSA_OVERRIDE_GFX_VERSION",
    "ROCR_VISIBLE_DEVICES",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TMPDIR",
    #[cfg(windows)]
    "TEMP",
    #[cfg(windows)]
    "TMP",
    #[cfg(windows)]
    "SystemRoot",
    #[cfg(windows)]
    "SystemDrive",
    #[cfg(windows)]
    "windir",
    #[cfg(windows)]
    "ComSpec",
    #[cfg(windows)]
    "ProgramData",
    #[cfg(windows)]
    "ProgramFiles",
    #[cfg(windows)]
    "NUMBER_OF_PROCESSORS",
    #[cfg(windows)]
    "PROCESSOR_ARCHITECTURE",
];

/// Whether our servers are ever given this variable.
pub fn is_of_server(name: &OsStr) -> bool {
    const SET: &[&str] = &[
        "HOME",
        "OLLAMA_FLASH_ATTENTION",
        "OLLAMA_HOST",
        "OLLAMA_KV_CACHE_TYPE",
        "OLLAMA_MODELS",
        "OLLAMA_NOPRUNE",
        "OLLAMA_NO_CLOUD",
        "OLLAMA_NUM_PARALLEL",
        "PATH",
    ];
    name.to_str().is_some_and(|name| SET.contains(&name) || INHERITED.contains(&name))
}

/// How a server is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The engine's program.
    pub program: PathBuf,
    /// TCP port on 127.0.0.1.
    pub port: u16,
    /// Folder of the models.
    pub models_dir: PathBuf,
    /// Type of the KV cache; one for the whole server.
    pub kv_cache_type: KvCacheType,
    /// The engine's `HOME`, where it keeps its key.
    pub home: PathBuf,
    /// Where it writes.
    pub log: PathBuf,
    /// How it reaches registries, where that is not as in our own environment. Never written down: it is of use only as
    /// long as we run.
    pub network: BTreeMap<String, OsString>,
}

/// What went wrong with the server's process.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The requested port is taken.
    #[error("port {port} is taken by {by:?}")]
    PortTaken {
        /// The port.
        port: u16,
        /// Who listens there, where the system tells.
        by: Option<PortOwner>,
    },
    /// All ports of the range are taken.
    #[error("all ports from {first} to {last} are taken")]
    NoFreePort {
        /// The first one.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// Nothing listens on the port of the server.
    #[error("no server of ours listens on port {port}")]
    NotListening {
        /// The port.
        port: u16,
    },
    /// The program could not be started.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The engine's program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server's log or its state file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It ended instead of answering.
    #[error("the server ended with {status}: {}", last_lines.join(" | "))]
    Ended {
        /// Exit code or signal, in words.
        status: String,
        /// The last lines of its log.
        last_lines: Vec<UntrustedText>,
    },
    /// It runs but does not answer.
    #[error("the server does not answer after {seconds} s: {}", last_lines.join(" | "))]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The last lines of its log.
        last_lines: Vec<UntrustedText>,
    },
    /// A process of ours could not be ended.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The client could not be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Launch {
    /// What makes the server ours: two servers with the same settings and program are interchangeable.
    pub fn settings(&self) -> BTreeMap<String, OsString> {
        let mut settings = BTreeMap::from([
            ("OLLAMA_HOST", format!("127.0.0.1:{}", self.port).into()),
            ("OLLAMA_MODELS", self.models_dir.clone().into_os_string()),
            ("OLLAMA_KV_CACHE_TYPE", self.kv_cache_type.name().into()),
            ("OLLAMA_NUM_PARALLEL", "1".into()),
            ("OLLAMA_NOPRUNE", "1".into()),
            ("OLLAMA_NO_CLOUD", "1".into()),
        ]);
        if self.kv_cache_type.needs_flash_attention() {
            settings.insert("OLLAMA_FLASH_ATTENTION", "1".into());
        }
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The server's whole environment. `outside` looks a variable up in our own.
    pub fn environment(&self, outside: impl Fn(&str) -> Option<OsString>) -> BTreeMap<String, OsString> {
        let mut environment = self.settings();
        for name in INHERITED {
            let usable = |value: &OsString| !value.is_empty() && !is_proxy_with_secrets(name, value);
            if let Some(value) = outside(name).filter(usable) {
                environment.insert((*name).to_owned(), value);
            }
        }
        environment.extend(self.network.clone());
        let home = self.home.clone().into_os_string();
        if cfg!(windows) {
            let root = outside("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
            let root = root.to_string_lossy();
            let path = format!(r"{root}\System32;{root};{root}\System32\Wbem");
            environment.insert("PATH".to_owned(), path.into());
            environment.insert("USERPROFILE".to_owned(), home.clone());
            environment.insert("APPDATA".to_owned(), home.clone());
            environment.insert("LOCALAPPDATA".to_owned(), home);
        } else {
            environment.insert("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into());
            environment.insert("HOME".to_owned(), home);
        }
        environment
    }

    /// [`Launch::environment`] with this process's own environment.
    pub fn environment_here(&self) -> BTreeMap<String, OsString> {
        self.environment(|name| Environment::of_process().variable(name))
    }
}

/// The engine writes its environment into its log, and an entry at login is a file.
fn is_proxy_with_secrets(name: &str, value: &OsStr) -> bool {
    let value = value.to_string_lossy();
    matches!(name.to_ascii_lowercase().as_str(), "https_proxy" | "http_proxy")
        && value.parse().map_or(value.contains('@'), |proxy: ProxyAddress| proxy.has_secrets())
}

/// Starts the server, detached from us. It is not ready yet: see [`wait_until_ready`].
///
/// # Errors
/// When the log cannot be written or the program cannot be started.
pub fn start(launch: &Launch) -> Result<Child, ServerError> {
    let log_error = writing(&launch.log);
    rotate(&launch.log).map_err(&log_error)?;
    let log = open_log(&launch.log).map_err(&log_error)?;
    let second = log.try_clone().map_err(log_error)?;
    let mut command = program::command(&launch.program);
    command
        .arg("serve")
        .env_clear()
        .envs(launch.environment_here())
        .stdin(Stdio::null())
        .stdout(Stdio::from(log))
        .stderr(Stdio::from(second));
    if let Some(folder) = launch.program.parent() {
        command.current_dir(folder);
    }
    process::spawn_detached(&mut command)
        .map_err(|source| ServerError::Spawn { program: launch.program.clone(), source })
}

/// Waits until the server answers, and returns its version. `child` is watched when the server is ours to watch; without
/// it, any process that runs the launch's program is ours. `log_from` is where its log began, for the words in the error.
///
/// # Errors
/// When it ends or does not answer in time, or somebody else has its port.
pub async fn wait_until_ready(
    client: &Client,
    mut child: Option<&mut Child>,
    launch: &Launch,
    log_from: u64,
    limit: Duration,
) -> Result<UntrustedText, ServerError> {
    let log = &launch.log;
    let began = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        let answer = client.version().await;
        // Also after an answer: on a port taken meanwhile another program answers, and ours has ended.
        if let Some(status) = child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
            return Err(ServerError::Ended {
                status: status.to_string(),
                last_lines: last_lines(log, log_from, 12),
            });
        }
        // Whatever takes a connection has to be ours: another program may have bound the port first.
        let ours = match &answer {
            Err(ClientError::Unreachable { .. }) => false,
            _ => {
                let pids = child.as_ref().map_or_else(|| pids_of(&launch.program), |child| vec![child.id()]);
                match listening::holder(launch.port, &pids) {
                    Holder::Ours => true,
                    Holder::Other(owner) => {
                        return Err(ServerError::PortTaken { port: launch.port, by: Some(owner) });
                    }
                    Holder::Nobody => false,
                    Holder::Unknown => {
                        tracing::warn!(port = launch.port, "the system does not tell who listens");
                        true
                    }
                }
            }
        };
        match answer {
            Ok(version) if ours => return Ok(version),
            _ if began.elapsed() < limit => tokio::time::sleep(pause).await,
            _ => {
                let last_lines = last_lines(log, log_from, 12);
                return Err(ServerError::NotReady { seconds: limit.as_secs(), last_lines });
            }
        }
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// Ends every server that runs from this folder, politely first, then whatever else still runs from it: a server that
/// was killed outright leaves its `llama-server` behind with the memory held. Nothing outside the folder is touched.
/// Blocks for as long as that takes.
///
/// # Errors
/// When something still runs afterwards.
pub fn stop_all(engines: &Path) -> Result<usize, ServerError> {
    let mut ended = 0;
    for found in servers(engines) {
        process::stop(found.identity, STOP_GRACE)?;
        ended += 1;
    }
    Ok(ended + end_orphans(engines)?)
}

/// Ends what runs from this folder without being a server or a server's child.
///
/// # Errors
/// When something still runs afterwards.
pub fn end_orphans(engines: &Path) -> Result<usize, ServerError> {
    let alive = process::find_by_exe(engines);
    let mut ended = 0;
    for found in &alive {
        let has_server =
            alive.iter().any(|other| is_server(other) && Some(other.identity.pid) == found.parent);
        if !is_server(found) && !has_server {
            process::stop(found.identity, Duration::from_secs(2))?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Whether one of the servers that run from this folder would answer on a port.
pub fn holder(engines: &Path, port: u16) -> Holder {
    let pids: Vec<u32> = servers(engines).iter().map(|server| server.identity.pid).collect();
    listening::holder(port, &pids)
}

fn pids_of(program: &Path) -> Vec<u32> {
    process::find_by_exe(program).iter().map(|found| found.identity.pid).collect()
}

/// The servers that run from this folder.
pub fn servers(engines: &Path) -> Vec<process::Found> {
    process::find_by_exe(engines).into_iter().filter(is_server).collect()
}

fn is_server(found: &process::Found) -> bool {
    found.command_line.get(1).is_some_and(|argument| argument == "serve")
}

/// The port to use: `wanted` and no other when given, else `preferred` or the first free one of
/// [`PORTS`]. Ports in `not` are passed over.
///
/// # Errors
/// When the port, or every port, is taken.
pub fn choose_port(wanted: Option<u16>, preferred: Option<u16>, not: &[u16]) -> Result<u16, ServerError> {
    match wanted {
        Some(port) if is_free(port) => Ok(port),
        Some(port) => Err(ServerError::PortTaken { port, by: listening::owner(port) }),
        None => preferred
            .into_iter()
            .chain(PORTS)
            .find(|port| !not.contains(port) && is_free(*port))
            .ok_or(ServerError::NoFreePort { first: *PORTS.start(), last: *PORTS.end() }),
    }
}

/// Whether a server could listen on this port of the loopback address.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests;
