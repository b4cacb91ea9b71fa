//! What do we change, in which order, and how is it undone?
//!
//! [`run`] carries out a [`Request`] step by step and ends with a [`Receipt`]; every change is written to the
//! [`journal`] before it is made. Running it again goes on where it stopped, or changes what is installed.

mod egress_proxy;
mod engine_source;
mod error;
pub mod fetch;
mod inventory;
pub mod manage;
mod misses;
mod progress;
mod prompt;
pub mod reuse;
mod room;
mod run;
pub mod state;
mod steps;
mod types;
pub mod unpack;

pub use engine_source::{ArchiveRecord, EngineChoice, EngineOrigin, EngineRecord, EngineSource};
pub use error::InstallError;
pub use inventory::take_inventory;
pub use manage::Health;
pub use manage::service::run_if_asked as start_server_if_asked;
pub use run::run;
pub use state::{Installed, Lock, LockError, Paths, ProfileFile, SavedRequest};
pub use types::{
    Agreement, Event, InstallOptions, MeasuredFigures, Placements, PredictedFigures, Receipt, Request, Step,
    StepState, Tried,
};
