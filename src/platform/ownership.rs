//! Checks whether other users of this computer could have created or could replace a file or folder.
//!
//! A path is resolved component by component, links included. If only this user and root can change every folder on it,
//! no other user can replace a file between check and use, so the path may be opened again later (no `openat` needed).
//!
//! On Windows access control lists are not read and links are not resolved; only the path's last component is checked.

use std::fmt;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use super::files::{FileError, reading};

/// Why a file or folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipError {
    /// It belongs to another user.
    #[error("{path} belongs to {owner}, not to {user}")]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// Its owner.
        owner: Account,
        /// The user this program runs as.
        user: Account,
    },
    /// Other users can change it.
    #[error("other users can change {path}")]
    Writable {
        /// The file or folder.
        path: PathBuf,
    },
    /// Other users can replace entries of a folder above it.
    #[error("other users can replace what is in {path}")]
    WritableAbove {
        /// The folder above.
        path: PathBuf,
    },
    /// It is a link.
    #[error("{path} is a link")]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Not a regular file or folder, or not the expected one of the two.
    #[error("{path} is of another kind than expected")]
    Kind {
        /// The path.
        path: PathBuf,
    },
    /// Its metadata cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A user of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User ID; 0 is root.
    pub id: u32,
    /// User name, if known.
    pub name: Option<String>,
}

#[cfg(unix)]
impl Account {
    /// The user with this ID, and the name from `/etc/passwd`.
    pub fn of(id: u32) -> Self {
        system::account(id)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.id),
        }
    }
}

/// Resolves the links of a path if only this user and root can replace its parts: every existing part belongs to one of
/// them, and others cannot change the folders. A sticky folder (`/tmp`) is accepted, because others cannot rename
/// foreign entries in it. Missing parts are kept unchanged.
///
/// # Errors
/// The part that others can replace.
pub fn resolve(path: &Path) -> Result<PathBuf, OwnershipError> {
    system::walk(path, system::Sticky::Suffices)
}

/// Like [`resolve`], for an executable: it must exist, and others can change neither it nor the folder that contains it
/// or a link to it, even if that is sticky.
///
/// # Errors
/// The part that others can change or replace.
pub fn resolve_program(path: &Path) -> Result<PathBuf, OwnershipError> {
    let program = system::walk(path, system::Sticky::DoesNotSuffice)?;
    let found = std::fs::symlink_metadata(&program).map_err(reading(&program))?;
    if !found.is_file() {
        return Err(OwnershipError::Kind { path: program });
    }
    system::require_unwritable(&program, &found)?;
    Ok(program)
}

/// The program of this name in the first folder of a list that has one for [`resolve_program`], links resolved. What others
/// could have put into a folder is passed over, as is a folder that is not absolute.
pub fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let places = folders.iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
    places.filter(|place| place.is_file()).find_map(|place| {
        let trusted = resolve_program(&place);
        trusted
            .inspect_err(|error| tracing::info!(%error, path = %place.display(), "a program is left alone"))
            .ok()
    })
}

/// Accepts a folder that belongs to this user and that nobody else can change.
///
/// # Errors
/// If it is missing, a link or not a folder, or others own it or can change it.
pub fn require_own_folder(path: &Path) -> Result<(), OwnershipError> {
    let found = std::fs::symlink_metadata(path).map_err(reading(path))?;
    if found.is_symlink() {
        return Err(OwnershipError::Link { path: path.to_owned() });
    }
    if !found.is_dir() {
        return Err(OwnershipError::Kind { path: path.to_owned() });
    }
    system::require_own(path, &found)
}

/// Accepts a regular file that belongs to this user and that nobody else can change.
///
/// # Errors
/// Those of [`require_own_folder`].
pub fn require_own_file(path: &Path) -> Result<(), OwnershipError> {
    let found = std::fs::symlink_metadata(path).map_err(reading(path))?;
    if found.is_symlink() {
        return Err(OwnershipError::Link { path: path.to_owned() });
    }
    require_own(path, &found)
}

/// Like [`require_own_file`], for an open file; `path` is used in errors.
///
/// # Errors
/// Those of [`require_own_folder`].
pub fn require_own_open_file(file: &File, path: &Path) -> Result<(), OwnershipError> {
    require_own(path, &file.metadata().map_err(reading(path))?)
}

fn require_own(path: &Path, found: &Metadata) -> Result<(), OwnershipError> {
    if !found.is_file() {
        return Err(OwnershipError::Kind { path: path.to_owned() });
    }
    system::require_own(path, found)
}

