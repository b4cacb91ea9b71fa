//! What do we change, in which order, and how is it undone?
//!
//! [`run`] carries out a [`Request`] step by step and ends with a [`Receipt`]; every change is written to the
//! [`journal`] before it is made. Running it again goes on where it stopped, or changes what is installed.

mod asked;
mod before;
mod control;
pub mod documents;
pub mod download;
mod error;
pub mod files;
pub mod journal;
mod lock;
pub mod manage;
mod misses;
mod paths;
mod progress;
mod prompt;
pub mod reuse;
mod room;
mod run;
mod service;
mod source;
mod steps;
mod store;
mod types;
pub mod undo;
pub mod uninstall;
pub mod unpack;
mod way_out;

pub use asked::Asked;
pub use control::{Cancelled, Control};
pub use documents::{Installed, ProfileFile};
pub use error::InstallError;
pub use lock::{Lock, LockError};
pub use manage::Health;
pub use paths::Paths;
pub use run::run;
pub use service::run_if_asked as start_server_if_asked;
pub use source::{ArchiveRecord, EngineRecord, Origin, Source, Which};
pub use types::{
    Event, InstallOptions, MeasuredFigures, Placements, PredictedFigures, Receipt, Request, Step, StepState,
    Tried,
};
