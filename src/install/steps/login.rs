//! The server among the things started at login; where the system watches it, it takes the running server over.

use crate::install::manage::service;
use crate::install::run::Job;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::state::journal::Change;
use crate::install::steps::server::{self, Server};
use crate::install::{InstallError, Step};
use crate::say;

/// Runs the step. True when the server is started at login from now on.
pub async fn run(job: &mut Job<'_>, server: &Server) -> Result<bool, InstallError> {
    job.reporter.started(Step::StartAtLogin, say!(job.text, "install-login"));
    job.control.check()?;
    let supervised = service::supervises(&job.paths)?;
    if !job.request.options.autostart {
        service::remove(&job.paths)?;
        if supervised {
            // Removing the entry has stopped the server it had started.
            restart_directly(job, server).await?;
        }
        job.reporter.skipped(say!(job.text, "install-login-skipped"));
        return Ok(false);
    }
    job.journal.create_folder(&job.paths.programs())?;
    job.journal.intend(Change::StartAtLogin)?;
    service::install(&job.paths, &server.launch)?;
    if !supervised && let Err(error) = hand_over(job, server).await {
        // The manager could not run it (a policy, a sandbox): without it the server at least runs now.
        let cause = error.explain(job.text);
        service::remove(&job.paths)?;
        restart_directly(job, server).await?;
        job.reporter.skipped(say!(job.text, "install-login-refused", cause = cause));
        return Ok(false);
    }
    job.journal.done(Change::StartAtLogin)?;
    job.reporter.done(say!(job.text, "install-login-done"));
    Ok(true)
}

/// Where the system watches the server, its server takes the place of ours, so that there are never two.
async fn hand_over(job: &Job<'_>, server: &Server) -> Result<(), InstallError> {
    if !service::would_supervise(&job.paths)? {
        return Ok(());
    }
    server::stop(&job.paths).await?;
    service::start(&job.paths)?;
    let server = job.control.or_cancelled(server::adopt(&job.paths, &server.launch)).await??;
    load_again(job, &server).await
}

/// After a failure: the entry of what was in force before, or none.
pub fn put_back(job: &Job<'_>) -> Result<(), InstallError> {
    if job.reporter.step() < Step::StartAtLogin {
        return Ok(());
    }
    let installed = job.previous.as_ref().map(|installed| &installed.profile);
    match (installed.filter(|profile| profile.autostart), &job.previous_server) {
        (Some(_), Some(server)) => service::install(&job.paths, &server.launch(&job.paths)),
        _ => service::remove(&job.paths),
    }
}

async fn restart_directly(job: &Job<'_>, server: &Server) -> Result<(), InstallError> {
    server::stop(&job.paths).await?;
    let server = job.control.or_cancelled(server::start_and_wait(&job.paths, &server.launch)).await??;
    load_again(job, &server).await
}

/// The first question should not have to wait for what was in memory a moment ago.
async fn load_again(job: &Job<'_>, server: &Server) -> Result<(), InstallError> {
    job.reporter.running(say!(job.text, "install-loading"));
    let limit = std::time::Duration::from_secs(300);
    Ok(job.control.or_cancelled(server.client.load(SERVED_MODEL, limit)).await??)
}
