//! The driver interfaces, one file each. They run only inside a probe process, see [`super::probe`].

pub mod nvml;
mod nvml_memory;
pub mod sysinfo_gpus;
pub mod wgpu_adapters;
mod wgpu_memory;
