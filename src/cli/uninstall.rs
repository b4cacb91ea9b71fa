//! `acolyte uninstall`.

use crate::cli::args::UninstallArgs;
use crate::cli::{Failure, Session};

/// Runs the command.
///
/// # Errors
/// What the person must know to go on.
pub fn run(_args: &UninstallArgs, _session: &Session) -> Result<u8, Failure> {
    Err(Failure::failed("uninstall is not part of this build"))
}
