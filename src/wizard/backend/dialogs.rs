//! The system's own dialogs, and its file manager.
//!
//! A dialog must be made on the window's thread (macOS insists) and may be waited for on another. Where a system has
//! none, the answer is the same as when the person closes it; every place that opens one takes typed paths too.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use rfd::{AsyncFileDialog, FileHandle};

use super::{Message, Outbox, PathField, WorkerError};
use crate::say;
use crate::text::Text;

/// Lets the person pick a folder, or a file that is there.
pub(super) fn pick_path(of: PathField, start: &Path, picked: impl FnOnce(Option<PathBuf>) + Send + 'static) {
    let dialog = AsyncFileDialog::new().set_directory(existing(start));
    if of.is_file() {
        wait_for(dialog.pick_file(), picked);
    } else {
        wait_for(dialog.pick_folder(), picked);
    }
}

/// Lets the person pick where to save a report.
pub(super) fn pick_file(start: &Path, picked: impl FnOnce(Option<PathBuf>) + Send + 'static) {
    let dialog = AsyncFileDialog::new().set_directory(existing(start)).set_file_name(REPORT_NAME);
    wait_for(dialog.save_file(), picked);
}

/// What a report is called unless the person says otherwise.
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
pub(super) fn open_folder(folder: &Path, text: Text, outbox: &Outbox) {
    let mut opener = opener("explorer");
    opener.arg(folder);
    start(opener, &folder.display().to_string(), text, outbox);
}

/// Shows a web page in the system's browser.
pub(super) fn open_link(url: &'static str, text: Text, outbox: &Outbox) {
    let mut opener = opener("rundll32");
    if cfg!(windows) {
        // The file manager would take an address apart at its commas and question marks.
        opener.arg("url.dll,FileProtocolHandler");
    }
    opener.arg(url);
    start(opener, url, text, outbox);
}

/// What opens something with the program that the person has chosen for it.
fn opener(on_windows: &str) -> Command {
    Command::new(if cfg!(windows) {
        on_windows
    } else if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    })
}

fn start(mut opener: Command, what: &str, text: Text, outbox: &Outbox) {
    match opener.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        // Waited for only so that it does not stay behind as a zombie; how it ends is its own business.
        Ok(mut child) => drop(thread::spawn(move || child.wait())),
        Err(error) => {
            let words = say!(text, "wizard-open-failed", path = what, cause = error.to_string());
            outbox.send(Message::OpenFailed(WorkerError(words)));
        }
    }
}
