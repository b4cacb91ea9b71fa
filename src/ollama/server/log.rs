//! The server's log: reads it from a position, and rotates it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::platform::{files, regular};
use crate::untrusted::UntrustedText;

/// A log of this size is rotated when the server starts.
pub(super) const ROTATE_AT_BYTES: u64 = 4 << 20;
/// Number of old logs that are kept.
pub(super) const OLD_LOGS: u32 = 3;

/// The log from position `from`, at most the last 4 MiB. If the log is shorter than that, it was rotated and is read
/// from its start.
pub fn log_since(log: &Path, from: u64) -> String {
    const MOST: u64 = 4 << 20;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = regular::open(log)?;
        let length = file.metadata()?.len();
        let from = if from > length { 0 } else { from };
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(MOST))))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // An unreadable log counts as empty: what depends on it is then unknown.
    read().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The last lines from position `from`, shortened for a message.
pub fn last_lines(log: &Path, from: u64, count: usize) -> Vec<UntrustedText> {
    let text = log_since(log, from);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|line| line.chars().take(400).collect::<String>().into())
        .collect()
}

/// Rotates the log of a running server by copying and truncating it. The server appends, so it continues at the new
/// end. Output between copy and truncation is lost.
///
/// # Errors
/// The system's error.
pub fn rotate_while_running(log: &Path) -> std::io::Result<()> {
    if files::length(log) < ROTATE_AT_BYTES {
        return Ok(());
    }
    let copy = PathBuf::from(format!("{}.new", log.display()));
    std::io::copy(&mut regular::open_no_link(log)?, &mut files::create_anew(&copy)?)?;
    shift_old_logs(log)?;
    files::rename(copy, old_log(log, 1))?;
    files::open_own(OpenOptions::new().write(true), log)?.set_len(0)
}

/// Renames `server.log` to `server.log.1`, that to `.2`, and so on; removes the oldest.
///
/// # Errors
/// If a log cannot be renamed or removed.
pub(super) fn rotate(log: &Path) -> std::io::Result<()> {
    if files::length(log) < ROTATE_AT_BYTES {
        return Ok(());
    }
    shift_old_logs(log)?;
    files::rename(log, old_log(log, 1))
}

/// Renames every old log to the next number.
fn shift_old_logs(log: &Path) -> std::io::Result<()> {
    for n in (1..OLD_LOGS).rev() {
        if old_log(log, n).exists() {
            files::rename(old_log(log, n), old_log(log, n + 1))?;
        }
    }
    Ok(())
}

/// All files of a log: itself, rotated ones, and the leftover of an interrupted rotation.
pub fn rotated_logs(log: &Path) -> Vec<PathBuf> {
    let old = (1..=OLD_LOGS).map(|n| old_log(log, n));
    [log.to_owned(), PathBuf::from(format!("{}.new", log.display()))].into_iter().chain(old).collect()
}

/// The files of a log that exist, the oldest first, the log itself last.
pub fn logs_by_age(log: &Path) -> Vec<PathBuf> {
    let old = (1..=OLD_LOGS).rev().map(|n| old_log(log, n));
    old.chain([log.to_owned()]).filter(|path| path.is_file()).collect()
}

pub(super) fn old_log(log: &Path, n: u32) -> PathBuf {
    PathBuf::from(format!("{}.{n}", log.display()))
}

/// Opens or creates a log for appending, private to the user. A link is refused.
///
/// # Errors
/// If it cannot be opened.
pub(super) fn open_log(path: &Path) -> std::io::Result<File> {
    files::open_own(files::private(OpenOptions::new().create(true).append(true)), path)
}
