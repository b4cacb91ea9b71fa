//! Files that keep this program on the computer, and entries in the registry of Windows: replaced with a copy of what was
//! there before, and reverted.
//!
//! A file is only removed or replaced while it is as we wrote it. The copies are in a folder of the snapshot, so they go when
//! the run has succeeded.

use std::path::{Path, PathBuf};

use crate::checksum::Sha256;
use crate::install::Paths;
use crate::platform::files::{self, FileError, reading};
use crate::platform::{program_file, regular, shell_profile};

/// Larger than any placed file that is no program.
pub const MAX_BYTES: u64 = 16 << 20;

/// Where the copy of a replaced file is kept.
pub fn backup(paths: &Paths, path: &Path) -> PathBuf {
    let name = Sha256::of(path.as_os_str().as_encoded_bytes()).to_string();
    paths.replaced().join(&name[..24])
}

/// Keeps a copy of what is replaced. One of an earlier, unfinished run stays: it is what was there before both.
///
/// # Errors
/// When it cannot be read or copied.
pub fn back_up(paths: &Paths, path: &Path) -> Result<(), FileError> {
    let backup = backup(paths, path);
    if backup.exists() {
        return Ok(());
    }
    files::create_folders(&paths.replaced())?;
    let new = files::temporary(&backup);
    program_file::copy_verified(path, &new)?;
    files::rename(&new, &backup).map_err(files::renaming(&new))?;
    files::sync_folder_of(&backup);
    Ok(())
}

/// Whether a file is as we wrote it.
pub fn is_ours(path: &Path, sha256: Sha256) -> bool {
    path.is_file() && !path.is_symlink() && files::sha256(path, &|| false).is_ok_and(|found| found == sha256)
}

/// Reverts a placed file: to what was there before, or to nothing.
///
/// # Errors
/// When it cannot be written or removed; calling it again finishes it.
pub fn revert(
    paths: &Paths,
    path: &Path,
    sha256: Sha256,
    existed: bool,
    restores: bool,
) -> Result<(), FileError> {
    program_file::remove(&files::temporary(path))?;
    let backup = backup(paths, path);
    if restores && backup.exists() {
        if is_ours(path, sha256) || !path.exists() {
            restore(paths, &backup, path)?;
        }
        return files::remove_file(&backup);
    }
    // Without a copy nothing was replaced yet.
    let is_made = !restores || !existed;
    if is_made && is_ours(path, sha256) {
        program_file::remove(path)?;
    }
    Ok(())
}

fn restore(paths: &Paths, backup: &Path, path: &Path) -> Result<(), FileError> {
    if path.starts_with(paths.programs()) || is_app(path) {
        let new = files::temporary(path);
        program_file::copy_verified(backup, &new)?;
        return program_file::put(&new, path);
    }
    let bytes = regular::read(backup, MAX_BYTES).map_err(reading(backup))?;
    files::write_whole(path, &bytes)
}

/// Whether a file is the program of an app bundle of macOS.
pub fn is_app(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.ends_with("Contents/MacOS"))
}

/// Whether our line is in a profile file.
pub fn has_line(path: &Path, added: &str) -> bool {
    shell_profile::read(path).is_ok_and(|contents| {
        let line = added.trim_matches('\n');
        shell_profile::has_line(&contents, line)
    })
}

#[cfg(not(windows))]
pub use no_registry::{is_listed, is_on_user_path, list_again, remove_from_user_path};
#[cfg(windows)]
pub use registry::{is_listed, is_on_user_path, list_again, remove_from_user_path};

#[cfg(windows)]
mod registry {
    use std::path::Path;

    use crate::install::keep::{KeptFile, app_entry};
    use crate::install::{InstallError, Paths};
    use crate::platform::files::FileError;
    use crate::platform::{installed_apps, user_path};

    /// Whether a folder is in the user's `PATH`.
    pub fn is_on_user_path(folder: &Path) -> bool {
        user_path::contains(folder)
    }

