//! The disk of a path.

use std::path::{Path, PathBuf};

use super::error::{FileError, reading};

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

/// Length of a file in bytes; 0 when it does not exist.
pub fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The path itself, or the nearest of its parents that exists.
pub fn nearest_existing(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn space_is_asked_of_the_nearest_parent() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x/y/z");
        assert!(free_bytes(&deep).unwrap() > 0);
        assert_eq!(disk_of(&deep).unwrap(), disk_of(folder.path()).unwrap());
    }
}
