//! Windows: consoles and the library search path.

mod ffi;

use std::os::windows::process::CommandExt as _;
use std::process::Command;

pub use ffi::{attach_console, open_console, restrict_process, system_folder};

/// Prevents a console window for a child process.
pub fn hide_console(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}
