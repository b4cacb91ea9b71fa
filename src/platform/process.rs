//! Processes: identifying, terminating and killing them, and the memory of a server with all its children.
//!
//! A process ID alone is never trusted: the system reuses IDs. A [`ProcessIdentity`] also holds when the
//! process started, and nothing is signalled unless both still match.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::same_path;

/// The start time is computed from the system's boot time, which can be corrected by a second while it runs.
const START_TIME_TOLERANCE_S: u64 = 2;

/// Polling interval while waiting for the end of a process that is not a child: no system reports it.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Grace period for the children of a process that has ended.
const CHILDREN_GRACE: Duration = Duration::from_secs(2);

/// A process, distinguishable from a later one with the same ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Process ID.
    pub pid: u32,
    /// Start time in seconds since the Unix epoch.
    pub started_at_s: u64,
}

/// A running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningProcess {
    /// ID and start time.
    pub identity: ProcessIdentity,
    /// The parent's process ID.
    pub parent: Option<u32>,
    /// Path of its executable.
    pub exe: PathBuf,
    /// Its arguments, the program's name first.
    pub command_line: Vec<String>,
}

/// Why a process could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The processes of this system cannot be listed.
    #[error("the processes of this system cannot be listed")]
    Unlistable,
    /// The system refused.
    #[error("process {pid} cannot be ended")]
    Refused {
        /// Process ID.
        pid: u32,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// It did not end before the timeout.
    #[error("process {pid} did not end within {seconds:.0} s")]
    StillRunning {
        /// Process ID.
        pid: u32,
        /// The timeout.
        seconds: f64,
    },
}

/// The process with this ID; `None` if it does not exist or is a zombie.
pub fn identify(pid: u32) -> Option<ProcessIdentity> {
    let system = snapshot(ProcessesToUpdate::Some(&[Pid::from_u32(pid)]), Detail::Identity)?;
    system.process(Pid::from_u32(pid)).filter(|process| runs(process)).map(identity_of)
}

/// Whether this process (not a later one with its ID) is running.
pub fn is_alive(identity: ProcessIdentity) -> bool {
    identify(identity.pid).is_some_and(|now| same(now, identity))
}

/// Terminates a process: SIGTERM on Unix. Windows has no equivalent for a program without a window, so its whole tree
/// is killed. No effect if the process has ended.
///
/// # Errors
/// If the system refuses.
pub fn terminate(identity: ProcessIdentity) -> Result<(), ProcessError> {
    #[cfg(unix)]
    return signal(identity, rustix::process::Signal::TERM);
    #[cfg(not(unix))]
    return kill_tree(identity);
}

/// Kills a process without its descendants.
///
/// # Errors
/// If the system refuses.
pub fn kill(identity: ProcessIdentity) -> Result<(), ProcessError> {
    #[cfg(unix)]
    return signal(identity, rustix::process::Signal::KILL);
    #[cfg(not(unix))]
    {
        let Some(system) =
            snapshot(ProcessesToUpdate::Some(&[Pid::from_u32(identity.pid)]), Detail::Identity)
        else {
            return Err(ProcessError::Unlistable);
        };
        match system.process(Pid::from_u32(identity.pid)) {
            Some(process)
                if same(identity_of(process), identity) && !process.kill() && is_alive(identity) =>
            {
                Err(ProcessError::Refused { pid: identity.pid, source: std::io::Error::last_os_error() })
            }
            _ => Ok(()),
        }
    }
}

/// Kills a process and all its descendants, parents first so that they cannot restart children.
///
/// # Errors
/// If the system refuses for one of them; the others are killed anyway.
pub fn kill_tree(identity: ProcessIdentity) -> Result<(), ProcessError> {
    let tree = tree_of(identity)?;
    let mut outcome = Ok(());
    for process in tree {
        outcome = outcome.and(kill(process));
    }
    outcome
}

/// Terminates a process, waits up to `grace`, then kills the rest of its tree. Blocks.
///
/// # Errors
/// If a process of the tree is still running afterwards.
pub fn stop(identity: ProcessIdentity, grace: Duration) -> Result<(), ProcessError> {
    // Determined first: after the parent has ended, its children can no longer be found.
    let tree = tree_of(identity)?;
    terminate(identity)?;
    // A parent usually ends its children at once; remaining ones will not end by themselves.
    if wait_until_gone(&tree[..tree.len().min(1)], grace) && wait_until_gone(&tree, CHILDREN_GRACE.min(grace))
    {
        return Ok(());
    }
    for survivor in &tree {
        kill(*survivor)?;
    }
    let last = Duration::from_secs(5);
    if wait_until_gone(&tree, last) {
        return Ok(());
    }
    Err(ProcessError::StillRunning { pid: identity.pid, seconds: (grace + last).as_secs_f64() })
}

