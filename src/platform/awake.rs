//! Inhibits automatic sleep during long operations. The screen may still turn off.
//!
//! Linux: an inhibitor of systemd-logind (`systemd-inhibit --list` shows it). macOS: a power assertion (`pmset -g
//! assertions`). Windows: the execution state of a thread (`powercfg /requests`). All three end with the process, even
//! if it is killed.

use std::sync::mpsc::{Sender, channel};

use keepawake::{Builder, KeepAwake};

/// Inhibits automatic sleep until it is dropped.
#[derive(Debug)]
pub struct Awake {
    // Dropping the sender ends the thread.
    _end: Sender<()>,
}

/// Inhibits automatic sleep. `reason` is displayed by the system, so it is in the user's language. Does not block; a
/// refusal is logged.
pub fn keep_awake(reason: String) -> Awake {
    let (until, end) = channel::<()>();
    // A separate thread, because on Windows the inhibition belongs to a thread, and D-Bus may be slow.
    let started = std::thread::Builder::new().name("awake".to_owned()).spawn(move || {
        let held = inhibit(&reason);
        match &held {
            Ok(_) => tracing::debug!("sleep is inhibited"),
            Err(error) => tracing::info!(%error, "cannot inhibit sleep"),
        }
        // Returns when the sender is dropped.
        let _ = end.recv();
        drop(held);
    });
    if let Err(error) = started {
        tracing::info!(%error, "cannot inhibit sleep");
    }
    Awake { _end: until }
}

fn inhibit(reason: &str) -> keepawake::Result<KeepAwake> {
    let mut wish = Builder::default();
    wish.idle(true).reason(reason).app_name("ACOLYTE").app_reverse_domain("dev.acolyte.installer");
    // Linux desktops suspend through logind, for which only a sleep lock counts, not an idle lock. On other systems a
    // sleep lock would also prevent suspending by closing the lid or from the menu.
    if cfg!(target_os = "linux")
        && let Ok(held) = wish.clone().sleep(true).create()
    {
        return Ok(held);
    }
    wish.create()
}
