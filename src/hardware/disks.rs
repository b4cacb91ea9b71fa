//! The disks under the folders that an installation would use.

use std::path::{Path, PathBuf};

use crate::machine::{Disk, DiskUse};
use crate::platform::files::{disk_of, free_bytes, nearest_existing};

/// Free space and kind of disk for each folder; a folder that does not exist yet is on its nearest parent's disk, and
/// folders on one disk share its entry.
pub fn of_folders(folders: &[(PathBuf, DiskUse)]) -> Vec<Disk> {
    let mut disks: Vec<(Option<String>, Disk)> = Vec::new();
    for (folder, usage) in folders {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        let path = nearest_existing(&absolute);
        let which = disk_of(&path).ok();
        let same = |(other, disk): &&mut (Option<String>, Disk)| {
            disk.path == path || which.is_some() && *other == which
        };
        match disks.iter_mut().find(same) {
            Some((_, disk)) => disk.used_for.push(*usage),
            None => disks.push((which, disk(&path, *usage))),
        }
    }
    disks.into_iter().map(|(_, disk)| disk).collect()
}

fn disk(path: &Path, usage: DiskUse) -> Disk {
    Disk {
        path: path.to_owned(),
        kind: crate::hardware::system::disk_kind(path),
        free_bytes: free_bytes(path).ok(),
        used_for: vec![usage],
        ..Disk::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_on_its_parents_disk() {
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
