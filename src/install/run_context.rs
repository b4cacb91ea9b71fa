//! The context of a running installation, shared by all steps.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::control::{Cancelled, Control};
use crate::install::change::Change;
use crate::install::change::journal::{Journal, JournalEntry};
use crate::install::event::Activity;
use crate::install::progress::Reporter;
use crate::install::state::snapshot::Snapshot;
use crate::install::{InstallError, Paths, Request, Wording};
use crate::models::Model;
use crate::platform::files;

/// A running installation.
pub(super) struct Run<'a> {
    pub request: &'a Request,
    pub wording: &'a dyn Wording,
    pub paths: &'a Paths,
    pub control: &'a Control,
    pub reporter: &'a Reporter<'a>,
    /// The state when the first unfinished run began.
    pub snapshot: &'a Snapshot,
    journal: RefCell<Journal>,
}

impl<'a> Run<'a> {
    pub fn new(
        request: &'a Request,
        wording: &'a dyn Wording,
        paths: &'a Paths,
        control: &'a Control,
        reporter: &'a Reporter<'a>,
        snapshot: &'a Snapshot,
        journal: Journal,
    ) -> Self {
        Self { request, wording, paths, control, reporter, snapshot, journal: RefCell::new(journal) }
    }

    /// The model to install.
    pub fn model(&self) -> &Model {
        &self.request.plan.candidate.model
    }

    /// The model store.
    pub fn models_dir(&self) -> &Path {
        &self.request.options.models_dir
    }

    /// Awaits work and periodically reports the seconds since its start.
    ///
    /// # Errors
    /// When the user cancels.
    pub async fn or_cancelled_reporting<F: Future>(
        &self,
        work: F,
        every: Duration,
        activity: impl Fn(f64) -> Activity,
    ) -> Result<F::Output, Cancelled> {
        let began = Instant::now();
        tokio::pin!(work);
        let mut tick = tokio::time::interval(every);
        tick.tick().await;
        loop {
            tokio::select! {
                biased;
                () = self.control.token().cancelled() => return Err(Cancelled),
                output = &mut work => return Ok(output),
                _ = tick.tick() => self.reporter.running(activity(began.elapsed().as_secs_f64())),
            }
        }
    }

    /// Every line of the journal so far.
    pub fn entries(&self) -> Vec<JournalEntry> {
        self.journal.borrow().entries().to_vec()
    }

    /// Announces a change. It must not be applied when that fails.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn intend(&self, change: &Change) -> Result<(), InstallError> {
        Ok(self.journal.borrow_mut().intend(change.clone())?)
    }

    /// Records that a change was applied.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn done(&self, change: &Change) -> Result<(), InstallError> {
        Ok(self.journal.borrow_mut().done(change.clone())?)
    }

    /// Announces and applies a change that needs only the file system.
    ///
    /// # Errors
    /// When the journal cannot be written, or the change fails.
    pub fn apply(&self, change: Change) -> Result<(), InstallError> {
        Ok(self.journal.borrow_mut().apply(change)?)
    }

    /// Creates a folder with its missing parents; announces each.
    ///
    /// # Errors
    /// When the journal cannot be written, or a folder cannot be created.
    pub fn create_folder(&self, path: &Path) -> Result<(), InstallError> {
        Ok(self.journal.borrow_mut().create_folder(path)?)
    }

    /// Announces a folder and its missing parents, which another program is going to create.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn announce_folder(&self, path: &Path) -> Result<(), InstallError> {
        files::missing_folders(path)
            .into_iter()
            .try_for_each(|path| self.intend(&Change::CreateFolder { path }))
    }

    /// Announces and writes a document.
    ///
    /// # Errors
    /// When the journal or the document cannot be written.
    pub fn write_file(&self, path: &Path, contents: &[u8]) -> Result<(), InstallError> {
        Ok(self.journal.borrow_mut().write_file(path, contents)?)
    }

    /// Records that the installation succeeded.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn end(&self) -> Result<(), InstallError> {
        Ok(self.journal.borrow_mut().end()?)
    }

    /// Records that everything since the last success was reverted.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn undone(&self) -> Result<(), InstallError> {
        Ok(self.journal.borrow_mut().undone()?)
    }
}
