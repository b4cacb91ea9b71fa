//! Classifies the engine's error messages. The only place that matches their text: the engine has no error codes.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::models::EngineVersion;
use crate::ollama::http::{CertificateProblem, Clocks, NetworkObstacle, ProxyLogin};
use crate::platform::files;

/// Cause of a failed call, as far as the engine's message shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFailure {
    /// The model does not fit into memory: the card's, as far as the message tells.
    OutOfMemory,
    /// The prompt, or the conversation, is longer than the context.
    PromptTooLong,
    /// Main memory ran out: the system killed the runner, or refused it a buffer.
    OutOfMainMemory,
    /// The registry, or the engine, has no such model.
    ModelMissing,
    /// The model needs a newer engine.
    NewerEngineNeeded,
    /// The disk is full.
    DiskFull,
    /// Windows refused the engine a file that another program, such as a virus scanner, has open. Retrying helps.
    FileInUse,
    /// The registry uses plain http but was queried with https.
    PlainHttp,
    /// Something stands between the engine and the registry: a sign-in page, a proxy, a certificate. See
    /// [`engine_obstacle`].
    Obstructed,
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
    (EngineFailure::PromptTooLong, &["exceeds the available context size", "exceed_context_size"]),
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
        if engine_obstacle(message, "").is_some() {
            return Self::Obstructed;
        }
        if files::is_held_message(message) {
            return Self::FileInUse;
        }
        let means = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        MESSAGES.iter().find(|(_, parts)| means(parts)).map_or(Self::Other, |(failure, _)| *failure)
    }
}

/// What stands between the engine and its registry, by the words of Go's network library in its message.
pub fn engine_obstacle(message: &str, host: &str) -> Option<NetworkObstacle> {
    let lower = message.to_lowercase();
    let says = |part: &str| lower.contains(part);
    let is_page = says("<html") || says("<!doctype html");
    if says("invalid character '<' looking for beginning of value")
        || says("manifest: 511")
        || says("manifest: 403") && is_page
    {
        return Some(NetworkObstacle::SignInPage { host: host.to_owned() });
    }
    if says("proxy authentication required") || says("manifest: 407") {
        return Some(NetworkObstacle::ProxyLogin(ProxyLogin::default()));
    }
    let (_, about) = message.split_once("x509: ")?;
    let host = host.to_owned();
    Some(NetworkObstacle::Certificate { host, problem: certificate_problem(about) })
}

/// What Go says of a certificate (`crypto/x509/verify.go`).
fn certificate_problem(about: &str) -> CertificateProblem {
    let seconds = |time: &str| {
        let time = time.split_whitespace().next()?.trim_end_matches([',', '"', '.']);
        let time = OffsetDateTime::parse(time, &Rfc3339).ok()?;
        u64::try_from(time.unix_timestamp()).ok()
    };
    let after = |words: &str| about.split_once(words).and_then(|(_, time)| seconds(time));
    if let Some(here) = after("current time ") {
        let clocks = Clocks { here, there: None };
        return match after(" is before ") {
            Some(begin) => CertificateProblem::NotYetValid { begin: Some(begin), clocks },
            None => CertificateProblem::Expired { end: after(" is after "), clocks },
        };
    }
    if about.contains("signed by unknown authority") {
        return CertificateProblem::UnknownIssuer { issuer: None };
    }
    let names = about.strip_prefix("certificate is valid for ").and_then(|rest| rest.split_once(", not "));
    match names {
        Some((names, _)) => {
            CertificateProblem::WrongName { names: names.split(", ").map(Into::into).collect() }
        }
        None if about.contains("doesn't contain any IP SANs")
            || about.contains("is not valid for any names") =>
        {
            CertificateProblem::WrongName { names: Vec::new() }
        }
        None => CertificateProblem::Other(about.chars().take(200).collect::<String>().into()),
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
        DiskFull, FileInUse, ModelMissing, NewerEngineNeeded, Obstructed, Other, OutOfMainMemory,
        OutOfMemory, PlainHttp, RunnerEnded, Transient,
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
            (
                "rename C:\\m\\sha256-1-partial C:\\m\\sha256-1: The process cannot access the file because it is being \
                 used by another process.",
                FileInUse,
            ),
            ("pull model manifest: http: server gave HTTP response to HTTPS client", PlainHttp),
            ("digest mismatch, file must be downloaded again", Transient),
            ("max retries exceeded: EOF", Transient),
            ("an error was encountered while running the model: unexpected EOF", RunnerEnded),
            ("an error was encountered while running the model: CUDA error: out of memory", OutOfMemory),
            ("pull model manifest: 503: unavailable", Transient),
            ("pull model manifest: invalid character '<' looking for beginning of value", Obstructed),
            ("pull model manifest: 403: <!DOCTYPE html><html>Blocked</html>", Obstructed),
            ("pull model manifest: 403: {\"errors\":[]}", Other),
            ("pull model manifest: 511: ", Obstructed),
            ("pull model manifest: Get \"https://r/v2/x\": Proxy Authentication Required", Obstructed),
            ("invalid model name", Other),
        ] {
            assert_eq!(EngineFailure::of(message), failure, "{message}");
        }
    }

    #[test]
    fn what_go_says_of_certificates_is_read() {
        let problem = |about: &str| {
            let message = format!("Get \"https://r/v2/\": tls: failed to verify certificate: x509: {about}");
            match engine_obstacle(&message, "r") {
                Some(NetworkObstacle::Certificate { problem, .. }) => problem,
                other => unreachable!("{about}: {other:?}"),
            }
        };
        let clocks = Clocks { here: 1_577_836_800, there: None };
        let time = "certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is";
        assert_eq!(
            problem(&format!("{time} before 2026-11-23T05:53:40Z")),
            CertificateProblem::NotYetValid { begin: Some(1_795_413_220), clocks }
        );
        assert_eq!(
            problem(&format!("{time} after 2019-12-31T23:59:59Z")),
            CertificateProblem::Expired { end: Some(1_577_836_799), clocks }
        );
        assert_eq!(
            problem("certificate signed by unknown authority"),
            CertificateProblem::UnknownIssuer { issuer: None }
        );
        assert_eq!(
            problem("certificate is valid for portal.example, *.portal.example, not r"),
            CertificateProblem::WrongName { names: vec!["portal.example".into(), "*.portal.example".into()] }
        );
        assert!(matches!(problem("unhandled critical extension"), CertificateProblem::Other(_)));
        assert_eq!(engine_obstacle("EOF", "r"), None);
    }
}
