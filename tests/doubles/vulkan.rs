//! Stands in for a Vulkan driver that takes down, or holds up, the process it is loaded into. How is chosen by the
//! environment variable `STAND_IN_VULKAN`: `segfault`, `abort`, `panic`, `exit` or `hang`.
//!
//! It misbehaves in the first function that Vulkan's loader calls in any driver.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

const ERROR_INCOMPATIBLE_DRIVER: c_int = -9;

/// The loader and the driver agree on a version of their interface.
#[unsafe(no_mangle)]
pub extern "C" fn vk_icdNegotiateLoaderICDInterfaceVersion(_version: *mut u32) -> c_int {
    misbehave()
}

/// The loader looks for a function.
#[unsafe(no_mangle)]
pub extern "C" fn vk_icdGetInstanceProcAddr(_instance: *mut c_void, _name: *const c_char) -> *const c_void {
    misbehave();
    std::ptr::null()
}

#[allow(clippy::panic, reason = "this is what it is for")]
fn misbehave() -> c_int {
    let how = std::env::var("STAND_IN_VULKAN").unwrap_or_default();
    eprintln!("stand-in for a Vulkan driver: {how}");
    match how.as_str() {
        "segfault" => {
            // SAFETY: there is none; that is what this line is for.
            unsafe { std::ptr::null_mut::<u32>().write_volatile(1) };
            ERROR_INCOMPATIBLE_DRIVER
        }
        "abort" => std::process::abort(),
        "panic" => panic!("the driver panics"),
        "exit" => std::process::exit(0),
        "hang" => loop {
            std::thread::park();
        },
        _ => ERROR_INCOMPATIBLE_DRIVER,
    }
}
