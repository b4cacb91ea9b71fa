//! Sentences about why an installation, an undo or an uninstall stopped.

use crate::install::change::{Change, Subject};
use crate::install::reuse::NotReusable;
use crate::install::state::documents::DocumentError;
use crate::install::state::home::HomeTooLong;
use crate::install::{FinishedBy, InstallError, LockError, RevertProblem, RollbackReport};
use crate::models::ModelTag;
use crate::ollama::client::ClientError;
use crate::ollama::failure::{EngineFailure, engine_obstacle};
use crate::say;
use crate::sentences::engine::{quoted, with_meaning};
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl InstallError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            _ if self.is_cancelled() => say!(text, "install-cancelled"),
            Self::Cancelled(_) => say!(text, "install-cancelled"),
            Self::WorkerPanicked { message } => {
                say!(text, "install-worker-panicked", cause = message.as_str())
            }
            Self::RollbackIncomplete { cause, rollback } => {
                let cause = cause.iter().map(|cause| cause.explain(text));
                cause.chain([rollback.explain(text)]).collect::<Vec<_>>().join("\n")
            }
            Self::Lock(LockError::Busy { home }) => {
                say!(text, "install-busy", home = UntrustedText::path(home))
            }
            Self::Lock(LockError::File(error)) | Self::File(error) => error.explain(text),
            Self::Document(DocumentError::File(error)) => error.explain(text),
            Self::Ownership(error) | Self::Document(DocumentError::Ownership(error)) => error.explain(text),
            Self::Document(DocumentError::ForeignPath { document, path }) => say!(
                text,
                "install-foreign-path",
                document = UntrustedText::path(document),
                path = UntrustedText::path(path)
            ),
            Self::Document(DocumentError::Format { path, cause }) => say!(
                text,
                "install-document-damaged",
                path = UntrustedText::path(path),
                cause = UntrustedText::new(cause)
            ),
            Self::Release(error) => error.explain(text),
            Self::Http(error) => error.explain(text),
            Self::Download(error) => error.explain(text),
            Self::Unpack(error) => error.explain(text),
            Self::Server(error) => error.explain(text),
            Self::Engine(error) => error.explain(text),
            Self::Runtime { source } => {
                say!(text, "install-no-runtime", cause = UntrustedText::from(source.to_string()))
            }
            Self::HomeTooLong(HomeTooLong { home, most_chars }) => {
                say!(text, "install-home-too-long", home = UntrustedText::path(home), most = *most_chars)
            }
            Self::ModelName(error) => error.explain(text),
            Self::Refused => say!(text, "install-refused"),
            Self::ConsentMissing => say!(text, "install-consent-missing"),
            Self::DiskShort { path, need_bytes, free_bytes } => say!(
                text,
                "install-disk-short",
                path = UntrustedText::path(path),
                need = text.file_size(*need_bytes),
                free = text.file_size(*free_bytes)
            ),
            Self::ProgramsForbidden { folder } => {
                say!(text, "install-programs-forbidden", path = UntrustedText::path(folder))
            }
            Self::FileTooLarge { folder, need_bytes, largest_bytes } => say!(
                text,
                "install-file-too-large",
                path = UntrustedText::path(folder),
                need = text.file_size(*need_bytes),
                largest = text.file_size(*largest_bytes)
            ),
            Self::TooFewEntries { folder, free } => say!(
                text,
                "install-too-few-entries",
                path = UntrustedText::path(folder),
                free = text.count(*free)
            ),
            Self::NoLoader { loader } => {
                say!(text, "install-no-loader", path = UntrustedText::path(loader))
            }
            Self::OldCLibrary { found, needed } => {
                say!(text, "install-old-c-library", found = found.as_str(), needed = needed.as_str())
            }
            Self::NoProgram { folder } => {
                say!(text, "install-no-program", path = UntrustedText::path(folder))
            }
            Self::EngineDamaged { path } => {
                say!(text, "install-engine-damaged", path = UntrustedText::path(path))
            }
            Self::EngineChanged { program, reason } => say!(
                text,
                "install-engine-changed",
                path = UntrustedText::path(program),
                reason = reason.explain(text)
            ),
            Self::UnverifiedModel { model, store, host, cause } => say!(
                text,
                "install-unverified-model",
                model = model.as_str(),
                store = UntrustedText::path(store),
                host = host.as_str(),
                cause = cause.explain(text)
            ),
            Self::Pull { model, source } => explain_pull(model, source, text),
            Self::ModelFileGone { path } => {
                say!(text, "install-model-file-gone", path = UntrustedText::path(path))
            }
            Self::ModelFileChanged { path } => {
                say!(text, "install-model-file-changed", path = UntrustedText::path(path))
            }
            Self::ModelReplaced { model } => say!(text, "install-model-replaced", model = model.as_str()),
            Self::NewerEngineNeeded { model, engine_version, needed: Some(needed) } => say!(
                text,
                "install-pull-needs-engine",
                model = model.as_str(),
                engine = engine_version.as_str(),
                needed = needed.to_string()
            ),
            Self::NewerEngineNeeded { model, engine_version, needed: None } => {
                let engine = engine_version.as_str();
                say!(text, "install-pull-newer-engine", model = model.as_str(), engine = engine)
            }
            Self::ParameterDropped { name, wanted, found } => say!(
                text,
                "install-parameter-dropped",
                name = *name,
                wanted = wanted.to_string(),
                found = found.clone()
            ),
            Self::ContextClamped { wanted_tokens, found_tokens } => say!(
                text,
                "install-context-clamped",
                wanted = text.count(u64::from(*wanted_tokens)),
                found = text.count(*found_tokens)
            ),
            Self::NotListed => say!(text, "install-not-listed"),
            Self::LayersDropped { wanted, found } => {
                say!(text, "install-layers-dropped", wanted = *wanted, found = *found)
            }
            Self::KvCacheTypeDiffers { wanted, found } => {
                say!(text, "install-kv-differs", wanted = wanted.name(), found = found.clone())
            }
            Self::LoadFailed { message, error_lines } => {
                let lines = quoted(error_lines);
                let said = say!(text, "install-load-failed", message = message.clone(), lines = lines);
                with_meaning(said, message, text)
            }
            Self::OutOfMemory { tried } => {
                say!(text, "install-out-of-memory", count = tried.len())
            }
            Self::FewerLayersNeedConsent { gpu_layers, total_layers } => {
                say!(text, "install-fewer-layers-need-consent", layers = *gpu_layers, total = *total_layers)
            }
            Self::MoreExpertsInRamNeedConsent { n_cpu_moe, blocks } => {
                say!(text, "install-more-experts-need-consent", blocks = *n_cpu_moe, total = *blocks)
            }
            Self::FourBitsNeedConsent { gpu_layers, total_layers } => {
                say!(text, "install-four-bits-need-consent", layers = *gpu_layers, total = *total_layers)
            }
            Self::Login(error) => say!(text, "install-login-failed", cause = error.explain(text)),
            Self::NothingToUndo { home } => {
                say!(text, "install-nothing-to-undo", home = UntrustedText::path(home))
            }
            Self::InterruptedBefore { home } => {
                say!(text, "install-interrupted-before", home = UntrustedText::path(home))
            }
            Self::NothingToContinue { home } => {
                say!(text, "install-nothing-to-continue", home = UntrustedText::path(home))
            }
            Self::ModelKept { model, why } => why.explain(model, text),
            Self::ChangedMeanwhile { home } => {
                say!(text, "install-changed-meanwhile", home = UntrustedText::path(home))
            }
            Self::NewerIsKept { version } => {
                let own = env!("CARGO_PKG_VERSION");
                say!(text, "keep-newer-kept", kept = version.as_str(), own = own)
            }
            Self::NotInstalled { home } => {
                say!(text, "install-not-installed", home = UntrustedText::path(home))
            }
        }
    }
}

