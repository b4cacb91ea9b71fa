//! Findings about a machine: sources that did not answer, and what Ollama refuses or does differently on it.
//!
//! In documents a finding is `{code, details}`, printed with a sentence (`text`) that `sentences` adds and that is
//! ignored when read. A plain sentence, or a code of another version, is kept as [`Finding::Other`].

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::source_failure::{GpuSource, SourceFailure, TimedSearch};
use super::{ComputeCapability, GpuBackend};
use crate::untrusted::UntrustedText;

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", content = "details", rename_all = "snake_case")]
pub enum Finding {
    /// A source exists but did not answer.
    SourceFailed {
        /// The driver interface.
        source: GpuSource,
        /// Why.
        #[serde(flatten)]
        cause: SourceFailure,
    },
    /// A search timed out.
    SourceLate {
        /// What was searched.
        source: TimedSearch,
    },
    /// The adapter is a software renderer.
    SoftwareAdapter {
        /// Its name.
        gpu: UntrustedText,
    },
    /// Ollama ignores integrated graphics by default.
    IntegratedDropped {
        /// The adapter's name.
        gpu: UntrustedText,
    },
    /// The adapter shares main memory.
    UnifiedMemory {
        /// Its name.
        gpu: UntrustedText,
    },
    /// The card is divided into MIG slices.
    MigEnabled {
        /// Its name.
        gpu: UntrustedText,
    },
    /// The card is a share of one (vGPU), whose chip other virtual machines use too.
    VgpuShared {
        /// Its name.
        gpu: UntrustedText,
    },
    /// The card is for mining, and its arithmetic is cut.
    ArithmeticCut {
        /// Its name.
        gpu: UntrustedText,
        /// Share of the speed of other cards with its chip, in percent.
        #[serde(deserialize_with = "number")]
        percent: u32,
    },
    /// With its driver, the engine is known not to find the card through one interface.
    DriverKnownToFail {
        /// The card's name.
        gpu: UntrustedText,
        /// The driver's version.
        driver: UntrustedText,
        /// The interface that shows no device.
        fails: GpuBackend,
        /// The interface that the engine uses instead.
        works: GpuBackend,
    },
    /// How much of the card's memory is in use may not be read.
    VramUnreadable {
        /// Its name.
        gpu: UntrustedText,
    },
    /// A card that the NVIDIA driver counts no longer answers.
    CardLost {
        /// Its place among the driver's cards, from 1.
        #[serde(deserialize_with = "number")]
        place: u32,
        /// How many cards the driver counts.
        #[serde(deserialize_with = "number")]
        of: u32,
    },
    /// A card that the NVIDIA driver counts may not be opened.
    CardDenied {
        /// Its place among the driver's cards, from 1.
        #[serde(deserialize_with = "number")]
        place: u32,
        /// How many cards the driver counts.
        #[serde(deserialize_with = "number")]
        of: u32,
    },
    /// A card that the NVIDIA driver counts fails when it is opened.
    CardFails {
        /// Its place among the driver's cards, from 1.
        #[serde(deserialize_with = "number")]
        place: u32,
        /// How many cards the driver counts.
        #[serde(deserialize_with = "number")]
        of: u32,
    },
    /// An environment variable that chooses cards has an entry that is not one of them.
    VariableInvalid {
        /// Name and value of the variable: `CUDA_VISIBLE_DEVICES=0,7`.
        setting: UntrustedText,
        /// The entry.
        entry: UntrustedText,
    },
    /// The card is suspended and was not woken up.
    GpuAsleep {
        /// Its name.
        gpu: UntrustedText,
    },
    /// Ollama's ROCm package is the fastest option for the card.
    RocmPackage {
        /// Its name.
        gpu: UntrustedText,
    },
    /// Without Ollama's ROCm package the adapter is ignored.
    RocmNeeded {
        /// Its name.
        gpu: UntrustedText,
    },
    /// The card cannot run flash attention, so no quantised KV cache.
    NoFlashAttention {
        /// Its name.
        gpu: UntrustedText,
        /// Its CUDA compute capability.
        capability: ComputeCapability,
    },
    /// Another program uses much of the card's memory.
    VramHeld {
        /// The card's name.
        gpu: UntrustedText,
        /// The program's name.
        program: UntrustedText,
        /// Memory it uses, in bytes.
        #[serde(deserialize_with = "number")]
        bytes: u64,
    },
    /// A running Ollama server has a model in graphics memory.
    ModelLoaded {
        /// The model's tag.
        model: UntrustedText,
        /// The server's TCP port.
        #[serde(deserialize_with = "number")]
        port: u16,
        /// Graphics memory it uses, in bytes.
        #[serde(deserialize_with = "number")]
        bytes: u64,
    },
    /// A control group limits main memory.
    MemoryLimited {
        /// The limit in bytes.
        #[serde(deserialize_with = "number")]
        limit_bytes: u64,
        /// The machine's memory in bytes.
        #[serde(deserialize_with = "number")]
        total_bytes: u64,
    },
    /// The machine runs on battery power.
    OnBattery,
    /// A power-saving mode is on.
    PowerSaving,
    /// An Ollama server can be reached from other machines.
    EngineExposed {
        /// Its TCP port.
        #[serde(deserialize_with = "number")]
        port: u16,
    },
    /// Ollama refuses a card or the system.
    #[serde(untagged)]
    Refusal(EngineRefusal),
    /// A plain sentence, or a code unknown to this version.
    #[serde(untagged)]
    Other(OtherFinding),
}

