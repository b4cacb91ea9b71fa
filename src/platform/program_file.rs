//! Files of programs: verified copies of our own, and removal of one that runs.
//!
//! A copy never carries the mark of a download (`Zone.Identifier` on Windows, `com.apple.quarantine` on macOS): its bytes
//! are written into a new file, and neither streams nor extended attributes are copied.

use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use super::files::{self, FileError, reading, removing, renaming, writing};
use super::regular;
use crate::checksum::Sha256;

/// The bytes of a copy differ from what was read of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the copy differs from the program")]
pub struct CopyDiffers;

/// Copies a program into a new file that only its owner can change and run, and reads the copy back. The program is read
/// through one open file. Returns the SHA-256 of both.
///
/// # Errors
/// When it cannot be read or written; [`CopyDiffers`] inside the error where the copy has other bytes. No copy is left
/// then.
pub fn copy_verified(program: &Path, copy: &Path) -> Result<Sha256, FileError> {
    let copied = copy_and_hash(program, copy);
    if copied.is_err() {
        // The first error is the relevant one.
        let _first_error_matters = files::remove_file(copy);
    }
    copied
}

fn copy_and_hash(program: &Path, copy: &Path) -> Result<Sha256, FileError> {
    let mut from = regular::open(program).map_err(reading(program))?;
    let mut to = files::create_anew(copy).map_err(writing(copy))?;
    let mut hasher = sha2::Sha256::default();
    files::read_pieces(&mut from, reading(program), |piece| {
        sha2::Digest::update(&mut hasher, piece);
        to.write_all(piece).map_err(writing(copy))
    })?;
    let expected = Sha256::from(hasher);
    files::make_executable(&to).and_then(|()| files::sync(&to)).map_err(writing(copy))?;
    to.rewind().map_err(reading(copy))?;
    let mut hasher = sha2::Sha256::default();
    files::read_pieces(&to, reading(copy), |piece| {
        sha2::Digest::update(&mut hasher, piece);
        Ok(())
    })?;
    if Sha256::from(hasher) != expected {
        return Err(reading(copy)(io::Error::new(io::ErrorKind::InvalidData, CopyDiffers)));
    }
    Ok(expected)
}

/// Moves a new file to its place. On Windows a program there, which may run, is moved out of the way first.
///
/// # Errors
/// When the system refuses. What was there is there again then.
pub fn put(new: &Path, place: &Path) -> Result<(), FileError> {
    let moved = system::move_away(place).map_err(renaming(place))?;
    if let Err(error) = files::rename(new, place) {
        if let Some(moved) = moved
            && let Err(error) = files::rename(&moved, place)
        {
            tracing::warn!(%error, path = %moved.display(), "a program could not be moved back");
        }
        return Err(renaming(new)(error));
    }
    if let Some(moved) = moved {
        system::discard(&moved);
    }
    files::sync_folder_of(place);
    Ok(())
}

/// Removes a program; no effect if it does not exist. On Windows one that runs is moved into the folder of temporary
/// files, where it is deleted once it has ended.
///
/// # Errors
/// When the system refuses.
pub fn remove(program: &Path) -> Result<(), FileError> {
    match system::move_away(program).map_err(removing(program))? {
        Some(moved) => {
            system::discard(&moved);
            Ok(())
        }
        None => files::remove_file(program),
    }
}

#[cfg(not(windows))]
mod system {
    use std::io;
    use std::path::{Path, PathBuf};

    /// Not needed: the file of a running program can be replaced and removed.
    ///
    /// # Errors
    /// Never.
    pub fn move_away(_program: &Path) -> io::Result<Option<PathBuf>> {
        Ok(None)
    }

    /// Not needed.
    pub fn discard(_program: &Path) {}
}

#[cfg(windows)]
mod system {
    use std::io;
    use std::os::windows::process::CommandExt as _;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::deletion_script;
    use crate::platform::program::command;
    use crate::platform::{environment, files, system_folder};

