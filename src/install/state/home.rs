//! A home is used only if no other user can change it: its documents name what is deleted and which programs are started.
//!
//! Home, documents and our folders must belong to the user, and no other user may be able to change or replace them or a
//! folder above. Not checked on Windows, where permissions are access control lists.

use std::path::{Path, PathBuf};

use crate::install::Paths;
use crate::platform::ownership::OwnershipError;

/// Accepts a home that does not exist yet, or that only this user can change, with all trusted files in it.
///
/// # Errors
/// The folder or file that other users own, can change or can replace.
pub fn require_ours(paths: &Paths) -> Result<(), OwnershipError> {
    system::require_ours(paths)
}

/// As [`require_ours`], before a home is first written to: removes other users' write permission from an empty folder of
/// the user.
///
/// # Errors
/// As [`require_ours`].
pub fn prepare(paths: &Paths) -> Result<(), OwnershipError> {
    system::tighten(paths)?;
    system::require_ours(paths)
}

#[cfg(unix)]
mod system {
    use std::fs::Permissions;
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::path::Path;

    use crate::install::Paths;
    use crate::platform::files::{reading, writing};
    use crate::platform::ownership::{self, OwnershipError, require_own_file, require_own_folder};

    /// See [`super::require_ours`].
    ///
    /// # Errors
    /// As [`super::require_ours`].
    pub fn require_ours(paths: &Paths) -> Result<(), OwnershipError> {
        let home = ownership::resolve(paths.home())?;
        // Its drive may not be mounted: nothing may be said of what is installed there.
        if paths.home().is_symlink() && !home.exists() {
            return Err(reading(paths.home())(io::ErrorKind::NotFound.into()).into());
        }
        match if_there(&home, require_own_folder) {
            // It is still empty.
            Err(OwnershipError::Writable { .. }) if is_empty(&home) => return Ok(()),
            other => other?,
        }
        for folder in [paths.llm(), paths.snapshot()] {
            if_there(&folder, require_own_folder)?;
        }
        for file in paths.trusted_files() {
            if_there(&file, require_own_file)?;
        }
        // These may be links that the user created, for example to another drive.
        let folders = [paths.programs(), paths.logs(), paths.downloads(), paths.engines()];
        let engines = std::fs::read_dir(paths.engines()).into_iter().flatten().flatten();
        let engines = engines.map(|entry| entry.path()).filter(|path| path.is_dir());
        for folder in folders.into_iter().chain(engines) {
            if_there(&ownership::resolve(&folder)?, require_own_folder)?;
        }
        Ok(())
    }

    /// Removes other users' write permission from an empty home.
    ///
    /// # Errors
    /// When the permissions cannot be read or changed.
    pub fn tighten(paths: &Paths) -> Result<(), OwnershipError> {
        let home = ownership::resolve(paths.home())?;
        let Err(OwnershipError::Writable { path }) = if_there(&home, require_own_folder) else {
            return Ok(());
        };
        let found = std::fs::symlink_metadata(&path).map_err(reading(&path))?;
        // A sticky folder (`/tmp`) is shared on purpose.
        if is_empty(&path) && found.mode() & 0o1000 == 0 {
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).map_err(writing(&path))?;
        }
        Ok(())
    }

    fn if_there(
        path: &Path,
        check: impl Fn(&Path) -> Result<(), OwnershipError>,
    ) -> Result<(), OwnershipError> {
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(reading(path)(error).into()),
            Ok(_) => check(path),
        }
    }

    fn is_empty(folder: &Path) -> bool {
        std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
    }
}

#[cfg(not(unix))]
mod system {
    use crate::install::Paths;
    use crate::platform::ownership::OwnershipError;

    /// Accepts every home.
    ///
    /// # Errors
    /// Never.
    pub fn require_ours(_paths: &Paths) -> Result<(), OwnershipError> {
        Ok(())
    }

    /// Does nothing.
    ///
    /// # Errors
    /// Never.
    pub fn tighten(_paths: &Paths) -> Result<(), OwnershipError> {
        Ok(())
    }
}

/// Longest path of a home on Windows, in UTF-16 code units. A program's path may have 259 of them, and so may the entry
/// that starts the server at login; below the home, programs and libraries of the engine need up to 60.
const MOST_CHARS_ON_WINDOWS: usize = 190;

/// The path of the home is too long for what Windows starts in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{home} is longer than {most_chars} characters")]
pub struct HomeTooLong {
    /// The home.
    pub home: PathBuf,
    /// Longest path, in UTF-16 code units.
    pub most_chars: usize,
}

/// Requires that Windows can start what is in the home.
///
/// # Errors
/// [`HomeTooLong`].
pub fn require_short(paths: &Paths) -> Result<(), HomeTooLong> {
    if cfg!(windows) { require_short_on_windows(paths.home()) } else { Ok(()) }
}

