//! Sentences about errors of the engine, its releases, registries and model tags.

use crate::models::Catalogue;
use crate::models::ModelTagError;
use crate::ollama::client::ClientError;
use crate::ollama::failure::EngineFailure;
use crate::ollama::http::HttpError;
use crate::ollama::http::innermost;
use crate::ollama::lookup::LookupError;
use crate::ollama::registry::{AnswerProblem, RegistryError, UnreachableCause};
use crate::ollama::release::ReleaseError;
use crate::ollama::release::newest::NewestError;
use crate::ollama::server::ServerError;
use crate::platform::listening::PortOwner;
use crate::platform::program_end::ProgramEnd;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl ModelTagError {
    /// What is wrong and how to write it.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Empty => say!(text, "reference-empty"),
            Self::TooManyParts { tag } => {
                say!(text, "reference-too-many-parts", reference = tag.as_str())
            }
            Self::Part { tag, part, .. } => {
                say!(text, "reference-part", reference = tag.as_str(), part = part.as_str())
            }
            Self::PortOnWindows { tag } => {
                say!(text, "reference-port-on-windows", reference = tag.as_str())
            }
        }
    }
}

impl RegistryError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Http(error) => error.explain(text),
            Self::Unreachable { host, cause: UnreachableCause::Obstacle(obstacle), .. } => say!(
                text,
                "registry-obstructed",
                host = host.as_str(),
                problem = obstacle.explain(text),
                advice = obstacle.advice(text)
            ),
            Self::Unreachable { host, cause, encrypted: true } => {
                let problem = cause.explain(text);
                say!(text, "registry-unreachable-encrypted", host = host.as_str(), problem = problem)
            }
            Self::Unreachable { host, cause, .. } => {
                say!(text, "registry-unreachable", host = host.as_str(), problem = cause.explain(text))
            }
            Self::NotFound { tag } => {
                say!(text, "registry-not-found", host = tag.host(), reference = tag.to_string())
            }
            Self::Refused { tag } => {
                say!(text, "registry-refused", host = tag.host(), reference = tag.to_string())
            }
            Self::NewerEngineNeeded { tag } => {
                say!(text, "registry-newer-engine", host = tag.host(), reference = tag.to_string())
            }
            Self::Status { host, status } => {
                say!(text, "registry-status", host = host.as_str(), status = status.to_string())
            }
            Self::Insecure { host, address } => {
                say!(text, "registry-insecure", host = host.as_str(), address = address.as_str())
            }
            Self::Unusable { tag, problem } => say!(
                text,
                "registry-unusable",
                host = tag.host(),
                reference = tag.to_string(),
                problem = problem.explain(text)
            ),
        }
    }
}

impl UnreachableCause {
    /// Why a registry did not answer, as part of a sentence.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Silent { seconds } => {
                say!(text, "registry-silent", duration = text.duration(*seconds as f64))
            }
            Self::Slow { seconds } => {
                say!(text, "registry-slow", duration = text.duration(*seconds as f64))
            }
            Self::ThisComputer { host } => say!(text, "registry-this-computer", host = host),
            Self::Obstacle(obstacle) => obstacle.explain(text),
            Self::Connection(cause) => cause.to_string(),
        }
    }
}

impl AnswerProblem {
    /// What is wrong with a registry's answer, as part of a sentence.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::NoModelLayer => say!(text, "registry-no-model-layer"),
            Self::ManifestTooLarge => say!(text, "registry-manifest-too-large"),
            Self::HeaderIncomplete => say!(text, "registry-header-incomplete"),
            Self::Redirect => say!(text, "registry-redirect-invalid"),
            Self::TooManyRedirects => say!(text, "registry-too-many-redirects"),
            Self::Manifest(error) => {
                say!(text, "registry-manifest-invalid", problem = UntrustedText::from(error.to_string()))
            }
            Self::Url(problem) => say!(text, "registry-url-invalid", problem = problem.as_str()),
            Self::Header(error) => error.explain(text),
            Self::NotAModel(error) => error.explain(text),
        }
    }
}

impl HttpError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Proxy { proxy } => say!(text, "fetch-proxy-invalid", proxy = proxy.as_str()),
            Self::CaFile { path, source } => {
                say!(
                    text,
                    "fetch-ca-unreadable",
                    path = UntrustedText::path(path),
                    problem = UntrustedText::from(source.to_string())
                )
            }
            Self::NoCertificates { path, problem } => problem.explain(path, text),
            Self::Build(source) => say!(text, "fetch-no-client", problem = innermost(source)),
            Self::Tls(source) => {
                say!(text, "fetch-no-client", problem = UntrustedText::from(source.to_string()))
            }
        }
    }
}

impl ClientError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Setup(cause) => say!(text, "install-client-setup", cause = cause.clone()),
            Self::Unreachable { port, cause, .. } => {
                say!(text, "install-client-unreachable", port = port.to_string(), cause = cause.clone())
            }
            Self::Stranger { port, by } => {
                say!(text, "install-client-stranger", by = by.describe(text), port = port.to_string())
            }
            Self::NotListening { port } => {
                say!(text, "install-server-not-listening", port = port.to_string())
            }
            Self::Silent { seconds, .. } => {
                say!(text, "install-client-silent", duration = text.duration(*seconds as f64))
            }
            Self::Refused { failure: EngineFailure::PromptTooLong, .. } => {
                say!(text, "install-client-prompt-too-long")
            }
            Self::Refused { failure: EngineFailure::FileInUse, message, .. } => {
                say!(text, "install-client-file-in-use", message = message.clone())
            }
            Self::Refused { message, .. } => {
                with_meaning(say!(text, "install-client-refused", message = message.clone()), message, text)
            }
            Self::EndedEarly { .. } => say!(text, "install-client-cut-short"),
            Self::Unreadable { cause, .. } => say!(text, "install-client-unreadable", cause = cause.clone()),
        }
    }
}

