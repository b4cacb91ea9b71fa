//! The kind of a disk by its mount point, as the `sysinfo` library tells it.

use std::path::Path;

use crate::machine::DiskKind;

/// The kind of the disk mounted at the longest path that leads to the folder.
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
