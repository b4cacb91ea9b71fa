//! Windows API calls: console and library search path.

#![allow(unsafe_code)]

use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;

use windows::Win32::Foundation::{HANDLE_FLAG_INHERIT, HANDLE_FLAGS, RECT, SetHandleInformation};
use windows::Win32::System::Console::{
    ATTACH_PARENT_PROCESS, AllocConsole, AttachConsole, CONSOLE_MODE, ENABLE_VIRTUAL_TERMINAL_PROCESSING,
    FreeConsole, GetConsoleMode, GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
    SetConsoleMode,
};
use windows::Win32::System::LibraryLoader::{LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories};
use windows::Win32::System::SystemInformation::GetSystemDirectoryW;
use windows::Win32::UI::HiDpi::GetDpiForSystem;
use windows::Win32::UI::WindowsAndMessaging::{
    AllowSetForegroundWindow, SPI_GETWORKAREA, SYSTEM_PARAMETERS_INFO_UPDATE_FLAGS, SystemParametersInfoW,
};

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

/// Leaves the console, so that neither Ctrl-C in it nor closing it ends this program.
pub fn leave_terminal() {
    // SAFETY: no memory is passed; fails without effect if there is no console.
    let _none = unsafe { FreeConsole() };
}

/// Makes the console interpret escape sequences, as every terminal of other systems does. A classic console shows them as
/// they are otherwise; where it cannot, colours are left out (`anstream` asks it).
pub fn prepare_console() {
    for stream in [STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        let mut mode = CONSOLE_MODE::default();
        // SAFETY: `mode` is valid for writing; a stream that is closed or no console is an error without effect.
        let _no_console = unsafe {
            GetStdHandle(stream).and_then(|console| {
                GetConsoleMode(console, &mut mode)?;
                SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING)
            })
        };
    }
}

/// Lets a process that this one started bring its window to the front. Windows allows that to the program that the user
/// started, not to those that it starts in turn.
pub fn let_come_to_front(process: u32) {
    // SAFETY: no memory is passed; fails without effect if this program is not in the foreground itself.
    let _not_in_front = unsafe { AllowSetForegroundWindow(process) };
}

/// Width and height of the desktop without the taskbar, in points of the primary screen.
pub fn work_area() -> Option<[f32; 2]> {
    let mut area = RECT::default();
    let flags = SYSTEM_PARAMETERS_INFO_UPDATE_FLAGS(0);
    // SAFETY: this parameter writes one `RECT`.
    unsafe { SystemParametersInfoW(SPI_GETWORKAREA, 0, Some((&raw mut area).cast()), flags) }.ok()?;
    // SAFETY: no memory is passed.
    let scale = unsafe { GetDpiForSystem() } as f32 / 96.0;
    let (width, height) = (area.right - area.left, area.bottom - area.top);
    (scale > 0.0 && width > 0 && height > 0).then(|| [width as f32 / scale, height as f32 / scale])
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
