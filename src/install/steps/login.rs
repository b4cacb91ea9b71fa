//! The server among the things started at login.

use crate::install::run::Job;
use crate::install::steps::engine::Engine;
use crate::install::steps::server::Server;
use crate::install::{InstallError, Step};
use crate::say;

/// Runs the step.
pub async fn run(job: &mut Job<'_>, _engine: &Engine, _server: &Server) -> Result<(), InstallError> {
    job.reporter.started(Step::StartAtLogin, say!(job.text, "install-login"));
    job.reporter.skipped(say!(job.text, "install-login-skipped"));
    Ok(())
}
