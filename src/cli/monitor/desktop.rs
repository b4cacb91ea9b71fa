//! Alerts on the desktop, and what their buttons do. Each waits on a thread of its own for the user; what comes of it is shown
//! as another notification and returned as a message.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::hardware::{MemoryHolder, memory_holders};
use crate::install::manage;
use crate::monitor::Alert;
use crate::platform::detached::DetachedProgram;
use crate::platform::environment::own_program;
use crate::platform::notification::DesktopNotice;
use crate::say;
use crate::text::Text;

const PROGRAMS: &str = "programs";
const RELOAD: &str = "reload";
const SMALLER: &str = "smaller";
/// File name of the window, beside our program.
const WINDOW: &str = if cfg!(windows) { "acolyte-installer.exe" } else { "acolyte-installer" };
/// Timeout for the graphics driver.
const DRIVER_LIMIT: Duration = Duration::from_secs(10);
/// Number of programs that are named.
const PROGRAMS_SHOWN: usize = 8;

/// Shows alerts on the desktop.
pub struct DesktopAlerts {
    home: PathBuf,
    text: Text,
    send: Sender<String>,
    receive: Receiver<String>,
}

impl DesktopAlerts {
    /// For the installation in a home.
    pub fn of(home: &Path, text: Text) -> Self {
        let (send, receive) = channel();
        Self { home: home.to_owned(), text, send, receive }
    }

    /// Shows an alert that begins; the end of one is not worth a notification. Returns at once.
    pub fn raise(&mut self, alert: &Alert) {
        let Some(notice) = notice(alert, self.text) else { return };
        let (home, text, send) = (self.home.clone(), self.text, self.send.clone());
        let started = thread::Builder::new().name("notification".to_owned()).spawn(move || {
            let Some(pressed) = shown(&notice) else { return };
            let outcome = act(pressed, &home, text);
            // The monitor may have ended.
            let _nobody_reads = send.send(outcome.body.clone());
            shown(&outcome);
        });
        if let Err(error) = started {
            tracing::info!(%error, "no notification is shown");
        }
    }

    /// What came of buttons since the last call.
    pub fn messages(&self) -> impl Iterator<Item = String> + '_ {
        self.receive.try_iter()
    }
}

fn shown(notice: &DesktopNotice) -> Option<&'static str> {
    notice.show().unwrap_or_else(|error| {
        tracing::debug!(%error, "no notification is shown");
        None
    })
}

fn notice(alert: &Alert, text: Text) -> Option<DesktopNotice> {
    let (title, body) = match alert {
        Alert::Critical(now) => (
            say!(text, "monitor-notice-title"),
            say!(
                text,
                "monitor-notice-body",
                gpu = now.gpu.as_str(),
                share = text.percent(now.share()),
                used = text.memory_number(now.used_bytes),
                total = text.memory(now.total_bytes)
            ),
        ),
        Alert::LeftCard(loss) => (say!(text, "monitor-notice-left"), loss.explain(text)),
        Alert::Recovered(_) => return None,
    };
    let buttons = vec![
        (PROGRAMS, say!(text, "monitor-action-programs")),
        (RELOAD, say!(text, "monitor-action-reload")),
        (SMALLER, say!(text, "monitor-action-smaller")),
    ];
    Some(DesktopNotice { title, body, buttons })
}

/// Does what a button says. The context is never reduced.
fn act(pressed: &str, home: &Path, text: Text) -> DesktopNotice {
    match pressed {
        PROGRAMS => DesktopNotice {
            title: say!(text, "monitor-programs-title"),
            body: programs(&memory_holders(DRIVER_LIMIT), text),
            buttons: Vec::new(),
        },
        RELOAD => DesktopNotice {
            title: say!(text, "monitor-action-reload"),
            body: match manage::reload(home) {
                Ok(()) => say!(text, "monitor-reloaded"),
                Err(error) => error.explain(text),
            },
            buttons: Vec::new(),
        },
        _ => {
            let opened = open_window(home);
            if let Err(error) = &opened {
                tracing::info!(%error, "the window cannot be opened");
            }
            DesktopNotice {
                title: say!(text, "monitor-action-smaller"),
                body: say!(text, "monitor-smaller-command"),
                buttons: Vec::new(),
            }
        }
    }
}

fn programs(holders: &[MemoryHolder], text: Text) -> String {
    if holders.is_empty() {
        return say!(text, "monitor-programs-unknown");
    }
    let line = |holder: &MemoryHolder| {
        let name = holder.name.as_str();
        let program = match holder.is_engine() {
            true => say!(text, "monitor-programs-model", program = name),
            false => name.to_owned(),
        };
        say!(text, "monitor-programs-line", program = program, size = text.memory(holder.bytes))
    };
    holders.iter().take(PROGRAMS_SHOWN).map(line).collect::<Vec<_>>().join("\n")
}

/// Opens the window, which starts on the page about the installation, where it lies beside this program.
fn open_window(home: &Path) -> std::io::Result<()> {
    // On Linux our program is a link of the kernel, which has no neighbours.
    let window = std::fs::canonicalize(own_program()?)?.with_file_name(WINDOW);
    DetachedProgram::silent(window, vec!["--home".into(), home.into()])?.start()?;
    Ok(())
}
