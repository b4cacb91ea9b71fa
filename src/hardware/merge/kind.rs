//! Vendor and kind of an adapter.

use super::identity::Adapter;
use crate::hardware::evidence::{DeviceType, Evidence, NvmlQueryError};
use crate::hardware::pci::PciIds;
use crate::machine::GpuKind;

/// PCI vendor numbers (pci-ids.ucw.cz) and the name used in the document.
const VENDORS: &[(u32, &str)] = &[
    (0x10de, "nvidia"),
    (0x12d2, "nvidia"),
    (0x1002, "amd"),
    (0x1022, "amd"),
    (0x8086, "intel"),
    (0x106b, "apple"),
    (0x1414, "microsoft"),
    (0x5143, "qualcomm"),
    (0x13b5, "arm"),
    (0x1010, "imagination"),
    (0x14e4, "broadcom"),
    (0x1ed5, "moore threads"),
    (0x1a03, "aspeed"),
    (0x102b, "matrox"),
    (0x15ad, "vmware"),
    (0x80ee, "virtualbox"),
    (0x1af4, "virtio"),
    (0x1b36, "qemu"),
    (0x1234, "qemu"),
    (0x1013, "cirrus"),
    (0x1ab8, "parallels"),
    (0x5853, "xen"),
    // Khronos' own number for Mesa's software drivers.
    (0x10005, "mesa"),
];
/// Vendors whose adapters exist only in virtual machines. Real Cirrus cards are obsolete; today's are emulated by QEMU.
const VIRTUAL_VENDORS: &[u32] = &[0x15ad, 0x80ee, 0x1af4, 0x1b36, 0x1234, 0x1013, 0x1ab8, 0x5853];
/// Vendors of server management chips, which show a console and cannot compute.
const CONSOLE_VENDORS: &[u32] = &[0x1a03, 0x102b];
const MICROSOFT: u32 = 0x1414;
const NVIDIA: u32 = 0x10de;
const AMD: u32 = 0x1002;
const INTEL: u32 = 0x8086;
/// PCI device of the graphics in Ryzen AI Max ("Strix Halo", gfx1151).
const STRIX_HALO: u32 = 0x1586;
/// PCI devices of AMD processors with graphics, for `/sys` without sensors (Linux `amdgpu` driver and pci.ids).
const AMD_APUS: &[u32] = &[
    0x13c0, // Raphael, Granite Ridge
    0x150e, // Strix
    0x1114, // Krackan
    0x1506, // Mendocino
    0x15bf, 0x15c8, // Phoenix
    0x1900, 0x1901, // Hawk Point
    0x15d8, 0x15dd, // Picasso, Raven
    0x1435, 0x163f, // Van Gogh
    0x1636, // Renoir
    0x1638, // Cezanne
    0x164c, // Lucienne
    0x164d, 0x1681, // Rembrandt
    0x164e, // Raphael
    0x9874, 0x98e4, // Carrizo, Stoney
];

