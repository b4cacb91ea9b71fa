//! The private server's process: environment, start, readiness, end.
//!
//! Its environment contains our settings and what every program needs, nothing else, so that the user's `OLLAMA_HOST`
//! has no effect. It listens on loopback, outlives this process, and has its own log. It is ready when `/api/version`
//! responds, and has failed when its process ends.

mod follow;
mod log;
mod runner;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::models::KvCacheType;
use crate::ollama::client::{Client, ClientError};
use crate::ollama::http::ProxyAddress;
use crate::ollama::own_server::{OwnServer, is_server};
use crate::platform::detached::{DetachedChild, DetachedProgram};
use crate::platform::environment::Environment;
use crate::platform::files::{FileError, writing};
use crate::platform::listening::{self, Listener, PortOwner};
use crate::platform::process::{self, ProcessError, RunningProcess};
use crate::platform::program_end::ProgramEnd;
use crate::untrusted::UntrustedText;
pub use follow::LogFollower;
pub use log::{last_lines, log_since, logs_by_age, rotate_while_running, rotated_logs};
use log::{open_log, rotate};
pub use runner::{ExpertsInRam, RunnerSettings};

/// Ports for the private server; ACOLYTE tries these.
pub const PORTS: std::ops::RangeInclusive<u16> = 42434..=42453;
/// Timeout of the first response. The server detects graphics cards before it.
pub const READY_LIMIT: Duration = Duration::from_secs(120);
/// Grace period before a server is killed; usually it ends its child within 0.1 s.
pub const STOP_GRACE: Duration = Duration::from_secs(15);

/// Variables that choose the cards which CUDA, ROCm and Vulkan show to the server. It inherits them if they are set, also
/// with an empty value, which hides cards.
pub const DEVICE_VARIABLES: [&str; 6] = [
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    VULKAN_DEVICES,
];
const VULKAN_DEVICES: &str = "GGML_VK_VISIBLE_DEVICES";
/// Those that choose among the cards of CUDA and ROCm. Vulkan ignores them.
const HIDING_VARIABLES: [&str; 4] =
    ["CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"];
/// Switches the engine's Vulkan library off.
const VULKAN: &str = "OLLAMA_VULKAN";

/// Further variables that the server inherits if they are set: kind of an AMD card, proxies, temporary folder, and what
/// Windows programs need to start.
const INHERITED: &[&str] = &[
    "HSA_OVERRIDE_GFX_VERSION",
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

/// Whether a server's environment may contain this variable.
pub fn is_server_variable(name: &OsStr) -> bool {
    const SET: &[&str] = &[
        "HOME",
        "OLLAMA_FLASH_ATTENTION",
        "OLLAMA_HOST",
        "OLLAMA_KV_CACHE_TYPE",
        "OLLAMA_MODELS",
        "OLLAMA_NOPRUNE",
        "OLLAMA_NO_CLOUD",
        "OLLAMA_NUM_PARALLEL",
        VULKAN,
        "PATH",
    ];
    name.to_str().is_some_and(|name| {
        SET.contains(&name)
            || RunnerSettings::VARIABLES.contains(&name)
            || DEVICE_VARIABLES.contains(&name)
            || INHERITED.contains(&name)
    })
}

/// Settings of a server process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The engine's program.
    pub program: PathBuf,
    /// TCP port on 127.0.0.1.
    pub port: u16,
    /// Folder of the models.
    pub models_dir: PathBuf,
    /// KV cache type, one per server.
    pub kv_cache_type: KvCacheType,
    /// What only the runner's environment says; one for the whole server.
    pub runner: RunnerSettings,
    /// The engine's `HOME`, which contains its key.
    pub home: PathBuf,
    /// Log file.
    pub log: PathBuf,
    /// Proxy variables that replace those of our environment. Never written to a file: they are valid only while this
    /// process runs.
    pub network: BTreeMap<String, OsString>,
}

/// Why a server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The requested port is taken.
    #[error("port {port} is taken by {by:?}")]
    PortTaken {
        /// The port.
        port: u16,
        /// The process that listens there, if known.
        by: Option<PortOwner>,
    },
    /// All ports of the range are taken.
    #[error("all ports from {first} to {last} are taken")]
    NoFreePort {
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
    },
    /// The server reports another version than its engine has.
    #[error("the server on port {port} reports version {found} instead of {expected}")]
    OtherVersion {
        /// The port.
        port: u16,
        /// What it reports.
        found: UntrustedText,
        /// The version of the engine that was installed.
        expected: UntrustedText,
    },
    /// The program could not be started.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The engine's program.
        program: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The server's log or its state file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It ended before it was ready.
    #[error("the server ended with {end:?}: {}", last_lines.join(" | "))]
    Ended {
        /// Exit code or signal.
        end: ProgramEnd,
        /// The last lines of its log.
        last_lines: Vec<UntrustedText>,
    },
    /// It runs but does not respond.
    #[error("the server does not answer after {seconds} s: {}", last_lines.join(" | "))]
    NotReady {
        /// The timeout.
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
    /// Our variables of its environment. Servers with equal program and settings are interchangeable.
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
        settings.extend(self.runner.variables());
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The server's complete environment. `outside` returns variables of our own.
    pub fn environment(&self, outside: impl Fn(&str) -> Option<OsString>) -> BTreeMap<String, OsString> {
        let mut environment = self.settings();
        for name in DEVICE_VARIABLES {
            environment.extend(outside(name).map(|value| (name.to_owned(), value)));
        }
        let is_set = |name: &&str| environment.contains_key(*name);
        if self.runner.without_vulkan && HIDING_VARIABLES.iter().any(is_set) && !is_set(&VULKAN_DEVICES) {
            environment.insert(VULKAN.to_owned(), "0".into());
        }
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

    /// Variables of the runner that are not set and must not be inherited either.
    pub fn absent_variables(&self) -> impl Iterator<Item = &'static str> + use<> {
        let set = self.runner.variables();
        RunnerSettings::VARIABLES.into_iter().filter(move |name| !set.contains_key(name))
    }

    /// [`Launch::environment`] with this process's environment.
    pub fn environment_here(&self) -> BTreeMap<String, OsString> {
        self.environment(|name| Environment::of_process().variable(name))
    }
}

