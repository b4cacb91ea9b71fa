//! What an installation needs of each drive.
//!
//! An [`Inventory`] contains free space, sizes of the engine's archives, and files that exist already. [`DiskNeeds`] is
//! computed from it once and read by pages, terminal and the first step of an installation.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::MIB;
use crate::machine::{Disk, DiskUse, Hardware};
use crate::models::{Model, ModelTag};
use crate::ollama::release::{Asset, AssetRole, Release};
use crate::plan::Policy;

/// Free space to leave on a drive, in bytes: for logs, documents and the system itself.
const RESERVE_BYTES: u64 = 512 * MIB;

/// State of the drives that an installation would use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// The drives of the chosen folders, and their usage.
    pub drives: Vec<Disk>,
    /// The engine that would be installed.
    pub engine: EngineFiles,
    /// By tag: bytes of a model that need no space, because they are on the drive or can be linked.
    pub model_bytes_here: BTreeMap<ModelTag, u64>,
}

/// The files of the engine that would be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineFiles {
    /// Its version, if known.
    pub version: Option<String>,
    /// Its archives for this system; empty if the release does not list them.
    pub archives: Vec<ArchiveFile>,
    /// Whether it is installed already.
    pub in_place: bool,
}

/// An archive of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Role in the release.
    pub role: AssetRole,
    /// Bytes to download; `None` if the release does not state it, 0 if the archive is on this computer.
    pub download_bytes: Option<u64>,
    /// Bytes downloaded by an earlier run.
    pub here_bytes: u64,
    /// Unpacked size in bytes; `None` if unknown.
    pub unpacked_bytes: Option<u64>,
    /// Bytes of the copy that it is unpacked from, which is removed afterwards; 0 where none is made.
    pub copy_bytes: u64,
}

/// Downloads of an installation, and the disk space it needs on each drive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiskNeeds {
    /// Version of the engine, if known.
    pub engine_version: Option<String>,
    /// Bytes of the engine still to be downloaded; `None` if unknown.
    pub engine_download_bytes: Option<u64>,
    /// Bytes of the model still to be downloaded.
    pub model_download_bytes: u64,
    /// Bytes of the model still to be copied from the user's file.
    pub model_copy_bytes: u64,
    /// Needs per known drive.
    pub drives: Vec<DriveNeeds>,
}

/// Disk needs on one drive, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct DriveNeeds {
    /// A folder on the drive.
    pub path: PathBuf,
    /// Its usage.
    pub used_for: Vec<DiskUse>,
    /// Free space for this user; `None` if the system does not report it.
    pub free_bytes: Option<u64>,
    /// Archives of the engine still to be downloaded, and the largest copy that one of them is unpacked from.
    pub archive_bytes: u64,
    /// The unpacked engine.
    pub engine_bytes: u64,
    /// Model files still to be downloaded or copied.
    pub model_bytes: u64,
    /// Bytes that are on the drive already, not included above.
    pub here_bytes: u64,
    /// Free space to leave; 0 if nothing is written.
    pub reserve_bytes: u64,
}

impl Inventory {
    /// The drives of a hardware document, with nothing installed and an engine of unknown size. If the document does
    /// not state the drives' usage, everything is put on the one with the most free space.
    pub fn of(hardware: &Hardware) -> Self {
        let mut drives = hardware.disks.clone();
        if drives.iter().all(|drive| drive.used_for.is_empty())
            && let Some(roomiest) = drives.iter_mut().max_by_key(|drive| drive.free_bytes)
        {
            roomiest.used_for = vec![DiskUse::Engine, DiskUse::Models];
        }
        Self { drives, ..Self::default() }
    }
}

impl EngineFiles {
    /// The archives of a release for this system.
    pub fn of_release(release: &Release) -> Self {
        let archive = |role| {
            let asset = release.asset(role, std::env::consts::OS, std::env::consts::ARCH).ok()?;
            Some(ArchiveFile {
                role,
                download_bytes: asset.bytes,
                here_bytes: 0,
                unpacked_bytes: asset.unpacked_estimate_bytes(),
                copy_bytes: copy_bytes(role, asset),
            })
        };
        Self {
            version: Some(release.version.clone()),
            archives: [AssetRole::Base, AssetRole::Rocm].into_iter().filter_map(archive).collect(),
            in_place: false,
        }
    }
}

/// The base is unpacked while it is downloaded. Another archive is unpacked later, if it is a zip from a copy.
fn copy_bytes(role: AssetRole, asset: &Asset) -> u64 {
    if role == AssetRole::Base || !asset.name.ends_with(".zip") { 0 } else { asset.bytes.unwrap_or(0) }
}

