//! The watcher that a login entry starts: it notifies on the desktop when graphics memory is nearly full, or when the model has
//! left the card. It detects nothing and asks no driver while no model is in memory.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::monitor::desktop::DesktopAlerts;
use crate::hardware::DetectOptions;
use crate::install::login_copy;
use crate::install::login_watcher::{self, WATCH};
use crate::install::{Paths, state::home};
use crate::monitor::{AlertWatch, Sampler};
use crate::platform::{self, environment};
use crate::text::{Language, Text};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(10);

/// If a login entry called this program to watch, does so until its home is uninstalled. Must come before the command line is
/// parsed.
pub fn run_if_asked() {
    let mut arguments = environment::arguments().skip(1);
    let (command, folder) = (arguments.next(), arguments.next().map(PathBuf::from));
    let folder = folder.or_else(|| login_copy::home_of_copy().filter(|_| cfg!(windows)));
    let (Some(command), Some(folder)) = (command, folder) else { return };
    if command != WATCH || arguments.next().is_some() {
        return;
    }
    watch(&Paths::new(&folder));
    std::process::exit(0);
}

fn watch(paths: &Paths) {
    // One that is left of an earlier session shows its alerts where nobody sees them.
    if home::require_ours(paths).is_err() || login_watcher::stop(paths).is_err() {
        return;
    }
    let text = Text::new(Language::of_system());
    let mut desktop = DesktopAlerts::of(paths.home(), text);
    let mut sampler = Sampler::waiting(DetectOptions::new(paths.home().to_owned()));
    let mut alerts = AlertWatch::default();
    let mut is_first = true;
    while login_watcher::is_installed(paths) {
        if sampler.follow_engine() && sampler.was_on_card() {
            for alert in alerts.update(&sampler.sample()) {
                desktop.raise(&alert);
            }
            // Their words are shown as notifications already.
            desktop.messages().for_each(drop);
        } else {
            sampler.rest();
        }
        if is_first {
            // What starting needed is not needed any more.
            platform::release_program_pages();
            is_first = false;
        }
        std::thread::sleep(INTERVAL);
    }
}
