//! `acolyte completions` and `acolyte man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `acolyte completions`.
#[derive(Args, Clone, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: CompletionShell,
    /// Print the script and the name its shell looks for as JSON
    #[arg(long)]
    pub json: bool,
}

/// A shell whose completions are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompletionShell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
    /// PowerShell.
    #[value(name = "powershell")]
    PowerShell,
}

/// `acolyte man`.
#[derive(Args, Clone, Debug)]
pub struct ManArgs {
    /// Write the page of every command into this folder, which is created
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print the pages of all commands, or the files that were written, as JSON
    #[arg(long)]
    pub json: bool,
}
