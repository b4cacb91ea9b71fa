//! Processes that end with their test, whatever becomes of it.

use std::path::{Path, PathBuf};
use std::process::Child;

/// A child that is killed when this is dropped.
pub struct Guarded(pub Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills, when dropped, every process whose program lies under a folder: servers and runners of an installation that
/// a failed test left behind.
pub struct KillsBelow(pub PathBuf);

impl Drop for KillsBelow {
    fn drop(&mut self) {
        for process in below(&self.0) {
            // SIGKILL through the program of that name: the tests may not use unsafe code.
            let _ = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
        }
    }
}

/// Ids of the processes whose program lies under a folder (Linux; none elsewhere).
pub fn below(folder: &Path) -> Vec<u32> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let process: u32 = entry.file_name().to_str()?.parse().ok()?;
            let program = std::fs::read_link(entry.path().join("exe")).ok()?;
            program.starts_with(&folder).then_some(process)
        })
        .collect()
}
