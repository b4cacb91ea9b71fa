//! The printed forms of the hardware document and the doctor's report: every finding has an English sentence, for
//! readers without this program.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::doctor::DoctorReport;
use crate::hardware::evidence::Evidence;
use crate::install::Receipt;
use crate::machine::{
    Cpu, Disk, Finding, FoundEngine, Gpu, Hardware, MainMemory, ModelFolder, Os, RamModule, RamProgram,
};
use crate::text::{Language, Text};
use crate::untrusted::escaped_json;

/// Indented JSON, with the newline that ends a file.
///
/// # Errors
/// When the document cannot be serialised.
pub fn indented(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|json| escaped_json(json) + "\n")
}

/// JSON on one line, without a newline.
///
/// # Errors
/// When the document cannot be serialised.
pub fn one_line(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(document).map(escaped_json)
}

/// What `detect --json` prints; described in `docs/json.md`.
#[derive(Debug, Serialize)]
pub struct HardwareDocument<'a> {
    schema: u32,
    os: &'a Os,
    cpu: &'a Cpu,
    memory: &'a MainMemory,
    gpus: &'a [Gpu],
    disks: &'a [Disk],
    engines: &'a [FoundEngine],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    model_folders: &'a [ModelFolder],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ram_modules: &'a [RamModule],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ram_programs: &'a [RamProgram],
    notes: Vec<NoteDocument<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum NoteDocument<'a> {
    Explained {
        #[serde(flatten)]
        finding: &'a Finding,
        text: String,
    },
    /// With its own text.
    Other(&'a Finding),
}

/// What `doctor` prints.
#[derive(Debug, Serialize)]
pub struct DoctorDocument<'a> {
    schema: u32,
    program_version: &'a str,
    hardware: HardwareDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a Evidence>,
    environment: &'a BTreeMap<String, String>,
    logs: &'a BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<&'a Receipt>,
}

impl<'a> From<&'a Hardware> for HardwareDocument<'a> {
    fn from(hardware: &'a Hardware) -> Self {
        let note = |finding: &'a Finding| match finding {
            Finding::Other(_) => NoteDocument::Other(finding),
            _ => NoteDocument::Explained { finding, text: finding.explain(Text::new(Language::English)) },
        };
        Self {
            schema: hardware.schema,
            os: &hardware.os,
            cpu: &hardware.cpu,
            memory: &hardware.memory,
            gpus: &hardware.gpus,
            disks: &hardware.disks,
            engines: &hardware.engines,
            model_folders: &hardware.model_folders,
            ram_modules: &hardware.ram_modules,
            ram_programs: &hardware.ram_programs,
            notes: hardware.notes.iter().map(note).collect(),
        }
    }
}

impl<'a> From<&'a DoctorReport> for DoctorDocument<'a> {
    fn from(report: &'a DoctorReport) -> Self {
        Self {
            schema: report.schema,
            program_version: &report.program_version,
            hardware: (&report.hardware).into(),
            evidence: report.evidence.as_ref(),
            environment: &report.environment,
            logs: &report.logs,
            receipt: report.receipt.as_ref(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::machine::OtherFinding;

    #[test]
    fn every_note_has_code_and_text_and_is_read_again() {
        let mut hardware = Hardware::with(MainMemory { total_bytes: 1, ..MainMemory::default() }, Vec::new());
        let own = OtherFinding { code: "note".into(), text: "By hand.".into(), ..Default::default() };
        hardware.notes =
            vec![Finding::OnBattery, Finding::EngineExposed { port: 11_434 }, Finding::Other(own)];
        let json = serde_json::to_value(HardwareDocument::from(&hardware)).unwrap();
        assert_eq!(json["notes"][1]["code"], "engine_exposed");
        assert_eq!(json["notes"][1]["details"]["port"], 11_434);
        assert!(json["notes"][1]["text"].as_str().unwrap().contains("11434"), "{json}");
        assert_eq!(json["notes"][2]["text"], "By hand.");
        assert_eq!(serde_json::from_value::<Hardware>(json).unwrap(), hardware);
    }
}
