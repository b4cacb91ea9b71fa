//! The disk of a path.

use std::path::{Path, PathBuf};

use super::error::{FileError, reading};

/// Bytes available to this user on the disk of a path. If the path does not exist, its nearest existing parent counts.
///
/// # Errors
/// If the system refuses.
pub fn free_bytes(path: &Path) -> Result<u64, FileError> {
    let existing = nearest_existing(path);
    fs4::available_space(&existing).map_err(reading(&existing))
}

/// Identifier of a path's disk, equal for two paths on one disk.
///
/// # Errors
/// If the system refuses.
pub fn disk_of(path: &Path) -> Result<String, FileError> {
    let existing = nearest_existing(path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(&existing).map(|metadata| metadata.dev().to_string()).map_err(reading(&existing))
    }
    #[cfg(not(unix))]
    {
        let whole = std::fs::canonicalize(&existing).map_err(reading(&existing))?;
        let disk = whole.components().next().map(|first| first.as_os_str().to_string_lossy().to_uppercase());
        Ok(disk.unwrap_or_default())
    }
}

/// Files and folders that this user can still create on the disk of a folder; `None` where their number is not limited or
/// not known.
pub fn free_entries(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(folder).ok()?;
        (found.f_files > 0).then_some(found.f_favail)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Size in bytes of the largest file that this process can write to a folder, by the file system and the process's limit
/// (`RLIMIT_FSIZE`); `None` where neither is known to limit it.
pub fn largest_file_bytes(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let of_process = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
        [of_process, largest_on(folder)].into_iter().flatten().min()
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// FAT stores sizes in 32 bits.
#[cfg(target_os = "linux")]
fn largest_on(folder: &Path) -> Option<u64> {
    /// `MSDOS_SUPER_MAGIC` of statfs(2).
    const FAT: i64 = 0x4d44;
    let found = rustix::fs::statfs(folder).ok()?;
    (found.f_type == FAT).then_some(u64::from(u32::MAX))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn largest_on(_folder: &Path) -> Option<u64> {
    None
}

/// Length of a file in bytes; 0 if it cannot be read.
pub fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The path, or its nearest existing parent.
pub fn nearest_existing(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_path_uses_its_nearest_existing_parent() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x/y/z");
        assert!(free_bytes(&deep).unwrap() > 0);
        assert_eq!(disk_of(&deep).unwrap(), disk_of(folder.path()).unwrap());
    }
}
