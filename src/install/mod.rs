//! What do we change, in which order, and how is it undone?

mod control;
pub mod download;
pub mod files;
pub mod journal;
mod lock;
mod paths;
mod types;
pub mod unpack;

pub use control::{Cancelled, Control};
pub use lock::{Lock, LockError};
pub use paths::Paths;
pub use types::{
    Event, InstallOptions, MeasuredFigures, PredictedFigures, Receipt, Request, Step, StepState, Tried,
};
