//! Configuration of the stand-in: `double.json` next to the `ollama` program in the archive.
//!
//! Without that file it simulates a CPU-only machine without faults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// `double.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The version it reports.
    pub version: String,
    /// URL that replaces `registry.ollama.ai`, for example `http://127.0.0.1:5055`. Without it that host does not
    /// exist.
    pub registry: Option<String>,
    /// The simulated GPU.
    pub gpu: Option<Gpu>,
    /// Tokens it writes a second.
    pub decode_tokens_per_s: f64,
    /// The same when it chose the layers itself; equal when `None`.
    pub automatic_decode_tokens_per_s: Option<f64>,
    /// Tokens it reads a second.
    pub prefill_tokens_per_s: f64,
    /// How the speeds depend on what the runner is told.
    pub speeds: Speeds,
    /// Hardware threads and threads that the runner uses by itself.
    pub cores: (u64, u64),
    /// Duration of a load, in milliseconds.
    pub load_ms: u64,
    /// Time until the server listens, in milliseconds.
    pub start_ms: u64,
    /// Seconds without data after which a part of a pull is requested again.
    pub pull_stall_s: f64,
    /// Seconds of the first wait after an error in a pull; each further wait is twice as long.
    pub pull_retry_s: f64,
    /// Injected faults.
    pub faults: Faults,
    /// A file that replaces this configuration once it exists: changes an installed engine without changing its own
    /// files, which are verified.
    pub instead: Option<PathBuf>,
}

/// A GPU.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// `NVIDIA GeForce RTX 4060`.
    pub name: String,
    /// All its memory.
    pub total_mib: u64,
    /// Memory not used by other programs.
    pub free_mib: u64,
    /// Memory that the driver takes for a computing process.
    #[serde(default = "cuda_context_mib")]
    pub context_mib: u64,
}

fn cuda_context_mib() -> u64 {
    250
}

/// Factors of the speeds, by what the runner is told. What is not listed has factor 1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speeds {
    /// Of reading, by `-ub`.
    pub batch: BTreeMap<u64, f64>,
    /// Of writing, by threads.
    pub threads: BTreeMap<u64, f64>,
    /// Of writing, by tokens that are drafted at once.
    pub draft: BTreeMap<u64, f64>,
    /// Of writing, with the file mapped into memory.
    pub mapped: f64,
    /// Of writing, for each block whose experts are on the card.
    pub block_on_card: f64,
    /// Of writing, with at least 1,000 tokens in the context.
    pub filled: f64,
}

impl Default for Speeds {
    fn default() -> Self {
        Self {
            batch: BTreeMap::new(),
            threads: BTreeMap::new(),
            draft: BTreeMap::new(),
            mapped: 1.0,
            block_on_card: 1.0,
            filled: 1.0,
        }
    }
}

/// A fault while answering, where the runner is told this. What is `None` does not matter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerFault {
    /// `-ub`.
    pub batch: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Tokens that are drafted at once.
    pub draft: Option<u64>,
    /// Whether the runner chose the layers.
    pub automatic: Option<bool>,
    /// Blocks whose experts are in main memory.
    pub n_cpu_moe: Option<u64>,
    /// What happens.
    pub happens: AnswerFaultKind,
    /// Only with a prompt of more tokens than this.
    #[serde(default)]
    pub above_tokens: usize,
}

/// What happens instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFaultKind {
    /// The system kills the runner.
    Killed,
    /// The card's memory runs out, and the runner ends.
    OutOfMemory,
    /// The answer ends after three tokens, without a last line.
    NoLastLine,
    /// No answer.
    Hang,
}