/// Passwords are removed, because the engine logs its environment, and a login entry is a file.
fn is_proxy_with_secrets(name: &str, value: &OsStr) -> bool {
    let value = value.to_string_lossy();
    matches!(name.to_ascii_lowercase().as_str(), "https_proxy" | "http_proxy")
        && value.parse().map_or(value.contains('@'), |proxy: ProxyAddress| proxy.has_secrets())
}

/// Starts the server as a detached process. See [`wait_until_ready`].
///
/// # Errors
/// If the log cannot be written or the program cannot be started.
pub fn start(launch: &Launch) -> Result<DetachedChild, ServerError> {
    let log_error = writing(&launch.log);
    rotate(&launch.log).map_err(&log_error)?;
    let log = open_log(&launch.log).map_err(log_error)?;
    let server = DetachedProgram {
        program: launch.program.clone(),
        args: vec!["serve".into()],
        environment: launch.environment_here(),
        folder: launch.program.parent().map(Path::to_owned),
        output: log,
    };
    server.start().map_err(|source| ServerError::Spawn { program: launch.program.clone(), source })
}

/// A server that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Its version, as it reports itself.
    pub version: UntrustedText,
    /// Whether the system confirms that our process listens. Where the system does not tell who listens, another program
    /// may have answered.
    pub is_confirmed: bool,
}

/// Waits until the server answers. `child` is watched when the server is ours to watch; without it, any process that runs
/// the launch's program is ours. `log_from` is where its log began, for the words in the error.
///
/// # Errors
/// If it ends or does not respond in time, or another program has its port.
pub async fn wait_until_ready(
    client: &Client,
    mut child: Option<&mut DetachedChild>,
    launch: &Launch,
    log_from: u64,
    limit: Duration,
) -> Result<Ready, ServerError> {
    let log = &launch.log;
    let began = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        let answer = client.version().await;
        // Also after a response: another program may have taken the port, and ours has ended.
        if let Some(status) = child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
            return Err(ServerError::Ended {
                end: ProgramEnd::of(status),
                last_lines: last_lines(log, log_from, 12),
            });
        }
        // Whatever takes a connection has to be ours: another program may have bound the port first.
        let confirmed = match &answer {
            Err(ClientError::Unreachable { .. }) => None,
            _ => {
                let pids = child.as_ref().map_or_else(|| pids_of(&launch.program), |child| vec![child.id()]);
                match listening::listener(launch.port, &pids) {
                    Listener::Ours => Some(true),
                    Listener::Other(owner) => {
                        return Err(ServerError::PortTaken { port: launch.port, by: Some(owner) });
                    }
                    Listener::Nobody => None,
                    Listener::Unknown => {
                        tracing::warn!(
                            port = launch.port,
                            "the system does not report the listening process"
                        );
                        Some(false)
                    }
                }
            }
        };
        match (answer, confirmed) {
            (Ok(version), Some(is_confirmed)) => return Ok(Ready { version, is_confirmed }),
            _ if began.elapsed() < limit => tokio::time::sleep(pause).await,
            _ => {
                let last_lines = last_lines(log, log_from, 12);
                return Err(ServerError::NotReady { seconds: limit.as_secs(), last_lines });
            }
        }
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// Stops all servers that run from this folder, then kills remaining processes from it: a killed server leaves its
/// `llama-server` behind, which keeps its memory. Processes of other programs are not affected. Blocks.
///
/// # Errors
/// If a process is still running afterwards.
pub fn stop_all(engines: &Path) -> Result<usize, ServerError> {
    let mut ended = 0;
    for found in OwnServer::of(engines).processes() {
        process::stop(found.identity, STOP_GRACE)?;
        ended += 1;
    }
    Ok(ended + end_orphans(engines)?)
}

/// Ends processes from this folder that are neither a server nor a server's child.
///
/// # Errors
/// If a process is still running afterwards.
pub fn end_orphans(engines: &Path) -> Result<usize, ServerError> {
    let orphans = Runners::of(engines).orphans;
    for found in &orphans {
        process::stop(found.identity, Duration::from_secs(2))?;
    }
    Ok(orphans.len())
}

/// The processes of an engine that hold models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runners {
    /// Children of a server.
    pub served: Vec<RunningProcess>,
    /// Those whose server has ended: they answer nobody, and keep their memory.
    pub orphans: Vec<RunningProcess>,
}

impl Runners {
    /// Those that run from this folder.
    pub fn of(engines: &Path) -> Self {
        let (servers, others): (Vec<_>, Vec<_>) =
            process::find_by_exe(engines).into_iter().partition(is_server);
        let has_server =
            |found: &RunningProcess| servers.iter().any(|server| Some(server.identity.pid) == found.parent);
        let (served, orphans) = others.into_iter().partition(has_server);
        Self { served, orphans }
    }
}

fn pids_of(program: &Path) -> Vec<u32> {
    process::find_by_exe(program).iter().map(|found| found.identity.pid).collect()
}

/// Chooses a port: only `wanted` if given, else `preferred` or the first free one of [`PORTS`]. Ports in `not` are
/// skipped.
///
/// # Errors
/// If the port, or every port, is taken.
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

/// Whether this port on 127.0.0.1 is free.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests;
