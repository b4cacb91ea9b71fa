//! Calls into Windows: the console, and where libraries are loaded from.

#![allow(unsafe_code)]

use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;

use windows::Win32::System::Console::{ATTACH_PARENT_PROCESS, AllocConsole, AttachConsole};
use windows::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};
use windows::Win32::System::SystemInformation::GetSystemDirectoryW;

/// What every program of ours does before anything else: libraries that are loaded by their bare name come from the
/// system's folder, never from the folder this program was downloaded to.
pub fn restrict_process() {
    // SAFETY: no memory is passed. Fails only with flags that the system does not know.
    let _unknown_flags = unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) };
}

/// The system's folder, usually `C:\Windows\System32`; `None` when the system does not tell.
pub fn system_folder() -> Option<PathBuf> {
    let mut buffer = [0; 512];
    // SAFETY: the buffer is valid for its length, which is passed along with it.
    let length = unsafe { GetSystemDirectoryW(Some(&mut buffer)) } as usize;
    let path = buffer.get(..length).filter(|path| !path.is_empty())?;
    Some(std::ffi::OsString::from_wide(path).into())
}

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
