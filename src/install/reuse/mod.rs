//! Reuses what is on this computer already: an Ollama that is recent enough, and layers of models in the folders of other
//! Ollama servers. Everything is copied or linked into our own folders; other folders are only read.

mod choose;
mod engine;
mod models;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::platform::{self, files, regular};

pub use choose::installed_engine;
pub use engine::{CopyError, InstalledEngine, NotReusable, copy_engine};
pub use models::{
    ModelInOtherStore, ReusedLayers, can_clone, complete_in_other_store, reusable, reuse_layers, stores,
};

/// Hard-links a file to `to` if only this user and root can change it, because a change through one name would affect both.
/// Any other file is copied, see [`copy`].
fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        // Check the new link, which no other user can replace.
        Ok(()) if others_cannot_change(to) => Ok(()),
        Ok(()) => files::remove_file(to).map_err(|error| error.source).and_then(|()| copy(from, to)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Another disk, a file system without links, or a file of another user (Linux' protected_hardlinks).
        Err(_) => copy(from, to),
    }
}

/// Whether it is a regular file, not a link, that other users cannot change.
fn others_cannot_change(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) && !platform::others_can_write(path)
}

/// Copies a file atomically. On file systems with reflinks (btrfs, XFS, APFS) the copy shares the bytes until one of the
/// two changes.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut name = to.as_os_str().to_owned();
    name.push(".copying");
    let beside = PathBuf::from(name);
    let copied = copy_to_new_file(from, &beside).and_then(|()| files::rename(&beside, to));
    if copied.is_err() {
        // Report the first error; a failed removal is less important.
        let _ = files::remove_file(&beside);
    }
    copied
}

/// Copies into a new file; does not follow an existing link of that name.
fn copy_to_new_file(from: &Path, to: &Path) -> io::Result<()> {
    let from = regular::open_no_link(from)?;
    if files::clone(&from, to).is_ok() {
        return Ok(());
    }
    // Limited to its current length: its owner may still be writing to it.
    let bytes = from.metadata()?.len();
    let mut to = files::create_anew(to)?;
    io::copy(&mut from.take(bytes), &mut to).map(drop)
}

#[cfg(test)]
mod tests;
