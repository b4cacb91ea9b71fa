//! The server's log: read from a position for evidence of a load or of the server's end, and rotated.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::platform::{files, regular};
use crate::untrusted::UntrustedText;

/// A log that has grown to this size is put aside when the server starts.
pub(super) const ROTATE_AT_BYTES: u64 = 4 << 20;
/// Old logs that are kept.
pub(super) const OLD_LOGS: u32 = 3;

/// What was written to a log since, at most the last 4 MiB of it. A log that became shorter was rotated: all of it.
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
    // A log that cannot be read says nothing; what depends on it is then unknown, not wrong.
    read().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The last lines written since, shortened to what fits a message.
pub fn last_lines(log: &Path, from: u64, count: usize) -> Vec<UntrustedText> {
    let text = log_since(log, from);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|line| line.chars().take(400).collect::<String>().into())
        .collect()
}

/// As when the server starts, for one that runs: its log is copied and truncated, so that it cannot grow forever. A
/// server appends, so it continues at the new end. What it writes in between is lost.
///
/// # Errors
/// What the system says.
pub fn rotate_while_running(log: &Path) -> std::io::Result<()> {
    if files::length(log) < ROTATE_AT_BYTES {
        return Ok(());
    }
    let copy = PathBuf::from(format!("{}.new", log.display()));
    std::io::copy(&mut regular::open_no_link(log)?, &mut files::create_anew(&copy)?)?;
    make_way(log)?;
    std::fs::rename(copy, old_log(log, 1))?;
    files::no_link(OpenOptions::new().write(true)).open(log)?.set_len(0)
}

/// `server.log` becomes `server.log.1`, that `.2`, and so on; the oldest goes.
///
/// # Errors
/// When a log cannot be renamed or removed.
pub(super) fn rotate(log: &Path) -> std::io::Result<()> {
    if files::length(log) < ROTATE_AT_BYTES {
        return Ok(());
    }
    make_way(log)?;
    std::fs::rename(log, old_log(log, 1))
}

/// Every old log moves on by one.
fn make_way(log: &Path) -> std::io::Result<()> {
    for n in (1..OLD_LOGS).rev() {
        if old_log(log, n).exists() {
            std::fs::rename(old_log(log, n), old_log(log, n + 1))?;
        }
    }
    Ok(())
}

/// Every name that a log has or had: itself, what was rotated, and a rotation that was interrupted.
pub fn rotated_logs(log: &Path) -> Vec<PathBuf> {
    let old = (1..=OLD_LOGS).map(|n| old_log(log, n));
    [log.to_owned(), PathBuf::from(format!("{}.new", log.display()))].into_iter().chain(old).collect()
}

fn old_log(log: &Path, n: u32) -> PathBuf {
    PathBuf::from(format!("{}.{n}", log.display()))
}

/// Opens a log for adding to it, private to the user; no link.
///
/// # Errors
/// When it cannot be opened.
pub(super) fn open_log(path: &Path) -> std::io::Result<File> {
    files::no_link(files::private(OpenOptions::new().create(true).append(true))).open(path)
}
