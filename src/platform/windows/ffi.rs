//! Windows API calls: console and library search path.

#![allow(unsafe_code)]

use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;

use windows::Win32::System::Console::{ATTACH_PARENT_PROCESS, AllocConsole, AttachConsole};
use windows::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};
use windows::Win32::System::SystemInformation::GetSystemDirectoryW;

/// Restricts the library search path to the system's folder, so that none is loaded from the folder this program was
/// downloaded to. Call first in every program.
pub fn restrict_process() {
    // SAFETY: no memory is passed. Fails only with flags that the system does not know.
    let _unknown_flags = unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) };
}

/// The system's folder, usually `C:\Windows\System32`.
pub fn system_folder() -> Option<PathBuf> {
    let mut buffer = [0; 512];
    // SAFETY: the buffer is valid for its length, which is passed with it.
    let length = unsafe { GetSystemDirectoryW(Some(&mut buffer)) } as usize;
    let path = buffer.get(..length).filter(|path| !path.is_empty())?;
    Some(std::ffi::OsString::from_wide(path).into())
}

/// Attaches to the console of the parent process, if there is one.
pub fn attach_console() {
    // SAFETY: no memory is passed; fails without effect if there is no console or one is attached already.
    let _none_or_attached = unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
}

/// Opens a console window if the program has none (started by a double click). Returns whether it did; the window
/// closes with the program.
pub fn open_console() -> bool {
    // SAFETY: no memory is passed; fails without effect if there is a console already.
    unsafe { AllocConsole() }.is_ok()
}