impl NotReusable {
    /// Why an installed engine is not reused, as part of a sentence.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Older { version, minimum } => {
                say!(text, "reuse-older", version = version.as_str(), minimum = minimum.as_str())
            }
            Self::Unknown => say!(text, "reuse-unknown"),
            Self::Layout { path } => say!(text, "reuse-layout", path = UntrustedText::path(path)),
            Self::Changed => say!(text, "reuse-changed"),
            Self::Writable { path } => say!(text, "reuse-writable", path = UntrustedText::path(path)),
            Self::Unreadable { path, problem } => {
                say!(text, "reuse-unreadable", path = UntrustedText::path(path), problem = problem.as_str())
            }
        }
    }
}

/// Explains common pull errors of the engine, whose own messages are technical.
fn explain_pull(model: &ModelTag, source: &ClientError, text: Text) -> String {
    let obstacle = source.server_message().and_then(|message| engine_obstacle(message, model.host()));
    let model = model.as_str();
    if let Some(obstacle) = obstacle {
        let (problem, advice) = (obstacle.explain(text), obstacle.advice(text));
        return say!(text, "install-pull-obstructed", model = model, problem = problem, advice = advice);
    }
    match source.failure() {
        Some(EngineFailure::ModelMissing) => say!(text, "install-pull-missing", model = model),
        Some(EngineFailure::DiskFull) => say!(text, "install-pull-disk-full", model = model),
        Some(EngineFailure::PlainHttp) => say!(text, "install-pull-plain-http", model = model),
        _ => say!(text, "install-pull-failed", model = model, cause = source.explain(text)),
    }
}

