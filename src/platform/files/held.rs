//! Waits for files that another program has open.
//!
//! Windows refuses to rename, replace or remove a file that a program opened without allowing that, and to rename a
//! folder with such a file in it. A virus scanner opens each new file for some milliseconds, an indexer and a backup do
//! the same. So each of these operations is retried until it succeeds, with growing pauses, for [`HELD_LIMIT`]. What takes
//! longer than [`HELD_REPORT_AFTER`] is reported with the file and, where the system knows it, the program.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// How long an operation is retried.
pub const HELD_LIMIT: Duration = Duration::from_secs(10);
/// When a wait is reported.
pub const HELD_REPORT_AFTER: Duration = Duration::from_secs(2);
/// The first pause; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

// Codes of Windows.
const ACCESS_DENIED: i32 = 5;
const SHARING_VIOLATION: i32 = 32;
const LOCK_VIOLATION: i32 = 33;

/// A file, or a folder with a file, that another program has open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFile {
    /// The file or folder.
    pub path: PathBuf,
    /// The names of the programs, as far as the system tells.
    pub programs: Vec<String>,
}

/// Receives the waits that no caller reports itself.
type WaitListener = Box<dyn Fn(&HeldFile) + Send + Sync>;

static LISTENER: OnceLock<WaitListener> = OnceLock::new();

/// Sets who is told of waits for files in this process. Only the first call has an effect.
pub fn on_wait(listener: impl Fn(&HeldFile) + Send + Sync + 'static) {
    let _already_set = LISTENER.set(Box::new(listener));
}

/// Renames a file or folder; waits while another program has it open.
///
/// # Errors
/// If the system refuses, or the file is still open after [`HELD_LIMIT`].
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    rename_reporting(from.as_ref(), to.as_ref(), &mut tell_listener)
}

/// As [`rename`]; reports a long wait to the caller.
///
/// # Errors
/// Those of [`rename`].
pub fn rename_reporting(from: &Path, to: &Path, report: &mut dyn FnMut(&HeldFile)) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "retried here")]
    let attempt = || std::fs::rename(from, to);
    // Either may be open: what is renamed, or what is replaced.
    waiting(&[from, to], attempt, report)
}

/// Repeats an operation on a file while another program has the file open.
///
/// # Errors
/// The operation's last one.
pub(in crate::platform) fn while_held<T>(
    path: &Path,
    attempt: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    waiting(&[path], attempt, &mut tell_listener)
}

fn waiting<T>(
    paths: &[&Path],
    attempt: impl FnMut() -> io::Result<T>,
    report: &mut dyn FnMut(&HeldFile),
) -> io::Result<T> {
    let mut report = || {
        let path = paths.first().copied().unwrap_or(Path::new(""));
        let programs = paths.iter().flat_map(|path| programs(path)).collect();
        let held = HeldFile { path: path.to_owned(), programs };
        tracing::warn!(path = %path.display(), programs = ?held.programs, "waiting for a file that is in use");
        report(&held);
    };
    retried(attempt, is_held, std::thread::sleep, &mut report)
}

fn tell_listener(held: &HeldFile) {
    if let Some(listener) = LISTENER.get() {
        listener(held);
    }
}

/// Whether an error of the system can mean that the file is open elsewhere. `ERROR_ACCESS_DENIED` can: Windows returns it
/// for a folder with an open file, and for an open file that a rename would replace.
fn is_held(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(ACCESS_DENIED | SHARING_VIOLATION | LOCK_VIOLATION))
}

/// Whether an engine's message says that Windows refused an operation on a file because another program has it open.
pub fn is_held_message(message: &str) -> bool {
    // "Access denied" has many causes, and this one where a file is renamed or removed.
    let moves = ["rename ", "remove "].iter().any(|word| message.contains(word));
    let says = |code: i32| {
        let own = cfg!(windows).then(|| system_message(code));
        own.iter().map(String::as_str).chain([english_message(code)]).any(|text| message.contains(text))
    };
    says(SHARING_VIOLATION) || says(LOCK_VIOLATION) || moves && says(ACCESS_DENIED)
}

/// Go asks Windows for its messages in English.
fn english_message(code: i32) -> &'static str {
    match code {
        ACCESS_DENIED => "Access is denied.",
        LOCK_VIOLATION => "because another process has locked a portion of the file",
        _ => "because it is being used by another process",
    }
}

