//! Linux: figures from `/proc` and `/sys`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::hardware::control_group;
use crate::hardware::drm_clients;
use crate::hardware::evidence::{Access, Evidence, GpuClient};
use crate::hardware::pci_names;
use crate::hardware::ram_modules;
use crate::hardware::sysfs;
use crate::machine::{DiskKind, EngineKind, FoundEngine, RamModule};

/// Version of the distribution; rolling distributions have none.
pub fn os_version() -> Option<String> {
    sysinfo::System::os_version().ok()
}

/// Reads files about adapters, power, board and control groups into `evidence`. Fast.
pub fn system_evidence(evidence: &mut Evidence) {
    evidence.sysfs = sysfs_tree();
    let cards = sysfs::cards(&evidence.sysfs);
    evidence.pci_names = pci_names::of_cards(&cards, read);
    evidence.board = read(Path::new("/proc/device-tree/model"))
        .map(|model| model.trim_end_matches('\0').to_owned())
        .filter(|model| !model.is_empty());
    evidence.wsl =
        read(Path::new("/proc/sys/kernel/osrelease")).is_some_and(|r| r.to_lowercase().contains("microsoft"));
    evidence.render_access = Some(render_access());
    evidence.graphics_device = Some(!cards.is_empty() || has_graphics_node());
    let limit =
        control_group::tightest_limit(&read(Path::new("/proc/self/cgroup")).unwrap_or_default(), &|path| {
            read(&Path::new("/sys/fs/cgroup").join(path))
        });
    evidence.ram_modules = ram_modules();
    evidence.memory.limit_bytes = limit.map(|limit| limit.limit_bytes);
    evidence.memory.limit_used_bytes = limit.map(|limit| limit.used_bytes);
}

/// Modules of main memory, by udev's database or, where this user may read them, by the firmware's tables.
fn ram_modules() -> Vec<RamModule> {
    let listed = read(Path::new("/run/udev/data/+dmi:id")).unwrap_or_default();
    let listed = ram_modules::of_udev(&listed);
    if !listed.is_empty() {
        return listed;
    }
    let table = fs::read("/sys/firmware/dmi/tables/DMI").unwrap_or_default();
    ram_modules::of_smbios(&table)
}

/// Whether this user can open any device of a graphics card.
fn render_access() -> Access {
    let nodes: Vec<PathBuf> = entries(Path::new("/dev/dri"))
        .into_iter()
        .filter(|name| name.starts_with("renderD"))
        .map(|name| Path::new("/dev/dri").join(name))
        .chain([PathBuf::from("/dev/kfd"), PathBuf::from("/dev/dxg")])
        .filter(|node| node.exists())
        .collect();
    let both = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    if nodes.is_empty() {
        Access::Absent
    } else if nodes.iter().any(|node| rustix::fs::access(node, both).is_ok()) {
        Access::Granted
    } else {
        Access::Denied
    }
}

/// Whether there is any device of a graphics chip, with or without a PCI address.
fn has_graphics_node() -> bool {
    const NODES: [&str; 10] =
        ["dri", "dxg", "kfd", "nvidia", "nvgpu", "nvhost", "nvmap", "mali", "kgsl", "pvrsrvkm"];
    entries(Path::new("/dev")).iter().any(|name| NODES.iter().any(|node| name.starts_with(node)))
}

