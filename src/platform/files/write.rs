//! Atomic writes: a temporary file next to the target, synced, then renamed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::create::{create_anew, set_mode};
use super::error::{FileError, renaming, writing};
use super::folders::remove_file_io;
use super::held::{rename, while_held};
use super::sync::{sync, sync_folder, sync_folder_of};
use crate::platform::regular::NotRegular;

/// Replaces a file atomically: a reader sees the old contents or the new ones, never a part.
///
/// # Errors
/// If writing or renaming fails. The old file is then unchanged and the temporary file removed.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    replace(path, contents, sync)?;
    sync_folder_of(path);
    Ok(())
}

/// Like [`write_whole`], but without syncing: after a power failure the file may be lost.
///
/// # Errors
/// Those of [`write_whole`].
pub fn write_whole_unsynced(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    replace(path, contents, |_| Ok(()))
}

/// Writes a file that the user named, whole and private to the user. A link of that name is replaced and never followed,
/// and so is a file of somebody else; nothing else in the folder is touched.
///
/// # Errors
/// When the system refuses; [`NotRegular`] inside the error where a device, a pipe or a folder has that name, or is what a
/// link of that name leads to. What was there is untouched then.
pub fn write_named(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    write_named_as(path, contents, 0o600)
}

/// Like [`write_named`], readable by everybody.
///
/// # Errors
/// Those of [`write_named`].
pub fn write_named_for_all(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    write_named_as(path, contents, 0o644)
}

fn write_named_as(path: &Path, contents: &[u8], mode: u32) -> Result<(), FileError> {
    let failed = writing(path);
    // `/dev/stdout` and the like lead through `/proc` to what is open: replacing one would break it for everybody.
    let is_alias = std::fs::read_link(path).is_ok_and(|target| target.starts_with("/proc"));
    if is_alias || std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, NotRegular)));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Created anew under a random name, for its owner only.
    let mut file =
        tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(folder).map_err(&failed)?;
    file.write_all(contents).and_then(|()| set_mode(file.as_file(), mode)).map_err(&failed)?;
    sync(file.as_file()).map_err(&failed)?;
    let mut unnamed = Some(file);
    while_held(path, || match unnamed.take().map(|file| file.persist(path)) {
        Some(Err(error)) => {
            unnamed = Some(error.file);
            Err(error.error)
        }
        _ => Ok(()),
    })
    .map_err(&failed)?;
    sync_folder(folder);
    Ok(())
}

/// Path of the temporary file that [`write_whole`] uses.
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn replace(path: &Path, contents: &[u8], sync: fn(&File) -> io::Result<()>) -> Result<(), FileError> {
    let beside = temporary(path);
    let write = || -> io::Result<()> {
        let mut file = create_anew(&beside)?;
        file.write_all(contents)?;
        sync(&file)
    };
    let written =
        write().map_err(writing(&beside)).and_then(|()| rename(&beside, path).map_err(renaming(path)));
    if written.is_err() {
        // The first error is the relevant one.
        let _ = remove_file_io(&beside);
    }
    written
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use std::fs::OpenOptions;

    #[cfg(unix)]
    use crate::platform::files::{create_new, open_own, open_to_append};
    #[cfg(unix)]
    use crate::platform::regular;

    #[test]
    fn a_file_is_replaced_whole_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.yaml");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (path, foreign) = (folder.path().join("request.json"), folder.path().join("foreign"));
        let is_untouched = || std::fs::read(&foreign).unwrap() == b"foreign";
        std::fs::write(&foreign, "foreign").unwrap();
        symlink(&foreign, temporary(&path)).unwrap();
        write_whole(&path, b"ours").unwrap();
        assert!(is_untouched() && std::fs::read(&path).unwrap() == b"ours");
        assert!(!temporary(&path).is_symlink(), "the link is gone");

        let link = folder.path().join("link");
        symlink(&foreign, &link).unwrap();
        write_whole(&link, b"ours").unwrap();
        assert!(is_untouched() && !link.is_symlink(), "the link is replaced");
        std::fs::remove_file(&link).unwrap();
        for target in [&foreign, &folder.path().join("missing")] {
            symlink(target, &link).unwrap();
            assert!(open_to_append(&link).is_err() && create_new(&link).is_err());
            assert!(open_own(OpenOptions::new().write(true).create(true), &link).is_err());
            assert!(regular::open_no_link(&link).is_err());
            create_anew(&link).unwrap();
            std::fs::remove_file(&link).unwrap();
        }
        assert!(is_untouched() && !folder.path().join("missing").exists());
    }

    /// Opening a pipe would wait for its other end.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_in_place_of_a_file_of_ours_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let mut write = OpenOptions::new();
        write.write(true).create(true);
        let errors = [
            open_to_append(&pipe).unwrap_err().source,
            open_own(&mut write, &pipe).unwrap_err(),
            open_own(OpenOptions::new().read(true), &pipe).unwrap_err(),
            crate::platform::files::sync_file(&pipe).unwrap_err().source,
        ];
        for error in errors {
            assert!(error.get_ref().is_some_and(|inner| inner.is::<NotRegular>()), "{error}");
        }
        write_whole(&pipe, b"ours").unwrap();
        assert_eq!(std::fs::read(&pipe).unwrap(), b"ours", "it is replaced");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_the_user_names_replaces_links_and_nothing_but_files() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("foreign"), "foreign").unwrap();
        std::fs::write(at("report.new"), "the user's").unwrap();
        std::fs::hard_link(at("foreign"), at("second-name")).unwrap();
        symlink(at("foreign"), at("link")).unwrap();
        symlink(at("missing"), at("dangling")).unwrap();
        for name in ["report", "second-name", "link", "dangling"] {
            write_named(&at(name), b"ours").unwrap();
            let found = std::fs::symlink_metadata(at(name)).unwrap();
            assert!(found.is_file() && found.permissions().mode() & 0o777 == 0o600, "{name}");
            assert_eq!(std::fs::read(at(name)).unwrap(), b"ours");
        }
        assert_eq!(std::fs::read(at("foreign")).unwrap(), b"foreign");
        assert_eq!(std::fs::read(at("report.new")).unwrap(), b"the user's");
        assert!(!at("missing").exists());

        symlink("/dev/null", at("device")).unwrap();
        symlink("/proc/self/fd/1", at("output")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        for name in ["device", "output", "folder"] {
            let error = write_named(&at(name), b"ours").unwrap_err().source;
            assert!(error.get_ref().is_some_and(|inner| inner.is::<NotRegular>()), "{name}: {error}");
            assert!(at("device").is_symlink() && at("output").is_symlink() && at("folder").is_dir());
        }
        assert!(write_named(&at("no/such/folder"), b"ours").is_err());
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 9, "nothing else is left");
    }
}
