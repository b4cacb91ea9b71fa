//! Atomic writes: a temporary file next to the target, synced, then renamed. Files are private to the user (0600,
//! folders 0700). No file of ours is opened through a link, and a new one is never an existing one: a link that somebody
//! put where we write leads nowhere.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::regular;
use crate::checksum::Sha256;

/// An operation on a file or folder failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {path}: {source}")]
pub struct FileError {
    /// What was attempted.
    pub operation: FileOperation,
    /// The file or folder.
    pub path: PathBuf,
    /// The system's error.
    #[source]
    pub source: io::Error,
}

/// What was attempted with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// Reading it, or asking for its metadata.
    Read,
    /// Writing or syncing it.
    Write,
    /// Creating a folder or link.
    Create,
    /// Renaming it.
    Rename,
    /// Removing it.
    Remove,
}

impl fmt::Display for FileOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Rename => "rename",
            Self::Remove => "remove",
        })
    }
}

/// Adds operation and path to a system error, for `map_err`.
fn failed(operation: FileOperation, path: &Path) -> impl Fn(io::Error) -> FileError {
    move |source| FileError { operation, path: path.to_owned(), source }
}

/// Reading this path failed. For `map_err`.
pub fn reading(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Read, path)
}

/// Writing this path failed. For `map_err`.
pub fn writing(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Write, path)
}

/// Creating this path failed. For `map_err`.
pub fn creating(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Create, path)
}

/// Renaming this path failed. For `map_err`.
pub fn renaming(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Rename, path)
}

/// Removing this path failed. For `map_err`.
pub fn removing(path: &Path) -> impl Fn(io::Error) -> FileError {
    failed(FileOperation::Remove, path)
}

/// Replaces a file atomically: a reader sees the old contents or the new ones, never a part.
///
/// # Errors
/// When writing or renaming fails; the old file is then untouched and the temporary one removed.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    replace(path, contents, File::sync_all)?;
    sync_folder_of(path);
    Ok(())
}

/// As [`write_whole`], without waiting for the disk: after a power failure the file may be lost.
///
/// # Errors
/// As [`write_whole`].
pub fn write_whole_unsynced(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    replace(path, contents, |_| Ok(()))
}

/// The name a file has while [`write_whole`] writes it.
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
    let written = write()
        .map_err(writing(&beside))
        .and_then(|()| std::fs::rename(&beside, path).map_err(renaming(path)));
    if written.is_err() {
        // One error is enough: the first says what is wrong.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Creates a file in place of whatever has its name: a leftover of an interrupted run, or a link, which is removed and
/// not followed. Private to the user.
///
/// # Errors
/// When the system refuses, or a folder has that name.
pub fn create_anew(path: &Path) -> io::Result<File> {
    gone(std::fs::remove_file(path))?;
    create_new(path)
}

/// Creates a file that does not exist; a link of that name is an error. Private to the user.
///
/// # Errors
/// When the system refuses.
pub fn create_new(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().create_new(true).read(true).write(true)).open(path)
}

/// Creates a file with the contents of another, sharing its bytes on the disk until one of the two changes. Private to the
/// user.
///
/// # Errors
/// When the file system cannot do that, or the system refuses; nothing has this name then.
pub fn clone(from: &File, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let made = create_anew(to)?;
        rustix::fs::ioctl_ficlone(&made, from).map_err(|refused| {
            // Copying replaces it anyway.
            let _ = std::fs::remove_file(to);
            refused.into()
        })
    }
    #[cfg(target_os = "macos")]
    {
        use std::os::unix::fs::PermissionsExt as _;
        gone(std::fs::remove_file(to))?;
        rustix::fs::fclonefileat(from, rustix::fs::CWD, to, rustix::fs::CloneFlags::empty())?;
        std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    {
        let _ = (from, to);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Makes a program of a file: its owner may run it, others may do nothing. Does nothing on Windows.
///
/// # Errors
/// When the system refuses.
pub fn make_executable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// These options open no link.
pub fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

#[cfg(unix)]
fn private_folder() -> std::fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// On Windows a user's folders are private by default.
#[cfg(not(unix))]
fn private_folder() -> std::fs::DirBuilder {
    std::fs::DirBuilder::new()
}

/// Creates one folder, private to the user.
///
/// # Errors
/// When the system refuses, or something has that name.
pub fn create_folder(path: &Path) -> io::Result<()> {
    private_folder().create(path)
}

/// Creates a folder with all its parents and returns those that were not there, outermost first.
///
/// # Errors
/// When the system refuses.
pub fn create_folders(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let missing = missing_folders(path);
    for folder in &missing {
        match create_folder(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(creating(folder)(error)),
        }
    }
    if path.is_dir() { Ok(missing) } else { Err(creating(path)(io::ErrorKind::NotADirectory.into())) }
}

/// The folder and those of its parents that do not exist, outermost first.
pub fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> =
        path.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    missing.retain(|folder| !folder.as_os_str().is_empty());
    missing.reverse();
    missing
}

/// Opens a file for adding lines at its end, private to the user; no link.
///
/// # Errors
/// When the system refuses.
pub fn open_to_append(path: &Path) -> Result<File, FileError> {
    no_link(private(OpenOptions::new().create(true).append(true).read(true)))
        .open(path)
        .map_err(writing(path))
}

/// Removes a file; does nothing if it does not exist.
///
/// # Errors
/// When the system refuses.
pub fn remove_file(path: &Path) -> Result<(), FileError> {
    gone(std::fs::remove_file(path)).map_err(removing(path))
}

/// Removes a folder with everything in it; does nothing if it does not exist. Links are removed, not followed.
///
/// # Errors
/// When the system refuses.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    gone(std::fs::remove_dir_all(path)).map_err(removing(path))
}