#[cfg(unix)]
mod system {
    use std::ffi::OsString;
    use std::fs::Metadata;
    use std::io;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Component, Path, PathBuf};

    use super::{Account, OwnershipError};
    use crate::platform::files::reading;

    /// Maximum number of links followed in one path, as on Linux.
    const MAX_LINKS_FOLLOWED: usize = 40;
    /// Linux's default overflow user ID: the owner of files whose user is not mapped in a user namespace.
    const UNMAPPED: u32 = 65_534;
    const STICKY: u32 = 0o1000;

    /// Whether a sticky folder protects the last component of a path, and links.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub enum Sticky {
        Suffices,
        DoesNotSuffice,
    }

    /// Resolves a path component by component.
    ///
    /// # Errors
    /// The part that others can replace.
    pub fn walk(path: &Path, sticky: Sticky) -> Result<PathBuf, OwnershipError> {
        let mut ahead = names(&std::path::absolute(path).map_err(reading(path))?);
        let mut at = PathBuf::from("/");
        let mut followed = 0;
        while let Some(name) = ahead.pop() {
            if name == ".." {
                at.pop();
                continue;
            }
            let next = at.join(name);
            let found = match std::fs::symlink_metadata(&next) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    require_safe_parent(&at, sticky == Sticky::Suffices)?;
                    return Ok(ahead.iter().rev().fold(next, |path, name| path.join(name)));
                }
                Err(error) => return Err(reading(&next)(error).into()),
            };
            let is_exchangeable = found.is_symlink() || ahead.is_empty();
            require_safe_parent(&at, sticky == Sticky::Suffices || !is_exchangeable)?;
            if !is_trusted_owner(found.uid()) {
                return Err(foreign(&next, &found));
            }
            if found.is_symlink() {
                followed += 1;
                if followed > MAX_LINKS_FOLLOWED {
                    return Err(OwnershipError::Link { path: path.to_owned() });
                }
                let target = std::fs::read_link(&next).map_err(reading(&next))?;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                ahead.extend(names(&target));
            } else {
                at = next;
            }
        }
        Ok(at)
    }

    /// Accepts a folder in which others cannot replace entries of this user or root.
    fn require_safe_parent(folder: &Path, sticky_suffices: bool) -> Result<(), OwnershipError> {
        let found = std::fs::symlink_metadata(folder).map_err(reading(folder))?;
        let is_protected = sticky_suffices && found.mode() & STICKY != 0;
        if is_protected || !others_can_change(&found) {
            return Ok(());
        }
        Err(OwnershipError::WritableAbove { path: folder.to_owned() })
    }

    /// # Errors
    /// If it belongs to another user, or others can write it.
    pub fn require_own(path: &Path, found: &Metadata) -> Result<(), OwnershipError> {
        if found.uid() != user_id() {
            return Err(foreign(path, found));
        }
        require_unwritable(path, found)
    }

    /// # Errors
    /// If others can write it.
    pub fn require_unwritable(path: &Path, found: &Metadata) -> Result<(), OwnershipError> {
        if found.mode() & 0o022 != 0 {
            return Err(OwnershipError::Writable { path: path.to_owned() });
        }
        Ok(())
    }

    /// Whether users other than the owner and root can change a file or the entries of a folder.
    pub fn others_can_change(found: &Metadata) -> bool {
        let mode = found.mode();
        mode & 0o002 != 0 || mode & 0o020 != 0 && !(found.is_dir() && is_trusted_group(found.gid()))
    }

    /// Whether an owner is trusted: this user and root. In a user namespace root may be unmapped; unmapped files cannot
    /// be changed by mapped users.
    pub fn is_trusted_owner(id: u32) -> bool {
        id == 0 || id == user_id() || id == UNMAPPED && is_in_user_namespace()
    }

    /// Groups that may write to folders: root's, the user's private group, and those of administrators who may install
    /// programs (macOS' `admin`, Debian's `staff`).
    fn is_trusted_group(id: u32) -> bool {
        let own = rustix::process::getegid().as_raw();
        let of_administrators = if cfg!(target_os = "macos") { 80 } else { 50 };
        id == 0 || id == of_administrators || id == own && own == user_id()
    }

    fn is_in_user_namespace() -> bool {
        let Ok(map) = std::fs::read_to_string("/proc/self/uid_map") else { return false };
        let whole = ["0", "0", "4294967295"];
        !map.split_whitespace().eq(whole)
    }

    fn user_id() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn foreign(path: &Path, found: &Metadata) -> OwnershipError {
        OwnershipError::Foreign {
            path: path.to_owned(),
            owner: account(found.uid()),
            user: account(user_id()),
        }
    }

    pub fn account(id: u32) -> Account {
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
        });
        Account { id, name: name.filter(|name| !name.is_empty()) }
    }

    /// Components of a path, last first.
    fn names(path: &Path) -> Vec<OsString> {
        path.components()
            .rev()
            .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
            .map(|part| part.as_os_str().to_owned())
            .collect()
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::Metadata;
    use std::path::{Path, PathBuf};

    use super::OwnershipError;

    pub enum Sticky {
        Suffices,
        DoesNotSuffice,
    }

    pub fn walk(path: &Path, _sticky: Sticky) -> Result<PathBuf, OwnershipError> {
        Ok(path.to_owned())
    }

    pub fn require_own(_path: &Path, _found: &Metadata) -> Result<(), OwnershipError> {
        Ok(())
    }

    pub fn require_unwritable(_path: &Path, _found: &Metadata) -> Result<(), OwnershipError> {
        Ok(())
    }
}

/// Whether users other than this one and root can write this file, or create files in this folder. True if unknown.
#[cfg(unix)]
pub fn others_can_write(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path)
        .map_or(true, |found| !system::is_trusted_owner(found.uid()) || system::others_can_change(&found))
}

/// Access control lists are not read; programs are usually in folders that only administrators and their user can
/// write.
#[cfg(not(unix))]
pub fn others_can_write(path: &Path) -> bool {
    !path.exists()
}

#[cfg(all(test, unix))]
mod tests;
