//! What will a model need and how fast will it be? Pure arithmetic: the same numbers reach the window, the terminal
//! and the monitor because there is one estimator.

mod types;

pub use types::{
    Certainty, CpuFigures, Estimate, GpuFigures, Known, Machine, MemoryNeed, Range, Setting, Speed,
};
