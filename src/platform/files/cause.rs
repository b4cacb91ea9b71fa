//! What a failed file operation means, from the system's error.

use std::io;
use std::path::{Path, PathBuf};

use super::held;

/// Why a file operation failed, as far as the system's error tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileCause {
    /// The user may not do that there.
    Permission,
    /// Not permitted to anybody: the file system does not support it, or the file is protected against changes.
    NotPermitted,
    /// The drive is mounted read-only.
    ReadOnly,
    /// The file system does not support the operation.
    Unsupported,
    /// The file system has no locks, as NFS without its lock service.
    NoLocks,
    /// A program uses the file.
    Busy {
        /// Names of the programs, as far as the system tells.
        programs: Vec<String>,
    },
    /// A folder without files in it is in use: usually a terminal's or a file manager's current folder.
    FolderInUse,
    /// A name or the path is too long.
    NameTooLong,
    /// The file would be larger than the file system or the account's limit allows.
    TooLarge,
    /// The user's quota is used up.
    Quota,
    /// The drive has no room for more data or more files.
    DriveFull,
    /// The drive reports a fault.
    DriveFault,
    /// The network drive is not connected any more.
    Disconnected,
    /// Part of the path is a link to something that does not exist.
    DanglingLink {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Links in the path lead in a circle.
    LinkLoop,
    /// Part of the path is a file.
    NotAFolder,
    /// The file or a folder above it does not exist.
    Missing,
    /// The program has too many files open.
    TooManyOpenFiles,
    /// Anything else; the system's message says it.
    Other,
}

impl FileCause {
    /// The cause of an error with this path. Reads the path's links when something is missing.
    pub fn of(error: &io::Error, path: &Path) -> Self {
        let held = error.raw_os_error().and_then(|code| Self::of_sharing(code, path));
        let cause = held.or_else(|| Self::of_code(error)).unwrap_or_else(|| Self::of_kind(error.kind()));
        let may_be_dangling = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
        );
        match dangling_link(path).filter(|_| may_be_dangling) {
            Some((link, target)) => Self::DanglingLink { link, target },
            None => cause,
        }
    }

    fn busy() -> Self {
        Self::Busy { programs: Vec::new() }
    }

    /// Windows: another program has the file open, or a file in the folder. It returns "access denied" for some of these.
    fn of_sharing(code: i32, path: &Path) -> Option<Self> {
        if !cfg!(windows) || !matches!(code, 5 | 32 | 33) {
            return None;
        }
        let programs = held::programs(path);
        match code {
            5 if programs.is_empty() => None,
            32 if path.is_dir() && !contains_files(path) => Some(Self::FolderInUse),
            _ => Some(Self::Busy { programs }),
        }
    }

    fn of_kind(kind: io::ErrorKind) -> Self {
        use io::ErrorKind;
        match kind {
            ErrorKind::PermissionDenied => Self::Permission,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => Self::busy(),
            ErrorKind::FileTooLarge => Self::TooLarge,
            ErrorKind::QuotaExceeded => Self::Quota,
            ErrorKind::StorageFull => Self::DriveFull,
            ErrorKind::StaleNetworkFileHandle => Self::Disconnected,
            ErrorKind::NotADirectory => Self::NotAFolder,
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Other,
        }
    }

    /// Of the codes that have no kind of their own, or share one.
    #[cfg(unix)]
    fn of_code(error: &io::Error) -> Option<Self> {
        use rustix::io::Errno;
        Some(match Errno::from_io_error(error)? {
            Errno::PERM => Self::NotPermitted,
            Errno::NOLCK => Self::NoLocks,
            Errno::NAMETOOLONG => Self::NameTooLong,
            Errno::LOOP => Self::LinkLoop,
            Errno::IO | Errno::NXIO | Errno::NODEV => Self::DriveFault,
            Errno::HOSTDOWN | Errno::HOSTUNREACH | Errno::TIMEDOUT | Errno::NOTCONN => Self::Disconnected,
            Errno::MFILE | Errno::NFILE => Self::TooManyOpenFiles,
            Errno::NOTSUP | Errno::NOSYS => Self::Unsupported,
            Errno::TXTBSY => Self::busy(),
            _ => return None,
        })
    }

    #[cfg(windows)]
    fn of_code(error: &io::Error) -> Option<Self> {
        Some(match error.raw_os_error()? {
            4 => Self::TooManyOpenFiles,
            19 => Self::ReadOnly,
            23 | 1117 => Self::DriveFault,
            50 => Self::Unsupported,
            // The network path, the network name, the device is not connected.
            53 | 55 | 64 | 67 | 1167 => Self::Disconnected,
            123 | 206 => Self::NameTooLong,
            223 => Self::TooLarge,
            1295 => Self::Quota,
            1921 => Self::LinkLoop,
            _ => return None,
        })
    }

    #[cfg(not(any(unix, windows)))]
    fn of_code(_: &io::Error) -> Option<Self> {
        None
    }

    /// Whether the file system lacks the operation, so that it can be left out or done in another way.
    pub fn is_missing_support(&self) -> bool {
        matches!(self, Self::NotPermitted | Self::Unsupported | Self::NoLocks)
    }
}

/// Whether there is a file below a folder. One that cannot be read may contain some.
fn contains_files(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return true };
    entries.filter_map(Result::ok).any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => contains_files(&entry.path()),
        _ => true,
    })
}

/// The first link of a path that leads to nothing, and where it leads.
fn dangling_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut above: Vec<&Path> = path.ancestors().collect();
    above.reverse();
    let link = above.into_iter().find(|part| part.is_symlink() && !part.exists())?;
    Some((link.to_owned(), std::fs::read_link(link).ok()?))
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn each_code_of_the_system_has_its_cause() {
        let of = |errno: Errno| FileCause::of(&io::Error::from(errno), Path::new("/"));
        for (errno, cause) in [
            (Errno::ACCESS, FileCause::Permission),
            (Errno::PERM, FileCause::NotPermitted),
            (Errno::ROFS, FileCause::ReadOnly),
            (Errno::NOTSUP, FileCause::Unsupported),
            (Errno::NOSYS, FileCause::Unsupported),
            (Errno::NOLCK, FileCause::NoLocks),
            (Errno::BUSY, FileCause::busy()),
            (Errno::TXTBSY, FileCause::busy()),
            (Errno::NAMETOOLONG, FileCause::NameTooLong),
            (Errno::FBIG, FileCause::TooLarge),
            (Errno::DQUOT, FileCause::Quota),
            (Errno::NOSPC, FileCause::DriveFull),
            (Errno::IO, FileCause::DriveFault),
            (Errno::STALE, FileCause::Disconnected),
            (Errno::LOOP, FileCause::LinkLoop),
            (Errno::NOTDIR, FileCause::NotAFolder),
            (Errno::NOENT, FileCause::Missing),
            (Errno::MFILE, FileCause::TooManyOpenFiles),
            (Errno::RANGE, FileCause::Other),
        ] {
            assert_eq!(of(errno), cause, "{errno}");
        }
    }

    #[test]
    fn a_link_to_nothing_is_named_wherever_it_is_in_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("nothing"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let dangling = FileCause::DanglingLink { link: link.clone(), target };
        for path in [link.clone(), link.join("below/it")] {
            let error = std::fs::create_dir(&path).unwrap_err();
            assert_eq!(FileCause::of(&error, &path), dangling, "{error}");
        }
        let missing = folder.path().join("missing/file");
        let error = std::fs::read(&missing).unwrap_err();
        assert_eq!(FileCause::of(&error, &missing), FileCause::Missing);
    }
}
