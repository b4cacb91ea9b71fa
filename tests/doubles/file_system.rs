//! Makes calls of the C library fail as they do on other file systems, in the process that loads it first (`LD_PRELOAD`).
//! `STAND_IN_FAILS` lists calls with their error codes: `symlink=1,flock=37`. Calls that are not listed go on to
//! the C library.
#![allow(unsafe_code)]
#![cfg(target_os = "linux")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *const c_void;
    fn __errno_location() -> *mut c_int;
}

/// The next library in the order of loading (`dlsym(3)`).
fn next(name: &CStr) -> *const c_void {
    // SAFETY: the handle is `RTLD_NEXT`, and the name ends with a zero.
    let function = unsafe { dlsym(-1_isize as *mut c_void, name.as_ptr()) };
    assert!(!function.is_null(), "the C library has no {name:?}");
    function
}

/// Whether this call fails here; sets `errno` then.
fn fails(call: &CStr) -> bool {
    static LIST: OnceLock<Vec<(String, c_int)>> = OnceLock::new();
    let list = LIST.get_or_init(|| {
        let text = std::env::var("STAND_IN_FAILS").unwrap_or_default();
        let pairs = text.split(',').filter_map(|one| one.split_once('='));
        pairs.filter_map(|(name, code)| Some((name.to_owned(), code.parse().ok()?))).collect()
    });
    let code = list.iter().find(|(name, _)| name.as_bytes() == call.to_bytes()).map(|(_, code)| *code);
    if let Some(code) = code {
        // SAFETY: the address is that of this thread's `errno`.
        unsafe { *__errno_location() = code };
    }
    code.is_some()
}

/// # Safety
/// As symlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symlink(target: *const c_char, path: *const c_char) -> c_int {
    type Call = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;
    if fails(c"symlink") {
        return -1;
    }
    // SAFETY: this is that function's type; the arguments are the caller's.
    unsafe { transmute::<*const c_void, Call>(next(c"symlink"))(target, path) }
}

/// # Safety
/// As link(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn link(original: *const c_char, path: *const c_char) -> c_int {
    type Call = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;
    if fails(c"link") {
        return -1;
    }
    // SAFETY: this is that function's type; the arguments are the caller's.
    unsafe { transmute::<*const c_void, Call>(next(c"link"))(original, path) }
}

/// # Safety
/// As flock(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flock(file: c_int, operation: c_int) -> c_int {
    type Call = unsafe extern "C" fn(c_int, c_int) -> c_int;
    if fails(c"flock") {
        return -1;
    }
    // SAFETY: this is that function's type; the arguments are the caller's.
    unsafe { transmute::<*const c_void, Call>(next(c"flock"))(file, operation) }
}

/// # Safety
/// As fsync(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(file: c_int) -> c_int {
    type Call = unsafe extern "C" fn(c_int) -> c_int;
    if fails(c"fsync") {
        return -1;
    }
    // SAFETY: this is that function's type; the arguments are the caller's.
    unsafe { transmute::<*const c_void, Call>(next(c"fsync"))(file) }
}
