//! What is on this computer already and need not be downloaded: an Ollama that is recent enough, and layers of models
//! in the folders of other Ollama servers. Everything is copied or linked into our own folders; what is not ours is
//! only read.

mod choose;
mod engine;
mod models;

use std::io;
use std::path::{Path, PathBuf};

use crate::platform::files;

pub use choose::installed_engine;
pub use engine::{CopyError, InstalledEngine, NotReusable, copy_engine};
pub use models::{ReusedLayers, reusable, reuse_layers, stores};

/// Gives a file a second name at `to`, without a second copy of its bytes where the file system can: by a hard link,
/// else by whatever cheap copy the system makes (`copy_file_range`, `clonefile`). The name appears whole or not at all.
fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Another disk, a file system without links, or a file of another user (Linux' protected_hardlinks).
        Err(_) => copy(from, to),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut name = to.as_os_str().to_owned();
    name.push(".copying");
    let beside = PathBuf::from(name);
    let copied = copy_anew(from, &beside).and_then(|()| std::fs::rename(&beside, to));
    if copied.is_err() {
        // The error is told; what is left of a broken copy is not worth a second one.
        let _ = std::fs::remove_file(&beside);
    }
    copied
}

/// Copies into a file of ours that is new: a link of that name is not followed.
fn copy_anew(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, mut to) = (files::open_regular(from)?, files::create_anew(to)?);
    // Shares the bytes where the file system can (`copy_file_range`).
    io::copy(&mut from, &mut to).map(drop)
}

#[cfg(test)]
mod tests;