/// Without English resources Windows answers in the language of the system.
fn system_message(code: i32) -> String {
    let text = io::Error::from_raw_os_error(code).to_string();
    text.rsplit_once(" (os error").map_or_else(|| text.clone(), |(text, _)| text.to_owned())
}

/// The programs that have a file open, or one in a folder; empty where the system does not tell.
#[cfg(windows)]
pub(super) fn programs(path: &Path) -> Vec<String> {
    /// Files of a folder that are asked about.
    const MOST: usize = 500;
    let mut files = vec![path.to_owned()];
    let mut next = 0;
    while let Some(entries) = files.get(next).filter(|_| files.len() < MOST).map(std::fs::read_dir) {
        files.extend(entries.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()));
        next += 1;
    }
    files.retain(|file| file.is_file());
    files.truncate(MOST);
    crate::platform::windows::programs_using(&files)
}

/// Unix renames and removes open files.
#[cfg(not(windows))]
pub(super) fn programs(_: &Path) -> Vec<String> {
    Vec::new()
}

/// Repeats an operation while its error `is_held`, with growing pauses. Returns the last error once the pauses add up to
/// [`HELD_LIMIT`], and calls `report` once they add up to [`HELD_REPORT_AFTER`].
fn retried<T>(
    mut attempt: impl FnMut() -> io::Result<T>,
    is_held: impl Fn(&io::Error) -> bool,
    mut pause: impl FnMut(Duration),
    report: &mut dyn FnMut(),
) -> io::Result<T> {
    let (mut waited, mut next) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        let error = match attempt() {
            Err(error) if waited < HELD_LIMIT && is_held(&error) => error,
            other => return other,
        };
        tracing::debug!(%error, ?waited, "a file is in use");
        pause(next);
        if waited < HELD_REPORT_AFTER && waited + next >= HELD_REPORT_AFTER {
            report();
        }
        waited += next;
        next = (next * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An operation that fails with this code until the pauses add up to `free_after`: its outcome, the time it waited
    /// and how often it reported.
    fn try_until(free_after: Duration, code: i32) -> (io::Result<()>, Duration, usize) {
        let (waited, mut reports) = (std::cell::Cell::new(Duration::ZERO), 0);
        let attempt = || match waited.get() >= free_after {
            true => Ok(()),
            false => Err(io::Error::from_raw_os_error(code)),
        };
        let is_held = |error: &io::Error| matches!(error.raw_os_error(), Some(5 | 32 | 33));
        let outcome =
            retried(attempt, is_held, |pause| waited.set(waited.get() + pause), &mut || reports += 1);
        (outcome, waited.get(), reports)
    }

    #[test]
    fn an_open_file_is_waited_for() {
        for code in [5, 32, 33] {
            let (outcome, waited, reports) = try_until(Duration::from_millis(250), code);
            outcome.unwrap();
            assert!(waited < Duration::from_millis(500), "it continues soon: {waited:?}");
            assert_eq!(reports, 0, "a short wait is not reported");
        }
        assert_eq!(try_until(Duration::ZERO, 32).1, Duration::ZERO);
    }

    #[test]
    fn a_long_wait_is_reported_once_and_ends() {
        let (outcome, waited, reports) = try_until(Duration::from_secs(5), 32);
        assert!(outcome.is_ok() && waited < Duration::from_secs(6));
        assert_eq!(reports, 1);
        let (outcome, waited, reports) = try_until(Duration::MAX, 32);
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(32), "the error of the operation");
        assert!(waited >= HELD_LIMIT && waited < HELD_LIMIT + Duration::from_secs(1), "{waited:?}");
        assert_eq!(reports, 1);
    }

    #[test]
    fn messages_of_the_engine_are_recognised() {
        let used = "The process cannot access the file because it is being used by another process.";
        for (message, is_held) in [
            (format!(r"rename C:\m\sha256-1-partial C:\m\sha256-1: {used}"), true),
            (format!(r"open C:\m\acolyte\latest: {used}"), true),
            (r"rename C:\m\a C:\m\b: Access is denied.".to_owned(), true),
            (r"open C:\m\a: Access is denied.".to_owned(), false),
            ("pull model manifest: file does not exist".to_owned(), false),
        ] {
            assert_eq!(is_held_message(&message), is_held, "{message}");
        }
    }

    #[test]
    fn other_errors_are_returned_at_once() {
        let (outcome, waited, _) = try_until(Duration::MAX, 2);
        assert_eq!((outcome.unwrap_err().raw_os_error(), waited), (Some(2), Duration::ZERO));
    }
}
