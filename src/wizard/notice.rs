//! A message above the page about the last action, shown until the page changes.

use std::path::PathBuf;
use std::sync::Arc;

use super::backend::WorkerError;
use super::theme::Tone;
use crate::install::manage::kept::Kept;
use crate::models::Model;
use crate::say;
use crate::sentences::changed_file;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// What the message is about.
#[derive(Clone, Debug)]
pub(super) enum Notice {
    /// The earlier choice cannot be resumed as it was.
    ChooseAgain,
    /// The file that will be downloaded needs other consent than the catalogue's figures.
    OtherLimits(Arc<Model>),
    /// Looking for an installation failed.
    LookupFailed(WorkerError),
    /// A command failed.
    Failed(WorkerError),
    /// This program is kept on the computer.
    Kept(Box<Kept>),
    /// It is not, although it was wanted.
    NotKept(WorkerError),
    /// A report was written.
    ReportSaved(PathBuf),
    /// An interrupted installation is being undone.
    Undoing,
    /// It was undone.
    Undone,
}

impl Notice {
    /// Its colour.
    pub(super) fn tone(&self) -> Tone {
        match self {
            Self::ChooseAgain | Self::OtherLimits(_) | Self::LookupFailed(_) | Self::NotKept(_) => {
                Tone::Warning
            }
            Self::Failed(_) => Tone::Refused,
            Self::Kept(kept) if !kept.skipped.is_empty() || kept.missing.is_some() => Tone::Warning,
            Self::Kept(_) | Self::ReportSaved(_) | Self::Undone => Tone::Good,
            Self::Undoing => Tone::Soft,
        }
    }

    /// Its words.
    pub(super) fn words(&self, text: Text) -> String {
        match self {
            Self::ChooseAgain => say!(text, "wizard-resume-choose"),
            Self::OtherLimits(model) => {
                let changed = changed_file(model, text);
                let said = changed.into_iter().chain([say!(text, "wizard-file-other-limits")]);
                said.collect::<Vec<_>>().join(" ")
            }
            Self::LookupFailed(error) | Self::Failed(error) => error.explain(text),
            Self::Kept(kept) => kept.lines(text).join("\n"),
            Self::NotKept(error) => say!(text, "keep-failed-after-install", cause = error.explain(text)),
            Self::ReportSaved(path) => say!(text, "wizard-report-saved", path = UntrustedText::path(path)),
            Self::Undoing => say!(text, "wizard-undoing"),
            Self::Undone => say!(text, "wizard-undone"),
        }
    }
}