/// Reads the files that `hardware::sysfs` interprets.
fn sysfs_tree() -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    let root = Path::new("/sys");
    let mut keep = |path: String| {
        if let Some(content) = read(&root.join(&path)) {
            tree.insert(path, content);
        }
    };
    for address in entries(&root.join(sysfs::DEVICES)) {
        let folder = format!("{}{address}/", sysfs::DEVICES);
        if !read(&root.join(&folder).join("class")).is_some_and(|class| sysfs::is_display_class(&class)) {
            continue;
        }
        for file in sysfs::CARD_FILES {
            keep(format!("{folder}{file}"));
        }
        let asleep = read(&root.join(&folder).join("power/runtime_status"))
            .is_some_and(|status| status.trim() == "suspended");
        for file in sysfs::LINK_FILES.iter().filter(|_| !asleep) {
            keep(format!("{folder}{file}"));
        }
        for sensor in entries(&root.join(&folder).join("hwmon")) {
            let sensor = format!("{folder}hwmon/{sensor}");
            for label in entries(&root.join(&sensor)) {
                if label.starts_with("in") && label.ends_with("_label") {
                    keep(format!("{sensor}/{label}"));
                }
            }
            for file in sysfs::SENSOR_FILES.iter().filter(|_| !asleep) {
                keep(format!("{sensor}/{file}"));
            }
        }
        for device in entries(&root.join(&folder).join("drm")) {
            let device = format!("{folder}drm/{device}");
            for connector in entries(&root.join(&device)) {
                keep(format!("{device}/{connector}/status"));
            }
        }
    }
    const NODES: &str = "class/kfd/kfd/topology/nodes";
    for node in entries(&root.join(NODES)) {
        keep(format!("{NODES}/{node}/properties"));
    }
    const SUPPLIES: &str = "class/power_supply";
    for supply in entries(&root.join(SUPPLIES)) {
        for file in ["type", "scope", "status"] {
            keep(format!("{SUPPLIES}/{supply}/{file}"));
        }
    }
    keep("firmware/acpi/platform_profile".to_owned());
    keep(sysfs::ENERGY_PREFERENCE.to_owned());
    tree
}

/// Programs of this user that use memory of a card; the kernel hides those of other users.
pub fn gpu_clients() -> Vec<GpuClient> {
    if !Path::new("/dev/dri").exists() {
        return Vec::new();
    }
    let processes =
        entries(Path::new("/proc")).into_iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    drm_clients::by_program(processes.flat_map(|pid| {
        let process = Path::new("/proc").join(&pid);
        let name = read(&process.join("comm")).unwrap_or_default().trim().to_owned();
        open_devices(&process).into_iter().map(move |device| (name.clone(), device))
    }))
}

/// Memory of cards that these processes hold together: PCI address and bytes. Empty for drivers that do not report there.
pub fn gpu_memory_of(processes: &[u32]) -> Vec<(String, u64)> {
    let open = processes.iter().flat_map(|pid| open_devices(&Path::new("/proc").join(pid.to_string())));
    let held = drm_clients::by_program(open.map(|device| (String::new(), device)));
    held.into_iter().map(|client| (client.pci_bus_id, client.vram_bytes)).collect()
}

/// A file below `/sys`.
pub fn read_sysfs(path: &str) -> Option<String> {
    read(&Path::new("/sys").join(path))
}

fn open_devices(process: &Path) -> Vec<drm_clients::OpenDevice> {
    let is_graphics = |fd: &String| {
        fs::read_link(process.join("fd").join(fd)).is_ok_and(|target| target.starts_with("/dev/dri"))
    };
    entries(&process.join("fd"))
        .iter()
        .filter(|fd| is_graphics(fd))
        .filter_map(|fd| drm_clients::open_device(&read(&process.join("fdinfo").join(fd))?))
        .collect()
}

/// Kind of the folder's disk, from `/sys/dev/block`; for a folder without a block device (Btrfs, overlays) by the
/// device in the mount table. Virtual disks always report "rotating", so their kind is unknown.
pub fn disk_kind(folder: &Path) -> Option<DiskKind> {
    let device = fs::metadata(folder).ok()?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let block = if major == 0 {
        let table = read(Path::new("/proc/self/mountinfo"))?;
        let source = mount_source(&table, major, minor)?;
        let real = fs::canonicalize(source).ok()?;
        Path::new("/sys/class/block").join(real.file_name()?)
    } else {
        PathBuf::from(format!("/sys/dev/block/{major}:{minor}"))
    };
    kind_of_block_device(&fs::canonicalize(block).ok()?, 0)
}

