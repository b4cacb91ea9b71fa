//! Classifies the engine's error messages. The only place that matches their text: the engine has no error codes.

/// Cause of a failed call, as far as the engine's message shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFailure {
    /// The model does not fit into graphics or main memory.
    OutOfMemory,
    /// The registry, or the engine, has no such model.
    ModelMissing,
    /// The model needs a newer engine.
    NewerEngineNeeded,
    /// The disk is full.
    DiskFull,
    /// The registry uses plain http but was queried with https.
    PlainHttp,
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
/// After a line with this, the engine retries by itself.
const RECOVERED: &str = "retrying without pipeline parallelism";

/// Parts of messages and their failure. The first match applies.
const MESSAGES: &[(EngineFailure, &[&str])] = &[
    (EngineFailure::NewerEngineNeeded, &["manifest: 412", "requires a newer version"]),
    (EngineFailure::ModelMissing, &["file does not exist", "not found"]),
    (EngineFailure::DiskFull, &["no space left", "not enough space"]),
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
        if is_out_of_memory(message) {
            return Self::OutOfMemory;
        }
        let means = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        MESSAGES.iter().find(|(_, parts)| means(parts)).map_or(Self::Other, |(failure, _)| *failure)
    }
}

/// The engine joins all lines of its runner, so a line about a retry may precede the final error.
fn is_out_of_memory(message: &str) -> bool {
    let message = message.to_lowercase();
    let ran_out = |line: &str| OUT_OF_MEMORY.iter().any(|part| line.contains(part));
    message.lines().any(|line| ran_out(line) && !line.contains(RECOVERED))
}

#[cfg(test)]
mod tests {
    use super::EngineFailure::{
        DiskFull, ModelMissing, NewerEngineNeeded, Other, OutOfMemory, PlainHttp, Transient,
    };
    use super::*;

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
            ("pull model manifest: 503: unavailable", Transient),
            ("invalid model name", Other),
        ] {
            assert_eq!(EngineFailure::of(message), failure, "{message}");
        }
    }
}
