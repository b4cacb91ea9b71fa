//! The engine that was there before: kept until the new one has answered and the installation has ended well, put back
//! when it does not, removed afterwards.
//!
//! Another version lies in a folder of its own and simply stays. Another build of the same version needs its folder, so
//! the old one waits beside it meanwhile.

use std::path::Path;

use crate::install::manage::uninstall::remove_engine;
use crate::install::run::Job;
use crate::install::state::journal::{Change, Entry, changes, unfinished_changes};
use crate::install::steps::server;
use crate::install::{InstallError, unpack};
use crate::platform::files::{self, FileError, renaming};

/// Makes room for an engine that is about to be moved to this folder.
pub async fn make_room(job: &mut Job<'_>, folder: &Path) -> Result<(), InstallError> {
    if !folder.exists() {
        return Ok(());
    }
    // What runs from there must not while it is replaced.
    server::stop(&job.paths).await?;
    let aside = unpack::beside(folder, "before");
    if job.previous.is_none() || aside.exists() {
        // Nobody relies on it: the last one that was verified, if there is one, waits already.
        return Ok(files::remove_folder(folder)?);
    }
    job.journal.intend(Change::SetAside { path: folder.to_owned(), aside: aside.clone() })?;
    Ok(std::fs::rename(folder, &aside).map_err(renaming(folder))?)
}

/// After a failure: what was replaced is in its place again. What runs from there must have been stopped.
pub fn put_back(changes: &[Change]) -> Result<(), FileError> {
    for change in changes {
        if let Change::SetAside { path, aside } = change
            && aside.exists()
        {
            remove_engine(path)?;
            // What is left is none of the engine's files; the engine that is put back had none of them either.
            files::remove_folder(path)?;
            std::fs::rename(aside, path).map_err(renaming(aside))?;
        }
    }
    Ok(())
}

/// As [`put_back`], for a job that failed.
pub async fn put_back_for(job: &Job<'_>) -> Result<(), InstallError> {
    let changes = unfinished_changes(job.journal.entries());
    if changes.iter().any(|change| matches!(change, Change::SetAside { aside, .. } if aside.exists())) {
        server::stop(&job.paths).await?;
        put_back(&changes)?;
    }
    Ok(())
}

/// After a good end: every engine of ours but the one in force.
pub fn drop_others(job: &Job<'_>, program: &Path) -> Result<(), FileError> {
    for change in changes(job.journal.entries()) {
        match change {
            Change::UnpackEngine { path, .. } if !program.starts_with(&path) => remove_engine(&path)?,
            Change::SetAside { aside, .. } => remove_engine(&aside)?,
            _ => {}
        }
    }
    Ok(())
}

/// Before a run that goes on with none: what an earlier good end could not remove.
pub fn drop_stale(entries: &[Entry]) -> Result<(), FileError> {
    for change in changes(entries) {
        if let Change::SetAside { aside, .. } = change {
            remove_engine(&aside)?;
        }
    }
    Ok(())
}