/// Waits until all processes have ended; `false` after `timeout`.
pub fn wait_until_gone(processes: &[ProcessIdentity], timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    loop {
        if !processes.iter().any(|identity| is_alive(*identity)) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// All processes whose executable is in this folder (or is this file), in whatever spelling. Finds leftover processes of
/// ours by path, because other programs may have the same name.
pub fn find_by_exe(prefix: &Path) -> Vec<RunningProcess> {
    let Some(system) = snapshot(ProcessesToUpdate::All, Detail::Programs) else { return Vec::new() };
    let prefix = same_path::resolved(prefix);
    let mut found: Vec<RunningProcess> = system
        .processes()
        .values()
        .filter(|process| runs(process))
        .filter_map(|process| {
            let exe = process.exe()?;
            is_below(exe, &prefix).then(|| found(process, exe))
        })
        .collect();
    found.sort_by_key(|process| process.identity.pid);
    found
}

/// Whether a program is in a folder that is spelled as the system does.
fn is_below(exe: &Path, folder: &Path) -> bool {
    // Elsewhere the system reports programs by their real paths, and one that was removed since cannot be resolved.
    if cfg!(windows) { same_path::is_below(exe, folder) } else { exe.starts_with(folder) }
}

/// A process's arguments, the program's name first; `None` if it has ended or the system does not report them.
pub fn command_line(pid: u32) -> Option<Vec<String>> {
    let system = snapshot(ProcessesToUpdate::Some(&[Pid::from_u32(pid)]), Detail::Programs)?;
    let process = system.process(Pid::from_u32(pid)).filter(|process| runs(process))?;
    let line = arguments(process);
    (!line.is_empty()).then_some(line)
}

/// A process and its descendants, parents before children.
pub fn tree(pid: u32) -> Vec<RunningProcess> {
    let Some(system) = snapshot(ProcessesToUpdate::All, Detail::Programs) else { return Vec::new() };
    descend(&system, Pid::from_u32(pid))
        .into_iter()
        .map(|process| found(process, process.exe().unwrap_or(Path::new(""))))
        .collect()
}

/// Main memory of a process and its descendants in bytes. Linux: sum of the proportional set sizes, so that shared
/// pages count once; other systems: sum of the resident set sizes. `None` if the process has ended.
pub fn memory_of_tree(pid: u32) -> Option<u64> {
    let system = snapshot(ProcessesToUpdate::All, Detail::Memory)?;
    let tree = descend(&system, Pid::from_u32(pid));
    if tree.is_empty() {
        return None;
    }
    Some(tree.iter().map(|process| proportional_bytes(process).unwrap_or_else(|| process.memory())).sum())
}

#[cfg(unix)]
fn signal(identity: ProcessIdentity, signal: rustix::process::Signal) -> Result<(), ProcessError> {
    if !is_alive(identity) {
        return Ok(());
    }
    let Some(pid) = i32::try_from(identity.pid).ok().and_then(rustix::process::Pid::from_raw) else {
        return Ok(());
    };
    match rustix::process::kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(ProcessError::Refused { pid: identity.pid, source: errno.into() }),
    }
}

fn tree_of(identity: ProcessIdentity) -> Result<Vec<ProcessIdentity>, ProcessError> {
    let system = snapshot(ProcessesToUpdate::All, Detail::Identity).ok_or(ProcessError::Unlistable)?;
    let tree = descend(&system, Pid::from_u32(identity.pid));
    match tree.first() {
        Some(root) if same(identity_of(root), identity) => Ok(tree.into_iter().map(identity_of).collect()),
        _ => Ok(Vec::new()),
    }
}

/// What to query: each detail reads another file per process.
enum Detail {
    Identity,
    Programs,
    Memory,
}

fn snapshot(which: ProcessesToUpdate<'_>, detail: Detail) -> Option<System> {
    let mut system = System::new().ok()?;
    let kind = ProcessRefreshKind::nothing().without_tasks();
    let kind = match detail {
        Detail::Identity => kind,
        Detail::Programs => kind.with_exe(UpdateKind::Always).with_cmd(UpdateKind::Always),
        Detail::Memory => kind.with_memory(),
    };
    system.refresh_processes_specifics(which, true, kind);
    Some(system)
}

/// A process and its descendants that run, the root first.
pub(super) fn descend(system: &System, root: Pid) -> Vec<&Process> {
    let mut tree: Vec<&Process> = system.process(root).filter(|process| runs(process)).into_iter().collect();
    let mut next = 0;
    while let Some(parent) = tree.get(next).map(|process| process.pid()) {
        let mut children: Vec<&Process> = system
            .processes()
            .values()
            .filter(|process| process.parent() == Some(parent) && process.pid() != parent && runs(process))
            .filter(|process| !tree.iter().any(|known| known.pid() == process.pid()))
            .collect();
        children.sort_by_key(|process| process.pid());
        tree.extend(children);
        next += 1;
    }
    tree
}

fn runs(process: &Process) -> bool {
    process.thread_kind().is_none()
        && !matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead)
}

