//! Settings shared by all commands: language, home folder, verbosity.

use std::path::PathBuf;

use crate::cli::args::GlobalArgs;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::install::Paths;
use crate::install::keep::ProgramKind;
use crate::install::state::home::require_ours;
use crate::platform::environment::Environment;
use crate::platform::same_path;
use crate::say;
use crate::text::{Language, Text};

/// Settings shared by all commands.
#[derive(Clone, Debug)]
pub struct Session {
    /// Formats messages in the user's language.
    pub text: Text,
    /// Our folder: `--home`, else `ACOLYTE_HOME`, else `~/.acolyte`. Always absolute; need not exist.
    pub home: PathBuf,
    /// Which of the two programs runs.
    pub program: ProgramKind,
    /// Print only results and errors.
    pub quiet: bool,
    /// Log to standard error.
    pub verbose: bool,
}

impl Session {
    /// Determines language and home folder.
    ///
    /// # Errors
    /// When the user's home folder is unknown and none is given.
    pub fn new(args: &GlobalArgs, program: ProgramKind) -> Result<Self, Failure> {
        let text = Text::new(args.lang.unwrap_or_else(Language::of_system));
        let home = args
            .home
            .clone()
            .or_else(|| Environment::of_process().acolyte_home())
            .and_then(|home| std::path::absolute(home).ok())
            .map(as_the_system_spells)
            .ok_or_else(|| Failure::failed(say!(text, "cli-no-home")))?;
        Ok(Self { text, home, program, quiet: args.quiet, verbose: args.verbose })
    }

    /// Checks that no other user owns the home or can change it.
    ///
    /// # Errors
    /// The failure to show: which path, its owner, how to fix it.
    pub fn require_own_home(&self) -> Result<(), Failure> {
        require_ours(&Paths::new(&self.home)).map_err(|error| Failure::of_install(error, self.text))
    }

    /// Prints a message on standard error, unless `--quiet`.
    pub fn tell(&self, message: &str) {
        if !self.quiet {
            output::talk(message);
        }
    }
}

/// One spelling for what the home's documents and the system's lists of processes name. Elsewhere than on Windows a home
/// that is a link keeps its name.
fn as_the_system_spells(home: PathBuf) -> PathBuf {
    if cfg!(windows) { same_path::resolved(&home) } else { home }
}
