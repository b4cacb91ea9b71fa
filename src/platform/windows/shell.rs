//! Windows API calls: shortcuts of the Start menu, and the news of a changed environment.

#![allow(unsafe_code)]

use std::io;
use std::path::Path;

use windows::Win32::Foundation::{LPARAM, WPARAM};
use windows::Win32::System::Com::{
    CLSCTX_INPROC_SERVER, COINIT_APARTMENTTHREADED, CoCreateInstance, CoInitializeEx, CoUninitialize,
    IPersistFile,
};
use windows::Win32::UI::Shell::{IShellLinkW, ShellLink};
use windows::Win32::UI::WindowsAndMessaging::{
    HWND_BROADCAST, SMTO_ABORTIFHUNG, SendMessageTimeoutW, WM_SETTINGCHANGE,
};
use windows::core::{HSTRING, Interface as _, w};

/// How long another program may take to answer, in milliseconds.
const ANSWER_MS: u32 = 2_000;

/// Writes a shortcut to a program, with the program's icon.
///
/// # Errors
/// When the system refuses.
pub fn write_shortcut(shortcut: &Path, program: &Path, description: &str) -> io::Result<()> {
    // SAFETY: no memory is passed. Each success is paired with the call below; a thread that is initialised in another way
    // already works as well.
    let initialised = unsafe { CoInitializeEx(None, COINIT_APARTMENTTHREADED) }.is_ok();
    let written = save_shortcut(shortcut, program, description);
    if initialised {
        // SAFETY: pairs the successful call above, on the same thread; every interface was dropped.
        unsafe { CoUninitialize() };
    }
    written.map_err(|error| io::Error::other(error.message()))
}

fn save_shortcut(shortcut: &Path, program: &Path, description: &str) -> windows::core::Result<()> {
    let program = HSTRING::from(program.as_os_str());
    // SAFETY: COM was initialised on this thread; every string outlives the call it is passed to.
    unsafe {
        let link: IShellLinkW = CoCreateInstance(&ShellLink, None, CLSCTX_INPROC_SERVER)?;
        link.SetPath(&program)?;
        link.SetDescription(&HSTRING::from(description))?;
        link.SetIconLocation(&program, 0)?;
        link.cast::<IPersistFile>()?.Save(&HSTRING::from(shortcut.as_os_str()), true)
    }
}

/// Tells running programs, Explorer among them, that the user's environment has changed: what they start from now on gets
/// the new one.
pub fn tell_environment_changed() {
    let name = w!("Environment");
    // SAFETY: the string is static; nobody answers with memory.
    let _nobody_answers = unsafe {
        SendMessageTimeoutW(
            HWND_BROADCAST,
            WM_SETTINGCHANGE,
            WPARAM(0),
            LPARAM(name.as_ptr() as isize),
            SMTO_ABORTIFHUNG,
            ANSWER_MS,
            None,
        )
    };
}
