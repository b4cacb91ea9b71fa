//! Sentences about findings: what was found, what it means, what to do.

use crate::machine::{EngineRefusal, Finding, GpuSource, SourceFailure, TimedSearch};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// Label and address of a link.
pub type Link = (String, &'static str);

const NVIDIA_DRIVERS: &str = "https://www.nvidia.com/drivers";
const AMD_DRIVERS: &str = "https://www.amd.com/en/support/download/drivers.html";
const INTEL_DRIVERS: &str = "https://www.intel.com/content/www/us/en/download-center/home.html";
const CUDA_GPUS: &str = "https://developer.nvidia.com/cuda-gpus";
const OLLAMA_GPUS: &str = "https://docs.ollama.com/gpu";
const OLLAMA_RELEASES: &str = "https://github.com/ollama/ollama/releases";
const MACOS: &str = "https://support.apple.com/macos";
const WINDOWS: &str = "https://www.microsoft.com/software-download";

impl Finding {
    /// One or two sentences; for an [`OtherFinding`] its own text.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::SourceFailed { source: GpuSource::Nvml, cause: SourceFailure::GpuLost } => {
                say!(text, "hardware-nvml-gpu-lost")
            }
            Self::SourceFailed { source: GpuSource::Nvml, cause: SourceFailure::DriverUpdated } => {
                say!(text, "hardware-nvml-mismatch")
            }
            Self::SourceFailed { source: GpuSource::Nvml, cause: SourceFailure::NoPermission } => {
                say!(text, "hardware-nvml-denied")
            }
            Self::SourceFailed { source: GpuSource::Nvml, cause: SourceFailure::UnknownDriverError } => {
                say!(text, "hardware-nvml-unknown-error")
            }
            Self::SourceFailed { source: GpuSource::Nvml, cause: SourceFailure::DriverNotLoaded } => {
                say!(text, "hardware-nvml-not-loaded")
            }
            Self::SourceFailed { source: GpuSource::Nvml, cause: SourceFailure::LibraryNotFound } => {
                say!(text, "hardware-nvml-library-not-found")
            }
            Self::SourceFailed { source, cause } => {
                let source = match source {
                    GpuSource::Nvml => say!(text, "hardware-source-nvml"),
                    GpuSource::Wgpu => say!(text, "hardware-source-wgpu"),
                    GpuSource::Dxgi => say!(text, "hardware-source-dxgi"),
                    GpuSource::Sysinfo => say!(text, "hardware-source-sysinfo"),
                };
                say!(text, "hardware-source-failed", source = source, why = cause.explain(text))
            }
            Self::SourceLate { source } => match source {
                TimedSearch::Disks => say!(text, "hardware-late-disks"),
                TimedSearch::Models => say!(text, "hardware-late-models"),
                TimedSearch::Engines => say!(text, "hardware-late-engines"),
            },
            Self::SoftwareAdapter { gpu } => say!(text, "hardware-software-adapter", gpu = gpu.as_str()),
            Self::IntegratedDropped { gpu } => say!(text, "hardware-integrated-dropped", gpu = gpu.as_str()),
            Self::UnifiedMemory { gpu } => say!(text, "hardware-unified-memory", gpu = gpu.as_str()),
            Self::MigEnabled { gpu } => say!(text, "hardware-mig-enabled", gpu = gpu.as_str()),
            Self::VgpuShared { gpu } => say!(text, "hardware-vgpu-shared", gpu = gpu.as_str()),
            Self::ArithmeticCut { gpu, percent } => say!(
                text,
                "plan-reason-arithmetic-cut",
                gpu = gpu.as_str(),
                share = text.percent(f64::from(*percent) / 100.0),
            ),
            Self::DriverKnownToFail { gpu, driver, fails, works } => say!(
                text,
                "hardware-driver-known-to-fail",
                gpu = gpu.as_str(),
                driver = driver.as_str(),
                fails = fails.title(),
                works = works.title(),
            ),
            Self::VramUnreadable { gpu } => say!(text, "hardware-vram-unreadable", gpu = gpu.as_str()),
            Self::CardLost { place, of } => say!(text, "hardware-card-lost", place = *place, of = *of),
            Self::CardDenied { place, of } => say!(text, "hardware-card-denied", place = *place, of = *of),
            Self::CardFails { place, of } => say!(text, "hardware-card-fails", place = *place, of = *of),
            Self::VariableInvalid { setting, entry } => {
                say!(text, "hardware-variable-invalid", setting = setting.as_str(), entry = entry.as_str(),)
            }
            Self::GpuAsleep { gpu } => say!(text, "hardware-gpu-asleep", gpu = gpu.as_str()),
            Self::RocmPackage { gpu } => say!(text, "hardware-rocm-package", gpu = gpu.as_str()),
            Self::RocmNeeded { gpu } => say!(text, "hardware-rocm-needed", gpu = gpu.as_str()),
            Self::NoFlashAttention { gpu, capability } => say!(
                text,
                "hardware-no-flash-attention",
                gpu = gpu.as_str(),
                capability = capability.to_string(),
            ),
            Self::VramHeld { gpu, program, bytes } => say!(
                text,
                "hardware-vram-held",
                gpu = gpu.as_str(),
                program = program.as_str(),
                bytes = text.memory(*bytes),
            ),
            Self::ModelLoaded { model, port, bytes } => say!(
                text,
                "hardware-model-loaded",
                model = model.as_str(),
                port = port.to_string(),
                bytes = text.memory(*bytes),
            ),
            Self::MemoryLimited { limit_bytes, total_bytes } => say!(
                text,
                "hardware-memory-limited",
                limit = text.memory(*limit_bytes),
                total = text.memory(*total_bytes),
            ),
            Self::OnBattery => say!(text, "hardware-on-battery"),
            Self::PowerSaving => say!(text, "hardware-power-saving"),
            Self::EngineExposed { port } => say!(text, "hardware-engine-exposed", port = port.to_string()),
            Self::Refusal(refusal) => refusal.explain(text),
            Self::Other(other) if other.text.is_empty() => UntrustedText::new(&other.code).into(),
            Self::Other(other) => other.text.to_string(),
        }
    }

    /// Link to the download it asks for, if any.
    pub fn link(&self, text: Text) -> Option<Link> {
        Some(match self {
            Self::Refusal(refusal) => return refusal.link(text),
            Self::SourceFailed {
                source: GpuSource::Nvml,
                cause:
                    SourceFailure::GpuLost
                    | SourceFailure::DriverUpdated
                    | SourceFailure::NoPermission
                    | SourceFailure::UnknownDriverError,
            } => return None,
            Self::SourceFailed { source: GpuSource::Nvml, .. } => {
                (say!(text, "hardware-link-nvidia"), NVIDIA_DRIVERS)
            }
            Self::NoFlashAttention { .. } => (say!(text, "hardware-link-cuda-gpus"), CUDA_GPUS),
            Self::IntegratedDropped { .. } => (say!(text, "hardware-link-ollama-gpus"), OLLAMA_GPUS),
            Self::RocmPackage { .. } | Self::RocmNeeded { .. } => {
                (say!(text, "hardware-link-ollama-releases"), OLLAMA_RELEASES)
            }
            _ => return None,
        })
    }
}

