//! Start-up of both programs: TLS provider, log, crash report.

use std::fs::File;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;

use crate::cli::{Session, output};
use crate::doctor::redact::Secrets;
use crate::install::Paths;
use crate::install::state::home::require_ours;
use crate::platform::clock::since_1970;
use crate::platform::environment::{Environment, temp_dir};
use crate::platform::files;
use crate::say;
use crate::text::{Language, Text};
use crate::untrusted::UntrustedText;

/// Environment variable with the log's filter, in the syntax of `tracing`.
const LOG_FILTER: &str = "ACOLYTE_LOG";
/// The log is rotated above this size; the old one is kept as `.old`.
const LOG_MAX_BYTES: u64 = 4 << 20;

/// Installs the TLS provider and the panic hook. Call before the command line is parsed.
pub fn begin() {
    crate::platform::prepare_console();
    // Fails only when a provider is installed already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    std::panic::set_hook(Box::new(report_crash));
}

/// Starts the log: in `HOME/logs/acolyte.log` if that folder exists (no folder is created just for a log), and on
/// standard error with `--verbose`.
pub fn start_log(session: &Session) {
    let filter = EnvFilter::try_from_env(LOG_FILTER).unwrap_or_else(|_| EnvFilter::new("warn,acolyte=info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let started = if session.verbose {
        log.with_writer(|| output::EscapedStderr).try_init()
    } else if let Some(file) = log_file(&session.home) {
        log.with_writer(Mutex::new(file)).try_init()
    } else {
        return;
    };
    if let Err(error) = started {
        output::talk(&format!("acolyte: {error}"));
    }
}

fn log_file(home: &Path) -> Option<File> {
    logs_dir(home)?;
    let paths = Paths::new(home);
    let path = paths.log();
    if std::fs::metadata(&path).is_ok_and(|log| log.len() > LOG_MAX_BYTES) {
        // If the rotation fails, the log grows; that is better than no log.
        let _grows = files::rename(&path, paths.old_log());
    }
    files::open_to_append(&path).ok()
}

fn logs_dir(home: &Path) -> Option<PathBuf> {
    let paths = Paths::new(home);
    // No log where other users could read or replace it.
    let is_ours = require_ours(&paths).is_ok();
    Some(paths.logs()).filter(|logs| is_ours && logs.is_dir())
}

/// Runs an action whose panic the caller handles (a window without a required library): the panic is logged, but not
/// reported to the user as a crash.
pub fn crashes_only_logged<T>(action: impl FnOnce() -> T) -> T {
    HANDLED.store(true, Ordering::SeqCst);
    let result = action();
    HANDLED.store(false, Ordering::SeqCst);
    result
}

/// Whether the caller handles a panic.
static HANDLED: AtomicBool = AtomicBool::new(false);

/// Writes a crash report and prints its path.
fn report_crash(info: &PanicHookInfo<'_>) {
    tracing::error!(%info, "crashed");
    let text = Text::new(Language::of_system());
    let trace = std::backtrace::Backtrace::force_capture();
    let report = crash_report(&Secrets::of_this_machine(), &info.to_string(), &trace.to_string());
    let folder =
        Environment::of_process().acolyte_home().and_then(|home| logs_dir(&home)).unwrap_or_else(temp_dir);
    let written = write_crash_report(&folder, &report);
    if HANDLED.load(Ordering::SeqCst) {
        return;
    }
    output::talk(&match written {
        Ok(path) => say!(text, "cli-crashed", path = UntrustedText::path(&path)),
        Err(_) => say!(text, "cli-crashed-unwritten", why = info.to_string()),
    });
}

/// What happened, without what is personal: users are asked to send the file. The trace has names of our code and paths
/// of the computer that built it.
fn crash_report(secrets: &Secrets, info: &str, trace: &str) -> String {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    format!("{name} {version}\n{}\n{}\n", secrets.line(info), secrets.path(trace))
}

/// Writes a report that only this user can read.
fn write_crash_report(folder: &Path, report: &str) -> std::io::Result<PathBuf> {
    let seconds = since_1970().as_secs();
    let path = folder.join(format!("{}{seconds}-{}.txt", Paths::CRASH_REPORT_PREFIX, std::process::id()));
    files::create_new(&path)?.write_all(report.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_report_is_private_and_tells_nothing_personal() {
        let secrets = Secrets::new(Some(Path::new("/home/filomena")), &["filomena"], &["atalaya"]);
        let info = "panicked at src/install/run.rs:7:5:\n\
                    cannot open /home/filomena/x on atalaya with token=hunter2";
        let trace = "  0: acolyte::install::run::h0123456789abcdef\n     at /home/filomena/src/run.rs:7:5";
        let folder = tempfile::tempdir().unwrap();
        let path = write_crash_report(folder.path(), &crash_report(&secrets, info, trace)).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let report = std::fs::read_to_string(&path).unwrap();
        for secret in ["filomena", "atalaya", "hunter2"] {
            assert!(!report.contains(secret), "{secret} is left in\n{report}");
        }
        for kept in [env!("CARGO_PKG_VERSION"), "src/install/run.rs:7:5", "acolyte::install::run"] {
            assert!(report.contains(kept), "{kept} is missing in\n{report}");
        }
        // A report is never written through a link, nor over something else.
        assert!(write_crash_report(&path, "").is_err());
    }
}
