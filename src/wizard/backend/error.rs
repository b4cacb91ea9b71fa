//! Why a command failed.

use std::path::PathBuf;
use std::sync::Arc;

use crate::install::InstallError;
use crate::models::ModelTag;
use crate::ollama::client::ClientError;
use crate::ollama::lookup::LookupError;
use crate::ollama::release::newest::NewestError;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// Why a command failed. Put into words where it is shown, so that a change of language changes them too.
#[derive(Clone, Debug)]
pub enum WorkerError {
    /// The worker panicked.
    Crashed,
    /// The system could not start a thread, or what a thread needs.
    NotStarted {
        /// What the system said.
        cause: String,
    },
    /// Installing, or managing an installation.
    Install(Arc<InstallError>),
    /// Looking for the newest release.
    Newest(Arc<NewestError>),
    /// Looking up a model.
    Lookup(Arc<LookupError>),
    /// Asking the engine.
    Engine(Arc<ClientError>),
    /// Building a report.
    ReportNotBuilt {
        /// What is known of the cause.
        cause: String,
    },
    /// Writing a report.
    ReportNotWritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Opening a folder or a web page.
    NotOpened {
        /// The folder or the address.
        target: String,
        /// What the system said.
        cause: String,
    },
}

impl WorkerError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Crashed => say!(text, "wizard-worker-crashed"),
            Self::NotStarted { cause } => say!(text, "wizard-no-worker", cause = cause.as_str()),
            Self::Install(_) if self.asks_for_four_bits() => say!(text, "wizard-four-bits-declined"),
            Self::Install(_) if self.asks_for_unverified_model().is_some() => {
                say!(text, "wizard-unverified-declined")
            }
            Self::Install(error) => error.explain(text),
            Self::Newest(error) => error.explain(text),
            Self::Lookup(error) => error.explain(text),
            Self::Engine(error) => error.explain(text),
            Self::ReportNotBuilt { cause } => say!(text, "wizard-report-not-built", cause = cause.as_str()),
            Self::ReportNotWritten { path, cause } => {
                say!(text, "wizard-report-failed", path = UntrustedText::path(path), cause = cause.as_str())
            }
            Self::NotOpened { target, cause } => {
                say!(text, "wizard-open-failed", path = UntrustedText::new(target), cause = cause.as_str())
            }
        }
    }

    /// Whether the user cancelled it.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Install(error) if error.is_cancelled())
    }

    /// Model, store and host of the registry, where the registry cannot be reached and only another store has the model,
    /// which needs consent.
    pub fn asks_for_unverified_model(&self) -> Option<(ModelTag, PathBuf, String)> {
        match self {
            Self::Install(error) => match &**error {
                InstallError::UnverifiedModel { model, store, host, .. } => {
                    Some((model.clone(), store.clone(), host.clone()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the registry served another file than the one that was planned.
    pub fn is_model_replaced(&self) -> bool {
        matches!(self, Self::Install(error) if matches!(**error, InstallError::ModelReplaced { .. }))
    }

    /// Whether not every change could be reverted.
    pub fn is_rollback_incomplete(&self) -> bool {
        matches!(self, Self::Install(error) if matches!(**error, InstallError::RollbackIncomplete { .. }))
    }

    /// Whether memory ran out, and the model may fit with a 4-bit KV cache, which needs consent.
    pub fn asks_for_four_bits(&self) -> bool {
        matches!(self, Self::Install(error) if matches!(**error, InstallError::FourBitsNeedConsent { .. }))
    }
}

impl From<InstallError> for WorkerError {
    fn from(error: InstallError) -> Self {
        Self::Install(Arc::new(error))
    }
}

impl From<ClientError> for WorkerError {
    fn from(error: ClientError) -> Self {
        Self::Engine(Arc::new(error))
    }
}