/// Why Ollama leaves out a card, or does not run on the system at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", content = "details", rename_all = "snake_case")]
pub enum EngineRefusal {
    /// No NVIDIA driver responds that Ollama can compute with.
    NvidiaDriverMissing {
        /// The card's name.
        gpu: UntrustedText,
    },
    /// The NVIDIA driver is older than Ollama's libraries need.
    NvidiaDriverTooOld {
        /// The card's name.
        gpu: UntrustedText,
        /// The driver's version.
        driver: UntrustedText,
        /// The lowest driver branch that works, for example 570.
        #[serde(deserialize_with = "number")]
        needed: u32,
    },
    /// The compute capability is below [`ComputeCapability::LOWEST_SUPPORTED`].
    CapabilityTooLow {
        /// The card's name.
        gpu: UntrustedText,
        /// Its compute capability, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        capability: Option<ComputeCapability>,
    },
    /// The card is reserved for a virtual machine.
    GpuPassedThrough {
        /// Its name.
        gpu: UntrustedText,
    },
    /// This user may not open the card's device.
    GpuDenied {
        /// Its name.
        gpu: UntrustedText,
    },
    /// There is no device file for the card.
    GpuUnreachable {
        /// Its name.
        gpu: UntrustedText,
        /// Its vendor, as in the hardware document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vendor: Option<UntrustedText>,
    },
    /// An environment variable, which the engine inherits, hides the card.
    HiddenByVariable {
        /// The card's name.
        gpu: UntrustedText,
        /// Name and value of the variable: `CUDA_VISIBLE_DEVICES=-1`.
        setting: UntrustedText,
    },
    /// The card is partitioned (MIG), and no slice can be used.
    NoMigSlice {
        /// Its name.
        gpu: UntrustedText,
    },
    /// The card no longer answers its driver.
    GpuLost {
        /// Its name.
        gpu: UntrustedText,
    },
    /// The NVIDIA driver and its library have different versions.
    NvidiaDriverMismatch {
        /// The card's name.
        gpu: UntrustedText,
    },
    /// This user may not use the NVIDIA driver.
    NvidiaDriverDenied {
        /// The card's name.
        gpu: UntrustedText,
    },
    /// The NVIDIA driver answers with an unknown error.
    NvidiaDriverFails {
        /// The card's name.
        gpu: UntrustedText,
    },
    /// The card is a share of one (vGPU) whose profile is for desktops and cannot compute.
    VgpuWithoutCompute {
        /// Its name.
        gpu: UntrustedText,
    },
    /// macOS is older than Ollama needs.
    MacosTooOld {
        /// Its version.
        version: UntrustedText,
    },
    /// Windows is older than Ollama needs.
    WindowsTooOld {
        /// Its version.
        version: UntrustedText,
    },
}

/// A finding without a variant of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "OtherDocument")]
pub struct OtherFinding {
    /// Its code; `note` for a plain sentence.
    pub code: String,
    /// Its text, in its original language.
    pub text: UntrustedText,
    /// Figures and names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OtherDocument {
    Sentence(UntrustedText),
    Full {
        code: String,
        #[serde(default)]
        text: UntrustedText,
        #[serde(default)]
        details: BTreeMap<String, serde_json::Value>,
    },
}

impl From<OtherDocument> for OtherFinding {
    fn from(document: OtherDocument) -> Self {
        match document {
            OtherDocument::Sentence(text) => Self { code: "note".to_owned(), text, ..Self::default() },
            OtherDocument::Full { code, text, details } => Self { code, text, details },
        }
    }
}

