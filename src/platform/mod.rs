//! What differs per system? One file each, all with the same functions; [`process`] and [`login`] work on all of them.

pub mod login;
pub mod process;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

pub use system::{
    PROGRAMS_CAN_BE_ASKED, attach_console, disk_kind, dxgi_adapters, engine_programs, hide_console,
    listens_beyond_loopback, os_version, system_evidence, system_model_folders,
};
