//! The plain types of a machine: what was found ([`Hardware`]), what the engine makes of it ([`refusals`]), and what is
//! known of graphics cards by their names ([`gpu_table`]). Nothing here asks the machine.

mod compute_capability;
mod document;
mod finding;
mod gpu_name;
pub mod gpu_table;
pub mod refusals;
mod source_failure;

pub use compute_capability::{ComputeCapability, InvalidComputeCapability};
pub use document::{
    Backend, Blocked, Cpu, Disk, DiskKind, DiskUse, EngineKind, FoundEngine, Gpu, GpuKind, Hardware,
    LoadedModel, MainMemory, ModelFolder, Os, StoredModel,
};
pub use finding::{EngineRefusal, Finding, OtherFinding};
pub use source_failure::{GpuSource, SourceFailure, TimedSearch};

/// Source of a figure that comes from our table of cards and not from the machine.
pub const TABLE: &str = "table";
