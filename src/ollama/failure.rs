//! Classifies the engine's error messages. The only place that matches their text: the engine has no error codes.

use crate::models::EngineVersion;

/// Cause of a failed call, as far as the engine's message shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFailure {
    /// The model does not fit into memory: the card's, as far as the message tells.
    OutOfMemory,
    /// Main memory ran out: the system killed the runner, or refused it a buffer.
    OutOfMainMemory,
    /// The registry, or the engine, has no such model.
    ModelMissing,
    /// The model needs a newer engine.
    NewerEngineNeeded,
    /// The disk is full.
    DiskFull,
    /// The registry uses plain http but was queried with https.
    PlainHttp,
    /// The runner ended while it answered. The engine does not say why: most often the system killed it, because main
    /// memory was full.
    RunnerEnded,
    /// The network or the registry failed; retrying can help.
    Transient,
    /// Anything else.
    Other,
}

/// Lower-case parts of out-of-memory messages, as in the engine's llm/status.go.
const OUT_OF_MEMORY: &[&str] = &[
    "out of memory",
    "out-of-memory",
    "out of device memory",
    "cudamalloc failed",
    "hipmalloc failed",
    "failed to allocate",
    "allocation failed",
    "not enough memory",
    "insufficient memory",
    "vk_error_out_of_device_memory",
    "erroroutofdevicememory",
    "erroroutofmemory",
];
/// Parts of messages that mean that main memory ran out. In lower case. When Linux is out of memory it kills a process
/// that takes much of it, and the engine reports no more than the signal. What only sets out to kill the runner, such as
/// stopping its server, is never asked for while a model loads.
const OUT_OF_MAIN_MEMORY: &[&str] = &[
    "signal: killed",
    "std::bad_alloc",
    "cpu_buffer_type_alloc_buffer: failed to allocate",
    "failed to allocate cpu buffer",
    "unable to allocate cpu buffer",
];
/// After a line with this, the engine retries by itself.
const RECOVERED: &str = "retrying without pipeline parallelism";

/// Parts of messages and their failure. The first match applies.
const MESSAGES: &[(EngineFailure, &[&str])] = &[
    (EngineFailure::NewerEngineNeeded, &["manifest: 412", "requires a newer version"]),
    (EngineFailure::ModelMissing, &["file does not exist", "not found"]),
    (EngineFailure::DiskFull, &["no space left", "not enough space"]),
    (
        EngineFailure::RunnerEnded,
        &["running the model: unexpected EOF", "forcibly closed", "running the model: read tcp"],
    ),
    (EngineFailure::PlainHttp, &["does not look like a TLS handshake", "server gave HTTP response"]),
    (
        EngineFailure::Transient,
        &[
            "digest mismatch",
            "EOF",
            "timeout",
            "connection reset",
            "max retries exceeded",
            // An overloaded or restarting registry.
            "manifest: 500",
            "manifest: 502",
            "manifest: 503",
            "manifest: 504",
        ],
    ),
];

impl EngineFailure {
    /// Classifies a message of the engine.
    pub fn of(message: &str) -> Self {
        if let Some(failure) = out_of_memory(message) {
            return failure;
        }
        let means = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        MESSAGES.iter().find(|(_, parts)| means(parts)).map_or(Self::Other, |(failure, _)| *failure)
    }
}

/// The version that a message about a needed newer engine names, if it names one: the first after "requires".
pub fn needed_engine(message: &str) -> Option<EngineVersion> {
    let (_, rest) = message.split_once("requires a newer version")?;
    let of_word = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
        digits.parse().ok()
    };
    rest.split_whitespace().filter(|word| !word.contains("://")).find_map(of_word)
}

impl EngineFailure {
    /// Whether memory ran out, the card's or main memory.
    pub fn is_out_of_memory(self) -> bool {
        matches!(self, Self::OutOfMemory | Self::OutOfMainMemory)
    }
}