impl DiskNeeds {
    /// Needs of this model and the engine. `with_rocm` adds the engine's archive for AMD cards.
    pub fn of(model: &Model, with_rocm: bool, inventory: &Inventory, policy: &Policy) -> Self {
        let engine = EngineNeeds::of(&inventory.engine, with_rocm, policy);
        let here = model.tag().and_then(|tag| inventory.model_bytes_here.get(tag)).copied().unwrap_or(0);
        let here = here.min(model.download_bytes);
        let missing = model.download_bytes - here;
        let (model_download_bytes, model_copy_bytes) =
            if model.local.is_some() { (0, missing) } else { (missing, 0) };
        let drives = inventory.drives.iter().filter(|drive| !drive.used_for.is_empty()).map(|drive| {
            let part = |usage, bytes| if drive.used_for.contains(&usage) { bytes } else { 0 };
            let mut needs = DriveNeeds {
                path: drive.path.clone(),
                used_for: drive.used_for.clone(),
                free_bytes: drive.free_bytes,
                archive_bytes: part(DiskUse::Engine, engine.archive_bytes),
                engine_bytes: part(DiskUse::Engine, engine.unpacked_bytes),
                model_bytes: part(DiskUse::Models, missing),
                here_bytes: part(DiskUse::Engine, engine.here_bytes)
                    .saturating_add(part(DiskUse::Models, here)),
                reserve_bytes: 0,
            };
            if needs.needed_bytes() > 0 {
                needs.reserve_bytes = RESERVE_BYTES;
            }
            needs
        });
        Self {
            engine_version: inventory.engine.version.clone(),
            engine_download_bytes: engine.download_bytes,
            model_download_bytes,
            model_copy_bytes,
            drives: drives.collect(),
        }
    }

    /// Bytes still to be downloaded, as far as known.
    pub fn download_bytes(&self) -> u64 {
        self.engine_download_bytes.unwrap_or(0).saturating_add(self.model_download_bytes)
    }

    /// Bytes that will be written to all drives, without the reserve.
    pub fn written_bytes(&self) -> u64 {
        self.drives
            .iter()
            .map(|drive| drive.needed_bytes() - drive.reserve_bytes)
            .fold(0, u64::saturating_add)
    }

    /// The drive with the largest shortage; `None` if everything fits, as far as free space is known.
    pub fn shortest(&self) -> Option<&DriveNeeds> {
        self.drives.iter().filter(|drive| drive.missing_bytes() > 0).max_by_key(|drive| drive.missing_bytes())
    }
}