fn identity_of(process: &Process) -> ProcessIdentity {
    ProcessIdentity { pid: process.pid().as_u32(), started_at_s: process.start_time() }
}

fn same(a: ProcessIdentity, b: ProcessIdentity) -> bool {
    a.pid == b.pid && a.started_at_s.abs_diff(b.started_at_s) <= START_TIME_TOLERANCE_S
}

fn found(process: &Process, exe: &Path) -> RunningProcess {
    RunningProcess {
        identity: identity_of(process),
        parent: process.parent().map(Pid::as_u32),
        exe: exe.to_owned(),
        command_line: arguments(process),
    }
}

fn arguments(process: &Process) -> Vec<String> {
    process.cmd().iter().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

#[cfg(target_os = "linux")]
fn proportional_bytes(process: &Process) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid())).ok()?;
    pss_bytes(&rollup)
}

#[cfg(not(target_os = "linux"))]
fn proportional_bytes(_: &Process) -> Option<u64> {
    None
}

/// Bytes from the line `Pss: 1234 kB` of a `smaps_rollup` file.
#[cfg(target_os = "linux")]
fn pss_bytes(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};

    /// A shell with a child process whose ID it has printed.
    fn family() -> (Child, u32) {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 60 & echo $!; wait"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (child, line.trim().parse().unwrap())
    }

    #[test]
    fn a_tree_is_found_measured_and_stopped() {
        let (mut parent, grandchild) = family();
        let identity = identify(parent.id()).unwrap();
        let tree = tree(parent.id());
        assert_eq!(tree.iter().map(|p| p.identity.pid).collect::<Vec<_>>(), [parent.id(), grandchild]);
        assert!(memory_of_tree(parent.id()).unwrap() > 10_000);
        assert_eq!(command_line(grandchild).unwrap(), ["sleep", "60"]);
        // The shell ends on SIGTERM, its child does not; stopping the tree must end both.
        let child = identify(grandchild).unwrap();
        let watcher = std::thread::spawn(move || parent.wait());
        stop(identity, Duration::from_millis(200)).unwrap();
        assert!(!is_alive(identity) && !is_alive(child));
        watcher.join().unwrap().unwrap();
        assert_eq!(memory_of_tree(identity.pid), None);
    }

    #[test]
    fn a_process_with_a_reused_id_is_not_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let identity = identify(child.id()).unwrap();
        let earlier = ProcessIdentity { started_at_s: identity.started_at_s - 1000, ..identity };
        assert!(is_alive(identity) && !is_alive(earlier));
        kill(earlier).unwrap();
        kill_tree(earlier).unwrap();
        stop(earlier, Duration::ZERO).unwrap();
        assert!(is_alive(identity), "the wrong process was ended");
        kill(identity).unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let deadline = Instant::now() + Duration::from_secs(10);
        while identify(pid).is_some() {
            assert!(Instant::now() < deadline, "the zombie still counts as running");
            std::thread::sleep(POLL_INTERVAL);
        }
        child.wait().unwrap();
    }

    #[test]
    fn our_processes_are_found_by_path_and_others_are_not() {
        let home = tempfile::tempdir().unwrap();
        let ours = home.path().join("llama-server");
        std::fs::copy("/bin/sleep", &ours).unwrap();
        let mut child = Command::new(&ours).arg("60").spawn().unwrap();
        let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
        let found = find_by_exe(home.path());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].identity.pid, child.id());
        assert_eq!(found[0].command_line[1], "60");
        // Still found after its file was removed, as by an update.
        std::fs::remove_file(&ours).unwrap();
        assert_eq!(find_by_exe(home.path()).len(), 1);
        kill(found[0].identity).unwrap();
        child.wait().unwrap();
        assert!(find_by_exe(home.path()).is_empty());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_proportional_set_size_is_parsed() {
        assert_eq!(pss_bytes("Rss:  2000 kB\nPss:     1234 kB\nPss_Dirty: 5 kB\n"), Some(1234 * 1024));
        assert_eq!(pss_bytes("Rss: 1 kB\n"), None);
        assert_eq!(pss_bytes("Pss: many kB\n"), None);
    }
}
