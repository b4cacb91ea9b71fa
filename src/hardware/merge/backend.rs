//! The backend that Ollama will use on an adapter (docs/gpu.mdx of Ollama 0.32).

use super::identity::Adapter;
use crate::hardware::evidence::{Access, Evidence};
use crate::machine::{ComputeCapability, GpuBackend, GpuKind};

/// Instruction sets that Ollama's ROCm package on Linux is built for.
const ROCM_LINUX: &[(u32, u32, u32)] = &[
    (9, 0, 8),
    (9, 0, 10),
    (9, 4, 2),
    (9, 5, 0),
    (10, 1, 0),
    (10, 1, 2),
    (10, 3, 0),
    (11, 0, 0),
    (11, 0, 1),
    (11, 0, 2),
    (11, 0, 3),
    (11, 5, 0),
    (11, 5, 1),
    (12, 0, 0),
    (12, 0, 1),
];
/// Words in the names of supported cards, for when the instruction set is unknown.
const ROCM_NAMES: &[&str] = &[
    "7900", "7800", "7700", "7600", "6950", "6900", "6800", "w7900", "w7800", "w7700", "w7600", "w7500",
    "w6900x", "w6800x", "w6800", "v620", "8060s", "8050s",
];
/// The same, on Linux only.
const ROCM_NAMES_LINUX: &[&str] = &[
    "9070", "9060", "r9700", "5700", "5600", "5500", "mi350x", "mi300x", "mi300a", "mi250x", "mi250",
    "mi210", "mi100",
];

/// The backend, if Ollama has one for this adapter. `name` is its name in the document.
pub fn backend(
    adapter: &Adapter<'_>,
    name: &str,
    kind: GpuKind,
    vendor: Option<&str>,
    evidence: &Evidence,
) -> Option<GpuBackend> {
    let os = evidence.os.name.as_deref();
    let access = evidence.render_access;
    match kind {
        GpuKind::Software | GpuKind::Virtual => return None,
        GpuKind::Discrete | GpuKind::Integrated | GpuKind::Unified => {}
    }
    // ROCm and Vulkan reach a card through these devices; NVIDIA has its own.
    let unreachable = matches!(access, Some(Access::Absent | Access::Denied));
    if unreachable && vendor != Some("nvidia") {
        return None;
    }
    // The card belongs to a virtual machine.
    if adapter.sysfs.as_ref().is_some_and(|card| card.driver.as_deref() == Some("vfio-pci")) {
        return None;
    }
    if os == Some("macos") {
        // On Intel Macs Ollama computes on the processor only.
        return (kind == GpuKind::Unified).then_some(GpuBackend::Metal);
    }
    match vendor {
        Some("nvidia") => match adapter.nvml {
            Some(gpu) => {
                gpu.compute_capability.is_none_or(ComputeCapability::is_supported).then_some(GpuBackend::Cuda)
            }
            // Without NVIDIA's own driver, Ollama can use the open one (NVK) through Vulkan.
            None if adapter.vulkan.is_some() => Some(GpuBackend::Vulkan),
            None => (kind == GpuKind::Unified).then_some(GpuBackend::Cuda),
        },
        Some("amd") if rocm(adapter, name, os) => Some(GpuBackend::Rocm),
        // Management chips of servers and unknown chips have no graphics interface.
        Some("amd" | "intel") => Some(GpuBackend::Vulkan),
        _ => adapter.vulkan.map(|_| GpuBackend::Vulkan),
    }
}