impl PortOwner {
    /// Name and process ID, as part of a sentence.
    pub fn describe(&self, text: Text) -> String {
        let pid = self.pid.map(|pid| pid.to_string());
        let user = self.user.as_ref().map(ToString::to_string);
        match (pid, &self.name, user) {
            (Some(pid), Some(name), Some(user)) => {
                say!(text, "install-port-owner-of", name = name.as_str(), pid = pid, user = user)
            }
            (Some(pid), Some(name), None) => {
                say!(text, "install-port-owner", name = name.as_str(), pid = pid)
            }
            (Some(pid), None, Some(user)) => {
                say!(text, "install-port-owner-unnamed-of", pid = pid, user = user)
            }
            (Some(pid), None, None) => say!(text, "install-port-owner-unnamed", pid = pid),
            (None, _, Some(user)) => say!(text, "install-port-owner-user", user = user),
            (None, _, None) => say!(text, "install-another-program"),
        }
    }
}

impl ServerError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::PortTaken { port, by } => {
                let port = port.to_string();
                match by {
                    Some(by) => {
                        say!(text, "install-server-port-taken-by", port = port, by = by.describe(text))
                    }
                    None => say!(text, "install-server-port-taken", port = port),
                }
            }
            Self::NoFreePort { first, last } => {
                say!(text, "install-server-no-free-port", first = first.to_string(), last = last.to_string())
            }
            Self::OtherVersion { port, found, expected } => say!(
                text,
                "install-server-other-version",
                port = port.to_string(),
                found = found,
                expected = expected
            ),
            Self::Spawn { program, source } => say!(
                text,
                "install-server-spawn",
                path = UntrustedText::path(program),
                cause = UntrustedText::from(source.to_string())
            ),
            Self::File(error) => error.explain(text),
            Self::Ended { end, last_lines } => {
                let ended = say!(text, "install-server-ended", status = end.describe(text));
                let lines = (!last_lines.is_empty())
                    .then(|| say!(text, "install-server-last-lines", lines = quoted(last_lines)));
                let said =
                    [Some(ended), end.meaning(text)].into_iter().flatten().collect::<Vec<_>>().join(" ");
                [Some(said), lines].into_iter().flatten().collect::<Vec<_>>().join("\n")
            }
            Self::NotReady { seconds, last_lines } => say!(
                text,
                "install-server-not-ready",
                duration = text.duration(*seconds as f64),
                lines = quoted(last_lines)
            ),
            Self::Process(error) => {
                say!(text, "install-server-process", cause = UntrustedText::from(error.to_string()))
            }
            Self::Client(error) => error.explain(text),
        }
    }
}

/// Adds what the end of a program means, where the engine's message reports one.
pub fn with_meaning(said: String, message: &str, text: Text) -> String {
    match ProgramEnd::in_message(message).and_then(|end| end.meaning(text)) {
        Some(meaning) => format!("{}\n{meaning}", said.trim_end()),
        None => said,
    }
}

/// Lines of a log, indented: none of them can begin like a line of ours.
pub fn quoted(lines: &[UntrustedText]) -> String {
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

impl ReleaseError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Read { path, source } => say!(
                text,
                "install-release-unreadable",
                path = UntrustedText::path(path),
                cause = UntrustedText::from(source.to_string())
            ),
            Self::Format { path, message } => say!(
                text,
                "install-release-malformed",
                path = UntrustedText::path(path),
                cause = message.clone()
            ),
            Self::Value { path, line, what } => say!(
                text,
                "install-release-malformed",
                path = UntrustedText::path(path),
                cause = format!("line {line}: {what}")
            ),
            Self::NoAsset { version, os, arch } => say!(
                text,
                "install-release-none-for-system",
                version = version.clone(),
                os = os.clone(),
                arch = arch.clone()
            ),
            Self::NoAddress => say!(text, "install-release-no-address"),
            Self::BadAddress { address } => {
                say!(text, "install-release-bad-address", address = address.clone())
            }
        }
    }
}

impl NewestError {
    /// What happened.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Http(error) => error.explain(text),
            Self::Release(error) => error.explain(text),
            Self::Unreachable { host, problem } => {
                say!(text, "newest-unreachable", host = host.as_str(), problem = problem.as_str())
            }
            Self::Obstacle(obstacle) => {
                let problem = obstacle.explain(text);
                say!(text, "newest-obstructed", problem = problem, advice = obstacle.advice(text))
            }
            Self::Insecure { address } => say!(text, "newest-insecure", address = address.as_str()),
            Self::NoSums { address } => say!(text, "newest-no-sums", address = address.as_str()),
            Self::Older { found, pinned } => {
                say!(text, "newest-older", found = found.as_str(), pinned = pinned.as_str())
            }
        }
    }
}

impl LookupError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Unknown { reference } => {
                let known: Vec<&str> =
                    Catalogue::built_in().models.iter().map(|model| model.name.as_str()).collect();
                say!(text, "cli-unknown-model", tag = reference.as_str(), known = known.join(", "))
            }
            Self::Tag(error) => error.explain(text),
            Self::Registry(error) => error.explain(text),
            Self::File(error) => error.explain(text),
        }
    }
}
