//! Queries of the operating system: one file per system, all with the same functions.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(target_os = "macos", test))]
mod macos;
#[cfg(any(target_os = "macos", windows, test))]
mod mount_point;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as this;
#[cfg(target_os = "macos")]
use macos as this;
#[cfg(windows)]
use windows as this;

pub use this::{
    CAN_RUN_PROGRAMS, disk_kind, engine_programs, gpu_clients, os_version, system_evidence,
    system_model_folders,
};
#[cfg(windows)]
pub use windows::dxgi_adapters;

/// There are no such files here.
#[cfg(not(target_os = "linux"))]
pub fn read_sysfs(_path: &str) -> Option<String> {
    None
}

/// Not told per process here.
#[cfg(not(target_os = "linux"))]
pub fn gpu_memory_of(_processes: &[u32]) -> Vec<(String, u64)> {
    Vec::new()
}

#[cfg(target_os = "linux")]
pub use linux::{gpu_memory_of, read_sysfs};

/// No other system moves memory of a card into main memory by itself and tells.
#[cfg(not(windows))]
pub fn shared_memory_of(_processes: &[u32]) -> Option<u64> {
    None
}

/// The drivers tell it per card here.
#[cfg(not(windows))]
pub fn held_by_processes(_processes: &[u32]) -> Option<u64> {
    None
}

#[cfg(windows)]
pub use windows::{held_by_processes, shared_memory_of};

/// There is no DXGI here.
#[cfg(not(windows))]
pub fn dxgi_adapters() -> super::evidence::SourceAnswer<Vec<super::evidence::DxgiAdapter>> {
    super::evidence::SourceAnswer::Absent
}
