//! What does this machine have? Read only: nothing here changes the machine.
//!
//! [`detect`] asks the system and the GPU drivers and returns a [`Hardware`] document; [`Hardware::from_json`] reads
//! a saved one, so that any machine can be replayed with `--hardware FILE`.
//!
//! What every source said is kept apart from what is concluded: [`collect`] gathers an [`evidence::Evidence`],
//! [`merge::merge`] judges it without asking anything.

pub mod control_group;
mod core_speed;
mod detect;
pub mod disks;
pub mod drm_clients;
pub mod engines;
pub mod evidence;
mod file;
pub mod merge;
pub mod model_folders;
pub mod pci;
pub mod pci_names;
pub mod power;
pub mod probe;
mod processor;
mod ram_bandwidth;
pub mod sources;
pub mod sysfs;
pub mod system;

pub use detect::{DetectOptions, collect, detect};
pub use file::HardwareFileError;
pub use ram_bandwidth::ram_bandwidth;