impl EngineRefusal {
    /// One or two sentences.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::NvidiaDriverMissing { gpu } => {
                say!(text, "hardware-nvidia-driver-missing", gpu = gpu.as_str())
            }
            Self::NvidiaDriverTooOld { gpu, driver, needed } => say!(
                text,
                "hardware-nvidia-driver-too-old",
                gpu = gpu.as_str(),
                driver = driver.as_str(),
                needed = needed.to_string(),
            ),
            Self::CapabilityTooLow { gpu, capability } => say!(
                text,
                "hardware-capability-too-low",
                gpu = gpu.as_str(),
                capability = capability.map_or_else(|| "?".to_owned(), |known| known.to_string()),
            ),
            Self::GpuPassedThrough { gpu } => say!(text, "hardware-gpu-passed-through", gpu = gpu.as_str()),
            Self::GpuDenied { gpu } => say!(text, "hardware-gpu-denied", gpu = gpu.as_str()),
            Self::GpuUnreachable { gpu, .. } => say!(text, "hardware-gpu-unreachable", gpu = gpu.as_str()),
            Self::VgpuWithoutCompute { gpu } => {
                say!(text, "hardware-vgpu-without-compute", gpu = gpu.as_str())
            }
            Self::HiddenByVariable { gpu, setting } => {
                say!(text, "hardware-hidden-by-variable", gpu = gpu.as_str(), setting = setting.as_str(),)
            }
            Self::NoMigSlice { gpu } => say!(text, "hardware-no-mig-slice", gpu = gpu.as_str()),
            Self::GpuLost { gpu } => say!(text, "hardware-gpu-lost", gpu = gpu.as_str()),
            Self::NvidiaDriverMismatch { gpu } => {
                say!(text, "hardware-nvidia-driver-mismatch", gpu = gpu.as_str())
            }
            Self::NvidiaDriverDenied { gpu } => {
                say!(text, "hardware-nvidia-driver-denied", gpu = gpu.as_str())
            }
            Self::NvidiaDriverFails { gpu } => say!(text, "hardware-nvidia-driver-fails", gpu = gpu.as_str()),
            Self::MacosTooOld { version } => {
                say!(text, "hardware-macos-too-old", version = version.as_str())
            }
            Self::WindowsTooOld { version } => {
                say!(text, "hardware-windows-too-old", version = version.as_str())
            }
        }
    }

    /// A short title, for tables.
    pub fn title(&self, text: Text) -> String {
        match self {
            Self::NvidiaDriverMissing { .. } => say!(text, "hardware-nvidia-driver-missing-title"),
            Self::NvidiaDriverTooOld { .. } => say!(text, "hardware-nvidia-driver-too-old-title"),
            Self::CapabilityTooLow { .. } => say!(text, "hardware-capability-too-low-title"),
            Self::GpuPassedThrough { .. } => say!(text, "hardware-gpu-passed-through-title"),
            Self::GpuDenied { .. } => say!(text, "hardware-gpu-denied-title"),
            Self::GpuUnreachable { .. } => say!(text, "hardware-gpu-unreachable-title"),
            Self::VgpuWithoutCompute { .. } => say!(text, "hardware-vgpu-without-compute-title"),
            Self::HiddenByVariable { .. } => say!(text, "hardware-hidden-by-variable-title"),
            Self::NoMigSlice { .. } => say!(text, "hardware-no-mig-slice-title"),
            Self::GpuLost { .. } => say!(text, "hardware-gpu-lost-title"),
            Self::NvidiaDriverMismatch { .. } => say!(text, "hardware-nvidia-driver-mismatch-title"),
            Self::NvidiaDriverDenied { .. } => say!(text, "hardware-nvidia-driver-denied-title"),
            Self::NvidiaDriverFails { .. } => say!(text, "hardware-nvidia-driver-fails-title"),
            Self::MacosTooOld { .. } | Self::WindowsTooOld { .. } => {
                say!(text, "hardware-system-too-old-title")
            }
        }
    }

    /// Link to the download it asks for, if any.
    pub fn link(&self, text: Text) -> Option<Link> {
        Some(match self {
            Self::NvidiaDriverMissing { .. } | Self::NvidiaDriverTooOld { .. } => {
                (say!(text, "hardware-link-nvidia"), NVIDIA_DRIVERS)
            }
            Self::CapabilityTooLow { .. } => (say!(text, "hardware-link-cuda-gpus"), CUDA_GPUS),
            Self::GpuUnreachable { vendor: Some(vendor), .. } if vendor == "intel" => {
                (say!(text, "hardware-link-intel"), INTEL_DRIVERS)
            }
            Self::GpuUnreachable { .. } => (say!(text, "hardware-link-amd"), AMD_DRIVERS),
            Self::MacosTooOld { .. } => (say!(text, "hardware-link-macos"), MACOS),
            Self::WindowsTooOld { .. } => (say!(text, "hardware-link-windows"), WINDOWS),
            Self::GpuPassedThrough { .. }
            | Self::GpuDenied { .. }
            | Self::VgpuWithoutCompute { .. }
            | Self::HiddenByVariable { .. }
            | Self::NoMigSlice { .. }
            | Self::GpuLost { .. }
            | Self::NvidiaDriverMismatch { .. }
            | Self::NvidiaDriverDenied { .. }
            | Self::NvidiaDriverFails { .. } => return None,
        })
    }
}