/// Removes an empty folder, or a link in its place: never what the link leads to. Does nothing to anything else.
///
/// # Errors
/// When the system refuses, except that the folder is not empty.
pub fn remove_folder_or_link(path: &Path) -> Result<(), FileError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => remove_link(path).map_err(removing(path)),
        Ok(found) if found.is_dir() => remove_folder_if_empty(path).map(drop),
        Ok(_) => Ok(()),
        Err(error) => gone(Err(error)).map_err(reading(path)),
    }
}

/// Windows tells links to folders from links to files.
fn remove_link(path: &Path) -> io::Result<()> {
    if cfg!(windows) && std::fs::remove_dir(path).is_ok() {
        return Ok(());
    }
    gone(std::fs::remove_file(path))
}

/// Removes an empty folder. Returns whether the folder no longer exists.
///
/// # Errors
/// When the system refuses, except that the folder is not empty.
pub fn remove_folder_if_empty(path: &Path) -> Result<bool, FileError> {
    match gone(std::fs::remove_dir(path)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        Err(error) => Err(removing(path)(error)),
    }
}

/// Bytes free for this user on the disk of a folder, or of its nearest parent that exists.
///
/// # Errors
/// When the system refuses.
pub fn free_bytes(path: &Path) -> Result<u64, FileError> {
    let there = nearest_existing(path);
    fs4::available_space(&there).map_err(reading(&there))
}

/// An identifier of the folder's disk: equal for two folders on one disk.
///
/// # Errors
/// When the system refuses.
pub fn disk_of(path: &Path) -> Result<String, FileError> {
    let there = nearest_existing(path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(&there).map(|metadata| metadata.dev().to_string()).map_err(reading(&there))
    }
    #[cfg(not(unix))]
    {
        let whole = std::fs::canonicalize(&there).map_err(reading(&there))?;
        let disk = whole.components().next().map(|first| first.as_os_str().to_string_lossy().to_uppercase());
        Ok(disk.unwrap_or_default())
    }
}

/// Syncs a file to the disk, so that it survives a power cut.
///
/// # Errors
/// When the sync fails; a part of the file may then be lost.
pub fn sync_file(path: &Path) -> Result<(), FileError> {
    // Windows syncs only files that are open for writing.
    let file = OpenOptions::new().read(true).write(cfg!(windows)).open(path).map_err(writing(path))?;
    match file.sync_all() {
        // The file system does not support it.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        synced => synced.map_err(writing(path)),
    }
}

/// Syncs the names in a folder, so that they survive a power cut. Does nothing where folders cannot be synced.
pub fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::debug!(%error, path = %folder.display(), "folder not synchronised");
    }
}

/// As [`sync_folder`], for the folder that holds this path.
pub fn sync_folder_of(path: &Path) {
    if let Some(folder) = path.parent() {
        sync_folder(folder);
    }
}

/// Reads a whole regular file in pieces; returns an error as soon as `stop` returns true.
///
/// # Errors
/// When the system refuses.
pub fn read_through(path: &Path, stop: &dyn Fn() -> bool, mut piece: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = regular::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        if stop() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => piece(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The checksum of a whole file.
///
/// # Errors
/// When the file cannot be read, or `stop` returns true.
pub fn sha256(path: &Path, stop: &dyn Fn() -> bool) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::default();
    read_through(path, stop, |piece| sha2::Digest::update(&mut hasher, piece))?;
    Ok(hasher.into())
}

/// Length of a file in bytes; 0 when it does not exist.
pub fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The path itself, or the nearest of its parents that exists.
pub fn nearest_existing(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new(".")).to_owned()
}

/// A file that is created with these options is readable and writable by its owner only.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
            assert!(regular::open_no_link(&link).is_err());
            create_anew(&link).unwrap();
            std::fs::remove_file(&link).unwrap();
        }
        assert!(is_untouched() && !folder.path().join("missing").exists());
    }

    #[test]
    fn folders_that_were_there_are_told_from_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("a/b"));
        assert_eq!(create_folders(&b).unwrap(), [a.clone(), b.clone()]);
        assert_eq!(create_folders(&b).unwrap(), Vec::<PathBuf>::new());
        std::fs::write(b.join("file"), "x").unwrap();
        assert!(!remove_folder_if_empty(&b).unwrap());
        assert!(create_folders(&b.join("file")).is_err(), "a file is no folder");
        remove_folder(&a).unwrap();
        assert!(remove_folder_if_empty(&a).unwrap());
    }

    #[test]
    fn space_is_asked_of_the_nearest_parent() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x/y/z");
        assert!(free_bytes(&deep).unwrap() > 0);
        assert_eq!(disk_of(&deep).unwrap(), disk_of(folder.path()).unwrap());
    }
}
