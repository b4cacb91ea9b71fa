//! The kind of a disk by its mount point, from the `sysinfo` library.

use std::path::Path;

use crate::machine::DiskKind;

/// Kind of the disk with the longest mount point above the folder.
pub fn disk_kind(folder: &Path) -> Option<DiskKind> {
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
