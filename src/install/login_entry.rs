//! The login entry that starts the server, and the service manager where there is one.
//!
//! Where the system supervises programs (a systemd user unit, a LaunchAgent) the entry owns the server, which is started
//! and stopped through it, so that there are never two. The system writes the log of such a server, so a copy of this
//! program rotates it before each start (`keep-log`): a server that crashes in a loop does not fill the disk. Elsewhere
//! (XDG autostart, the Run key of Windows) the entry calls a copy of this program, which starts the server as the
//! installation did, because such an entry can set neither the log nor, on Windows, the environment.
//!
//! The watcher of graphics memory ([`login_watcher`]) comes and goes with it.
//!
//! A user may have several homes. Each has an entry of its own, and an entry that names another home is neither replaced
//! nor removed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::install::login_copy::{arguments, install_own_copy, is_ours, owner, programs};
use crate::install::login_watcher;
use crate::install::{InstallError, Paths};
use crate::ollama::server::Launch;
use crate::platform::files;
use crate::platform::login::{AutostartKind, AutostartMethod, LoginEntry};

/// First argument of the copy of this program: start the server.
pub(super) const START_SERVER: &str = "start-server";
/// The same: rotate the server's log before the system starts the server.
pub(super) const KEEP_LOG: &str = "keep-log";

/// What changes a program before its first instruction. The server's own environment is built from scratch; these are taken from
/// the programs that run before it.
const LOADER_SETTINGS: &[&str] = &[
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "LD_AUDIT",
    "LD_BIND_NOW",
    "LD_DEBUG",
    "LD_DEBUG_OUTPUT",
    "LD_DYNAMIC_WEAK",
    "LD_LIBRARY_PATH",
    "LD_ORIGIN_PATH",
    "LD_PRELOAD",
    "LD_PROFILE",
    "LD_PROFILE_OUTPUT",
    "LD_SHOW_AUXV",
    "LD_USE_LOAD_BIAS",
    "LOCPATH",
    "MALLOC_CHECK_",
    "MALLOC_TRACE",
    "NLSPATH",
];

/// Whether the system supervises the running server of this home.
///
/// # Errors
/// When the user's folder for such entries is unknown.
pub fn supervises(paths: &Paths) -> Result<bool, InstallError> {
    Ok(runs(&autostart_method(paths)?, paths))
}

/// Whether the system would supervise the server of this home if it started it.
///
/// # Errors
/// When the user's folder for such entries is unknown.
pub fn would_supervise(paths: &Paths) -> Result<bool, InstallError> {
    Ok(would_run(&autostart_method(paths)?, paths))
}

/// Whether this home has an entry of any kind.
///
/// # Errors
/// When the user's folder for such entries is unknown.
pub fn is_installed(paths: &Paths) -> Result<bool, InstallError> {
    Ok(login_watcher::is_installed(paths)
        || AutostartMethod::all_of_system(&owner(paths))?.iter().any(|method| is_ours(method, paths)))
}

/// The folder an entry would be written to; `None` where it is no file.
///
/// # Errors
/// When the user's folder for such entries is unknown.
pub fn folder(paths: &Paths) -> Result<Option<PathBuf>, InstallError> {
    Ok(autostart_method(paths)?.file().and_then(|file| file.parent().map(Path::to_owned)))
}

/// Creates or replaces the entry. The server is not started before the next login. With `watch` the watcher gets its entry
/// too, and is started now; without, it is removed. The server matters more: a watcher that cannot be installed is only logged.
///
/// # Errors
/// When the entry or the copy of this program cannot be written.
pub fn install(paths: &Paths, launch: &Launch, watch: bool) -> Result<(), InstallError> {
    let method = autostart_method(paths)?;
    // A running program cannot be replaced on Windows.
    login_watcher::remove(paths)?;
    let entry = if method.kind().carries_log() {
        let unset = LOADER_SETTINGS.iter().map(|name| (*name).to_owned()).collect();
        LoginEntry {
            description: description(paths),
            program: launch.program.clone(),
            args: vec!["serve".into()],
            pre_start: vec![install_own_copy(paths)?.into(), KEEP_LOG.into(), paths.home().into()],
            environment: environment_of(launch, method.kind()),
            unset,
            log: Some(launch.log.clone()),
        }
    } else {
        LoginEntry {
            description: description(paths),
            program: install_own_copy(paths)?,
            args: arguments(START_SERVER, paths),
            ..LoginEntry::default()
        }
    };
    method.install(&entry)?;
    if watch && let Err(error) = install_own_copy(paths).and_then(|copy| login_watcher::install(paths, copy))
    {
        tracing::warn!(%error, "graphics memory is not watched");
        login_watcher::remove(paths)?;
    }
    Ok(())
}