impl RollbackReport {
    /// What was rolled back, what was not and why, and what to do.
    pub fn explain(&self, text: Text) -> String {
        let mut lines = vec![say!(text, "rollback-incomplete")];
        for failure in &self.failed {
            let what = failure.change.words(text);
            lines.push(say!(text, "rollback-failed", what = what, cause = failure.cause.explain(text)));
        }
        if !self.reverted.is_empty() {
            let mut reverted: Vec<String> = self.reverted.iter().map(|change| change.words(text)).collect();
            reverted.dedup();
            lines.push(say!(text, "rollback-reverted", what = reverted.join(", ")));
        }
        lines.push(self.finished_by.remedy(text));
        lines.join("\n")
    }
}

impl FinishedBy {
    /// What to do.
    pub fn remedy(self, text: Text) -> String {
        match self {
            Self::Undo => say!(text, "rollback-remedy", command = "acolyte undo"),
            Self::Uninstall => say!(text, "rollback-remedy", command = "acolyte uninstall"),
            Self::RemoveKept => say!(text, "rollback-remedy", command = "acolyte keep --remove"),
        }
    }
}

impl RevertProblem {
    /// Why a change was not reverted.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Failed(error) => error.explain(text),
            Self::ServerStillRuns => say!(text, "rollback-server-runs"),
        }
    }
}

impl Change {
    /// What the change affects.
    pub fn words(&self, text: Text) -> String {
        match self.describe() {
            Subject::Folder(path) => say!(text, "change-folder", path = UntrustedText::path(&path)),
            Subject::Path(path) | Subject::Document(path) => UntrustedText::path(&path).into(),
            Subject::Model { tag, .. } => say!(text, "change-model", model = tag.shown()),
            Subject::Server => say!(text, "change-server"),
            Subject::LoginEntry => say!(text, "change-login-entry"),
            Subject::ShellLine(path) => say!(text, "change-shell-line", path = UntrustedText::path(&path)),
            Subject::UserPath => say!(text, "change-user-path"),
            Subject::InstalledApp => say!(text, "change-installed-app"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn a_model_for_newer_engines_names_both_versions_and_what_to_do() {
        let error = |needed: Option<&str>| InstallError::NewerEngineNeeded {
            model: ModelTag::parse("gemma4:12b").unwrap(),
            engine_version: "0.30.3".into(),
            needed: needed.map(|version| version.parse().unwrap()),
        };
        for language in Language::ALL {
            let text = Text::new(language);
            let (unknown, known) = (error(None).explain(text), error(Some("0.30.9")).explain(text));
            for part in ["gemma4:12b", "0.30.3", "412", "--ollama newest"] {
                assert!(unknown.contains(part) && known.contains(part), "{part}: {unknown} {known}");
            }
            assert!(known.contains("0.30.9") && !unknown.contains("0.30.9"), "{known}");
        }
    }
}
