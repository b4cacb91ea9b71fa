//! Repeats the tuning of what is installed, and applies the result.
//!
//! The steps are those of every change of its setting ([`crate::install::adjust`]). What the user agreed to stays as it is:
//! context and limits of memory are kept, and what is moved is faster there. What the user set by hand stays too: the search
//! tries the other options only.

use std::path::Path;
use std::sync::Arc;

use crate::control::Control;
use crate::install::adjust::{Adjustment, AdjustmentKind, InstalledBase};
use crate::install::blocking::runtime;
use crate::install::private_server;
use crate::install::progress::Reporter;
use crate::install::steps::placement::Placement;
use crate::install::{
    Agreement, Event, InstallError, InstallOptions, Installed, Paths, Receipt, Request, Wording,
};
use crate::machine::Hardware;
use crate::plan::Policy;
use crate::platform::awake::keep_awake;

/// Repeats the tuning and reports events. Blocks until it ends; `control` cancels it, or skips the rest of the search. Call
/// [`unload`] before the hardware is detected: what our model takes of the card would count as taken.
///
/// # Errors
/// When nothing is installed, an interrupted installation has to be finished first, or the server or model does not start.
/// Also reported as the last event. The setting before is restored, unless the error is
/// [`InstallError::RollbackIncomplete`].
pub fn retune(
    home: &Path,
    hardware: &Hardware,
    policy: &Policy,
    wording: &dyn Wording,
    events: &dyn Fn(Event),
    control: &Control,
) -> Result<Receipt, Arc<InstallError>> {
    let reporter = Reporter::new(events);
    let _awake = keep_awake(wording.awake_reason());
    let work = async {
        let base = InstalledBase::load(home)?;
        if base.was_interrupted {
            return Err(InstallError::InterruptedBefore { home: home.to_owned() });
        }
        let not_installed = || InstallError::NotInstalled { home: home.to_owned() };
        let request = request(&base, hardware, policy).ok_or_else(not_installed)?;
        let start = Placement::installed(&base.installed.profile);
        let adjustment = Adjustment { base: &base, request: &request, start, kind: AdjustmentKind::Tuning };
        adjustment.carry_out(wording, &reporter, control).await
    };
    reporter.end(runtime()?.block_on(work))
}

/// Unloads the served model, if our server runs. Blocks.
///
/// # Errors
/// When a document cannot be read.
pub fn unload(home: &Path) -> Result<(), InstallError> {
    let paths = Paths::new(home);
    let Some(installed) = Installed::load(home)? else { return Ok(()) };
    if !private_server::is_running(&paths) {
        return Ok(());
    }
    let client = private_server::client(&paths, installed.profile.port)?;
    runtime()?.block_on(async {
        // A server that does not answer is restarted later.
        if let Err(error) = client.unload(&installed.profile.model).await {
            tracing::info!(%error, "the model was not unloaded");
        }
        Ok(())
    })
}

/// What is installed, as a request: its placement is the plan's. `None` if its model cannot be pulled.
fn request(base: &InstalledBase, hardware: &Hardware, policy: &Policy) -> Option<Request> {
    let saved = &base.saved;
    let agreement = Agreement {
        limits: base.installed.profile.degraded,
        fewer_layers: saved.accept_degraded,
        kv_q4: saved.accept_kv_q4,
        unverified_model: saved.accept_unverified_model,
    };
    let options = InstallOptions { tune: true, ..base.options.clone() };
    let request = Request::new(base.plan_now(hardware, policy), agreement, options)?;
    Some(Request { by_hand: saved.by_hand, ..request })
}
