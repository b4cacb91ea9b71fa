//! `acolyte start` and `acolyte stop`: the private server of what is installed.

use crate::cli::interrupt::cancel_on_ctrl_c;
use crate::cli::status::changed_model;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::{Installed, manage};
use crate::say;

/// Starts the server and waits until it responds; a running one is kept.
///
/// # Errors
/// When nothing is installed, its port is taken, or it does not start.
pub fn start(session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    let health =
        manage::start(&session.home, &control).map_err(|error| Failure::of_install(error, session.text))?;
    let port = health.installed.map_or(0, |installed| installed.profile.port).to_string();
    let version = health.version.map_or_else(|| say!(text, "install-unknown"), String::from);
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
pub fn restart(session: &Session) -> Result<u8, Failure> {
    manage::stop(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    start(session)
}

/// Stops the server and its child processes.
///
/// # Errors
/// When nothing is installed or a process cannot be stopped.
pub fn stop(session: &Session) -> Result<u8, Failure> {
    manage::stop(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    let installed =
        Installed::load(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    let autostart = installed.is_some_and(|installed| installed.profile.autostart);
    let text = session.text;
    session.tell(&if autostart {
        say!(text, "install-server-stopped")
    } else {
        say!(text, "install-server-stopped-by-hand")
    });
    Ok(0)
}
