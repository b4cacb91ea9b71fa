//! Windows API calls: console and library search path.

#![allow(unsafe_code)]

use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;

use windows::Win32::Foundation::{HANDLE_FLAG_INHERIT, HANDLE_FLAGS, SetHandleInformation};
use windows::Win32::System::Console::{
    ATTACH_PARENT_PROCESS, AllocConsole, AttachConsole, GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE,
    STD_OUTPUT_HANDLE,
};
use windows::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};
use windows::Win32::System::SystemInformation::GetSystemDirectoryW;

/// Restricts the library search path to the system's folder, so that none is loaded from the folder this program was
/// downloaded to, and keeps the standard streams from the programs that this one starts. Call first in every program.
pub fn restrict_process() {
    // SAFETY: no memory is passed. Fails only with flags that the system does not know.
    let _unknown_flags = unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) };
    for stream in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        // The standard library passes an inheritable copy where a program shall have the same stream.
        // SAFETY: no memory is passed; the stream may be closed, which is an error without effect.
        let _closed = unsafe {
            GetStdHandle(stream)
                .and_then(|handle| SetHandleInformation(handle, HANDLE_FLAG_INHERIT.0, HANDLE_FLAGS(0)))
        };
    }
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

/// An error with the system's own code, by which causes are recognised.
pub(super) fn system_error(error: windows::core::Error) -> std::io::Error {
    /// `HRESULT_FROM_WIN32` puts such a code into the lower half of one that begins like this.
    const OF_SYSTEM: i32 = 0x8007_0000_u32.cast_signed();
    let code = error.code().0;
    std::io::Error::from_raw_os_error(if code & !0xFFFF == OF_SYSTEM { code & 0xFFFF } else { code })
}
