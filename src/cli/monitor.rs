//! `acolyte monitor`: how full the graphics memory is, and an alert before the model runs out of it.

use std::time::Duration;

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::MonitorArgs;
use crate::cli::output::{print, print_exactly};
use crate::cli::status::about_listener;
use crate::cli::{Failure, Session};
use crate::hardware::{self, DetectOptions};
use crate::install::manage;
use crate::monitor::{Alert, VramUse, VramWatch};
use crate::platform::listening::Listener;
use crate::say;
use crate::sentences::document::one_line;

/// One check, as `--json` prints it.
#[derive(Serialize)]
struct MonitorJson<'a> {
    schema: u32,
    gpus: &'a [VramUse],
    /// What changed since the last check, in the user's language.
    alerts: Vec<String>,
}

/// Runs the command: until it is interrupted, or once. With `--once` the exit code is 10 when memory is nearly full.
///
/// # Errors
/// When no graphics card reports its memory use, or the output cannot be written.
pub fn run(args: &MonitorArgs, session: &Session) -> Result<u8, Failure> {
    session.require_own_home()?;
    let mut options = DetectOptions::new(session.home.clone());
    options.measure_memory = false;
    let mut watch = VramWatch::default();
    let mut last_listener = None;
    loop {
        let now = VramUse::of(&hardware::detect(&options));
        if now.is_empty() {
            return Err(Failure::failed(say!(session.text, "monitor-nothing-to-watch")));
        }
        let alerts = watch.update(&now);
        let mut words: Vec<String> = alerts.iter().map(|alert| alert.explain(session.text)).collect();
        let found = manage::port_listener(&session.home).map_err(|e| Failure::of_install(e, session.text))?;
        if found != last_listener {
            let alert = |(port, listener): &(u16, Listener)| about_listener(listener, *port, session.text);
            words.extend(found.as_ref().and_then(alert));
            last_listener = found;
        }
        print_sample(args, session, &now, words)?;
        if args.once {
            let critical = alerts.iter().any(|alert| matches!(alert, Alert::Critical(_)));
            return Ok(if critical { 10 } else { 0 });
        }
        std::thread::sleep(Duration::from_secs(args.interval));
    }
}

fn print_sample(
    args: &MonitorArgs,
    session: &Session,
    now: &[VramUse],
    words: Vec<String>,
) -> Result<(), Failure> {
    let text = session.text;
    if args.json {
        let sample = MonitorJson { schema: SCHEMA, gpus: now, alerts: words };
        let line = one_line(&sample).map_err(|error| Failure::failed(error.to_string()))?;
        return print_exactly(&format!("{line}\n"));
    }
    for gpu in now {
        let line = say!(
            text,
            "monitor-line",
            gpu = gpu.gpu.as_str(),
            used = text.memory_number(gpu.used_bytes),
            total = text.memory(gpu.total_bytes),
            share = text.percent(gpu.share())
        );
        print(&format!("{line}\n"))?;
    }
    for alert in words {
        session.tell(&alert);
    }
    Ok(())
}