impl Finding {
    /// Name of the adapter it is about.
    pub fn gpu(&self) -> Option<&str> {
        match self {
            Self::SoftwareAdapter { gpu }
            | Self::IntegratedDropped { gpu }
            | Self::UnifiedMemory { gpu }
            | Self::MigEnabled { gpu }
            | Self::VgpuShared { gpu }
            | Self::VramUnreadable { gpu }
            | Self::ArithmeticCut { gpu, .. }
            | Self::DriverKnownToFail { gpu, .. }
            | Self::GpuAsleep { gpu }
            | Self::RocmPackage { gpu }
            | Self::RocmNeeded { gpu }
            | Self::NoFlashAttention { gpu, .. }
            | Self::VramHeld { gpu, .. } => Some(gpu),
            Self::Refusal(refusal) => refusal.gpu(),
            Self::Other(other) => other.details.get("gpu")?.as_str(),
            Self::SourceFailed { .. }
            | Self::SourceLate { .. }
            | Self::CardLost { .. }
            | Self::CardDenied { .. }
            | Self::CardFails { .. }
            | Self::VariableInvalid { .. }
            | Self::ModelLoaded { .. }
            | Self::MemoryLimited { .. }
            | Self::OnBattery
            | Self::PowerSaving
            | Self::EngineExposed { .. } => None,
        }
    }
}

impl EngineRefusal {
    /// Name of the card it is about; `None` if it is the whole system.
    pub fn gpu(&self) -> Option<&str> {
        match self {
            Self::NvidiaDriverMissing { gpu }
            | Self::NvidiaDriverTooOld { gpu, .. }
            | Self::CapabilityTooLow { gpu, .. }
            | Self::GpuPassedThrough { gpu }
            | Self::GpuDenied { gpu }
            | Self::GpuUnreachable { gpu, .. }
            | Self::VgpuWithoutCompute { gpu }
            | Self::HiddenByVariable { gpu, .. }
            | Self::NoMigSlice { gpu }
            | Self::GpuLost { gpu }
            | Self::NvidiaDriverMismatch { gpu }
            | Self::NvidiaDriverDenied { gpu }
            | Self::NvidiaDriverFails { gpu } => Some(gpu),
            Self::MacosTooOld { .. } | Self::WindowsTooOld { .. } => None,
        }
    }
}

/// Deserializes a number, also one in quotes as written by earlier versions.
fn number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err: std::fmt::Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number<T> {
        Plain(T),
        Quoted(String),
    }
    match Number::deserialize(deserializer)? {
        Number::Plain(number) => Ok(number),
        Number::Quoted(digits) => digits.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn findings_round_trip() {
        let gpu = || "RTX 4060".to_owned();
        for finding in [
            Finding::SourceFailed {
                source: GpuSource::Nvml,
                cause: SourceFailure::Crashed {
                    status: "signal: 11".into(),
                    message: UntrustedText::default(),
                },
            },
            Finding::SourceFailed {
                source: GpuSource::Wgpu,
                cause: SourceFailure::Timeout { seconds: 10.0 },
            },
            Finding::SourceFailed { source: GpuSource::Nvml, cause: SourceFailure::DriverNotLoaded },
            Finding::SourceLate { source: TimedSearch::Disks },
            Finding::VramHeld { gpu: gpu().into(), program: "blender".into(), bytes: 3 << 30 },
            Finding::NoFlashAttention { gpu: gpu().into(), capability: ComputeCapability::new(5, 2) },
            Finding::OnBattery,
            Finding::Refusal(EngineRefusal::NvidiaDriverTooOld {
                gpu: gpu().into(),
                driver: "470.57".into(),
                needed: 550,
            }),
            Finding::Refusal(EngineRefusal::CapabilityTooLow { gpu: gpu().into(), capability: None }),
        ] {
            let json = serde_json::to_value(&finding).unwrap();
            assert!(json["code"].is_string(), "{json}");
            assert_eq!(serde_json::from_value::<Finding>(json).unwrap(), finding);
        }
    }

    #[test]
    fn documents_of_other_versions_and_plain_sentences_are_read() {
        let read = |json| serde_json::from_value::<Finding>(json).unwrap();
        let quoted = json!({"code": "engine_exposed", "text": "…", "details": {"port": "11434"}});
        assert_eq!(read(quoted), Finding::EngineExposed { port: 11_434 });
        let words = json!({"code": "source_failed", "details": {"source": "nvml", "why": "it was asleep"}});
        let cause = SourceFailure::Other { message: "it was asleep".into() };
        assert_eq!(read(words), Finding::SourceFailed { source: GpuSource::Nvml, cause });
        let other = |code: &str, text: &str| {
            Finding::Other(OtherFinding {
                code: code.to_owned(),
                text: text.to_owned().into(),
                ..Default::default()
            })
        };
        assert_eq!(read(json!("By hand.")), other("note", "By hand."));
        assert_eq!(read(json!({"code": "new_code", "text": "New."})), other("new_code", "New."));
        // A known code without its figures keeps its text.
        assert_eq!(read(json!({"code": "vram_held", "text": "Half."})), other("vram_held", "Half."));
        assert!(serde_json::from_value::<Finding>(json!({"text": "no code"})).is_err());
    }
}
