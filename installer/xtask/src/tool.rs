//! Other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::DistError;

/// What installs the tools.
const CURE: &str = "bash .ci/dist-tools installs it (Debian's packages as root)";

/// Runs a program to its end; its output goes to ours.
///
/// # Errors
/// When it cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<(), DistError> {
    let program = name(command);
    let status = command.status().map_err(|source| DistError::Start { program: program.clone(), source })?;
    if status.success() { Ok(()) } else { Err(DistError::Failed(format!("{program} ({status})"))) }
}

/// Runs a program and returns its standard output.
///
/// # Errors
/// When it cannot be started, fails, or prints something that is not text.
pub fn output(command: &mut Command) -> Result<String, DistError> {
    let program = name(command);
    let output = command.output().map_err(|source| DistError::Start { program: program.clone(), source })?;
    let said = String::from_utf8(output.stdout).ok().filter(|_| output.status.success());
    said.ok_or_else(|| DistError::Failed(format!("{program}: {}", String::from_utf8_lossy(&output.stderr))))
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// A tool on `PATH` or in these folders.
///
/// # Errors
/// When it is in none.
pub fn find(tool: &'static str, folders: &[PathBuf]) -> Result<PathBuf, DistError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("{tool}{}", std::env::consts::EXE_SUFFIX);
    let mut all = folders.iter().cloned().chain(std::env::split_paths(&path));
    all.find_map(|folder| Some(folder.join(&file)).filter(|path| path.is_file()))
        .ok_or(DistError::NoTool { tool, cure: CURE })
}

/// `PATH` with a folder before all others.
pub fn path_with(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}
