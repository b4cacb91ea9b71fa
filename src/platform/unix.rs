//! What Linux and macOS have in common: the umask, and what only Windows needs.

use std::process::Command;

/// Children never open a console window here.
pub fn hide_console(_command: &mut Command) {}

/// A program writes to where it was started from; nothing has to be done for it here.
pub fn attach_console() {}

/// There is no way to start a program here that leaves it without the place it writes to.
pub fn open_console() -> bool {
    false
}

/// What every program of ours does before anything else: whatever it creates is private to its user, also where no mode
/// is given, whatever the umask of the user.
pub fn restrict_process() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}