impl DriveNeeds {
    /// Bytes that must be free, reserve included.
    pub fn needed_bytes(&self) -> u64 {
        [self.archive_bytes, self.engine_bytes, self.model_bytes, self.reserve_bytes]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Bytes that must become free; 0 if it fits or free space is unknown.
    pub fn missing_bytes(&self) -> u64 {
        self.free_bytes.map_or(0, |free| self.needed_bytes().saturating_sub(free))
    }
}

/// Needs of the engine, in bytes.
struct EngineNeeds {
    download_bytes: Option<u64>,
    archive_bytes: u64,
    unpacked_bytes: u64,
    here_bytes: u64,
}

impl EngineNeeds {
    fn of(engine: &EngineFiles, with_rocm: bool, policy: &Policy) -> Self {
        let wanted = || engine.archives.iter().filter(|archive| with_rocm || archive.role == AssetRole::Base);
        let unpacked: Option<u64> = wanted().map(|archive| archive.unpacked_bytes).sum();
        if engine.in_place {
            let here_bytes = unpacked.unwrap_or(0);
            return Self { download_bytes: Some(0), archive_bytes: 0, unpacked_bytes: 0, here_bytes };
        }
        let here_bytes = wanted().map(|archive| archive.here_bytes).sum();
        let missing =
            |archive: &ArchiveFile| Some(archive.download_bytes?.saturating_sub(archive.here_bytes));
        let download_bytes: Option<u64> = wanted().map(missing).sum();
        // One is unpacked after the other.
        let copy_bytes = wanted().map(|archive| archive.copy_bytes).max().unwrap_or(0);
        match download_bytes.zip(unpacked) {
            Some((archive_bytes, unpacked_bytes)) if wanted().next().is_some() => {
                let archive_bytes = archive_bytes.saturating_add(copy_bytes);
                Self { download_bytes, archive_bytes, unpacked_bytes, here_bytes }
            }
            // The policy's figure is for archive and engine together.
            _ => Self {
                download_bytes: download_bytes.filter(|_| wanted().next().is_some()),
                archive_bytes: copy_bytes,
                unpacked_bytes: (policy.engine_disk_gb * 1e9) as u64,
                here_bytes,
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::models::{Catalogue, LocalFilePart, LocalModelFile};
    use crate::plan::Profiles;

    const GB: u64 = 1_000_000_000;

    fn drive(free_bytes: u64, used_for: &[DiskUse]) -> Disk {
        Disk { free_bytes: Some(free_bytes), used_for: used_for.to_vec(), ..Disk::default() }
    }

    fn archive(role: AssetRole, download_bytes: u64, here_bytes: u64) -> ArchiveFile {
        let unpacked_bytes = Some(3 * download_bytes);
        ArchiveFile { role, download_bytes: Some(download_bytes), here_bytes, unpacked_bytes, copy_bytes: 0 }
    }

    fn needs(inventory: &Inventory, with_rocm: bool) -> DiskNeeds {
        let model = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        DiskNeeds::of(&model, with_rocm, inventory, &Profiles::built_in().policy)
    }

    fn inventory() -> Inventory {
        let archives = vec![archive(AssetRole::Base, GB, GB / 4), archive(AssetRole::Rocm, GB / 2, 0)];
        Inventory {
            drives: vec![drive(100 * GB, &[DiskUse::Engine]), drive(2 * GB, &[DiskUse::Models])],
            engine: EngineFiles { version: Some("1.2.3".to_owned()), archives, in_place: false },
            model_bytes_here: BTreeMap::new(),
        }
    }

    #[test]
    fn each_drive_needs_space_for_its_files_and_the_reserve() {
        let model = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let needs = needs(&inventory(), false);
        let [engine, models] = needs.drives.as_slice() else { panic!("{needs:?}") };
        assert_eq!(
            (engine.archive_bytes, engine.engine_bytes, engine.here_bytes),
            (GB * 3 / 4, 3 * GB, GB / 4)
        );
        assert_eq!(engine.needed_bytes(), GB * 15 / 4 + RESERVE_BYTES);
        assert_eq!(models.needed_bytes(), model.download_bytes + RESERVE_BYTES);
        assert_eq!(needs.shortest().unwrap().missing_bytes(), models.needed_bytes() - 2 * GB);
        assert_eq!(needs.download_bytes(), GB * 3 / 4 + model.download_bytes);
        assert_eq!(needs.written_bytes(), GB * 15 / 4 + model.download_bytes);
    }

    #[test]
    fn an_amd_card_needs_the_second_archive() {
        assert_eq!(needs(&inventory(), true).engine_download_bytes, Some(GB * 5 / 4));
    }

    /// A zip that is on this computer: unpacked from a copy, one after the other.
    #[test]
    fn the_copy_that_a_zip_is_unpacked_from_needs_space() {
        let mut inventory = inventory();
        for (archive, copy_bytes) in inventory.engine.archives.iter_mut().zip([GB, GB / 2]) {
            *archive = ArchiveFile { download_bytes: Some(0), here_bytes: 0, copy_bytes, ..*archive };
        }
        let engine = &needs(&inventory, true).drives[0];
        assert_eq!((engine.archive_bytes, engine.engine_bytes), (GB, 3 * GB + 3 * GB / 2));
        let needs = needs(&inventory, false);
        assert_eq!(needs.drives[0].needed_bytes(), 4 * GB + RESERVE_BYTES);
        assert_eq!(needs.engine_download_bytes, Some(0), "a copy is no download");
        // Also where it is not known what it unpacks to.
        inventory.engine.archives[0].unpacked_bytes = None;
        assert_eq!(self::needs(&inventory, false).drives[0].archive_bytes, GB);
        inventory.engine.in_place = true;
        assert_eq!(self::needs(&inventory, false).drives[0].needed_bytes(), 0);
    }

    #[test]
    fn files_that_are_already_present_need_no_space_and_no_reserve() {
        let mut inventory = inventory();
        inventory.engine.in_place = true;
        inventory.model_bytes_here.insert(ModelTag::parse("qwen2.5-coder:7b").unwrap(), u64::MAX);
        let needs = needs(&inventory, false);
        assert!(needs.drives.iter().all(|drive| drive.needed_bytes() == 0 && drive.missing_bytes() == 0));
        assert_eq!((needs.download_bytes(), needs.shortest()), (0, None));
    }

    #[test]
    fn a_model_in_a_file_is_copied_and_not_downloaded() {
        let listed = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let part = LocalFilePart { path: "/m/a.gguf".into(), bytes: listed.download_bytes, modified: None };
        let local = LocalModelFile { parts: vec![part], has_chat_template: true };
        let model = Model { local: Some(local), ..(*listed).clone() };
        let mut inventory = inventory();
        let policy = &Profiles::built_in().policy;
        let needs = DiskNeeds::of(&model, false, &inventory, policy);
        assert_eq!((needs.model_download_bytes, needs.model_copy_bytes), (0, listed.download_bytes));
        assert_eq!(needs.drives[1].needed_bytes(), listed.download_bytes + RESERVE_BYTES);
        assert_eq!(needs.download_bytes(), GB * 3 / 4, "the engine alone");
        inventory.model_bytes_here.insert(model.tag().unwrap().clone(), listed.download_bytes);
        let needs = DiskNeeds::of(&model, false, &inventory, policy);
        assert_eq!((needs.model_copy_bytes, needs.drives[1].needed_bytes()), (0, 0));
    }

    #[test]
    fn an_engine_of_unknown_size_needs_what_the_policy_assumes() {
        let policy = &Profiles::built_in().policy;
        let mut inventory = inventory();
        inventory.engine.archives[0].download_bytes = None;
        for engine in [inventory.engine.clone(), EngineFiles::default()] {
            let needs = needs(&Inventory { engine, ..inventory.clone() }, false);
            assert_eq!(needs.engine_download_bytes, None);
            assert_eq!(needs.drives[0].engine_bytes, (policy.engine_disk_gb * 1e9) as u64);
        }
    }
}
