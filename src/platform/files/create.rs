//! Creates files that are private to the user (0600), never through a link.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::error::{FileError, gone, writing};

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

/// A file that is created with these options is readable and writable by its owner only.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
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
