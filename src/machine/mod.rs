//! Types that describe a machine: its hardware ([`Hardware`]), what the engine refuses of it ([`refusals`]), and the
//! table of graphics cards ([`gpu_table`]). No I/O.

mod compute_capability;
mod document;
mod finding;
mod gpu_backend;
mod gpu_name;
mod gpu_state;
pub mod gpu_table;
pub mod known_drivers;
mod ram;
pub mod refusals;
mod source_failure;

pub use compute_capability::{ComputeCapability, InvalidComputeCapability};
pub use document::{
    Blocked, Cpu, Disk, DiskKind, DiskUse, EngineKind, FoundEngine, Gpu, GpuKind, Hardware, LoadedModel,
    MainMemory, ModelFolder, Os, StoredModel,
};
pub use finding::{EngineRefusal, Finding, OtherFinding};
pub use gpu_backend::GpuBackend;
pub use gpu_state::{GpuState, Slowdown};
pub use ram::{RamModule, RamProgram};
pub use source_failure::{GpuSource, SourceFailure, TimedSearch};

/// Source of a figure from the table of cards.
pub const TABLE: &str = "table";
