//! Start at login; if the system supervises the server, its server replaces the running one.

use std::sync::Arc;
use std::time::Duration;

use crate::install::change::Change;
use crate::install::event::Activity;
use crate::install::private_server::{self, Server};
use crate::install::run_context::Run;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::{InstallError, Step};
use crate::install::{login_entry, login_watcher};

/// Timeout for loading the model again.
const LOAD_LIMIT: Duration = Duration::from_secs(300);

/// Runs the step. Returns whether the server is started at login from now on.
///
/// # Errors
/// When the login entry cannot be written or removed, the server cannot be restarted, or the user cancels.
pub async fn run(run: &Run<'_>, server: &Server) -> Result<bool, InstallError> {
    let wanted = run.request.options.autostart;
    let activity = if wanted { Activity::EnablingAutostart } else { Activity::CheckingAutostart };
    run.reporter.started(Step::StartAtLogin, activity);
    run.control.check()?;
    let supervised = login_entry::supervises(run.paths)?;
    let change = Change::StartAtLogin;
    if !wanted {
        if login_entry::is_installed(run.paths)? {
            run.intend(&change)?;
            login_entry::remove(run.paths)?;
            run.done(&change)?;
        }
        if supervised {
            // Removing the entry has stopped the server it had started.
            restart_directly(run, server).await?;
        }
        run.reporter.skipped(Activity::AutostartSkipped);
        return Ok(false);
    }
    run.create_folder(&run.paths.programs())?;
    if let Some(folder) = login_entry::folder(run.paths)? {
        run.announce_folder(&folder)?;
    }
    run.intend(&change)?;
    let watch = run.request.options.watch;
    if let Some(folder) = login_watcher::folder(run.paths)?.filter(|_| watch) {
        run.announce_folder(&folder)?;
    }
    match login_entry::install(run.paths, &server.launch, watch) {
        // The folder refuses the entry, or other users could replace it: the server runs anyway.
        Err(error @ (InstallError::Login(_) | InstallError::File(_))) => {
            if let Err(leftover) = login_entry::remove(run.paths) {
                tracing::warn!(error = %leftover, "part of a login entry may remain");
            }
            if supervised {
                restart_directly(run, server).await?;
            }
            run.reporter.skipped(Activity::AutostartRefused { cause: Arc::new(error) });
            return Ok(false);
        }
        installed => installed?,
    }
    if !supervised && let Err(error) = hand_over(run, server).await {
        // The service manager could not run it (a policy, a sandbox): start the server directly, so that it runs for
        // now.
        login_entry::remove(run.paths)?;
        restart_directly(run, server).await?;
        run.reporter.skipped(Activity::AutostartRefused { cause: Arc::new(error) });
        return Ok(false);
    }
    run.done(&change)?;
    run.reporter.done(Activity::AutostartEnabled);
    Ok(true)
}

/// If the system supervises the server, stops ours first, so that there are never two.
async fn hand_over(run: &Run<'_>, server: &Server) -> Result<(), InstallError> {
    if !login_entry::would_supervise(run.paths)? {
        return Ok(());
    }
    private_server::stop(run.paths).await?;
    login_entry::start(run.paths)?;
    let adopted = run.control.or_cancelled(private_server::adopt(run.paths, &server.launch)).await??;
    adopted.require_version(&server.version)?;
    load_again(run, &adopted).await
}

async fn restart_directly(run: &Run<'_>, server: &Server) -> Result<(), InstallError> {
    private_server::stop(run.paths).await?;
    let server = run.control.or_cancelled(private_server::start(run.paths, &server.launch)).await??;
    load_again(run, &server).await
}

/// Loads the model again, so that the first prompt does not wait for it.
async fn load_again(run: &Run<'_>, server: &Server) -> Result<(), InstallError> {
    run.reporter.running(Activity::Loading);
    Ok(run.control.or_cancelled(server.client.load(&SERVED_MODEL, LOAD_LIMIT)).await??)
}
