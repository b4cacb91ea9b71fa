//! What do we change, in which order, and how is it undone?
//!
//! [`run`] carries out a [`Request`] step by step and ends with a [`Receipt`]; every change is written to the
//! [`change::journal`] before it is applied, so that it can be reverted. Running it again resumes where it stopped, or
//! changes what is installed.

mod adjust;
mod blocking;
pub mod change;
mod disk_watch;
mod egress_proxy;
mod engine_manifest;
mod engine_source;
mod error;
pub mod event;
pub mod fetch;
mod inventory;
pub mod keep;
pub mod login_copy;
mod login_entry;
pub mod login_watcher;
pub mod manage;
mod private_server;
mod progress;
mod prompt;
mod published_model;
mod receipt;
mod receipt_figures;
mod request;
mod retune;
pub mod reuse;
mod run;
mod run_context;
mod saved_path;
mod saved_request;
mod setting;
mod shortfall;
mod slowed_cards;
pub mod state;
mod steps;
mod timing;
mod tuning;
mod tuning_rules;
pub mod unpack;
pub mod updates;

pub use adjust::InstalledBase;
pub use engine_source::{ArchiveRecord, EngineChoice, EngineOrigin, EngineRecord, EngineSource};
pub use error::{FinishedBy, InstallError, KeptModel, RevertFailure, RevertProblem, RollbackReport};
pub use event::{Event, Step, StepState};
pub use inventory::take_inventory;
pub use manage::{Health, start_server_if_asked};
pub use published_model::{PublishedModel, is_to_be_read, model_of_saved_file, read_published_model};
pub use receipt::{LoadAttempt, LoadOutcome, PlacementComparison, Receipt};
pub use receipt_figures::{MeasuredFigures, PredictedFigures};
pub use request::{Agreement, InstallOptions, Request, Wording};
pub use retune::{retune, unload};
pub use run::run;
pub use saved_path::SavedPath;
pub use saved_request::SavedRequest;
pub use setting::{
    Amount, HandNumber, HandSettings, PlannedSetting, SetByHand, SettingChange, SettingPlan, SettingProblem,
    ValueOrPlan, change_setting,
};
pub use shortfall::Shortfall;
pub use state::{Installed, Lock, LockError, Paths, ProfileFile};
pub use tuning::{
    OtherWork, RunnerOptions, TriedSetting, TriedSpeed, TuneDimension, TuneFailure, TuneOutcome, TuneTry,
    TuningEnd, TuningReport,
};
pub use tuning_rules::TuningRules;
