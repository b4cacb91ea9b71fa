//! Detects the hardware of this machine. Read-only.
//!
//! [`detect`] queries the system and the GPU drivers and returns a [`Hardware`] document; [`Hardware::from_json`] reads
//! a saved one, so that any machine can be replayed with `--hardware FILE`.
//!
//! Answers and conclusions are separate: [`collect`] gathers the answers of all sources ([`evidence::Evidence`]),
//! [`merge::merge`] evaluates them without I/O.

pub mod control_group;
mod core_speed;
mod detect;
pub mod device_variables;
pub mod disks;
pub mod drm_clients;
pub mod engines;
pub mod evidence;
mod file;
pub mod gpu_counters;
mod holders;
pub mod live;
pub mod merge;
pub mod model_folders;
pub mod pci;
pub mod pci_names;
pub mod power;
pub mod probe;
mod processor;
mod ram_bandwidth;
pub mod ram_modules;
pub mod ram_programs;
pub mod sources;
pub mod sysfs;
pub mod system;

pub use detect::{DetectOptions, collect, detect, gpu_processes, slowed_cards};
pub use file::HardwareFileError;
pub use holders::{MemoryHolder, memory_holders};
pub use ram_bandwidth::ram_bandwidth;
