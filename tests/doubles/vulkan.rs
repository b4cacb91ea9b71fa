//! Stands in for a Vulkan driver that crashes or hangs the process it is loaded into. The environment variable
//! `STAND_IN_VULKAN` selects how: `segfault`, `abort`, `panic`, `exit` or `hang`.
//!
//! It fails in the first function that Vulkan's loader calls in any driver. If `STAND_IN_VULKAN_REAL` names the library
//! of a working driver, it forwards everything to that one and fails when the first frame is presented.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

const ERROR_INCOMPATIBLE_DRIVER: c_int = -9;
type Negotiate = unsafe extern "C" fn(*mut u32) -> c_int;
type GetProcAddr = unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void;

/// What the loader calls in a driver.
struct Real {
    negotiate: Negotiate,
    get_instance_proc_addr: GetProcAddr,
}

static REAL: OnceLock<Option<Real>> = OnceLock::new();
/// The real driver's `vkGetDeviceProcAddr`.
static GET_DEVICE_PROC_ADDR: OnceLock<GetProcAddr> = OnceLock::new();

fn real() -> Option<&'static Real> {
    REAL.get_or_init(load).as_ref()
}

#[cfg(not(unix))]
fn load() -> Option<Real> {
    None
}

#[cfg(unix)]
fn load() -> Option<Real> {
    /// Resolve everything at once (`dlopen(3)`).
    const RTLD_NOW: c_int = 2;
    unsafe extern "C" {
        fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
        fn dlsym(library: *mut c_void, name: *const c_char) -> *const c_void;
    }
    let path = std::ffi::CString::new(std::env::var("STAND_IN_VULKAN_REAL").ok()?).ok()?;
    // SAFETY: the path ends with a zero; the library is that of a driver and is never unloaded.
    let library = unsafe { dlopen(path.as_ptr(), RTLD_NOW) };
    assert!(!library.is_null(), "{path:?} cannot be loaded");
    let symbol = |name: &CStr| {
        // SAFETY: the library was opened above.
        let symbol = unsafe { dlsym(library, name.as_ptr()) };
        assert!(!symbol.is_null(), "{path:?} has no {name:?}");
        symbol
    };
    let negotiate = symbol(c"vk_icdNegotiateLoaderICDInterfaceVersion");
    let get_instance_proc_addr = symbol(c"vk_icdGetInstanceProcAddr");
    // SAFETY: these are the types of the two functions in Vulkan's interface of loader and driver.
    unsafe {
        Some(Real {
            negotiate: transmute::<*const c_void, Negotiate>(negotiate),
            get_instance_proc_addr: transmute::<*const c_void, GetProcAddr>(get_instance_proc_addr),
        })
    }
}

/// The loader and the driver agree on a version of their interface.
///
/// # Safety
/// As Vulkan's loader calls it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vk_icdNegotiateLoaderICDInterfaceVersion(version: *mut u32) -> c_int {
    match real() {
        // SAFETY: handed on as it came.
        Some(real) => unsafe { (real.negotiate)(version) },
        None => misbehave(),
    }
}

/// The loader looks for a function.
///
/// # Safety
/// As Vulkan's loader calls it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vk_icdGetInstanceProcAddr(
    instance: *mut c_void,
    name: *const c_char,
) -> *const c_void {
    let Some(real) = real() else {
        misbehave();
        return std::ptr::null();
    };
    // SAFETY: handed on as it came.
    let found = unsafe { (real.get_instance_proc_addr)(instance, name) };
    // SAFETY: names end with a zero.
    if unsafe { CStr::from_ptr(name) } == c"vkGetDeviceProcAddr" && !found.is_null() {
        // SAFETY: this is that function's type.
        GET_DEVICE_PROC_ADDR.get_or_init(|| unsafe { transmute::<*const c_void, GetProcAddr>(found) });
        return get_device_proc_addr as *const c_void;
    }
    found
}

/// Looks up a function of a device; the one that presents a frame is replaced.
unsafe extern "C" fn get_device_proc_addr(device: *mut c_void, name: *const c_char) -> *const c_void {
    // SAFETY: names end with a zero.
    if unsafe { CStr::from_ptr(name) } == c"vkQueuePresentKHR" {
        return present as *const c_void;
    }
    // SAFETY: handed on as it came.
    GET_DEVICE_PROC_ADDR.get().map_or(std::ptr::null(), |real| unsafe { real(device, name) })
}

extern "C" fn present(_queue: *mut c_void, _what: *const c_void) -> c_int {
    misbehave()
}

#[allow(clippy::panic, reason = "this is what it is for")]
fn misbehave() -> c_int {
    let how = std::env::var("STAND_IN_VULKAN").unwrap_or_default();
    eprintln!("stand-in for a Vulkan driver: {how}");
    match how.as_str() {
        "segfault" => {
            // SAFETY: none; this crashes on purpose.
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
