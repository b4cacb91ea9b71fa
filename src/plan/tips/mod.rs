//! Optimization tips: what would make a plan faster or possible on this machine, by facts of this machine only.
//!
//! The gain of a tip is the difference of two plans: on the machine as it is, and with the one fact changed. A tip without
//! a gain is not given, except where the gain cannot be computed (a battery, a power limit, an old driver).

mod advisor;
mod better_model;
mod gain;
mod own_server;
mod rules;
#[cfg(test)]
mod tests;
mod tip;

pub use advisor::tips;
pub use better_model::better_model;
pub use gain::{TipFigures, TipGain};
pub use own_server::without_own_model;
pub use rules::{DriverRule, PowerLimitRules, ProcessorRam, RamRules, TipRules};
pub use tip::{IdleReason, ProgramMemory, RecommendedModel, Tip};
