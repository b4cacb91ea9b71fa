//! The steps of an installation, one file each.

pub mod check;
pub mod engine;
pub mod engine_plan;
mod file_in_use;
pub mod finish;
mod ladder;
pub mod load;
pub mod loader;
pub mod login;
pub mod measure;
pub mod model;
pub mod model_file;
pub mod placement;
mod rehearse;
pub mod server;
mod speed;
mod tune;
