//! What do we change, in which order, and how is it undone?

mod types;

pub use types::{
    Event, InstallOptions, MeasuredFigures, PredictedFigures, Receipt, Request, Step, StepState, Tried,
};
