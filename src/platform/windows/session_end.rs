//! Notices that the user logs off or the computer shuts down.
//!
//! Windows tells console handlers only of programs without windows, and each of ours may have some. So a window that is
//! never shown receives `WM_ENDSESSION`, on a thread of its own, which then waits: as long as it does, the program is not
//! ended, for up to 5 seconds and longer if the user lets it.

#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use windows::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows::Win32::System::LibraryLoader::GetModuleHandleW;
use windows::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, MSG, RegisterClassW, WINDOW_EX_STYLE,
    WINDOW_STYLE, WM_ENDSESSION, WM_QUERYENDSESSION, WNDCLASSW,
};
use windows::core::{PCWSTR, w};

/// Longest time for what the program does before it ends.
const LIMIT: Duration = Duration::from_secs(20);
const CLASS: PCWSTR = w!("ACOLYTE session end");

/// Whether the session ends.
static ENDS: OnceLock<watch::Sender<bool>> = OnceLock::new();

/// Becomes true when the session ends.
pub fn session_end() -> watch::Receiver<bool> {
    let ends = ENDS.get_or_init(|| {
        if let Err(error) = thread::Builder::new().name("session end".to_owned()).spawn(listen) {
            tracing::warn!(%error, "log-off and shutdown are not noticed");
        }
        watch::Sender::new(false)
    });
    ends.subscribe()
}

fn listen() {
    // SAFETY: the class is registered before the window is made, its name and its procedure are constants; messages are
    // read into memory of this function. An error ends the loop.
    unsafe {
        let Ok(module) = GetModuleHandleW(None) else { return };
        let class = WNDCLASSW {
            lpfnWndProc: Some(procedure),
            hInstance: module.into(),
            lpszClassName: CLASS,
            ..WNDCLASSW::default()
        };
        RegisterClassW(&class);
        // A window that receives only messages of its own program would not be told.
        let window = CreateWindowExW(
            WINDOW_EX_STYLE(0),
            CLASS,
            w!("ACOLYTE"),
            WINDOW_STYLE(0),
            0,
            0,
            0,
            0,
            None,
            None,
            Some(module.into()),
            None,
        );
        if let Err(error) = window {
            tracing::warn!(%error, "log-off and shutdown are not noticed");
            return;
        }
        let mut message = MSG::default();
        while GetMessageW(&mut message, None, 0, 0).0 > 0 {
            DispatchMessageW(&message);
        }
    }
}

/// The window's procedure.
extern "system" fn procedure(window: HWND, message: u32, word: WPARAM, long: LPARAM) -> LRESULT {
    match message {
        // The session may end.
        WM_QUERYENDSESSION => LRESULT(1),
        WM_ENDSESSION if word.0 != 0 => {
            if let Some(ends) = ENDS.get() {
                ends.send_replace(true);
            }
            // The program ends meanwhile.
            thread::sleep(LIMIT);
            LRESULT(0)
        }
        // SAFETY: passes on what the system passed.
        _ => unsafe { DefWindowProcW(window, message, word, long) },
    }
}
