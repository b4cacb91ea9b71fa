//! What differs per system? One file each, all with the same functions; [`process`] and [`login`] work on all of them.

pub mod awake;
pub mod login;
pub mod port_owner;
pub mod process;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

pub use system::{
    PROGRAMS_CAN_BE_ASKED, disk_kind, engine_programs, gpu_clients, listens_beyond_loopback, os_version,
    system_evidence, system_model_folders,
};
#[cfg(unix)]
pub use unix::{attach_console, dxgi_adapters, hide_console, open_console, others_can_write};
#[cfg(windows)]
pub use windows::{attach_console, dxgi_adapters, hide_console, open_console, others_can_write};
