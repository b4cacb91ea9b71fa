//! The system's own dialogs, its browser and its file manager.
//!
//! Where a system has no dialog, the answer is the same as when the user closes it; every field that opens one can be
//! typed into as well. A dialog may be opened from any thread: on macOS, `rfd` moves it to the main thread, which runs the
//! window's event loop.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use eframe::wgpu::rwh::{HasDisplayHandle, HasWindowHandle};
use rfd::{AsyncFileDialog, FileHandle};

use super::command::PathField;
use super::error::WorkerError;
use super::message::{Message, Outbox};
use crate::platform::program;
use crate::untrusted::UntrustedText;

/// Dialogs about files, which belong to the window if there is one: they stay in front of it and it waits for them.
#[derive(Clone, Debug, Default)]
pub struct SystemDialogs {
    dialog: AsyncFileDialog,
}

impl SystemDialogs {
    /// Those of a window.
    pub fn of_window(window: &(impl HasWindowHandle + HasDisplayHandle)) -> Self {
        Self { dialog: AsyncFileDialog::new().set_parent(window) }
    }

    /// Lets the user pick a folder, or a file that exists. `picked` gets `None` when the dialog is closed.
    pub(super) fn pick_path(
        &self,
        field: PathField,
        start: &Path,
        picked: impl FnOnce(Option<PathBuf>) + Send + 'static,
    ) {
        let dialog = self.dialog.clone().set_directory(existing(start));
        if field.is_file() {
            wait_for(dialog.pick_file(), picked);
        } else {
            wait_for(dialog.pick_folder(), picked);
        }
    }

    /// Lets the user pick where to save a report. `picked` gets `None` when the dialog is closed.
    pub(super) fn pick_report_file(
        &self,
        start: &Path,
        picked: impl FnOnce(Option<PathBuf>) + Send + 'static,
    ) {
        let dialog = self.dialog.clone().set_directory(existing(start)).set_file_name(REPORT_NAME);
        wait_for(dialog.save_file(), picked);
    }
}

/// Name of a report's file unless the user types another.
pub(crate) const REPORT_NAME: &str = "acolyte-report.json";

fn existing(folder: &Path) -> PathBuf {
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder).to_owned()
}

fn wait_for(
    dialog: impl Future<Output = Option<FileHandle>> + Send + 'static,
    picked: impl FnOnce(Option<PathBuf>) + Send + 'static,
) {
    let spawned = thread::Builder::new().name("dialog".to_owned()).spawn(move || {
        match tokio::runtime::Builder::new_current_thread().build() {
            Ok(runtime) => picked(runtime.block_on(dialog).map(|file| file.path().to_owned())),
            Err(error) => {
                tracing::warn!(%error, "a dialog could not be waited for");
                picked(None);
            }
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "a dialog could not be opened");
    }
}

/// Shows a folder in the system's file manager.
pub(super) fn open_folder(folder: &Path, outbox: &Outbox) {
    let mut opener = opener("explorer");
    opener.arg(folder);
    start(opener, &UntrustedText::path(folder), outbox);
}

/// Shows a web page in the system's browser.
pub(super) fn open_link(url: &str, outbox: &Outbox) {
    let mut opener = opener("rundll32");
    if cfg!(windows) {
        // Explorer would split an address at its commas and question marks.
        opener.arg("url.dll,FileProtocolHandler");
    }
    opener.arg(url);
    start(opener, url, outbox);
}

/// The program that opens something with the user's default application: the system's own, or the one on the path, if
/// nobody else can have put it there.
fn opener(on_windows: &str) -> Command {
    program::command(system_opener(on_windows))
}

#[cfg(windows)]
fn system_opener(on_windows: &str) -> PathBuf {
    let system = crate::platform::system_folder().unwrap_or_default();
    let places = [system.join(on_windows), system.parent().unwrap_or(&system).join(on_windows)];
    let found = places.into_iter().map(|path| path.with_extension("exe")).find(|path| path.is_file());
    found.unwrap_or_else(|| PathBuf::from(on_windows))
}

#[cfg(not(windows))]
fn system_opener(_on_windows: &str) -> PathBuf {
    use crate::platform::environment::Environment;
    use crate::platform::ownership::find_program;
    if cfg!(target_os = "macos") {
        return PathBuf::from("/usr/bin/open");
    }
    let found = find_program("xdg-open", &Environment::of_process().folders("PATH"));
    found.unwrap_or_else(|| PathBuf::from("/usr/bin/xdg-open"))
}

fn start(mut opener: Command, target: &str, outbox: &Outbox) {
    match opener.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        // Waited for only so that it leaves no zombie.
        Ok(mut child) => drop(thread::spawn(move || child.wait())),
        Err(error) => {
            let error = WorkerError::NotOpened { target: target.to_owned(), cause: error.to_string() };
            outbox.send(Message::OpenFailed(error));
        }
    }
}
