//! The private server: kept if it has the right settings, else restarted.

use std::collections::BTreeMap;

use crate::control::Cancelled;
use crate::install::blocking::blocking;
use crate::install::change::Change;
use crate::install::event::Activity;
use crate::install::private_server::{self, Server};
use crate::install::run_context::Run;
use crate::install::steps::engine::Engine;
use crate::install::steps::placement::Placement;
use crate::install::{InstallError, Step};
use crate::ollama::release::parse_version;
use crate::ollama::server::{self, Launch, PORTS, RunnerSettings, ServerError};
use crate::platform::listening;

/// Runs the step.
///
/// # Errors
/// When no port is free, the server does not start, or the user cancels.
pub async fn run(run: &Run<'_>, engine: &Engine) -> Result<Server, InstallError> {
    run.reporter.started(Step::StartServer, Activity::StartingServer);
    let wanted = run.request.options.port;
    let preferred = run.snapshot.server.as_ref().map(|server| server.port);
    if let Some(launch) = preferred
        .filter(|port| wanted.is_none_or(|wanted| wanted == *port))
        .map(|port| launch(run, engine, port))
        && let Some(server) = private_server::running(run.paths, &launch).await?
        && require_version(&server, engine).is_ok()
    {
        report_unconfirmed(run, &server);
        // A server that was killed before this one started leaves its runner, which keeps its memory.
        let engines = run.paths.engines();
        blocking(move || Ok(server::end_orphans(&engines)?)).await?;
        run.reporter.skipped(Activity::ServerKept { port: launch.port });
        return Ok(server);
    }
    private_server::stop(run.paths).await?;
    let server = start(run, engine, wanted, preferred).await?;
    require_version(&server, engine)?;
    report_unconfirmed(run, &server);
    run.reporter
        .done(Activity::ServerStarted { version: server.version.to_string(), port: server.launch.port });
    Ok(server)
}

/// Restarts the server with other settings.
///
/// # Errors
/// When the server cannot be stopped or started, or the user cancels.
pub async fn restart(run: &Run<'_>, server: &mut Server, launch: Launch) -> Result<(), InstallError> {
    // Announced, so that a rollback restarts the previous server.
    let change = Change::StartServer { port: launch.port };
    run.intend(&change)?;
    private_server::stop(run.paths).await?;
    let version = server.version.clone();
    *server = run.control.or_cancelled(private_server::start(run.paths, &launch)).await??;
    server.require_version(&version)?;
    run.done(&change)
}

async fn start(
    run: &Run<'_>,
    engine: &Engine,
    wanted: Option<u16>,
    preferred: Option<u16>,
) -> Result<Server, InstallError> {
    let mut taken = Vec::new();
    loop {
        let port = server::choose_port(wanted, preferred, &taken)?;
        report_skipped_port(run, wanted.or(preferred).unwrap_or(*PORTS.start()), port);
        let launch = launch(run, engine, port);
        let change = Change::StartServer { port };
        run.intend(&change)?;
        match run.control.or_cancelled(private_server::start(run.paths, &launch)).await {
            Ok(Ok(server)) => {
                run.done(&change)?;
                return Ok(server);
            }
            // Another program took the port after our check.
            Ok(Err(InstallError::Server(ServerError::Ended { .. })))
                if wanted.is_none() && !server::is_free(port) =>
            {
                taken.push(port)
            }
            // Another program listens there.
            Ok(Err(InstallError::Server(ServerError::PortTaken { .. }))) if wanted.is_none() => {
                private_server::stop(run.paths).await?;
                taken.push(port);
            }
            Ok(Err(error)) => return Err(error),
            Err(Cancelled) => return Err(Cancelled.into()),
        }
    }
}

/// A release whose URL names no version has one derived from its hash, which its server does not report.
fn require_version(server: &Server, engine: &Engine) -> Result<(), ServerError> {
    if parse_version(&engine.version).is_none() {
        return Ok(());
    }
    server.require_version(&engine.version)
}

fn report_unconfirmed(run: &Run<'_>, server: &Server) {
    if !server.is_confirmed {
        run.reporter.running(Activity::ServerUnconfirmed { port: server.launch.port });
    }
}

fn report_skipped_port(run: &Run<'_>, first: u16, chosen: u16) {
    if chosen != first {
        run.reporter.running(Activity::PortSkipped { port: first, by: listening::owner(first), chosen });
    }
}

/// As the plan places the model.
fn launch(run: &Run<'_>, engine: &Engine, port: u16) -> Launch {
    let plan = &run.request.plan;
    let launch = Launch {
        program: engine.program.clone(),
        port,
        models_dir: run.models_dir().to_owned(),
        kv_cache_type: plan.candidate.kv_cache_type,
        runner: RunnerSettings::default(),
        home: run.paths.engine_home(),
        log: run.paths.server_log(),
        network: BTreeMap::new(),
    };
    Placement::of(plan).launch(plan, &launch)
}