/// Follows partitions to their disk, and encrypted and logical volumes to their devices.
fn kind_of_block_device(device: &Path, depth: u8) -> Option<DiskKind> {
    const MAX_DEPTH: u8 = 8;
    if depth > MAX_DEPTH {
        return None;
    }
    let below = entries(&device.join("slaves"));
    if let Some(first) = below.first() {
        let real = fs::canonicalize(device.join("slaves").join(first)).ok()?;
        return kind_of_block_device(&real, depth + 1);
    }
    let disk = if device.join("partition").exists() { device.parent()? } else { device };
    let name = disk.file_name()?.to_str()?;
    let rotating = read(&disk.join("queue/rotational"))?;
    match rotating.trim() {
        "0" => Some(DiskKind::Ssd),
        "1" if ["vd", "xvd", "nbd", "loop", "ram"]
            .iter()
            .any(|virtual_disk| name.starts_with(virtual_disk)) =>
        {
            None
        }
        "1" => Some(DiskKind::Hdd),
        _ => None,
    }
}

/// The device of a mount in `/proc/self/mountinfo`: `36 35 0:34 / /home rw - btrfs /dev/nvme0n1p3 rw`.
fn mount_source(table: &str, major: u32, minor: u32) -> Option<&str> {
    let wanted = format!("{major}:{minor}");
    table.lines().find_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        (mount.split(' ').nth(2)? == wanted).then(|| source.split(' ').nth(1))?
    })
}

/// Ollama installed by its own script, by packages and by users.
pub fn engine_programs(user_home: Option<&Path>) -> Vec<FoundEngine> {
    let mut programs = vec![
        PathBuf::from("/usr/local/bin/ollama"),
        PathBuf::from("/usr/bin/ollama"),
        PathBuf::from("/opt/ollama/bin/ollama"),
        PathBuf::from("/snap/bin/ollama"),
        PathBuf::from("/home/linuxbrew/.linuxbrew/bin/ollama"),
    ];
    let mut units = vec![
        PathBuf::from("/etc/systemd/system/ollama.service"),
        PathBuf::from("/usr/lib/systemd/system/ollama.service"),
        PathBuf::from("/lib/systemd/system/ollama.service"),
    ];
    if let Some(home) = user_home {
        programs.push(home.join(".local/bin/ollama"));
        units.push(home.join(".config/systemd/user/ollama.service"));
    }
    let program = |path| FoundEngine { kind: EngineKind::Binary, path: Some(path), ..FoundEngine::default() };
    let service =
        |path| FoundEngine { kind: EngineKind::Service, path: Some(path), ..FoundEngine::default() };
    let programs = programs.into_iter().filter(|path| path.is_file()).map(program);
    // The last two folders are the same on most distributions.
    let unit = units.into_iter().find(|path| path.is_file()).map(service);
    programs.chain(unit).collect()
}

/// Models folders of Ollama's service: its own script, Arch, snap. Often not readable for other users.
pub fn system_model_folders() -> Vec<PathBuf> {
    [
        "/usr/share/ollama/.ollama/models",
        "/var/lib/ollama/models",
        "/var/lib/ollama",
        "/var/snap/ollama/common/models",
    ]
    .map(PathBuf::from)
    .to_vec()
}

/// Running `ollama --version` does not start the app here.
pub const CAN_RUN_PROGRAMS: bool = true;

fn read(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Names in a folder, sorted; none where it does not exist.
fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_names_the_device() {
        let table = "36 35 0:34 /@home /home rw,relatime shared:1 - btrfs /dev/nvme0n1p3 rw,ssd\n\
                     37 35 0:35 / /proc rw - proc proc rw\n";
        assert_eq!(mount_source(table, 0, 34), Some("/dev/nvme0n1p3"));
        assert_eq!(mount_source(table, 0, 99), None);
    }
}
