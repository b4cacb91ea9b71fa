//! `acolyte start`, `restart` and `stop`: the private server of what is installed.

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::ServerArgs;
use crate::cli::interrupt::cancel_on_ctrl_c;
use crate::cli::output::print_json;
use crate::cli::status::changed_model;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::manage::ServedModel;
use crate::install::{Installed, manage};
use crate::say;

/// What `--json` prints.
#[derive(Serialize)]
struct ServerStateJson<'a> {
    schema: u32,
    running: bool,
    port: Option<u16>,
    /// Version of the engine, where the server runs.
    version: Option<&'a str>,
    /// Whether `acolyte:latest` is the measured one; `None` where the server does not run.
    model: Option<ServedModel>,
    /// Whether it starts at login.
    autostart: bool,
}

/// Starts the server and waits until it responds; a running one is kept.
///
/// # Errors
/// When nothing is installed, its port is taken, or it does not start.
pub fn start(args: &ServerArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    let health =
        manage::start(&session.home, &control).map_err(|error| Failure::of_install(error, session.text))?;
    let profile = health.installed.as_ref().map(|installed| &installed.profile);
    let port = profile.map(|profile| profile.port);
    if args.json {
        print_json(&ServerStateJson {
            schema: SCHEMA,
            running: true,
            port,
            version: health.version.as_deref(),
            model: Some(health.model),
            autostart: profile.is_some_and(|profile| profile.autostart),
        })?;
        return Ok(0);
    }
    let version = health.version.map_or_else(|| say!(text, "install-unknown"), String::from);
    let port = port.unwrap_or_default().to_string();
    session.tell(&say!(text, "install-status-running", version = version, port = port));
    if let Some(warning) = changed_model(health.model, text) {
        session.tell(&warning);
    }
    Ok(0)
}

/// Stops the server and starts it again.
///
/// # Errors
/// Those of [`stop`] and [`start`].
pub fn restart(args: &ServerArgs, session: &Session) -> Result<u8, Failure> {
    manage::stop(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    start(args, session)
}

/// Stops the server and its child processes.
///
/// # Errors
/// When nothing is installed or a process cannot be stopped.
pub fn stop(args: &ServerArgs, session: &Session) -> Result<u8, Failure> {
    manage::stop(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    let installed =
        Installed::load(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    let autostart = installed.as_ref().is_some_and(|installed| installed.profile.autostart);
    let text = session.text;
    if args.json {
        print_json(&ServerStateJson {
            schema: SCHEMA,
            running: false,
            port: installed.as_ref().map(|installed| installed.profile.port),
            version: None,
            model: None,
            autostart,
        })?;
        return Ok(0);
    }
    session.tell(&if autostart {
        say!(text, "install-server-stopped")
    } else {
        say!(text, "install-server-stopped-by-hand")
    });
    Ok(0)
}