    /// Removes it there.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn remove_from_user_path(folder: &Path) -> Result<(), FileError> {
        user_path::remove(folder)
    }

    /// Whether this home is in the list of installed apps.
    pub fn is_listed(paths: &Paths) -> bool {
        installed_apps::exists(&app_entry::name(paths))
    }

    /// Lists what was kept before, or removes the entry.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn list_again(paths: &Paths, restores: bool) -> Result<(), InstallError> {
        let name = app_entry::name(paths);
        let before = if restores { KeptFile::load(paths)? } else { None };
        match before {
            Some(kept) => installed_apps::write(&name, &app_entry::values(paths, &kept))?,
            None => installed_apps::remove(&name)?,
        }
        Ok(())
    }
}

#[cfg(not(windows))]
mod no_registry {
    use std::path::Path;

    use crate::install::{InstallError, Paths};
    use crate::platform::files::FileError;

    /// There is no such list here.
    pub fn is_on_user_path(_folder: &Path) -> bool {
        false
    }

    /// There is no such list here.
    ///
    /// # Errors
    /// Never.
    pub fn remove_from_user_path(_folder: &Path) -> Result<(), FileError> {
        Ok(())
    }

    /// There is no such list here.
    pub fn is_listed(_paths: &Paths) -> bool {
        false
    }

    /// There is no such list here.
    ///
    /// # Errors
    /// Never.
    pub fn list_again(_paths: &Paths, _restores: bool) -> Result<(), InstallError> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NEW: &[u8] = b"new";

    /// A home, and a file outside of it that may exist.
    fn world(before: Option<&str>) -> (tempfile::TempDir, Paths, PathBuf) {
        let world = tempfile::tempdir().unwrap();
        let paths = Paths::new(&world.path().join("home"));
        files::create_folders(&paths.llm()).unwrap();
        let path = world.path().join("acolyte.fish");
        if let Some(before) = before {
            std::fs::write(&path, before).unwrap();
        }
        (world, paths, path)
    }

    fn now(path: &Path) -> Option<Vec<u8>> {
        std::fs::read(path).ok()
    }

    /// Reverts twice: an interrupted rollback is finished by running it again.
    fn revert_twice(paths: &Paths, path: &Path, existed: bool, restores: bool) {
        for _ in 0..2 {
            revert(paths, path, Sha256::of(NEW), existed, restores).unwrap();
        }
    }

    #[test]
    fn a_replaced_file_returns_and_a_new_one_goes() {
        for before in [None, Some("before")] {
            for restores in [true, false] {
                let (_world, paths, path) = world(before);
                if before.is_some() {
                    back_up(&paths, &path).unwrap();
                }
                files::write_whole(&path, NEW).unwrap();
                revert_twice(&paths, &path, before.is_some(), restores);
                let expected = before.filter(|_| restores).map(|text| text.as_bytes().to_vec());
                assert_eq!(now(&path), expected, "{before:?}, restores: {restores}");
            }
        }
    }

    #[test]
    fn a_run_that_was_killed_before_it_wrote_reverts_nothing() {
        let (_world, paths, path) = world(Some("before"));
        revert_twice(&paths, &path, true, true);
        back_up(&paths, &path).unwrap();
        revert_twice(&paths, &path, true, true);
        assert_eq!(now(&path).unwrap(), b"before");
    }

    #[test]
    fn what_the_user_changed_since_stays() {
        for restores in [true, false] {
            let (_world, paths, path) = world(Some("before"));
            back_up(&paths, &path).unwrap();
            files::write_whole(&path, b"the user's").unwrap();
            revert_twice(&paths, &path, true, restores);
            assert_eq!(now(&path).unwrap(), b"the user's");
        }
    }

    #[test]
    fn two_unfinished_runs_return_to_what_was_before_both() {
        let (_world, paths, path) = world(Some("before"));
        back_up(&paths, &path).unwrap();
        files::write_whole(&path, b"first").unwrap();
        back_up(&paths, &path).unwrap();
        files::write_whole(&path, NEW).unwrap();
        revert(&paths, &path, Sha256::of(NEW), true, true).unwrap();
        revert(&paths, &path, Sha256::of(b"first"), true, true).unwrap();
        assert_eq!(now(&path).unwrap(), b"before");
    }
}
