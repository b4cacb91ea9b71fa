//! The state before a run, kept until that run has succeeded, so that it can be rolled back.
//!
//! A folder next to the documents holds a copy of each. It is complete before the run begins and is removed after it
//! succeeded. A run that resumes unfinished ones keeps the copy of the first of them: only that one began in a verified
//! state.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::install::state::documents::{
    DocumentError, Installed, ServerFile, read_document, read_json, to_json,
};
use crate::install::state::home;
use crate::install::{Paths, SavedRequest};
use crate::ollama::server::Launch;
use crate::platform::files::{self, FileError};

/// The state before a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Profile and receipt; `None` when nothing was installed.
    pub installed: Option<Installed>,
    /// The server that was started for it.
    pub server: Option<ServerFile>,
    /// Whether our server ran.
    pub server_ran: bool,
}

/// `state.json` in the folder of copies: what no document contains.
#[derive(Debug, Serialize, Deserialize)]
struct SnapshotState {
    schema: u32,
    server_ran: bool,
}

const STATE: &str = "state.json";

impl Snapshot {
    /// The copy that an unfinished run kept, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load(paths: &Paths) -> Result<Option<Self>, DocumentError> {
        home::require_ours(paths)?;
        let folder = paths.snapshot();
        let Some(state) = read_json::<SnapshotState>(&folder.join(STATE))? else { return Ok(None) };
        let copy = |path: PathBuf| copy_of(&folder, &path);
        let installed = Installed::from_files(paths, &copy(paths.profile()), &copy(paths.receipt()))?;
        Ok(Some(Self {
            installed,
            server: ServerFile::load(paths, &copy(paths.server_state()))?,
            server_ran: state.server_ran,
        }))
    }

    /// The copy of the request, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn request(paths: &Paths) -> Result<Option<SavedRequest>, DocumentError> {
        home::require_ours(paths)?;
        SavedRequest::from_file(paths, &copy_of(&paths.snapshot(), &paths.request()))
    }

    /// Saves the current state, in place of any older copy.
    ///
    /// # Errors
    /// When a document cannot be read or copied.
    pub fn keep(paths: &Paths, server_ran: bool) -> Result<Self, DocumentError> {
        let (folder, making) = (paths.snapshot(), paths.snapshot().with_extension("new"));
        files::remove_folder(&making)?;
        files::create_folders(&making)?;
        for path in Self::documents(paths).into_iter().chain([paths.server_state()]) {
            if let Some(bytes) = read_document(&path)? {
                files::write_whole(&copy_of(&making, &path), &bytes)?;
            }
        }
        let state = making.join(STATE);
        files::write_whole(&state, &to_json(&state, &SnapshotState { schema: SCHEMA, server_ran })?)?;
        files::remove_folder(&folder)?;
        files::rename(&making, &folder).map_err(files::renaming(&folder))?;
        files::sync_folder_of(&folder);
        let missing = || DocumentError::Format { path: folder.clone(), cause: "it disappeared".into() };
        Self::load(paths)?.ok_or_else(missing)
    }

    /// The documents that a run replaces.
    pub fn documents(paths: &Paths) -> [PathBuf; 4] {
        [paths.request(), paths.consent(), paths.profile(), paths.receipt()]
    }

    /// Restores a document from its copy; removes it if it did not exist before.
    ///
    /// # Errors
    /// When it cannot be read or written. Calling it again finishes it.
    pub fn restore(&self, paths: &Paths, document: &Path) -> Result<(), DocumentError> {
        if !paths.snapshot().join(STATE).exists() {
            // No copy was made, so nothing has been replaced yet.
            return Ok(());
        }
        let copy = copy_of(&paths.snapshot(), document);
        match read_document(&copy)? {
            Some(bytes) if read_document(document).is_ok_and(|now| now.as_ref() == Some(&bytes)) => {}
            Some(bytes) => files::write_whole(document, &bytes)?,
            None => files::remove_file(document)?,
        }
        Ok(())
    }

    /// How the previous server is started; `None` when nothing was installed.
    pub fn launch(&self, paths: &Paths) -> Option<Launch> {
        let installed = self.installed.as_ref()?;
        Some(self.server.as_ref().map_or_else(|| installed.launch(paths), |server| server.launch(paths)))
    }

    /// The same, if it was started at login.
    pub fn login_launch(&self, paths: &Paths) -> Option<Launch> {
        self.launch(paths).filter(|_| self.installed.as_ref().is_some_and(|it| it.profile.autostart))
    }

    /// Removes the copy.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(paths: &Paths) -> Result<(), FileError> {
        files::remove_folder(&paths.snapshot().with_extension("new"))?;
        files::remove_folder(&paths.snapshot())
    }
}

fn copy_of(folder: &Path, document: &Path) -> PathBuf {
    folder.join(document.file_name().unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_restored() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path());
        files::create_folders(&paths.llm()).unwrap();
        assert_eq!(Snapshot::load(&paths).unwrap(), None);
        std::fs::write(paths.consent(), "old consent").unwrap();
        let kept = Snapshot::keep(&paths, true).unwrap();
        assert_eq!(kept, Snapshot { installed: None, server: None, server_ran: true });
        std::fs::write(paths.consent(), "new consent").unwrap();
        std::fs::write(paths.profile(), "half of a new profile").unwrap();
        assert_eq!(Snapshot::load(&paths).unwrap(), Some(kept.clone()), "later changes do not count");
        for document in Snapshot::documents(&paths) {
            kept.restore(&paths, &document).unwrap();
        }
        assert_eq!(std::fs::read(paths.consent()).unwrap(), b"old consent");
        assert!(!paths.profile().exists());
        Snapshot::remove(&paths).unwrap();
        assert_eq!(Snapshot::load(&paths).unwrap(), None);
    }
}
