//! The private server: kept when it is the right one, else stopped and started anew.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::SCHEMA;
use crate::control::Cancelled;
use crate::install::egress_proxy::EgressProxy;
use crate::install::manage::service;
use crate::install::run::Job;
use crate::install::state::documents::{ServerFile, to_json};
use crate::install::state::journal::Change;
use crate::install::steps::engine::Engine;
use crate::install::{InstallError, Paths, Step};
use crate::ollama::client::Client;
use crate::ollama::server::{self, Launch, PORTS, READY_LIMIT, ServerError};
use crate::platform::files::{self, FileError};
use crate::platform::{port_owner, process};
use crate::say;

/// The running server.
#[derive(Debug)]
pub struct Server {
    /// Talks to it.
    pub client: Client,
    /// How it was started.
    pub launch: Launch,
    /// Its version, as it says itself.
    pub version: String,
}

/// Runs the step.
pub async fn run(job: &mut Job<'_>, engine: &Engine) -> Result<Server, InstallError> {
    job.reporter.started(Step::StartServer, say!(job.text, "install-starting-server"));
    let wanted = job.request.options.port;
    let preferred = job.previous_server.as_ref().map(|server| server.port);
    if let Some(launch) = preferred
        .filter(|port| wanted.is_none_or(|wanted| wanted == *port))
        .map(|port| launch(job, engine, port))
        && let Some(server) = running(&job.paths, &launch).await?
    {
        let port = launch.port.to_string();
        job.reporter.skipped(say!(job.text, "install-server-kept", port = port));
        return Ok(server);
    }
    stop(&job.paths).await?;
    let server = start(job, engine, wanted, preferred).await?;
    let port = server.launch.port.to_string();
    job.reporter.done(say!(
        job.text,
        "install-server-started",
        port = port,
        version = server.version.clone()
    ));
    Ok(server)
}

/// The server that runs with exactly these settings, if it does and answers.
pub async fn running(paths: &Paths, launch: &Launch) -> Result<Option<Server>, InstallError> {
    let file: Option<ServerFile> = crate::install::state::documents::read_json(&paths.server_state())?;
    let same = file.is_some_and(|file| file.launch(paths) == *launch);
    if !same || server::servers(&paths.engines()).is_empty() {
        return Ok(None);
    }
    let client = Client::new(launch.port)?;
    // One that does not answer is replaced like one with other settings.
    Ok(client.version().await.ok().map(|version| Server { client, launch: launch.clone(), version }))
}

/// Stops every server of ours, through the system's service manager where one looks after it.
pub async fn stop(paths: &Paths) -> Result<usize, InstallError> {
    let paths = paths.clone();
    let stopped = tokio::task::spawn_blocking(move || {
        service::stop(&paths)?;
        server::stop_all(&paths.engines()).map_err(InstallError::from)
    });
    stopped.await.unwrap_or(Ok(0))
}

/// Starts a server with these settings and waits until it answers. Its file is written first, so that whoever comes
/// after a crash knows it.
pub async fn start_and_wait(paths: &Paths, launch: &Launch) -> Result<Server, ServerError> {
    let client = Client::new(launch.port)?;
    let log_from = server::log_length(&launch.log);
    let mut child = server::start(launch)?;
    let file = ServerFile::new(launch, process::identify(child.id()));
    write_state(paths, &file)?;
    let version =
        server::wait_until_ready(&client, Some(&mut child), &launch.log, log_from, READY_LIMIT).await?;
    Ok(Server { client, launch: launch.clone(), version })
}

/// Waits for a server that somebody else starts with these settings: a service manager.
pub async fn adopt(paths: &Paths, launch: &Launch) -> Result<Server, ServerError> {
    let client = Client::new(launch.port)?;
    let log_from = server::log_length(&launch.log);
    let version = server::wait_until_ready(&client, None, &launch.log, log_from, READY_LIMIT).await?;
    write_state(paths, &ServerFile::new(launch, None))?;
    Ok(Server { client, launch: launch.clone(), version })
}

/// Starts the server anew with the type of KV cache that the job says now.
pub async fn restart(job: &Job<'_>, server: &mut Server) -> Result<(), InstallError> {
    let launch = Launch { kv_cache_type: job.kv_cache_type, ..server.launch.clone() };
    stop(&job.paths).await?;
    *server = job.control.or_cancelled(start_and_wait(&job.paths, &launch)).await??;
    Ok(())
}

