//! Calls into Windows: the console.

#![allow(unsafe_code)]

use windows::Win32::System::Console::{ATTACH_PARENT_PROCESS, AllocConsole, AttachConsole};

/// Lets a program without a console of its own write to the one it was started from, if there is one.
pub fn attach_console() {
    // SAFETY: no memory is passed; fails harmlessly where there is no console, or one is attached already.
    let _none_or_attached = unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
}

/// Opens a console window where the program has none, because it was started by a double click. Whether it did; the
/// window closes with the program.
pub fn open_console() -> bool {
    // SAFETY: takes nothing; fails harmlessly where there is a console already.
    unsafe { AllocConsole() }.is_ok()
}