impl SourceFailure {
    /// A clause without a full stop, with the message of the driver or the system if there is one.
    pub fn explain(&self, text: Text) -> String {
        let (clause, message) = match self {
            Self::Timeout { seconds } => {
                (say!(text, "hardware-why-silent", seconds = seconds.to_string()), "")
            }
            Self::Crashed { status, message } => {
                (say!(text, "hardware-why-crashed", status = status.as_str()), message.as_str())
            }
            Self::EndedWithoutAnswer { message } => (say!(text, "hardware-why-ended"), message.as_str()),
            Self::NotStarted { message } => (say!(text, "hardware-why-not-started"), message.as_str()),
            Self::InvalidAnswer { message } => (say!(text, "hardware-why-invalid-answer"), message.as_str()),
            Self::NotALibrary { message } => (say!(text, "hardware-why-no-nvml"), message.as_str()),
            Self::DriverNotLoaded => (say!(text, "hardware-why-not-loaded"), ""),
            Self::GpuLost => (say!(text, "hardware-why-gpu-lost"), ""),
            Self::UnknownDriverError => (say!(text, "hardware-why-unknown-error"), ""),
            Self::LibraryNotFound => (say!(text, "hardware-why-library-not-found"), ""),
            Self::DriverUpdated => (say!(text, "hardware-why-updated"), ""),
            Self::NoPermission => (say!(text, "hardware-why-no-permission"), ""),
            Self::Other { message } => return message.to_string(),
        };
        if message.is_empty() { clause } else { format!("{clause}: {message}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{ComputeCapability, OtherFinding};
    use crate::text::Language;

    #[test]
    fn findings_that_need_a_download_have_a_link() {
        let gpu = || "Some card".to_owned();
        let capability = ComputeCapability::new(3, 7);
        let version = || "13.1".to_owned();
        let unreachable =
            |vendor: &str| EngineRefusal::GpuUnreachable { gpu: gpu().into(), vendor: Some(vendor.into()) };
        let driver = "470.57".to_owned();
        let refusals = [
            (EngineRefusal::NvidiaDriverMissing { gpu: gpu().into() }, "www.nvidia.com"),
            (
                EngineRefusal::NvidiaDriverTooOld { gpu: gpu().into(), driver: driver.into(), needed: 550 },
                "www.nvidia.com",
            ),
            (
                EngineRefusal::CapabilityTooLow { gpu: gpu().into(), capability: Some(capability) },
                "developer.nvidia.com",
            ),
            (unreachable("amd"), "www.amd.com"),
            (unreachable("intel"), "www.intel.com"),
            (EngineRefusal::MacosTooOld { version: version().into() }, "support.apple.com"),
            (EngineRefusal::WindowsTooOld { version: version().into() }, "www.microsoft.com"),
        ];
        let findings = [
            (Finding::NoFlashAttention { gpu: gpu().into(), capability }, "developer.nvidia.com"),
            (Finding::IntegratedDropped { gpu: gpu().into() }, "docs.ollama.com"),
            (Finding::RocmPackage { gpu: gpu().into() }, "github.com"),
            (Finding::RocmNeeded { gpu: gpu().into() }, "github.com"),
        ];
        for language in Language::ALL {
            let text = Text::new(language);
            for (refusal, _) in &refusals {
                assert!(!refusal.title(text).contains("hardware-"), "{refusal:?}");
            }
            let refusals = refusals.clone().map(|(refusal, host)| (Finding::Refusal(refusal), host));
            for (finding, host) in refusals.into_iter().chain(findings.clone()) {
                let (words, url) = finding.link(text).unwrap_or_default();
                assert!(url.starts_with(&format!("https://{host}/")), "{finding:?}: {url}");
                assert!(!words.is_empty() && !words.contains("hardware-"), "{finding:?}: {words}");
            }
            assert_eq!(Finding::OnBattery.link(text), None);
        }
    }

    #[test]
    fn a_source_failure_is_explained_in_the_language_of_the_user() {
        let spanish = |cause: SourceFailure| {
            Finding::SourceFailed { source: GpuSource::Nvml, cause }.explain(Text::new(Language::Spanish))
        };
        let silent = spanish(SourceFailure::Timeout { seconds: 10.0 });
        assert!(silent.contains("sin respuesta en 10\u{a0}s"), "{silent}");
        let (status, message) = ("signal: 11".to_owned(), "segfault".to_owned());
        let crashed = spanish(SourceFailure::Crashed { status: status.into(), message: message.into() });
        assert!(crashed.contains("(signal: 11): segfault"), "{crashed}");
        assert!(!spanish(SourceFailure::DriverNotLoaded).contains("not loaded"));
        let unknown = spanish(SourceFailure::Other { message: "something new".into() });
        assert!(unknown.contains("something new"), "{unknown}");
    }

    #[test]
    fn a_finding_of_another_origin_keeps_its_own_text() {
        let text = Text::new(Language::Spanish);
        let other = |words: &str| {
            Finding::Other(OtherFinding { code: "note".into(), text: words.into(), ..Default::default() })
        };
        assert_eq!(other("By hand.").explain(text), "By hand.");
        assert_eq!(other("").explain(text), "note");
    }
}
