//! Engines that a successful installation replaced: kept for a rollback until it succeeds, then removed.

use std::path::Path;

use super::journal::{JournalEntry, changes};
use super::{Change, remove_engine};
use crate::platform::files::FileError;

/// Removes all our engines except the one with this program. Call after a success.
///
/// # Errors
/// When one cannot be removed.
pub fn remove_other_engines(entries: &[JournalEntry], program: &Path) -> Result<(), FileError> {
    for change in changes(entries) {
        match change {
            Change::UnpackEngine { path, .. } if !program.starts_with(&path) => remove_engine(&path)?,
            Change::BackUpEngine { backup, .. } => remove_engine(&backup)?,
            _ => {}
        }
    }
    Ok(())
}

/// Removes backups of engines that an earlier successful run could not remove. Call before a fresh (not resumed) run.
///
/// # Errors
/// When one cannot be removed.
pub fn remove_engine_backups(entries: &[JournalEntry]) -> Result<(), FileError> {
    for change in changes(entries) {
        if let Change::BackUpEngine { backup, .. } = change {
            remove_engine(&backup)?;
        }
    }
    Ok(())
}
