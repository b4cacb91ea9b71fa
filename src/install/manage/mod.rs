//! Managing what is installed: its health, its server, undo, uninstall.

mod answer;
mod at_login;
mod bench;
mod installation;
pub mod keep;
mod keep_run;
pub mod kept;
mod reload;
mod stored_models;
mod tips;
pub mod undo;
pub mod uninstall;

pub use answer::{Answer, AnswerEnd, AnswerPart, answer};
pub use at_login::run_if_asked as start_server_if_asked;
pub use bench::{BenchFigure, BenchFigures, BenchReport, BenchStep, ShareOnCard, bench};
pub use installation::{
    Health, OrphanedRunner, ServedModel, UnusedModel, client, health, installed, port_listener,
    remove_unused_models, start, stop, unused_models,
};
pub use reload::reload;
pub use stored_models::{ModelOnDrive, ModelUse, remove_model, stored_models};
pub use tips::{tips_after_installing, tips_now};
