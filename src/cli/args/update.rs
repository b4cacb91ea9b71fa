//! `acolyte update`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::plan::PlanArgs;

/// `acolyte update`.
#[derive(Args, Clone, Debug)]
pub struct UpdateArgs {
    /// Only look, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub check: bool,
    /// Look once a day, with status and in the window: on or off
    #[arg(long, value_name = "on|off")]
    pub daily: Option<Switch>,
    /// File that says where the list of versions is and which key signs it, instead of the built-in one
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// Install the newer engine and model without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Consent to further limits, where the model's new file has some
    #[arg(long)]
    pub accept_degraded: bool,
    /// Print what was found as JSON on one line; with --yes the events of the installation follow
    #[arg(long)]
    pub json: bool,
    /// Inputs of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}
