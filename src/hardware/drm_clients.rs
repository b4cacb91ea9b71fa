//! Programs that use memory of a graphics card, by `/proc/PID/fdinfo` of Linux (the kernel's
//! Documentation/gpu/drm-usage-stats.rst). NVIDIA's driver does not report there; NVML does.

use std::collections::BTreeMap;

use super::evidence::GpuClient;

/// An open file of a graphics device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDevice {
    /// PCI address of the card.
    pub pci_bus_id: String,
    /// Client id; files of the same client share it.
    pub client: String,
    /// Memory of the card in use by it, in bytes.
    pub vram_bytes: u64,
}

/// Parses one file of `fdinfo`; `None` if it is not of a graphics device, or does not report memory.
pub fn open_device(fdinfo: &str) -> Option<OpenDevice> {
    let value =
        |key: &str| fdinfo.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim);
    // Resident memory, else its name in older drivers, else what was allocated. A card's own memory is "vram" or
    // "vram0" (amdgpu, xe) or "local0" (i915).
    let vram_bytes = ["drm-resident-", "drm-memory-", "drm-total-"].iter().find_map(|kind| {
        let of_card: Vec<u64> = fdinfo
            .lines()
            .filter_map(|line| line.strip_prefix(kind)?.split_once(':'))
            .filter(|(region, _)| region.starts_with("vram") || region.starts_with("local"))
            .filter_map(|(_, amount)| bytes(amount))
            .collect();
        (!of_card.is_empty()).then(|| of_card.iter().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes)))
    })?;
    Some(OpenDevice {
        pci_bus_id: value("drm-pdev")?.to_owned(),
        client: value("drm-client-id")?.to_owned(),
        vram_bytes,
    })
}

/// `1024 KiB`, `3 MiB` or `4096`.
fn bytes(amount: &str) -> Option<u64> {
    let mut words = amount.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    let unit = match words.next() {
        None => 1,
        Some("KiB") => 1 << 10,
        Some("MiB") => 1 << 20,
        Some("GiB") => 1 << 30,
        Some(_) => return None,
    };
    number.checked_mul(unit)
}

/// Sums the memory of each program on each card, largest first; files of one client are counted once.
pub fn by_program(open: impl Iterator<Item = (String, OpenDevice)>) -> Vec<GpuClient> {
    let mut clients: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for (program, device) in open {
        clients.insert((device.pci_bus_id, program, device.client), device.vram_bytes);
    }
    let mut held: BTreeMap<(String, String), u64> = BTreeMap::new();
    for ((card, program, _), bytes) in clients {
        let sum = held.entry((card, program)).or_default();
        *sum = sum.saturating_add(bytes);
    }
    let mut programs: Vec<GpuClient> = held
        .into_iter()
        .map(|((pci_bus_id, name), vram_bytes)| GpuClient { pci_bus_id, name, vram_bytes })
        .collect();
    programs.sort_by_key(|program| std::cmp::Reverse(program.vram_bytes));
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMDGPU: &str = "pos:\t0\nflags:\t02100002\ndrm-driver:\tamdgpu\ndrm-client-id:\t47\ndrm-pdev:\t0000:03:00.0\n\
                          drm-memory-vram:\t1048576 KiB\ndrm-memory-gtt: \t9000 KiB\ndrm-engine-gfx:\t7 ns\n";
    const XE: &str = "drm-driver:\txe\ndrm-client-id:\t3\ndrm-pdev:\t0000:04:00.0\ndrm-total-vram0:\t600 MiB\n\
                      drm-resident-vram0:\t512 MiB\ndrm-resident-system:\t64 MiB\n";

    #[test]
    fn memory_is_read_as_each_driver_reports_it() {
        let amd = open_device(AMDGPU);
        assert_eq!(
            amd.as_ref().map(|d| (d.pci_bus_id.as_str(), d.vram_bytes)),
            Some(("0000:03:00.0", 1 << 30))
        );
        assert_eq!(open_device(XE).map(|d| d.vram_bytes), Some(512 << 20));
        assert_eq!(open_device("pos:\t0\nflags:\t02\n"), None);
        assert_eq!(open_device("drm-client-id:\t1\ndrm-pdev:\tx\ndrm-memory-vram:\t1 PiB\n"), None);
    }

    #[test]
    fn a_client_counts_once_and_clients_of_a_program_are_summed() {
        let device = |client: &str, mib: u64| OpenDevice {
            pci_bus_id: "0000:03:00.0".to_owned(),
            client: client.to_owned(),
            vram_bytes: mib << 20,
        };
        let open =
            [("firefox", "1", 100), ("firefox", "1", 100), ("firefox", "2", 50), ("blender", "9", 700)];
        let held =
            by_program(open.iter().map(|(name, client, mib)| ((*name).to_owned(), device(client, *mib))));
        let programs: Vec<(&str, u64)> = held.iter().map(|p| (p.name.as_str(), p.vram_bytes >> 20)).collect();
        assert_eq!(programs, [("blender", 700), ("firefox", 150)]);
    }
}
