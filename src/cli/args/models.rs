//! `acolyte models`.

use clap::Args;

/// `acolyte models`.
#[derive(Args, Clone, Debug)]
pub struct ModelsArgs {
    /// Remove this model, which nothing uses
    #[arg(long, value_name = "REF")]
    pub remove: Option<String>,
    /// Do not ask for confirmation
    #[arg(long, short, requires = "remove")]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
