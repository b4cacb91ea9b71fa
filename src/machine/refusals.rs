//! Which cards Ollama leaves out and which systems it does not run on, by the hardware document (docs/gpu.mdx,
//! docs/macos.mdx and docs/windows.mdx of Ollama 0.32; minimum drivers: discover/cuda_compat.go).

use crate::machine::{Blocked, ComputeCapability, EngineRefusal, Gpu, GpuKind, Os, gpu_table};

/// The lowest driver that Ollama's CUDA libraries work with.
const MIN_NVIDIA_DRIVER: u32 = 550;
/// The lowest driver for compute capability 5.0 to 6.2.
const MIN_NVIDIA_DRIVER_OLD_CARDS: u32 = 570;
const NEWEST_OLD_CARD: ComputeCapability = ComputeCapability::new(6, 2);
const MIN_MACOS: u32 = 14;
/// Windows 10 22H2.
const MIN_WINDOWS_BUILD: u32 = 19_045;

impl Gpu {
    /// Why Ollama leaves it out although it could hold a model: as detected, else by its name.
    pub fn blocked(&self) -> Option<Blocked> {
        let vendor = self.vendor.as_deref().is_none_or(|vendor| vendor == "nvidia");
        let by_name = || {
            if !vendor || !self.kind.holds_models() {
                return None;
            }
            let too_old = self.compute_capability.is_none() && gpu_table::too_old(&self.name).is_some();
            if too_old || !self.capability_is_enough() {
                return Some(Blocked::CapabilityTooLow);
            }
            gpu_table::is_vgpu_without_compute(&self.name).then_some(Blocked::VgpuWithoutCompute)
        };
        self.blocked.or_else(by_name)
    }

    /// Why Ollama does not use this card, if it does not.
    pub fn refusal(&self) -> Option<EngineRefusal> {
        let gpu = self.name.clone();
        Some(match self.blocked()? {
            Blocked::NvidiaDriverTooOld => EngineRefusal::NvidiaDriverTooOld {
                gpu,
                driver: self.driver_version.clone().unwrap_or_default(),
                needed: needed_driver(self.compute_capability),
            },
            Blocked::CapabilityTooLow => {
                let by_name = || gpu_table::too_old(&self.name).map(|card| card.capability);
                EngineRefusal::CapabilityTooLow { gpu, capability: self.compute_capability.or_else(by_name) }
            }
            Blocked::VgpuWithoutCompute => EngineRefusal::VgpuWithoutCompute { gpu },
            Blocked::HiddenByVariable => {
                let setting = self.sources.get("blocked").cloned().unwrap_or_default();
                EngineRefusal::HiddenByVariable { gpu, setting }
            }
            Blocked::NoMigSlice => EngineRefusal::NoMigSlice { gpu },
            Blocked::GpuLost => EngineRefusal::GpuLost { gpu },
            Blocked::NvidiaDriverMismatch => EngineRefusal::NvidiaDriverMismatch { gpu },
            Blocked::NvidiaDriverDenied => EngineRefusal::NvidiaDriverDenied { gpu },
            Blocked::NvidiaDriverFails => EngineRefusal::NvidiaDriverFails { gpu },
            Blocked::GpuUnreachable => EngineRefusal::GpuUnreachable { gpu, vendor: self.vendor.clone() },
            Blocked::NvidiaDriverMissing => EngineRefusal::NvidiaDriverMissing { gpu },
            Blocked::GpuPassedThrough => EngineRefusal::GpuPassedThrough { gpu },
            Blocked::GpuDenied => EngineRefusal::GpuDenied { gpu },
        })
    }

    /// Whether Ollama's libraries are built for it; true if unknown.
    pub(crate) fn capability_is_enough(&self) -> bool {
        self.compute_capability.is_none_or(ComputeCapability::is_supported)
    }

    /// Whether its NVIDIA driver is new enough; true if unknown. Drivers of boards with shared memory have their own
    /// numbering and come with the board's system.
    pub(crate) fn driver_is_enough(&self) -> bool {
        let driver = self.driver_version.as_deref().and_then(first_number);
        self.kind == GpuKind::Unified
            || driver.is_none_or(|driver| driver >= needed_driver(self.compute_capability))
    }
}

fn needed_driver(capability: Option<ComputeCapability>) -> u32 {
    match capability {
        Some(capability) if capability <= NEWEST_OLD_CARD => MIN_NVIDIA_DRIVER_OLD_CARDS,
        _ => MIN_NVIDIA_DRIVER,
    }
}

impl Os {
    /// Why Ollama does not run on this system at all, if its version is known to be too old.
    pub fn refusal(&self) -> Option<EngineRefusal> {
        let version = self.version.clone().unwrap_or_default();
        match self.name.as_deref() {
            Some("macos") if first_number(&version).is_some_and(|major| major < MIN_MACOS) => {
                Some(EngineRefusal::MacosTooOld { version })
            }
            Some("windows") if windows_build(&version).is_some_and(|build| build < MIN_WINDOWS_BUILD) => {
                Some(EngineRefusal::WindowsTooOld { version })
            }
            _ => None,
        }
    }
}

/// The leading number of a version: `550.54.14` → 550.
fn first_number(version: &str) -> Option<u32> {
    version.trim().split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `10.0.19045` → 19045.
fn windows_build(version: &str) -> Option<u32> {
    version.split('.').nth(2)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_parsed() {
        assert_eq!(first_number("550.54.14"), Some(550));
        assert_eq!(first_number("14.5"), Some(14));
        assert_eq!(first_number(""), None);
        assert_eq!(windows_build("10.0.19045"), Some(19_045));
        assert_eq!(windows_build("11"), None);
    }

    #[test]
    fn systems_that_ollama_does_not_run_on_are_named() {
        for (name, version, refused) in [
            ("macos", "13.6.1", true),
            ("macos", "14.0", false),
            ("macos", "26.1", false),
            ("windows", "10.0.19044", true),
            ("windows", "10.0.19045", false),
            ("windows", "10.0.26100", false),
            ("linux", "5", false),
        ] {
            let os = Os { name: Some(name.into()), version: Some(version.to_owned().into()), arch: None };
            assert_eq!(os.refusal().is_some(), refused, "{name} {version}");
        }
        assert_eq!(Os::default().refusal(), None);
    }

    #[test]
    fn older_cards_need_a_newer_driver() {
        let json = r#"{"name": "GTX 1080", "kind": "discrete", "vram_total_bytes": null}"#;
        let card = |driver: &str, capability: &str| Gpu {
            driver_version: Some(driver.to_owned().into()),
            compute_capability: Some(capability.parse().unwrap()),
            ..serde_json::from_str(json).unwrap()
        };
        assert!(!card("560.35.03", "6.1").driver_is_enough());
        assert!(card("570.86.16", "6.1").driver_is_enough());
        assert!(card("560.35.03", "8.6").driver_is_enough());
        assert!(!card("535.129.03", "8.6").driver_is_enough());
        assert!(!card("580.0", "3.7").capability_is_enough());
    }
}
