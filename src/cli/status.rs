//! `acolyte status`.

use crate::cli::args::StatusArgs;
use crate::cli::{Failure, Session};

/// Runs the command.
///
/// # Errors
/// What the person must know to go on.
pub fn run(_args: &StatusArgs, _session: &Session) -> Result<u8, Failure> {
    Err(Failure::failed("status is not part of this build"))
}