/// Faults observed on real servers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// `ollama serve` prints this and exits with 127, as when a library is missing.
    pub serve_fails: Option<String>,
    /// `ollama serve` ends by this signal at once, with Linux's numbers (4, 7, 9 or 11).
    pub serve_dies_of: Option<i32>,
    /// The KV cache is f16 whatever was requested.
    pub kv_type_ignored: bool,
    /// No memory lines in the log, so that `/api/ps` claims everything is on the GPU.
    pub memory_lines_missing: bool,
    /// A pull ends without its `success` line.
    pub pull_without_success: bool,
    /// The progress of a pull goes back once.
    pub pull_goes_back: bool,
    /// A load never ends.
    pub load_hangs: bool,
    /// Faults while answering. The first that applies counts.
    pub answers: Vec<AnswerFault>,
    /// The runner dies after writing so many tokens.
    pub runner_dies_after_tokens: Option<u64>,
    /// Free memory of the GPU is this much smaller at a load, as when another program starts.
    pub vram_taken_mib: u64,
    /// Main memory holds this much: the system kills a runner that loads more weights into it.
    pub main_memory_mib: Option<u64>,
    /// The graphics driver page-locks this much main memory at most.
    pub pinnable_mib: Option<u64>,
    /// Of its libraries only the one for Vulkan finds the card.
    pub card_only_through_vulkan: bool,
    /// No library finds the card.
    pub card_not_found: bool,
    /// Weights are not mapped, as on Windows with an NVIDIA card.
    pub maps_no_weights: bool,
    /// Main memory is full as well: no load succeeds.
    pub never_enough_memory: bool,
    /// The context of a load is limited to this many tokens, whatever the model supports.
    pub context_clamped_to: Option<u64>,
    /// The disk is full after this many bytes of a pull.
    pub pull_disk_full_after: Option<u64>,
    /// So many pulls, creations and copies each fail first, because another program has a file of theirs open (Windows).
    pub files_in_use: u32,
    /// Faults of answers, by request: `version`, `pull`, `create`, `show`, `load` or `generate`.
    pub breaks: std::collections::HashMap<String, Break>,
}

/// A fault of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// No answer.
    Hang,
    /// The connection breaks in the middle of it.
    Disconnect,
    /// The server exits instead.
    Exit,
    /// HTTP 500.
    Error,
    /// HTTP 404.
    Missing,
    /// A line that is not JSON.
    Malformed,
    /// HTTP 200, and an error in the stream.
    ErrorLine,
    /// The stream ends without its last line.
    NoLastLine,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: "0.32.15".to_owned(),
            registry: None,
            gpu: None,
            decode_tokens_per_s: 200.0,
            automatic_decode_tokens_per_s: None,
            prefill_tokens_per_s: 50_000.0,
            speeds: Speeds::default(),
            cores: (16, 8),
            load_ms: 20,
            start_ms: 0,
            pull_stall_s: 30.0,
            pull_retry_s: 1.0,
            faults: Faults::default(),
            instead: None,
        }
    }
}

impl Config {
    /// Reads `double.json` beside `ollama`; `server` is the program of the server.
    pub fn beside(server: &Path) -> Result<Self, String> {
        let told = Self::read(&server.with_file_name("double.json"))?.unwrap_or_default();
        let instead = told.instead.as_deref().map(Self::read).transpose()?.flatten();
        let mut config = instead.unwrap_or(told);
        let through_vulkan = std::env::var("OLLAMA_LLM_LIBRARY").is_ok_and(|library| library == "vulkan");
        let hidden = config.faults.card_only_through_vulkan && !through_vulkan;
        config.gpu = config.gpu.filter(|_| !hidden && !config.faults.card_not_found);
        Ok(config)
    }

    fn read(path: &Path) -> Result<Option<Self>, String> {
        match std::fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| format!("{}: {e}", path.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("{}: {e}", path.display())),
        }
    }
}

/// This program, links followed.
pub fn own_program() -> Result<PathBuf, String> {
    std::env::current_exe().and_then(|exe| exe.canonicalize()).map_err(|e| format!("own path: {e}"))
}

/// Where the runner lies, seen from the server: `../lib/ollama` (Linux), `lib/ollama` (Windows) or beside it (macOS).
pub fn runner_beside(server: &Path) -> Option<PathBuf> {
    let folder = server.parent()?;
    let name = if cfg!(windows) { "llama-server.exe" } else { "llama-server" };
    [folder.join("../lib/ollama"), folder.join("lib/ollama"), folder.to_owned()]
        .into_iter()
        .filter_map(|lib| lib.canonicalize().ok())
        .map(|lib| lib.join(name))
        .find(|runner| runner.is_file())
}

/// Where the server lies, seen from the runner.
pub fn server_beside(runner: &Path) -> Option<PathBuf> {
    let lib = runner.parent()?;
    let name = if cfg!(windows) { "ollama.exe" } else { "ollama" };
    [lib.join("../../bin"), lib.join("../.."), lib.to_owned()]
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|server| server.is_file())
}
