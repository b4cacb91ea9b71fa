//! Linux and macOS: the umask, and stubs for what only Windows needs.

mod descriptors;

use std::process::Command;

/// Children never open a console window on Unix.
pub fn hide_console(_command: &mut Command) {}

/// Not needed: standard streams are always inherited.
pub fn attach_console() {}

/// Not needed: standard streams are always inherited. Returns false.
pub fn open_console() -> bool {
    false
}

/// Sets the umask so that all created files are private to the user, and keeps what was open at the start from the programs
/// that this one starts. Call first in every program.
pub fn restrict_process() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    descriptors::keep_from_children();
}
