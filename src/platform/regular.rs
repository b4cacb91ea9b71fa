//! Reads files that others may have created: regular files only, opened without blocking, up to a limit. A named pipe
//! would block forever, and a device such as `/dev/zero` never ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use super::encoding;

/// The path is a pipe, a device, a socket or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a regular file")]
pub struct NotRegular;

/// The file exceeds the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is larger than {limit_bytes} bytes")]
pub struct TooLarge {
    /// The limit.
    pub limit_bytes: u64,
}

/// Opens a regular file for reading. Links are followed.
///
/// # Errors
/// If the system refuses; [`NotRegular`] in an [`io::Error`] for anything but a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, Links::Followed)
}

/// Like [`open`], but refuses links. For our own files.
///
/// # Errors
/// Those of [`open`], and for a link.
pub fn open_no_link(path: &Path) -> io::Result<File> {
    open_with(path, Links::Refused)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    Followed,
    Refused,
}

fn open_with(path: &Path, links: Links) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        // Opening a pipe would block. No effect on a regular file.
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        flags.set(OFlags::NOFOLLOW, links == Links::Refused);
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    if links == Links::Refused && std::fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NotRegular));
    }
    require(options.open(path)?)
}

/// Accepts an open file if it is a regular one.
///
/// # Errors
/// As [`open`].
pub fn require(file: File) -> io::Result<File> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NotRegular));
    }
    Ok(file)
}

/// Whether an error says that a file is not one we read: a pipe, a device, a folder, or too large.
pub fn is_refusal(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NotRegular>() || inner.is::<TooLarge>())
}

/// Reads a whole regular file.
///
/// # Errors
/// Those of [`open`]; [`TooLarge`] in an [`io::Error`] for a file larger than `limit_bytes`.
pub fn read(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    read_open(open(path)?, limit_bytes)
}

/// Reads the rest of a file that is open.
///
/// # Errors
/// If the system refuses; [`TooLarge`] in an [`io::Error`] for more than `limit_bytes`.
pub fn read_open(file: File, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more, to detect a larger file.
    file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(io::Error::new(io::ErrorKind::InvalidData, TooLarge { limit_bytes }));
    }
    Ok(bytes)
}

/// Reads a regular file of text, in UTF-8 or in UTF-16 with a byte-order mark.
///
/// # Errors
/// Those of [`read`], and if the file is neither.
pub fn read_text(path: &Path, limit_bytes: u64) -> io::Result<String> {
    encoding::decode(read(path, limit_bytes)?)
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Seek as _;

    use super::*;

    #[test]
    fn pipes_and_devices_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [pipe.as_path(), &link, Path::new("/dev/zero"), folder.path()] {
            let error = read(path, 100).unwrap_err();
            assert!(
                error.get_ref().is_some_and(|inner| inner.is::<NotRegular>()),
                "{}: {error}",
                path.display()
            );
        }
    }

    #[test]
    fn a_file_above_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        let error = read(&path, 4).unwrap_err();
        assert!(error.get_ref().is_some_and(|inner| inner.is::<TooLarge>()), "{error}");
        std::fs::write(&path, vec![b'x'; 100_000]).unwrap();
        let file = open(&path).unwrap();
        let mut same = file.try_clone().unwrap();
        read_open(file, 4).unwrap_err();
        assert_eq!(same.stream_position().unwrap(), 5, "one byte more, to tell that it is too large");
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
