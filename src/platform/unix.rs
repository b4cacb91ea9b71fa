//! What Linux and macOS have in common: rights, and what only Windows needs.

use std::path::Path;
use std::process::Command;

/// Children never open a console window here.
pub fn hide_console(_command: &mut Command) {}

/// A program writes to where it was started from; nothing has to be done for it here.
pub fn attach_console() {}

/// There is no way to start a program here that leaves it without the place it writes to.
pub fn open_console() -> bool {
    false
}

/// Whether users other than this one and root could have written this file, or put another into this folder. Unknown
/// counts as yes.
pub fn others_can_write(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(found) = std::fs::metadata(path) else { return true };
    let owner_is_fine = found.uid() == 0 || found.uid() == rustix::process::geteuid().as_raw();
    // Folders of a package manager's group (Homebrew's) may be written by its members.
    let writable = if found.is_dir() { 0o002 } else { 0o022 };
    !owner_is_fine || found.mode() & writable != 0
}
