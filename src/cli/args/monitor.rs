//! Options of watching: the monitor, and the server's log.

use clap::Args;

/// `acolyte monitor`.
#[derive(Args, Clone, Debug)]
pub struct MonitorArgs {
    /// Seconds between two checks (default: 2 on a terminal, otherwise 10)
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: Option<u64>,
    /// Check once; exit code 10 when the memory is nearly full
    #[arg(long)]
    pub once: bool,
    /// Do not notify on the desktop
    #[arg(long)]
    pub no_notify: bool,
    /// Print one JSON object per check
    #[arg(long)]
    pub json: bool,
}

/// `acolyte logs`.
#[derive(Args, Clone, Debug)]
pub struct LogsArgs {
    /// Number of lines to begin with, from the end
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub lines: usize,
    /// Print new lines as they are written, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}
