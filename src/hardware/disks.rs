//! The disks under the folders that an installation would use.

use std::path::{Path, PathBuf};

use super::detect::nearest_existing;
use super::document::{Disk, DiskKind};

/// Free space and kind of disk for each folder; a folder that does not exist yet is on its nearest parent's disk.
pub fn of_folders<'f>(folders: impl Iterator<Item = &'f PathBuf>) -> Vec<Disk> {
    let mut disks: Vec<Disk> = Vec::new();
    for folder in folders {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        let Some(path) = nearest_existing(&absolute) else { continue };
        if !disks.iter().any(|disk| disk.path == path) {
            disks.push(disk(path));
        }
    }
    disks
}

fn disk(path: &Path) -> Disk {
    Disk {
        path: path.to_owned(),
        kind: crate::platform::disk_kind(path),
        free_bytes: fs4::available_space(path).ok(),
    }
}

/// The kind of the disk mounted at the longest path that leads to the folder.
pub fn kind_by_mount_point(folder: &Path) -> Option<DiskKind> {
    let refresh = sysinfo::DiskRefreshKind::nothing().with_kind();
    let disks = sysinfo::Disks::new_with_refreshed_list_specifics(refresh).ok()?;
    let disk = disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().components().count())?;
    match disk.kind() {
        sysinfo::DiskKind::SSD => Some(DiskKind::Ssd),
        sysinfo::DiskKind::HDD => Some(DiskKind::Hdd),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_on_its_parents_disk() {
        let there = tempfile::tempdir().unwrap();
        let wanted = [there.path().join("a/b/c"), there.path().join("d")];
        let disks = of_folders(wanted.iter());
        assert_eq!(disks.len(), 1);
        assert_eq!(disks[0].path, there.path());
        assert!(disks[0].free_bytes.is_some_and(|bytes| bytes > 0));
    }
}
