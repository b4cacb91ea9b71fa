//! What do we change, in which order, and how is it undone?

mod control;
mod paths;
mod types;
pub mod unpack;

pub use control::{Cancelled, Control};
pub use paths::Paths;
pub use types::{
    Event, InstallOptions, MeasuredFigures, PredictedFigures, Receipt, Request, Step, StepState, Tried,
};
