//! `acolyte install`.

use crate::cli::args::InstallArgs;
use crate::cli::{Failure, Session};

/// Runs the command.
///
/// # Errors
/// What the person must know to go on.
pub fn run(_args: &InstallArgs, _session: &Session) -> Result<u8, Failure> {
    Err(Failure::failed("install is not part of this build"))
}
