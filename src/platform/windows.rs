//! Windows: consoles, and who can write a file.

mod ffi;

use std::os::windows::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

pub use ffi::{attach_console, open_console};

/// Our children have no console, so Windows must not open one for them.
pub fn hide_console(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

/// Whether users other than this one and administrators could have written this file. Rights are lists here, which are
/// not read; programs usually lie where only those write.
pub fn others_can_write(path: &Path) -> bool {
    !path.exists()
}