    /// Renames a program, which Windows allows while it runs, into the folder of temporary files; beside it where that is on
    /// another drive. `None` if there is no such file.
    ///
    /// # Errors
    /// When the system refuses the new name.
    pub fn move_away(program: &Path) -> io::Result<Option<PathBuf>> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if program.symlink_metadata().is_err() {
            return Ok(None);
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("acolyte-removed-{}-{number}.exe", std::process::id());
        let moved = environment::temp_dir().join(&name);
        if files::rename(program, &moved).is_ok() {
            return Ok(Some(moved));
        }
        let moved = program.with_file_name(&name);
        files::rename(program, &moved)?;
        Ok(Some(moved))
    }

    /// Deletes a program, at once or once it has ended.
    pub fn discard(program: &Path) {
        #[expect(clippy::disallowed_methods, reason = "one that runs is not waited for")]
        let deleted = std::fs::remove_file(program);
        let (Err(_), Some(folder), Some(name)) = (deleted, program.parent(), program.file_name()) else {
            return;
        };
        let Some(system) = system_folder() else { return };
        let mut script = command(system.join("cmd.exe"));
        let arguments = deletion_script(&name.to_string_lossy(), &system.join("ping.exe"));
        script.raw_arg(arguments).current_dir(folder);
        if let Err(error) = script.spawn() {
            tracing::warn!(%error, path = %program.display(), "a removed program stays in its folder");
        }
    }
}

/// Arguments for `cmd.exe` that delete a file of its current folder as soon as nothing runs from it, for a minute. `ping` is
/// the wait that needs no console. The name has only letters, digits, hyphens and a dot.
#[cfg(any(windows, test))]
fn deletion_script(name: &str, ping: &Path) -> String {
    format!(
        "/d /v:off /c for /l %i in (1,1,60) do (del /f /q {name} >nul 2>&1 & if not exist {name} exit /b 0 \
         & \"{}\" -n 2 127.0.0.1 >nul)",
        ping.display()
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_programs_bytes_and_is_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (program, copy) = (folder.path().join("download"), folder.path().join("copy"));
        std::fs::write(&program, vec![7; 3 << 20]).unwrap();
        let hash = copy_verified(&program, &copy).unwrap();
        assert_eq!(hash, Sha256::of(&vec![7; 3 << 20]));
        std::fs::write(&program, "changed later").unwrap();
        assert_eq!(files::sha256(&copy, &|| false).unwrap(), hash);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn nothing_is_left_of_a_copy_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        assert!(copy_verified(&folder.path().join("missing"), &copy).is_err());
        assert!(copy_verified(folder.path(), &copy).is_err(), "a folder is no program");
        assert!(!copy.exists());
    }

    /// The mark of a download is an extended attribute on macOS; Linux has them as well.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_copy_has_no_extended_attributes() {
        let folder = tempfile::tempdir().unwrap();
        let (program, copy) = (folder.path().join("download"), folder.path().join("copy"));
        std::fs::write(&program, "program").unwrap();
        let name = "user.com.apple.quarantine";
        if rustix::fs::setxattr(&program, name, b"0081", rustix::fs::XattrFlags::empty()).is_err() {
            eprintln!("skipped: this file system has no extended attributes");
            return;
        }
        copy_verified(&program, &copy).unwrap();
        let mut value = [0; 16];
        assert!(rustix::fs::getxattr(&program, name, &mut value[..]).is_ok());
        assert_eq!(rustix::fs::getxattr(&copy, name, &mut value[..]), Err(rustix::io::Errno::NODATA));
    }

    #[test]
    fn the_script_names_only_the_file_and_waits_without_a_console() {
        let script = deletion_script("acolyte-removed-1-0.exe", Path::new(r"C:\Windows\System32\ping.exe"));
        assert!(
            script.starts_with("/d /v:off /c for /l %i in (1,1,60) do (del /f /q acolyte-removed-1-0.exe ")
        );
        assert!(script.contains(r#"& "C:\Windows\System32\ping.exe" -n 2 127.0.0.1 >nul)"#), "{script}");
    }
}
