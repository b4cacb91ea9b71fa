//! What this program inherited and must not pass on.

#![allow(unsafe_code)]

use std::os::fd::{BorrowedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use crate::platform::environment::Environment;

/// Marks everything that was open at the start, except the standard streams, as to be closed in the programs that this
/// one starts. A caller may have left a pipe or a lock open (`3>&1`), which the server would hold as long as it runs.
pub(super) fn keep_from_children() {
    // The window's process takes over this connection to the display.
    let display = Environment::of_process().variable("WAYLAND_SOCKET");
    let display = display.and_then(|number| number.to_str()?.parse().ok());
    for number in open_numbers().into_iter().filter(|number| *number > 2 && Some(*number) != display) {
        // SAFETY: called before this program opens anything or starts a thread, so nothing owns the descriptor and
        // nothing closes it meanwhile. A number that is not open is an error without effect.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _not_open =
            fcntl_getfd(descriptor).and_then(|flags| fcntl_setfd(descriptor, flags | FdFlags::CLOEXEC));
    }
}

/// Linux has a list for the process; macOS has one of its own under the same name as other Unix systems.
fn open_numbers() -> Vec<RawFd> {
    let list = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let entries = std::fs::read_dir(list).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
