//! Sentences about downloads, archives and the choice of an engine.

use std::path::Path;

use crate::install::EngineChoice;
use crate::install::fetch::{DownloadError, DownloadWait, TransferProblem};
use crate::install::unpack::UnpackError;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl DownloadWait {
    /// Why it waits.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Resume => say!(text, "fetch-waiting-resume"),
            Self::Answer { host, seconds } => {
                say!(
                    text,
                    "fetch-waiting-answer",
                    host = host.as_str(),
                    time = text.duration(*seconds as f64)
                )
            }
            Self::Data { host, seconds } => {
                say!(text, "fetch-waiting-data", host = host.as_str(), time = text.duration(*seconds as f64))
            }
            Self::Retry { host, problem, seconds } => say!(
                text,
                "fetch-waiting-retry",
                host = host.as_str(),
                problem = problem.explain(text),
                time = text.duration(*seconds as f64)
            ),
            Self::Check => say!(text, "fetch-waiting-check"),
        }
    }
}

impl DownloadError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Cancelled(_) => say!(text, "fetch-cancelled"),
            Self::Unavailable { file, tried } => {
                let reasons: Vec<String> = tried
                    .iter()
                    .map(|(url, problem)| {
                        format!("{}: {}", url.host_str().unwrap_or_default(), problem.explain(text))
                    })
                    .collect();
                let (file, reasons) = (file.as_str(), reasons.join("; "));
                let mut advice: Vec<String> = Vec::new();
                for (_, problem) in tried {
                    if let TransferProblem::Obstacle(obstacle) = problem {
                        let said = obstacle.advice(text);
                        if !advice.contains(&said) {
                            advice.push(said);
                        }
                    }
                }
                if advice.is_empty() {
                    return say!(text, "fetch-unavailable", file = file, reasons = reasons);
                }
                say!(text, "fetch-obstructed", file = file, reasons = reasons, advice = advice.join(" "))
            }
            Self::CheckSum { address, expected, actual } => say!(
                text,
                "fetch-checksum",
                address = address.as_str(),
                expected = expected.to_string(),
                actual = actual.to_string()
            ),
            Self::DiskFull { path, missing_bytes: Some(bytes) } => say!(
                text,
                "fetch-disk-too-small",
                path = UntrustedText::path(path),
                size = text.file_size(*bytes)
            ),
            Self::DiskFull { path, missing_bytes: None } => {
                say!(text, "fetch-disk-full", path = UntrustedText::path(path))
            }
            Self::File(error) => error.explain(text),
        }
    }
}

impl TransferProblem {
    /// What happened, as the end of a sentence that names the host.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Connection(problem) => say!(text, "fetch-problem-connection", problem = problem.as_str()),
            Self::Obstacle(obstacle) => obstacle.explain(text),
            Self::Stalled(time) => {
                say!(text, "fetch-problem-stalled", time = text.duration(time.as_secs_f64()))
            }
            Self::EndedEarly => say!(text, "fetch-problem-cut-short"),
            Self::Status { status: 404 | 410, .. } => say!(text, "fetch-problem-not-found"),
            Self::Status { status, .. } => say!(text, "fetch-problem-status", status = status.to_string()),
            Self::Insecure(url) => say!(text, "fetch-problem-insecure", address = url.as_str()),
            Self::ThisComputer(host) => say!(text, "fetch-problem-this-computer", host = host),
            Self::Redirects => say!(text, "fetch-problem-redirects"),
            Self::Length { expected, actual } => say!(
                text,
                "fetch-problem-length",
                expected = text.count(*expected),
                actual = text.count(*actual)
            ),
            Self::InvalidResponse(problem) => {
                say!(text, "fetch-problem-invalid-response", problem = problem.as_str())
            }
            Self::RangesIgnored { .. } => say!(text, "fetch-problem-ranges-ignored"),
            Self::Changed => say!(text, "fetch-problem-changed"),
            Self::CheckSum { expected, actual } => {
                say!(
                    text,
                    "fetch-problem-checksum",
                    expected = expected.to_string(),
                    actual = actual.to_string()
                )
            }
        }
    }
}

impl UnpackError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        let shown = |path: &Path| UntrustedText::path(path);
        match self {
            Self::Cancelled(_) => say!(text, "fetch-cancelled"),
            Self::Read { path, source } => {
                say!(
                    text,
                    "fetch-unpack-unreadable",
                    path = shown(path),
                    problem = UntrustedText::from(source.to_string())
                )
            }
            Self::UnknownFormat { path } => say!(text, "fetch-unpack-format", path = shown(path)),
            Self::Damaged { path, problem } => {
                say!(text, "fetch-unpack-damaged", path = shown(path), problem = problem.as_str())
            }
            Self::Hostile { entry, .. } => say!(text, "fetch-unpack-hostile", entry = entry.as_str()),
            Self::TooLarge { limits } => {
                say!(
                    text,
                    "fetch-unpack-too-large",
                    entries = text.count(limits.entries),
                    size = text.file_size(limits.bytes)
                )
            }
            Self::WrongHash { path, expected, actual } => say!(
                text,
                "fetch-archive-wrong",
                path = shown(path),
                expected = expected.to_string(),
                actual = actual.to_string()
            ),
            Self::DiskFull { path } => say!(text, "fetch-disk-full", path = shown(path)),
            Self::DiskShort { path, need_bytes, free_bytes } => say!(
                text,
                "fetch-disk-too-small",
                path = shown(path),
                size = text.file_size(need_bytes.saturating_sub(*free_bytes))
            ),
            Self::Write(error) => error.explain(text),
        }
    }
}

impl EngineChoice {
    /// How the engine is verified, in a sentence.
    pub fn note(&self, text: Text) -> String {
        match self {
            Self::Pinned => say!(text, "source-pinned"),
            Self::Listed(path) => say!(text, "source-listed", path = UntrustedText::path(path)),
            Self::Newest(_) => say!(text, "source-newest"),
            Self::Signed(_) => say!(text, "source-signed"),
            Self::Installed(engine) => {
                say!(text, "source-installed", path = UntrustedText::path(&engine.program))
            }
        }
    }
}
