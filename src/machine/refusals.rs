//! What Ollama leaves out or will not run on, as far as the hardware document tells (docs/gpu.mdx, docs/macos.mdx and
//! docs/windows.mdx of Ollama 0.32; the drivers' minimum is in its discover/cuda_compat.go).

use crate::machine::{Blocked, ComputeCapability, Gpu, GpuKind, Hardware, Note, Os};

/// The lowest driver that Ollama's CUDA libraries work with.
const MIN_NVIDIA_DRIVER: u32 = 550;
/// The same for compute capability 5.0 to 6.2.
const MIN_NVIDIA_DRIVER_OLD_CARDS: u32 = 570;
const NEWEST_OLD_CARD: ComputeCapability = ComputeCapability::new(6, 2);
const MIN_MACOS: u32 = 14;
/// Windows 10 22H2.
const MIN_WINDOWS_BUILD: u32 = 19_045;

impl Blocked {
    /// Its name in documents, which is the code of its note, too.
    pub fn code(self) -> &'static str {
        match self {
            Self::CapabilityTooLow => "capability_too_low",
            Self::NvidiaDriverMissing => "nvidia_driver_missing",
            Self::NvidiaDriverTooOld => "nvidia_driver_too_old",
            Self::GpuPassedThrough => "gpu_passed_through",
            Self::GpuDenied => "gpu_denied",
            Self::GpuUnreachable => "gpu_unreachable",
        }
    }
}

impl Gpu {
    /// Why Ollama leaves it out, and what to do about it.
    pub fn blocked_note(&self) -> Option<Note> {
        let blocked = self.blocked?;
        let needed = needed_driver(self.compute_capability).to_string();
        let driver = self.driver_version.as_deref().unwrap_or_default();
        let capability = self.compute_capability.map(|known| known.to_string()).unwrap_or_default();
        let gpu = ("gpu", self.name.as_str());
        Some(match blocked {
            Blocked::NvidiaDriverTooOld => {
                Note::new(blocked.code(), &[gpu, ("driver", driver), ("needed", &needed)])
            }
            Blocked::CapabilityTooLow => Note::new(blocked.code(), &[gpu, ("capability", &capability)]),
            Blocked::GpuUnreachable => {
                let vendor = self.vendor.as_deref().unwrap_or_default();
                Note::new(blocked.code(), &[gpu, ("vendor", vendor)])
            }
            Blocked::NvidiaDriverMissing | Blocked::GpuPassedThrough | Blocked::GpuDenied => {
                Note::new(blocked.code(), &[gpu])
            }
        })
    }

    /// Whether Ollama's libraries are built for it, as far as it is known.
    pub(crate) fn capability_is_enough(&self) -> bool {
        self.compute_capability.is_none_or(ComputeCapability::is_supported)
    }

    /// Whether its NVIDIA driver is new enough, as far as it is known. The drivers of boards that share the memory are
    /// numbered on their own and come with the board's system.
    pub(crate) fn driver_is_enough(&self) -> bool {
        let driver = self.driver_version.as_deref().and_then(first_number);
        self.kind == GpuKind::Unified
            || driver.is_none_or(|driver| driver >= needed_driver(self.compute_capability))
    }

    /// Whether flash attention works on it, as far as it is known.
    pub(crate) fn has_flash_attention(&self) -> bool {
        self.compute_capability.is_none_or(ComputeCapability::has_flash_attention)
    }
}

fn needed_driver(capability: Option<ComputeCapability>) -> u32 {
    match capability {
        Some(capability) if capability <= NEWEST_OLD_CARD => MIN_NVIDIA_DRIVER_OLD_CARDS,
        _ => MIN_NVIDIA_DRIVER,
    }
}

impl Hardware {
    /// That Ollama does not run on this system at all, and what to do about it.
    pub fn system_too_old(&self) -> Option<Note> {
        self.os.too_old()
    }
}

impl Os {
    /// See [`Hardware::system_too_old`].
    pub(crate) fn too_old(&self) -> Option<Note> {
        let version = self.version.as_deref().unwrap_or_default();
        match self.name.as_deref() {
            Some("macos") if first_number(version).is_some_and(|major| major < MIN_MACOS) => {
                Some(Note::new("macos_too_old", &[("version", version)]))
            }
            Some("windows") if windows_build(version).is_some_and(|build| build < MIN_WINDOWS_BUILD) => {
                Some(Note::new("windows_too_old", &[("version", version)]))
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
    fn versions_are_read() {
        assert_eq!(first_number("550.54.14"), Some(550));
        assert_eq!(first_number("14.5"), Some(14));
        assert_eq!(first_number(""), None);
        assert_eq!(windows_build("10.0.19045"), Some(19_045));
        assert_eq!(windows_build("11"), None);
    }

    #[test]
    fn systems_that_ollama_does_not_run_on_are_named() {
        for (name, version, code) in [
            ("macos", "13.6.1", Some("macos_too_old")),
            ("macos", "14.0", None),
            ("macos", "26.1", None),
            ("windows", "10.0.19044", Some("windows_too_old")),
            ("windows", "10.0.19045", None),
            ("windows", "10.0.26100", None),
            ("linux", "5", None),
        ] {
            let os = Os { name: Some(name.to_owned()), version: Some(version.to_owned()), arch: None };
            assert_eq!(os.too_old().map(|note| note.code).as_deref(), code, "{name} {version}");
        }
        assert_eq!(Os::default().too_old(), None);
    }

    #[test]
    fn older_cards_need_a_newer_driver() {
        let json = r#"{"name": "GTX 1080", "kind": "discrete", "vram_total_bytes": null}"#;
        let card = |driver: &str, capability: &str| Gpu {
            driver_version: Some(driver.to_owned()),
            compute_capability: Some(capability.parse().unwrap()),
            ..serde_json::from_str(json).unwrap()
        };
        assert!(!card("560.35.03", "6.1").driver_is_enough());
        assert!(card("570.86.16", "6.1").driver_is_enough());
        assert!(card("560.35.03", "8.6").driver_is_enough());
        assert!(!card("535.129.03", "8.6").driver_is_enough());
        assert!(!card("580.0", "3.7").capability_is_enough());
        assert!(!card("580.0", "5.2").has_flash_attention() && card("580.0", "6.1").has_flash_attention());
    }
}
