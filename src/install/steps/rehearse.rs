//! Tries in the folders of an installation what its later steps do there, before anything is downloaded.

use std::io::Write as _;
use std::path::Path;
#[cfg(unix)]
use std::time::Duration;

use crate::install::InstallError;
use crate::install::state::REHEARSAL_FILE;
use crate::platform::files::{self, FileError, creating, writing};
#[cfg(unix)]
use crate::platform::program;
use crate::platform::program::ProgramError;

/// File systems with fewer free entries than this cannot hold the engine's and a model's files.
const MIN_FREE_ENTRIES: u64 = 500;
/// Timeout of the program that is started in a folder.
#[cfg(unix)]
const PROGRAM_LIMIT: Duration = Duration::from_secs(5);
/// A program that ends at once.
#[cfg(unix)]
const PROGRAM: &[u8] = b"#!/bin/sh\nexit 0\n";

/// Writes, syncs, renames, protects and removes a file in a folder, under a name as long as those of a model's files.
///
/// # Errors
/// When the system refuses one of these, or the file system has no room for more files.
pub fn rehearse_files(folder: &Path) -> Result<(), InstallError> {
    require_entries(folder)?;
    let file = folder.join(REHEARSAL_FILE);
    let tried = try_files(&file);
    let removed = files::remove_file(&file);
    tried?;
    Ok(removed?)
}

fn try_files(file: &Path) -> Result<(), FileError> {
    let mut written = files::create_anew(file).map_err(creating(file))?;
    written.write_all(b"acolyte").map_err(writing(file))?;
    files::set_mode(&written, 0o600).map_err(writing(file))?;
    drop(written);
    files::sync_file(file)?;
    // Replaces it by a rename, as every document is.
    files::write_whole(file, b"acolyte")
}

/// Requires that the system starts programs from a folder: not where a drive is mounted `noexec`, or a policy forbids it.
///
/// # Errors
/// When it does not start one, or the file cannot be written.
pub fn rehearse_program(folder: &Path) -> Result<(), InstallError> {
    let file = folder.join(REHEARSAL_FILE);
    let started = start(&file);
    let removed = files::remove_file(&file);
    match started? {
        Err(ProgramError::System(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(InstallError::ProgramsForbidden { folder: folder.to_owned() })
        }
        // Without the interpreter, or while another thread holds the file open, nothing is known.
        other => {
            tracing::debug!(?other, "a program was started from {}", folder.display());
            Ok(removed?)
        }
    }
}

#[cfg(unix)]
fn start(file: &Path) -> Result<Result<(), ProgramError>, FileError> {
    let mut written = files::create_anew(file).map_err(creating(file))?;
    written.write_all(PROGRAM).and_then(|()| files::make_executable(&written)).map_err(writing(file))?;
    drop(written);
    Ok(program::run(program::command(file), PROGRAM_LIMIT).map(drop))
}

/// Windows has no such drives.
#[cfg(not(unix))]
fn start(_file: &Path) -> Result<Result<(), ProgramError>, FileError> {
    Ok(Ok(()))
}

/// Requires that a file of this size may be written to a folder.
///
/// # Errors
/// When the file system (FAT: 4 GiB) or the limit of this process does not allow it.
pub fn require_file_size(folder: &Path, need_bytes: u64) -> Result<(), InstallError> {
    match files::largest_file_bytes(folder) {
        Some(largest_bytes) if largest_bytes < need_bytes => {
            Err(InstallError::FileTooLarge { folder: folder.to_owned(), need_bytes, largest_bytes })
        }
        _ => Ok(()),
    }
}

fn require_entries(folder: &Path) -> Result<(), InstallError> {
    match files::free_entries(folder) {
        Some(free) if free < MIN_FREE_ENTRIES => {
            Err(InstallError::TooFewEntries { folder: folder.to_owned(), free })
        }
        _ => Ok(()),
    }
}

/// Requires what the engine's programs for Linux are linked with: the loader of the GNU C library, in its usual place, and
/// the version of that library on which they were built.
///
/// # Errors
/// Which of the two is missing.
#[cfg(target_os = "linux")]
pub fn require_c_library() -> Result<(), InstallError> {
    let loader = Path::new(LOADER);
    if !loader.exists() {
        return Err(InstallError::NoLoader { loader: loader.to_owned() });
    }
    match c_library_version() {
        Some(found) if found < C_LIBRARY => {
            Err(InstallError::OldCLibrary { found: dotted(found), needed: dotted(C_LIBRARY) })
        }
        _ => Ok(()),
    }
}

/// Nothing is linked with such a library elsewhere.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn require_c_library() -> Result<(), InstallError> {
    Ok(())
}

/// The loader that the engine's programs name (`PT_INTERP`).
#[cfg(target_os = "linux")]
const LOADER: &str =
    if cfg!(target_arch = "aarch64") { "/lib/ld-linux-aarch64.so.1" } else { "/lib64/ld-linux-x86-64.so.2" };
/// The engine's archives are built on AlmaLinux 8 (Ollama's Dockerfile, v0.32.15), whose GNU C library is 2.28.
#[cfg(target_os = "linux")]
const C_LIBRARY: (u32, u32) = (2, 28);

#[cfg(target_os = "linux")]
fn dotted((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

/// Version of the GNU C library; `None` where the system's tool does not tell.
#[cfg(target_os = "linux")]
fn c_library_version() -> Option<(u32, u32)> {
    let mut tool = program::command("/usr/bin/getconf");
    tool.arg("GNU_LIBC_VERSION");
    version_in(&program::run(tool, PROGRAM_LIMIT).ok()?.stdout)
}

/// `glibc 2.36` → (2, 36).
#[cfg(target_os = "linux")]
fn version_in(output: &str) -> Option<(u32, u32)> {
    let (major, minor) = output.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_folder_passes_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        rehearse_files(folder.path()).unwrap();
        rehearse_program(folder.path()).unwrap();
        require_file_size(folder.path(), 1 << 20).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = rehearse_files(&missing).unwrap_err();
        let InstallError::File(error) = error else { unreachable!("{error}") };
        assert!(error.path.starts_with(&missing));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_tools_answer_is_read() {
        assert_eq!(version_in("glibc 2.36\n"), Some((2, 36)));
        assert_eq!(version_in("glibc 2.17"), Some((2, 17)));
        assert_eq!(version_in("glibc 2.28.9000"), Some((2, 28)));
        assert_eq!(version_in("undefined"), None);
        assert!((2, 17) < C_LIBRARY && (2, 36) > C_LIBRARY);
    }
}
