//! What was in force before a run, kept until that run has ended well, so that one that was cut short can be taken back.
//!
//! A copy of every document lies in a folder of its own beside them. It is made whole before the run begins and goes
//! after its end; runs that go on with an unfinished one keep the copy of the first of them, for only that one was
//! verified.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::install::state::documents::{DocumentError, Installed, ServerFile, read_json, to_json};
use crate::install::{InstallError, Paths};
use crate::platform::files::{self, FileError};

/// What was in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Profile and receipt; `None` when nothing was installed.
    pub installed: Option<Installed>,
    /// The server that was started for it.
    pub server: Option<ServerFile>,
    /// Whether a server of ours ran.
    pub server_ran: bool,
}

/// `state.json` in the folder of copies: what no document says.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    schema: u32,
    server_ran: bool,
}

/// The file beside the copies that says what no document does.
const STATE: &str = "state.json";

impl Snapshot {
    /// Reads what an unfinished run had kept; `None` when there is no such copy.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn load(paths: &Paths) -> Result<Option<Self>, InstallError> {
        let folder = paths.before();
        let Some(state) = read_json::<State>(&folder.join(STATE))? else { return Ok(None) };
        let copy = |path: PathBuf| copy_of(&folder, &path);
        let installed = Installed::from_files(&copy(paths.profile()), &copy(paths.receipt()))?;
        Ok(Some(Self {
            installed,
            server: read_json(&copy(paths.server_state()))?,
            server_ran: state.server_ran,
        }))
    }

    /// Keeps what is in force now, in place of any older copy.
    ///
    /// # Errors
    /// When a document cannot be read or copied.
    pub fn keep(paths: &Paths, server_ran: bool) -> Result<Self, InstallError> {
        let (folder, making) = (paths.before(), paths.before().with_extension("new"));
        files::remove_folder(&making)?;
        files::create_folders(&making)?;
        for path in documents(paths) {
            match std::fs::read(&path) {
                Ok(bytes) => files::write_whole(&copy_of(&making, &path), &bytes)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(files::reading(&path)(error).into()),
            }
        }
        let state = making.join(STATE);
        files::write_whole(&state, &to_json(&state, &State { schema: SCHEMA, server_ran })?)?;
        files::remove_folder(&folder)?;
        std::fs::rename(&making, &folder).map_err(files::renaming(&folder))?;
        files::sync_folder_of(&folder);
        let missing = || DocumentError::Format { path: folder.clone(), cause: "it is gone".to_owned() };
        Self::load(paths)?.ok_or_else(|| missing().into())
    }

    /// Puts every document back as it was; one that was not there goes.
    ///
    /// # Errors
    /// What the system says. Doing it again finishes it.
    pub fn restore(paths: &Paths) -> Result<(), FileError> {
        restore(paths, &documents(paths))
    }

    /// As [`Snapshot::restore`], but only for what ACOLYTE goes by: what was asked for stays, so that it can be tried
    /// again.
    ///
    /// # Errors
    /// What the system says.
    pub fn restore_in_force(paths: &Paths) -> Result<(), FileError> {
        restore(paths, &[paths.consent(), paths.profile(), paths.receipt()])
    }

    /// Forgets the copy.
    ///
    /// # Errors
    /// What the system says.
    pub fn forget(paths: &Paths) -> Result<(), FileError> {
        files::remove_folder(&paths.before().with_extension("new"))?;
        files::remove_folder(&paths.before())
    }
}

/// Every document that a run may replace.
fn documents(paths: &Paths) -> [PathBuf; 5] {
    [paths.consent(), paths.profile(), paths.receipt(), paths.server_state(), paths.request()]
}

fn restore(paths: &Paths, documents: &[PathBuf]) -> Result<(), FileError> {
    if !paths.before().join(STATE).exists() {
        // Nothing was kept, so nothing has been replaced yet.
        return Ok(());
    }
    for path in documents {
        let copy = copy_of(&paths.before(), path);
        match std::fs::read(&copy) {
            Ok(bytes) if std::fs::read(path).is_ok_and(|now| now == bytes) => {}
            Ok(bytes) => files::write_whole(path, &bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => files::remove_file(path)?,
            Err(error) => return Err(files::reading(&copy)(error)),
        }
    }
    Ok(())
}

fn copy_of(folder: &Path, document: &Path) -> PathBuf {
    folder.join(document.file_name().unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back_as_they_were() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path());
        files::create_folders(&paths.llm()).unwrap();
        assert_eq!(Snapshot::load(&paths).unwrap(), None);
        std::fs::write(paths.consent(), "old consent").unwrap();
        let kept = Snapshot::keep(&paths, true).unwrap();
        assert_eq!(kept, Snapshot { installed: None, server: None, server_ran: true });
        std::fs::write(paths.consent(), "new consent").unwrap();
        std::fs::write(paths.profile(), "half of a new profile").unwrap();
        assert_eq!(Snapshot::load(&paths).unwrap(), Some(kept), "what came later does not count");
        Snapshot::restore(&paths).unwrap();
        assert_eq!(std::fs::read(paths.consent()).unwrap(), b"old consent");
        assert!(!paths.profile().exists());
        Snapshot::forget(&paths).unwrap();
        assert_eq!(Snapshot::load(&paths).unwrap(), None);
    }
}
