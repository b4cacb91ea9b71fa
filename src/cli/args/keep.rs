//! `acolyte keep`.

use clap::Args;

/// `acolyte keep`.
#[derive(Args, Clone, Debug)]
pub struct KeepArgs {
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Print what is kept as JSON
    #[arg(long)]
    pub json: bool,
}
