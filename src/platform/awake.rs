//! Keeps the computer from falling asleep by itself while something long runs. The screen may go dark.
//!
//! Linux: an inhibitor of systemd-logind (`systemd-inhibit --list` shows it). macOS: a power assertion
//! (`pmset -g assertions`). Windows: the execution state of a thread (`powercfg /requests`). All three end with the
//! process at the latest, so a program that was killed keeps nothing awake.

use std::sync::mpsc::{Sender, channel};

use keepawake::{Builder, KeepAwake};

/// While this lives, the computer does not fall asleep by itself.
#[derive(Debug)]
pub struct Awake {
    // Dropping it tells the thread to let go.
    _until: Sender<()>,
}

/// Asks the system to stay awake; `reason` is what the system shows about it, in the user's language. Returns at
/// once: a system that does not answer holds nothing up, and one that refuses is noted in the log.
pub fn keep_awake(reason: String) -> Awake {
    let (until, end) = channel::<()>();
    // A thread of its own, because Windows ties the wish to a thread and D-Bus may take its time.
    let started = std::thread::Builder::new().name("awake".to_owned()).spawn(move || {
        let held = hold(&reason);
        match &held {
            Ok(_) => tracing::debug!("sleep is inhibited"),
            Err(error) => tracing::info!(%error, "cannot inhibit sleep"),
        }
        // Ends when the other side is dropped.
        let _ = end.recv();
        drop(held);
    });
    if let Err(error) = started {
        tracing::info!(%error, "cannot inhibit sleep");
    }
    Awake { _until: until }
}

fn hold(reason: &str) -> keepawake::Result<KeepAwake> {
    let mut wish = Builder::default();
    wish.idle(true).reason(reason).app_name("ACOLYTE").app_reverse_domain("dev.acolyte.installer");
    // Desktops on Linux suspend through logind, which counts a lock on sleep, not on idleness. Elsewhere "sleep" would
    // also stop a user who closes the lid or chooses to suspend.
    if cfg!(target_os = "linux")
        && let Ok(held) = wish.clone().sleep(true).create()
    {
        return Ok(held);
    }
    wish.create()
}
