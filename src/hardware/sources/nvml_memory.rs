//! The first version of NVML's memory query, for drivers before 510, which lack the second one.

#![allow(unsafe_code)]

use std::ffi::OsStr;

use nvml_wrapper::Device;
use nvml_wrapper_sys::bindings::{NvmlLib, nvmlMemory_t, nvmlReturn_enum_NVML_SUCCESS};

/// Total and free memory in bytes.
pub fn first_version(device: &Device<'_>, path: &OsStr) -> Option<(u64, u64)> {
    // SAFETY: this library is already loaded and initialised in this process (the device came from it), so this only
    // looks up its functions again.
    let library = unsafe { NvmlLib::new(path) }.ok()?;
    let query = library.nvmlDeviceGetMemoryInfo.as_ref().ok()?;
    let mut memory = nvmlMemory_t { total: 0, free: 0, used: 0 };
    // SAFETY: the handle is valid as long as `device` lives, and `memory` is the structure this function fills.
    let code = unsafe { query(device.handle(), &raw mut memory) };
    (code == nvmlReturn_enum_NVML_SUCCESS).then_some((memory.total, memory.free))
}