fn require_short_on_windows(home: &Path) -> Result<(), HomeTooLong> {
    let chars = home.to_string_lossy().encode_utf16().count();
    if chars <= MOST_CHARS_ON_WINDOWS {
        return Ok(());
    }
    Err(HomeTooLong { home: home.to_owned(), most_chars: MOST_CHARS_ON_WINDOWS })
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::platform::files;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::{Path, PathBuf};

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A home with every document and folder.
    fn home() -> (tempfile::TempDir, Paths) {
        let world = tempfile::tempdir().unwrap();
        let paths = Paths::new(&world.path().join("home"));
        for folder in
            [paths.snapshot(), paths.engine("0.32.15"), paths.logs(), paths.downloads(), paths.programs()]
        {
            files::create_folders(&folder).unwrap();
        }
        for file in paths.trusted_files() {
            files::write_whole(&file, b"{}").unwrap();
        }
        require_ours(&paths).unwrap();
        (world, paths)
    }

    #[test]
    fn every_trusted_file_of_a_home_must_be_private() {
        let (_world, paths) = home();
        let folders = [
            paths.home().to_owned(),
            paths.llm(),
            paths.snapshot(),
            paths.engines(),
            paths.engine("0.32.15"),
            paths.logs(),
            paths.downloads(),
            paths.programs(),
        ];
        for path in folders.into_iter().chain(paths.trusted_files()) {
            let before = std::fs::metadata(&path).unwrap().permissions();
            mode(&path, before.mode() & 0o777 | 0o022);
            let refused = require_ours(&paths);
            assert!(
                matches!(&refused, Err(OwnershipError::Writable { .. })),
                "{}: {refused:?}",
                path.display()
            );
            assert!(prepare(&paths).is_err(), "only an empty folder is tightened");
            std::fs::set_permissions(&path, before).unwrap();
        }
        require_ours(&paths).unwrap();
    }

    #[test]
    fn documents_may_not_be_links_and_the_engines_folder_may() {
        let (world, paths) = home();
        let elsewhere = world.path().join("elsewhere");
        let moved = |path: &Path| {
            std::fs::rename(path, &elsewhere).unwrap();
            symlink(&elsewhere, path).unwrap();
            let outcome = require_ours(&paths);
            std::fs::remove_file(path).unwrap();
            std::fs::rename(&elsewhere, path).unwrap();
            outcome
        };
        for path in [paths.llm(), paths.snapshot()].into_iter().chain(paths.trusted_files()) {
            assert!(matches!(moved(&path), Err(OwnershipError::Link { .. })), "{}", path.display());
        }
        for path in [paths.engines(), paths.downloads(), paths.home().to_owned()] {
            moved(&path).unwrap();
        }
        mode(&paths.engines(), 0o777);
        assert!(moved(&paths.engines()).is_err(), "the target of the link is checked");
    }

    #[test]
    fn an_empty_folder_is_made_private_and_a_shared_one_is_not() {
        let world = tempfile::tempdir().unwrap();
        let paths = Paths::new(&world.path().join("home"));
        let bits = || std::fs::metadata(paths.home()).unwrap().permissions().mode() & 0o7777;
        prepare(&paths).unwrap();
        assert!(!paths.home().exists(), "nothing is created");
        std::fs::create_dir(paths.home()).unwrap();
        mode(paths.home(), 0o777);
        require_ours(&paths).unwrap();
        assert_eq!(bits(), 0o777, "looking changes nothing");
        prepare(&paths).unwrap();
        assert_eq!(bits(), 0o700);
        mode(paths.home(), 0o1777);
        prepare(&paths).unwrap();
        assert_eq!(bits(), 0o1777);
        mode(world.path(), 0o777);
        let refused = prepare(&paths).unwrap_err();
        assert!(matches!(refused, OwnershipError::WritableAbove { path } if same(&path, world.path())));
    }

    fn same(a: &Path, b: &Path) -> bool {
        let real = |path: &Path| -> PathBuf { std::fs::canonicalize(path).unwrap() };
        real(a) == real(b)
    }

    #[test]
    fn the_longest_home_has_a_login_entry_and_a_longer_one_is_refused() {
        use crate::platform::login::LoginEntry;
        use crate::platform::login::windows_command::command_line;
        let root = r"C:\Users\";
        let home = |chars: usize| format!("{root}{}", "ñ".repeat(chars - root.len()));
        let longest = home(MOST_CHARS_ON_WINDOWS);
        require_short_on_windows(Path::new(&longest)).unwrap();
        let entry = LoginEntry {
            program: format!(r"{longest}\bin\acolyte-at-login.exe").into(),
            args: vec!["start-server".into()],
            ..LoginEntry::default()
        };
        command_line(&entry).unwrap();
        for chars in [MOST_CHARS_ON_WINDOWS + 1, 262, 400] {
            let refused = require_short_on_windows(Path::new(&home(chars)));
            assert!(refused.is_err(), "{chars}");
        }
    }
}