/// The server's environment as an entry holds it. launchd adds what `launchctl setenv` set for every agent, unless the
/// entry has a value of its own: a setting of the runner that is absent gets an empty one, which `keep-log` drops.
fn environment_of(launch: &Launch, kind: AutostartKind) -> BTreeMap<String, OsString> {
    let mut environment = launch.environment_here();
    if kind == AutostartKind::LaunchAgent {
        environment.extend(launch.absent_variables().map(|name| (name.to_owned(), OsString::new())));
    }
    environment
}

/// Starts the server of this home through the service manager; `false` where none supervises it.
///
/// # Errors
/// When the service manager refuses.
pub fn start(paths: &Paths) -> Result<bool, InstallError> {
    let method = autostart_method(paths)?;
    if !would_run(&method, paths) {
        return Ok(false);
    }
    Ok(method.start().map(|()| true)?)
}

/// Stops the server of this home through the service manager, where that supervises it.
///
/// # Errors
/// When the service manager refuses.
pub fn stop(paths: &Paths) -> Result<(), InstallError> {
    let method = autostart_method(paths)?;
    if runs(&method, paths) {
        method.stop()?;
    }
    Ok(())
}

/// Removes the entry of this home, of any kind, with the copy of this program that it calls. Stops a server that the
/// service manager started.
///
/// # Errors
/// When something could not be removed.
pub fn remove(paths: &Paths) -> Result<(), InstallError> {
    login_watcher::remove(paths)?;
    // The service manager may not respond now although it did when the entry was made.
    for method in AutostartMethod::all_of_system(&owner(paths))? {
        if is_ours(&method, paths) {
            method.remove()?;
        }
    }
    programs(paths).iter().try_for_each(|file| Ok(files::remove_file(file)?))
}

/// Where the entries of this home are: files, or a registry value.
///
/// # Errors
/// When the user's folder for such entries is unknown.
pub fn places(paths: &Paths) -> Result<Vec<String>, InstallError> {
    let all = AutostartMethod::all_of_system(&owner(paths))?;
    let of_server = all.iter().filter(|method| is_ours(method, paths)).map(AutostartMethod::place);
    Ok(of_server.chain(login_watcher::place(paths)).collect())
}

fn autostart_method(paths: &Paths) -> Result<AutostartMethod, InstallError> {
    Ok(AutostartMethod::of_system(&owner(paths))?)
}

/// Description of the entry, which identifies its home.
fn description(paths: &Paths) -> String {
    format!("ACOLYTE model server ({})", paths.id())
}

fn would_run(method: &AutostartMethod, paths: &Paths) -> bool {
    is_ours(method, paths) && method.kind().supervises()
}

fn runs(method: &AutostartMethod, paths: &Paths) -> bool {
    is_ours(method, paths) && method.is_running() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::KvCacheType;
    use crate::ollama::server::{ExpertsInRam, RunnerSettings};

    #[test]
    fn settings_of_all_agents_do_not_reach_the_server() {
        let experts_in_ram = ExpertsInRam::First(3);
        let launch = Launch {
            program: "/x/ollama/1/bin/ollama".into(),
            port: 42_434,
            models_dir: "/x/models".into(),
            kv_cache_type: KvCacheType::F16,
            runner: RunnerSettings { experts_in_ram, ..RunnerSettings::default() },
            home: "/x/home".into(),
            log: "/x/log".into(),
            network: BTreeMap::new(),
        };
        let agent = environment_of(&launch, AutostartKind::LaunchAgent);
        assert_eq!(agent["LLAMA_ARG_N_CPU_MOE"], "3");
        assert_eq!((agent["LLAMA_ARG_CPU_MOE"].len(), agent["GGML_CUDA_NO_PINNED"].len()), (0, 0));
        let unit = environment_of(&launch, AutostartKind::SystemdUser);
        assert_eq!(unit, launch.environment_here(), "its environment is emptied first");
    }

    #[test]
    fn an_entry_names_its_home() {
        let paths = Paths::new(Path::new("/home/x/.acolyte"));
        assert!(description(&paths).contains(&paths.id()));
    }
}