fn rocm(adapter: &Adapter<'_>, name: &str, os: Option<&str>) -> bool {
    let linux = os == Some("linux");
    if linux && let Some(gfx) = adapter.sysfs.as_ref().and_then(|card| card.gfx) {
        return ROCM_LINUX.contains(&gfx);
    }
    let lists: &[&[&str]] = if linux { &[ROCM_NAMES, ROCM_NAMES_LINUX] } else { &[ROCM_NAMES] };
    adapter.names().chain([name]).any(|name| {
        let name = name.to_lowercase();
        // Radeon HD cards of the same number are ten years older.
        let is_hd = name.contains("radeon hd") || name.contains("radeon(tm) hd");
        // Laptop cards with the same number have a different chip.
        !is_hd
            && name
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| lists.iter().any(|list| list.contains(&word)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::evidence::{GraphicsInterface, NvmlDevice, WgpuAdapter};
    use crate::machine::Os;

    fn running(os: &str) -> Evidence {
        Evidence { os: Os { name: Some(os.into()), ..Os::default() }, ..Evidence::default() }
    }

    fn named(name: &str) -> WgpuAdapter {
        WgpuAdapter { interface: GraphicsInterface::Vulkan, name: name.to_owned(), ..WgpuAdapter::default() }
    }

    #[test]
    fn amd_cards_use_rocm_where_ollama_has_it() {
        for (name, os, expected) in [
            ("AMD Radeon RX 7900 XTX (RADV NAVI31)", "linux", GpuBackend::Rocm),
            ("AMD Radeon RX 7900 XTX", "windows", GpuBackend::Rocm),
            ("AMD Radeon RX 5700 XT (RADV NAVI10)", "linux", GpuBackend::Rocm),
            ("AMD Radeon RX 5700 XT", "windows", GpuBackend::Vulkan),
            ("AMD Radeon RX 580 Series (RADV POLARIS10)", "linux", GpuBackend::Vulkan),
            ("AMD Radeon RX 6600 XT", "linux", GpuBackend::Vulkan),
            ("AMD Radeon RX 6800M", "windows", GpuBackend::Vulkan),
            ("AMD Radeon HD 7700 Series", "windows", GpuBackend::Vulkan),
            ("AMD Radeon HD 6800 Series", "linux", GpuBackend::Vulkan),
        ] {
            let vulkan = named(name);
            let adapter = Adapter { vulkan: Some(&vulkan), ..Adapter::default() };
            assert_eq!(
                backend(&adapter, name, GpuKind::Discrete, Some("amd"), &running(os)),
                Some(expected),
                "{name} on {os}"
            );
        }
    }

    #[test]
    fn nvidia_cards_below_capability_5_have_no_backend() {
        for ((major, minor), expected) in
            [((3, 5), None), ((5, 0), Some(GpuBackend::Cuda)), ((12, 0), Some(GpuBackend::Cuda))]
        {
            let nvml = NvmlDevice {
                compute_capability: Some(ComputeCapability::new(major, minor)),
                ..NvmlDevice::default()
            };
            let adapter = Adapter { nvml: Some(&nvml), ..Adapter::default() };
            assert_eq!(backend(&adapter, "", GpuKind::Discrete, Some("nvidia"), &running("linux")), expected);
        }
    }

    /// NVML says that all is well, but the engine finds no CUDA device with this driver.
    #[test]
    fn a_driver_that_is_known_to_fail_leads_to_vulkan() {
        use crate::hardware::evidence::{NvmlAnswer, SourceAnswer};
        use crate::machine::Finding;
        for (driver, os, expected) in [
            ("616.92", "windows", GpuBackend::Vulkan),
            ("617.10", "windows", GpuBackend::Cuda),
            ("616.92", "linux", GpuBackend::Cuda),
        ] {
            let device = NvmlDevice {
                name: "NVIDIA GeForce RTX 5080".to_owned(),
                memory_total_bytes: Some(16 << 30),
                memory_free_bytes: Some(15 << 30),
                compute_capability: Some(ComputeCapability::new(12, 0)),
                ..NvmlDevice::default()
            };
            let driver_version = Some(driver.to_owned());
            let nvml = NvmlAnswer { devices: vec![device], driver_version, ..NvmlAnswer::default() };
            let evidence = Evidence { nvml: SourceAnswer::Answered(nvml), ..running(os) };
            let found = crate::hardware::merge::merge(&evidence);
            assert_eq!(found.gpus.first().and_then(|gpu| gpu.backend), Some(expected), "{driver} on {os}");
            assert_eq!(found.usable_gpus().count(), 1);
            let is_said = found.notes.iter().any(|note| matches!(note, Finding::DriverKnownToFail { .. }));
            assert_eq!(is_said, expected == GpuBackend::Vulkan, "{:?}", found.notes);
        }
    }

    #[test]
    fn a_card_that_this_user_cannot_reach_has_no_backend() {
        let vulkan = named("AMD Radeon RX 7900 XTX (RADV NAVI31)");
        let adapter = Adapter { vulkan: Some(&vulkan), ..Adapter::default() };
        for access in [Access::Absent, Access::Denied] {
            let evidence = Evidence { render_access: Some(access), ..running("linux") };
            assert_eq!(backend(&adapter, "", GpuKind::Discrete, Some("amd"), &evidence), None);
        }
    }
}
