//! The disks under the folders that an installation would use.

use std::path::{Path, PathBuf};

use super::detect::nearest_existing;
use crate::machine::{Disk, DiskKind, DiskUse};
use crate::platform::files::disk_of;

/// Free space and kind of disk for each folder; a folder that does not exist yet is on its nearest parent's disk, and
/// folders on one disk share its entry.
pub fn of_folders(folders: &[(PathBuf, DiskUse)]) -> Vec<Disk> {
    let mut disks: Vec<(Option<String>, Disk)> = Vec::new();
    for (folder, usage) in folders {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        let Some(path) = nearest_existing(&absolute) else { continue };
        let which = disk_of(path).ok();
        let same = |(other, disk): &&mut (Option<String>, Disk)| {
            disk.path == path || which.is_some() && *other == which
        };
        match disks.iter_mut().find(same) {
            Some((_, disk)) => disk.used_for.push(*usage),
            None => disks.push((which, disk(path, *usage))),
        }
    }
    disks.into_iter().map(|(_, disk)| disk).collect()
}

fn disk(path: &Path, usage: DiskUse) -> Disk {
    Disk {
        path: path.to_owned(),
        kind: crate::hardware::system::disk_kind(path),
        free_bytes: fs4::available_space(path).ok(),
        used_for: vec![usage],
        ..Disk::default()
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
        let wanted =
            [(there.path().join("a/b/c"), DiskUse::Engine), (there.path().join("d"), DiskUse::Models)];
        let disks = of_folders(&wanted);
        assert_eq!(disks.len(), 1);
        assert_eq!(disks[0].path, there.path());
        assert_eq!(disks[0].used_for, [DiskUse::Engine, DiskUse::Models]);
        assert!(disks[0].free_bytes.is_some_and(|bytes| bytes > 0));
    }
}
