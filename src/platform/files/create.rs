//! Creates files that are private to the user (0600), never through a link.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

#[cfg(unix)]
use super::cause::FileCause;
use super::error::{FileError, writing};
use super::folders::remove_file_io;
use crate::platform::regular;

/// Creates a file, private to the user. An existing file or link of that name is removed first, not followed.
///
/// # Errors
/// If the system refuses, or a folder has that name.
pub fn create_anew(path: &Path) -> io::Result<File> {
    remove_file_io(path)?;
    create_new(path)
}

/// Creates a file, private to the user.
///
/// # Errors
/// If a file or link of that name exists, or the system refuses.
pub fn create_new(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().create_new(true).read(true).write(true)).open(path)
}

/// Creates a copy-on-write clone of a file, private to the user.
///
/// # Errors
/// If the file system does not support it, or the system refuses. No file is left then.
pub fn clone(from: &File, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let made = create_anew(to)?;
        rustix::fs::ioctl_ficlone(&made, from).map_err(|refused| {
            // A copy will replace the file if this fails.
            let _ = remove_file_io(to);
            refused.into()
        })
    }
    #[cfg(target_os = "macos")]
    {
        use std::os::unix::fs::PermissionsExt as _;
        remove_file_io(to)?;
        rustix::fs::fclonefileat(from, rustix::fs::CWD, to, rustix::fs::CloneFlags::empty())?;
        std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    {
        let _ = (from, to);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Makes a file executable by its owner, without any permissions for others. No effect on Windows.
///
/// # Errors
/// If the system refuses.
pub fn make_executable(file: &File) -> io::Result<()> {
    set_mode(file, 0o700)
}

/// Sets the permissions of a file. A file system without permissions of its own (FAT, exFAT, some network drives) shows the
/// same for all files: they are enough if they include the owner's and let nobody else write. No effect on Windows.
///
/// # Errors
/// If the system refuses, and what it shows instead is not enough.
pub fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(mode)).or_else(|error| {
            let shown = file.metadata()?.permissions().mode();
            let is_enough = shown & mode & 0o700 == mode & 0o700 && shown & 0o022 == 0;
            let is_unsupported = FileCause::of(&error, Path::new("")).is_missing_support();
            if is_unsupported && is_enough { Ok(()) } else { Err(error) }
        })
    }
    #[cfg(not(unix))]
    {
        let _ = (file, mode);
        Ok(())
    }
}

/// Opens a file of ours with these options: a regular file, no link, and nothing is waited for.
///
/// # Errors
/// When the system refuses; [`regular::NotRegular`] inside an [`io::Error`] for anything but a regular file.
pub fn open_own(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let opened = options.open(path);
    #[cfg(unix)]
    if opened.as_ref().is_err_and(|e| e.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())) {
        // A pipe that nobody reads, or a socket.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, regular::NotRegular));
    }
    regular::require(opened?)
}

/// Creates files that only their owner can read and write.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Opens or creates a file for appending, private to the user. A link is refused.
///
/// # Errors
/// If the system refuses.
pub fn open_to_append(path: &Path) -> Result<File, FileError> {
    open_own(private(OpenOptions::new().create(true).append(true).read(true)), path).map_err(writing(path))
}
