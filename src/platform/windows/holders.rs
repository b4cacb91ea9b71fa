//! Which programs have files open, by the Restart Manager.

#![allow(unsafe_code)]

use std::os::windows::ffi::OsStrExt as _;
use std::path::PathBuf;

use windows::Win32::Foundation::ERROR_SUCCESS;
use windows::Win32::System::RestartManager::{
    CCH_RM_SESSION_KEY, RM_PROCESS_INFO, RmEndSession, RmGetList, RmRegisterResources, RmStartSession,
};
use windows::core::{PCWSTR, PWSTR};

/// Most programs that are named.
const MOST: usize = 8;

/// The names of programs that have one of these files open; empty if the system does not tell.
pub fn programs_using(files: &[PathBuf]) -> Vec<String> {
    let names: Vec<Vec<u16>> =
        files.iter().map(|file| file.as_os_str().encode_wide().chain([0]).collect()).collect();
    let names: Vec<PCWSTR> = names.iter().map(|name| PCWSTR(name.as_ptr())).collect();
    let (mut session, mut key) = (0, [0; CCH_RM_SESSION_KEY as usize + 1]);
    // SAFETY: both are valid for writing; the key has the length that the system writes.
    if unsafe { RmStartSession(&mut session, None, PWSTR(key.as_mut_ptr())) } != ERROR_SUCCESS {
        return Vec::new();
    }
    let mut found = [RM_PROCESS_INFO::default(); MOST];
    let (mut needed, mut count, mut reasons) = (0, MOST as u32, 0);
    // SAFETY: the session is open; the names end with a zero and live until the end of this function; the list has the
    // length that is passed with it.
    let listed = unsafe {
        let registered = RmRegisterResources(session, Some(&names), None, None);
        let listed = if registered == ERROR_SUCCESS {
            RmGetList(session, &mut needed, &mut count, Some(found.as_mut_ptr()), &mut reasons)
        } else {
            registered
        };
        let _no_session = RmEndSession(session);
        listed
    };
    // Where there are more than fit, nothing is listed.
    if listed != ERROR_SUCCESS {
        return Vec::new();
    }
    let mut programs: Vec<String> =
        found.iter().take(count as usize).map(|program| text(&program.strAppName)).collect();
    programs.retain(|program| !program.is_empty());
    programs.sort();
    programs.dedup();
    programs
}

/// The text up to the first zero.
fn text(wide: &[u16]) -> String {
    String::from_utf16_lossy(wide.split(|unit| *unit == 0).next().unwrap_or_default())
}
