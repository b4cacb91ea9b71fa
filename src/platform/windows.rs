//! Windows: consoles, the library search path, and programs that inherit nothing but their output.

mod detached;
mod ffi;
mod holders;
mod session_end;
mod shell;
mod sockets;

use std::os::windows::process::CommandExt as _;
use std::process::Command;

pub(super) use detached::{DetachedProcess, spawn_detached};
pub use ffi::{
    attach_console, leave_terminal, let_come_to_front, open_console, prepare_console, restrict_process,
    system_folder, work_area,
};
pub(super) use holders::programs_using;
pub(super) use session_end::session_end;
pub use shell::{tell_environment_changed, write_shortcut};
pub(super) use sockets::listening_sockets;

/// The system takes them from a process that waits when memory is short.
pub fn release_program_pages() {}

/// Prevents a console window for a child process.
pub fn hide_console(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}
