//! `acolyte keep`.

use clap::Args;

/// `acolyte keep`.
#[derive(Args, Clone, Debug)]
pub struct KeepArgs {
    /// Remove what is kept, the programs, menu entry and PATH; what is installed stays
    #[arg(long)]
    pub remove: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Print what is kept, or was removed, as JSON
    #[arg(long)]
    pub json: bool,
}