/// The vendor's name in the document.
pub fn vendor(adapter: &Adapter<'_>) -> Option<&'static str> {
    let by_number = adapter
        .ids
        .and_then(|ids| VENDORS.iter().find(|(number, _)| *number == ids.vendor).map(|(_, name)| *name));
    if adapter.nvml.is_some() {
        return Some("nvidia");
    }
    by_number.or_else(|| {
        let words = [
            ("nvidia", "nvidia"),
            ("geforce", "nvidia"),
            ("radeon", "amd"),
            ("amd", "amd"),
            ("intel", "intel"),
            ("apple", "apple"),
            ("adreno", "qualcomm"),
            ("microsoft", "microsoft"),
            ("llvmpipe", "mesa"),
        ];
        let vendor_text = adapter.sysinfo.and_then(|gpu| gpu.vendor.as_deref());
        let mut names = adapter.names().chain(vendor_text).map(str::to_lowercase);
        names.find_map(|name| words.iter().find(|(word, _)| name.contains(word)).map(|(_, vendor)| *vendor))
    })
}

/// Kind of adapter.
pub fn kind(adapter: &Adapter<'_>, vendor: Option<&str>, evidence: &Evidence) -> GpuKind {
    if adapter.nvml.is_some() {
        return nvidia(adapter);
    }
    let macos = evidence.os.name.as_deref() == Some("macos");
    // Wine passes Vulkan through unchanged; an adapter that only its Direct3D lists is emulated.
    let emulated = evidence.wine && adapter.vulkan.is_none();
    if emulated || is_software(adapter) {
        return GpuKind::Software;
    }
    if is_virtual(adapter) {
        return GpuKind::Virtual;
    }
    match vendor {
        Some("nvidia") => nvidia(adapter),
        Some("apple") if macos => GpuKind::Unified,
        Some("amd") => amd(adapter),
        Some("intel") => intel(adapter),
        _ => other(adapter),
    }
}

fn is_software(adapter: &Adapter<'_>) -> bool {
    const NAMES: [&str; 5] =
        ["llvmpipe", "lavapipe", "softpipe", "swiftshader", "microsoft basic render driver"];
    // On Linux, Microsoft's vendor ID is Hyper-V's display, which is virtual.
    let microsoft = adapter.ids.is_some_and(|ids| ids.vendor == MICROSOFT) && adapter.sysfs.is_none();
    adapter.wgpu().any(|gpu| gpu.device_type == DeviceType::Cpu)
        || adapter.dxgi.is_some_and(|gpu| gpu.software)
        || microsoft
        || adapter.names().map(str::to_lowercase).any(|name| NAMES.iter().any(|n| name.contains(n)))
}

fn is_virtual(adapter: &Adapter<'_>) -> bool {
    const NAMES: [&str; 8] =
        ["virtio", "virgl", "venus", "vmware", "virtualbox", "parallels", "qxl", "hyper-v"];
    let by_number = adapter.ids.is_some_and(|ids| {
        VIRTUAL_VENDORS.contains(&ids.vendor) || (ids.vendor == MICROSOFT && adapter.sysfs.is_some())
    });
    by_number
        || adapter.wgpu().any(|gpu| gpu.device_type == DeviceType::Virtual)
        || adapter.names().map(str::to_lowercase).any(|name| NAMES.iter().any(|n| name.contains(n)))
}

/// Chips with shared memory do not support NVML's memory query, or are known by name.
fn nvidia(adapter: &Adapter<'_>) -> GpuKind {
    const SHARED: [&str; 6] = ["GB10", "Orin", "Thor", "Xavier", "Tegra", "Jetson"];
    let no_memory_figures = adapter.nvml.is_some_and(|gpu| {
        gpu.mig != Some(true)
            && gpu.memory_total_bytes.is_none()
            && gpu.memory_error == Some(NvmlQueryError::NotSupported)
    });
    let named = adapter.names().any(|name| {
        let mut words = name.split(|c: char| !c.is_alphanumeric());
        words.any(|word| SHARED.contains(&word))
    });
    let integrated = adapter.wgpu().any(|gpu| gpu.device_type == DeviceType::Integrated);
    if no_memory_figures || named || integrated { GpuKind::Unified } else { GpuKind::Discrete }
}

fn amd(adapter: &Adapter<'_>) -> GpuKind {
    let device = adapter.ids.filter(|ids| ids.vendor == AMD).map(|ids| ids.device);
    let card = adapter.sysfs.as_ref();
    let halo_name = adapter.names().any(|name| {
        let name = name.to_lowercase();
        name.contains("8060s") || name.contains("8050s") || name.contains("8040s") || name.contains("gfx1151")
    });
    if device == Some(STRIX_HALO) || card.is_some_and(|card| card.gfx == Some((11, 5, 1))) || halo_name {
        return GpuKind::Unified;
    }
    let by_name = adapter.names().any(|name| {
        let name = name.replace("(TM)", "");
        name.contains("Radeon Graphics")
            // "Vega M" is a separate chip with dedicated memory next to an Intel processor.
            || (name.contains("Vega") && name.contains("Graphics") && !name.contains("Vega M"))
            || (name.ends_with("M Graphics") && name.contains("Radeon"))
            || names_number_with_m(&name)
    });
    let integrated = adapter.wgpu().any(|gpu| gpu.device_type == DeviceType::Integrated)
        || card.is_some_and(|card| card.apu)
        || device.is_some_and(|device| AMD_APUS.contains(&device))
        || by_name;
    if integrated { GpuKind::Integrated } else { GpuKind::Discrete }
}

/// Whether a name is of integrated graphics, with three digits and an M directly after "Radeon": `AMD Radeon 780M`.
/// Laptop cards are `RX 6600M`.
fn names_number_with_m(name: &str) -> bool {
    let mut words = name.split_whitespace().skip_while(|word| *word != "Radeon").skip(1);
    words.next().is_some_and(|word| {
        word.strip_suffix('M').is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn intel(adapter: &Adapter<'_>) -> GpuKind {
    let card = adapter.ids.is_some_and(is_intel_card);
    let named = adapter.names().any(names_arc_card);
    let discrete = adapter.wgpu().any(|gpu| gpu.device_type == DeviceType::Discrete);
    if card || named || discrete { GpuKind::Discrete } else { GpuKind::Integrated }
}

/// DG1, Alchemist and Battlemage (Linux, include/drm/intel/pciids.h).
pub fn is_intel_card(ids: PciIds) -> bool {
    ids.vendor == INTEL
        && matches!(ids.device, 0x4905..=0x4909 | 0x4f80..=0x4f88 | 0x5690..=0x56c2 | 0xe202..=0xe223)
}

/// Whether it is Intel's integrated graphics, for which files under `/sys` are enough.
pub fn is_intel_integrated(ids: PciIds) -> bool {
    ids.vendor == INTEL && !is_intel_card(ids)
}

/// `Arc A770`, `Arc(TM) B580`, `Arc Pro A60` are cards; `Arc Graphics`, `Arc 140V` are inside processors.
fn names_arc_card(name: &str) -> bool {
    let name = name.replace("(TM)", "").replace("(tm)", "").replace("(R)", "");
    let mut words =
        name.split_whitespace().skip_while(|word| *word != "Arc").skip(1).filter(|word| *word != "Pro");
    words.next().is_some_and(|word| {
        word.strip_prefix(['A', 'B'])
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.len() >= 2)
    })
}

fn other(adapter: &Adapter<'_>) -> GpuKind {
    let console = adapter.ids.is_some_and(|ids| CONSOLE_VENDORS.contains(&ids.vendor));
    let discrete = adapter.wgpu().any(|gpu| gpu.device_type == DeviceType::Discrete);
    if discrete && !console { GpuKind::Discrete } else { GpuKind::Integrated }
}

/// PCI vendor IDs of NVIDIA and AMD, for finding cards without a driver.
pub fn is_nvidia(adapter: &Adapter<'_>) -> bool {
    adapter.ids.is_some_and(|ids| ids.vendor == NVIDIA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arc_cards_are_distinguished_from_integrated_arc_graphics() {
        for name in ["Intel(R) Arc(TM) A770 Graphics", "Intel Arc B580", "Intel(R) Arc(TM) Pro A60 Graphics"]
        {
            assert!(names_arc_card(name), "{name}");
        }
        for name in
            ["Intel(R) Arc(TM) Graphics", "Intel Arc Graphics 140V", "Intel Arc 130T", "Intel(R) UHD 770"]
        {
            assert!(!names_arc_card(name), "{name}");
        }
    }

    #[test]
    fn integrated_radeons_are_distinguished_from_laptop_cards() {
        assert!(names_number_with_m("AMD Radeon 780M"));
        assert!(names_number_with_m("AMD Radeon 890M Graphics"));
        assert!(!names_number_with_m("AMD Radeon RX 6600M"));
        assert!(!names_number_with_m("AMD Radeon HD 7970M"));
    }

    /// Answers of Wine 8 on a machine without a graphics card: a GeForce with all of the main memory.
    #[test]
    fn an_adapter_emulated_by_wine_is_software() {
        use crate::hardware::evidence::{
            DxgiAdapter, DxgiMemory, GraphicsInterface, SourceAnswer, WgpuAdapter,
        };
        let memory = DxgiMemory { dedicated_video_bytes: 25_275_924_480, ..DxgiMemory::default() };
        let emulated = DxgiAdapter {
            name: "NVIDIA GeForce GTX 470".to_owned(),
            vendor_id: 0x10de,
            device_id: 0x06cd,
            memory,
            ..DxgiAdapter::default()
        };
        let dx12 = WgpuAdapter {
            interface: GraphicsInterface::Dx12,
            name: emulated.name.clone(),
            vendor_id: 0x10de,
            device_id: 0x06cd,
            device_type: DeviceType::Integrated,
            dxgi: Some(memory),
            ..WgpuAdapter::default()
        };
        let mut evidence = Evidence {
            wine: true,
            dxgi: SourceAnswer::Answered(vec![emulated]),
            wgpu: SourceAnswer::Answered(vec![dx12.clone()]),
            ..Evidence::default()
        };
        let kinds = |evidence: &Evidence| -> Vec<GpuKind> {
            crate::hardware::merge::merge(evidence).gpus.iter().map(|gpu| gpu.kind).collect()
        };
        assert_eq!(kinds(&evidence), [GpuKind::Software]);
        // A real card is also listed by Vulkan, which Wine passes through.
        let vulkan = WgpuAdapter {
            interface: GraphicsInterface::Vulkan,
            device_type: DeviceType::Discrete,
            ..dx12.clone()
        };
        evidence.wgpu =
            SourceAnswer::Answered(vec![WgpuAdapter { device_type: DeviceType::Discrete, ..dx12 }, vulkan]);
        assert_eq!(kinds(&evidence), [GpuKind::Discrete]);
    }

    #[test]
    fn a_chip_without_nvmls_memory_query_is_unified() {
        use crate::hardware::evidence::{NvmlAnswer, NvmlDevice, SourceAnswer};
        let kind_after = |error| {
            let name = "NVIDIA N1X".to_owned();
            let device = NvmlDevice { name, memory_error: Some(error), ..NvmlDevice::default() };
            let nvml = SourceAnswer::Answered(NvmlAnswer { devices: vec![device], ..NvmlAnswer::default() });
            crate::hardware::merge::merge(&Evidence { nvml, ..Evidence::default() }).gpus[0].kind
        };
        assert_eq!(kind_after(NvmlQueryError::NotSupported), GpuKind::Unified);
        let message = "device fell off the bus".into();
        assert_eq!(kind_after(NvmlQueryError::Other { message }), GpuKind::Discrete);
    }
}