/// Which memory ran out, if any did. The engine joins what its runner printed line by line, so a line after which it
/// retried may precede the one that ended it.
fn out_of_memory(message: &str) -> Option<EngineFailure> {
    let message = message.to_lowercase();
    let of_line = |line: &str| {
        let says = |parts: &[&str]| parts.iter().any(|part| line.contains(part));
        if line.contains(RECOVERED) {
            None
        } else if says(OUT_OF_MAIN_MEMORY) {
            Some(EngineFailure::OutOfMainMemory)
        } else {
            says(OUT_OF_MEMORY).then_some(EngineFailure::OutOfMemory)
        }
    };
    let mut found = message.lines().filter_map(of_line);
    let first = found.next()?;
    // The card's memory is named in its own lines, and main memory in what follows from that.
    Some(found.fold(first, |all, one| if one == EngineFailure::OutOfMemory { one } else { all }))
}

#[cfg(test)]
mod tests {
    use super::EngineFailure::{
        DiskFull, ModelMissing, NewerEngineNeeded, Other, OutOfMainMemory, OutOfMemory, PlainHttp,
        RunnerEnded, Transient,
    };
    use super::*;

    #[test]
    fn the_needed_version_is_read_where_a_message_names_one() {
        let said = |rest: &str| {
            let message = format!(
                "pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version {rest}"
            );
            needed_engine(&message).map(|version| version.to_string())
        };
        assert_eq!(said("of Ollama (0.32.8 or later; this is 0.31.1).").as_deref(), Some("0.32.8"));
        assert_eq!(said("of Ollama, v0.40.0.").as_deref(), Some("0.40.0"));
        let releases =
            "of Ollama.\n\nPlease see https://github.com/ollama/ollama/releases/tag/v0.41.0 for more";
        assert_eq!(said(releases), None, "a link is no requirement");
        assert_eq!(needed_engine("pull model manifest: 412: "), None);
    }

    #[test]
    fn messages_of_pulls_and_loads_are_classified() {
        for (message, failure) in [
            (
                "llama-server reported out-of-memory during startup: cudaMalloc failed: out of memory",
                OutOfMemory,
            ),
            (
                "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 304.75 MiB on device 0: cudaMalloc failed",
                OutOfMemory,
            ),
            (
                "ggml_vulkan: Device memory allocation of size 1 failed. vk::Device::allocateMemory: \
                 ErrorOutOfDeviceMemory",
                OutOfMemory,
            ),
            ("llama-server process has terminated: exit status 1", Other),
            ("llama-server process has terminated: signal: killed", OutOfMainMemory),
            ("llama-server process has terminated: signal: segmentation fault", Other),
            (
                "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 8123456789",
                OutOfMainMemory,
            ),
            (
                "alloc_tensor_range: failed to allocate CUDA0 buffer of size 4123456789\n\
                 error loading model: unable to allocate CPU buffer",
                OutOfMemory,
            ),
            ("failed to allocate compute buffers, retrying without pipeline parallelism", Other),
            (
                "llama-server process has terminated: exit status 1: graph_reserve: failed to allocate compute \
                 buffers, retrying without pipeline parallelism\ncudaMalloc failed: out of memory",
                OutOfMemory,
            ),
            ("pull model manifest: file does not exist", ModelMissing),
            ("model 'acolyte' not found", ModelMissing),
            (
                "pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version of \
                 Ollama that may be in pre-release.\n\nPlease see https://github.com/ollama/ollama/releases",
                NewerEngineNeeded,
            ),
            ("write /x/blobs/sha256-1-partial: no space left on device", DiskFull),
            ("pull model manifest: http: server gave HTTP response to HTTPS client", PlainHttp),
            ("digest mismatch, file must be downloaded again", Transient),
            ("max retries exceeded: EOF", Transient),
            ("an error was encountered while running the model: unexpected EOF", RunnerEnded),
            ("an error was encountered while running the model: CUDA error: out of memory", OutOfMemory),
            ("pull model manifest: 503: unavailable", Transient),
            ("invalid model name", Other),
        ] {
            assert_eq!(EngineFailure::of(message), failure, "{message}");
        }
    }
}