/// Before a model is pulled: where the engine needs help of ours to reach its registry, the server is started anew with
/// that. It ends with this program, so [`come_back`] must follow.
pub async fn reach_out(job: &mut Job<'_>, server: &mut Server) -> Result<(), InstallError> {
    let source = &job.request.options.source;
    job.egress_proxy = EgressProxy::open(source, |name| std::env::var(name).ok()).await?;
    if !job.egress_proxy.is_needed() {
        return Ok(());
    }
    job.reporter.running(say!(job.text, "install-server-reaches-out"));
    start_anew(job, server, job.egress_proxy.environment()).await
}

/// After a model was pulled: from here on the server needs no network, and must not keep a relay that ends.
pub async fn come_back(job: &mut Job<'_>, server: &mut Server) -> Result<(), InstallError> {
    if !job.egress_proxy.is_needed() {
        return Ok(());
    }
    job.reporter.running(say!(job.text, "install-server-comes-back"));
    start_anew(job, server, BTreeMap::new()).await?;
    job.egress_proxy = EgressProxy::default();
    Ok(())
}

async fn start_anew(
    job: &Job<'_>,
    server: &mut Server,
    network: BTreeMap<String, OsString>,
) -> Result<(), InstallError> {
    let launch = Launch { network, ..server.launch.clone() };
    stop(&job.paths).await?;
    *server = job.control.or_cancelled(start_and_wait(&job.paths, &launch)).await??;
    Ok(())
}

/// Starts the server of what is installed: by the system's service manager where that looks after it, else directly.
pub async fn start_again(paths: &Paths, launch: &Launch) -> Result<Server, InstallError> {
    if service::start(paths)? {
        return Ok(adopt(paths, launch).await?);
    }
    Ok(start_and_wait(paths, launch).await?)
}

/// Writes down which server is ours.
pub fn write_state(paths: &Paths, file: &ServerFile) -> Result<(), FileError> {
    let path = paths.server_state();
    to_json(&path, file).and_then(|json| files::write_whole(&path, &json))
}

async fn start(
    job: &mut Job<'_>,
    engine: &Engine,
    wanted: Option<u16>,
    preferred: Option<u16>,
) -> Result<Server, InstallError> {
    let mut taken = Vec::new();
    loop {
        let port = server::choose_port(wanted, preferred, &taken)?;
        tell_of_taken(job, wanted.or(preferred).unwrap_or(*PORTS.start()), port);
        let launch = launch(job, engine, port);
        let change = Change::StartServer { port };
        job.journal.intend(change.clone())?;
        match job.control.or_cancelled(start_and_wait(&job.paths, &launch)).await {
            Ok(Ok(server)) => {
                job.journal.done(change)?;
                return Ok(server);
            }
            // Somebody took the port between our look and the server's.
            Ok(Err(ServerError::Ended { .. })) if wanted.is_none() && !server::is_free(port) => {
                taken.push(port)
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(Cancelled) => return Err(Cancelled.into()),
        }
    }
}

/// Says who has the port that was to be used, where another one is used instead.
fn tell_of_taken(job: &Job<'_>, first: u16, chosen: u16) {
    if chosen != first {
        let by = port_owner::listener(first).unwrap_or_else(|| say!(job.text, "install-another-program"));
        let (first, chosen) = (first.to_string(), chosen.to_string());
        job.reporter.running(say!(
            job.text,
            "install-port-passed-over",
            port = first,
            by = by,
            chosen = chosen
        ));
    }
}

fn launch(job: &Job<'_>, engine: &Engine, port: u16) -> Launch {
    Launch {
        program: engine.program.clone(),
        port,
        models_dir: job.request.options.models_dir.clone(),
        kv_cache_type: job.kv_cache_type,
        home: job.paths.engine_home(),
        log: job.paths.server_log(),
        network: BTreeMap::new(),
    }
}

/// After a failure: the server that ran before runs again, or none where none did.
pub async fn put_back(job: &mut Job<'_>) -> Result<(), InstallError> {
    let before = job.previous_server.clone();
    let Some(file) = before.filter(|file| job.previous.is_some() && file.program.exists()) else {
        stop(&job.paths).await?;
        return Ok(files::remove_file(&job.paths.server_state())?);
    };
    let launch = file.launch(&job.paths);
    if job.server_ran && !job.egress_proxy.is_needed() && running(&job.paths, &launch).await?.is_some() {
        return Ok(());
    }
    stop(&job.paths).await?;
    if job.server_ran {
        start_again(&job.paths, &launch).await?;
    } else {
        write_state(&job.paths, &ServerFile { schema: SCHEMA, process: None, ..file })?;
    }
    Ok(())
}

/// Whether a server of ours runs now.
pub fn runs(engines: &Path) -> bool {
    !server::servers(engines).is_empty()
}
