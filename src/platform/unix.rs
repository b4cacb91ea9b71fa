//! Linux and macOS: the umask, and stubs for what only Windows needs.

mod descriptors;
#[cfg(target_os = "linux")]
mod program_pages;

use std::io::IsTerminal as _;
use std::process::Command;

#[cfg(target_os = "linux")]
pub use program_pages::release_program_pages;

/// The system frees them by itself when memory is short.
#[cfg(not(target_os = "linux"))]
pub fn release_program_pages() {}

/// Children never open a console window on Unix.
pub fn hide_console(_command: &mut Command) {}

/// Not needed: standard streams are always inherited.
pub fn attach_console() {}

/// Not needed: standard streams are always inherited. Returns false.
pub fn open_console() -> bool {
    false
}

/// The window manager decides which window is in front.
pub fn let_come_to_front(_process: u32) {}

/// The system tells the size of the screen only, once there is a window.
pub fn work_area() -> Option<[f32; 2]> {
    None
}

/// Terminals interpret escape sequences already.
pub fn prepare_console() {}

/// Moves this program into a process group of its own, so that neither Ctrl-C in its terminal nor closing it ends it.
pub fn leave_terminal() {
    if let Err(error) = rustix::process::setpgid(None, None) {
        tracing::warn!(%error, "the window depends on its terminal");
    }
}

/// Whether this program was started so that it outlives its terminal (`nohup`).
pub(super) fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").ok();
    let in_terminal = std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
    is_kept_after_hangup(status.as_deref(), in_terminal)
}

/// macOS does not tell which signals are ignored. But `nohup` redirects both outputs where they are a terminal, so what
/// writes to one ends with it.
fn is_kept_after_hangup(status: Option<&str>, in_terminal: bool) -> bool {
    status.and_then(ignores_hangup).unwrap_or(!in_terminal)
}

/// From the line `SigIgn:` of proc_pid_status(5): a set of signals, of which 1 (SIGHUP) is the lowest bit.
fn ignores_hangup(status: &str) -> Option<bool> {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    Some(u64::from_str_radix(set.trim(), 16).ok()? & 1 == 1)
}

/// Sets the umask so that all created files are private to the user, and keeps what was open at the start from the programs
/// that this one starts. Call first in every program.
pub fn restrict_process() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    descriptors::keep_from_children();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_recognised() {
        assert_eq!(ignores_hangup("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"), Some(true));
        assert_eq!(ignores_hangup("SigIgn:\t0000000000001000\n"), Some(false));
        assert_eq!(ignores_hangup("SigIgn:\tx"), None);
        assert_eq!(ignores_hangup(""), None);
        // macOS, where only the outputs tell.
        assert!(!is_kept_after_hangup(None, true), "in a terminal");
        assert!(is_kept_after_hangup(None, false), "nohup, a service, a pipe");
        assert!(is_kept_after_hangup(Some("SigIgn:\t1\n"), true), "Linux tells");
    }
}
