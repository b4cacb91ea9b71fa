//! Main memory of the programs that run.

use std::path::Path;

use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::MIB;

/// Smaller processes are left out: there are hundreds, and they do not matter.
const SMALLEST_BYTES: u64 = 16 * MIB;

/// Name and main memory in bytes of each process of some size, except this one. Linux: memory that only this process has;
/// other systems: its resident set.
pub fn memory_of_programs() -> Vec<(String, u64)> {
    let Ok(mut system) = System::new() else { return Vec::new() };
    let kind = ProcessRefreshKind::nothing().without_tasks().with_memory().with_exe(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let ours = std::process::id();
    let others = system.processes().values().filter(|process| process.pid().as_u32() != ours);
    others
        .filter(|process| process.memory() >= SMALLEST_BYTES)
        .map(|process| (name(process), own_bytes(process).unwrap_or_else(|| process.memory())))
        .collect()
}

/// File name of its program; where that may not be read, the name that the system shows.
fn name(process: &Process) -> String {
    let file = process.exe().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    file.unwrap_or_else(|| process.name().to_string_lossy().into_owned())
}

/// Memory that is not shared with other processes, in bytes.
#[cfg(target_os = "linux")]
fn own_bytes(process: &Process) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Not told by other systems.
#[cfg(not(target_os = "linux"))]
fn own_bytes(_process: &Process) -> Option<u64> {
    None
}
