//! What does this machine have? Read only: nothing here changes the machine.
//!
//! [`detect`] asks the system and the GPU drivers and returns a [`Hardware`] document; [`Hardware::from_json`] reads
//! a saved one, so that any machine can be replayed with `--hardware FILE`.

mod document;

pub use document::{
    Backend, Cpu, Disk, DiskKind, Engine, Gpu, GpuKind, Hardware, HardwareFileError, Memory, Note, Os,
};
