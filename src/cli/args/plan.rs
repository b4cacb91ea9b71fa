//! Inputs of the plan.

use std::path::PathBuf;

use clap::Args;

/// Inputs of the plan: a saved machine, other profiles.
#[derive(Args, Clone, Debug, Default)]
pub struct PlanArgs {
    /// Use this hardware document (from detect --json) instead of detecting this computer
    #[arg(long, value_name = "FILE")]
    pub hardware: Option<PathBuf>,
    /// Use these profiles and this policy instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub profiles: Option<PathBuf>,
}
