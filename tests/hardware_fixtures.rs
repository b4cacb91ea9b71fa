//! Real machines from public reports: their drivers' answers, and the expected document.
//!
//! Each file of tests/hardware_fixtures names its reports in `source`, and additions to them in `added`. `evidence`
//! contains the sources' answers and `hardware` the complete expected document, as in a report of `acolyte doctor`,
//! which becomes such a file by adding `machine` and `source`.
//!
//! After a change of the rules, `ACOLYTE_ACCEPT=1 cargo test --test hardware_fixtures` writes the current results into
//! the files; review them line by line before committing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use acolyte::hardware::evidence::{Evidence, SourceAnswer};
use acolyte::hardware::merge::merge;
use acolyte::machine::Hardware;
use acolyte::text::{Language, Text};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    machine: String,
    source: Vec<String>,
    evidence: Evidence,
    hardware: Hardware,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hardware_fixtures");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn fixtures() -> Vec<(PathBuf, Fixture)> {
    files()
        .into_iter()
        .map(|path| {
            let json = std::fs::read_to_string(&path).unwrap();
            let fixture = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path, fixture)
        })
        .collect()
}

/// Differences from the expected document.
fn mistakes(fixture: &Fixture, path: &Path) -> Option<String> {
    let (found, expected) = (merge(&fixture.evidence), &fixture.hardware);
    let json = |hardware: &Hardware| serde_json::to_string_pretty(hardware).unwrap();
    (found != *expected).then(|| {
        let (name, path) = (&fixture.machine, path.display());
        format!("{name} ({path}):\n{}\nbut expected\n{}", json(&found), json(expected))
    })
}

#[test]
fn every_machine_is_evaluated_as_recorded() {
    if std::env::var_os("ACOLYTE_ACCEPT").is_some() {
        return accept();
    }
    let fixtures = fixtures();
    assert!(fixtures.len() >= 45, "the fixtures were found");
    for (path, fixture) in &fixtures {
        let named =
            !fixture.source.is_empty() && fixture.source.iter().all(|url| url.starts_with("https://"));
        assert!(named, "{}", path.display());
    }
    let wrong: Vec<String> = fixtures.iter().filter_map(|(path, fixture)| mistakes(fixture, path)).collect();
    assert!(wrong.is_empty(), "{} machines:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Format of a fixture file.
#[derive(Deserialize, serde::Serialize)]
struct File {
    machine: String,
    source: serde_json::Value,
    #[serde(default)]
    added: String,
    evidence: serde_json::Value,
    hardware: serde_json::Value,
}

/// Writes the current results into the files.
fn accept() {
    for path in files() {
        let json = std::fs::read_to_string(&path).unwrap();
        let mut file: File = serde_json::from_str(&json).unwrap();
        let evidence: Evidence = serde_json::from_value(file.evidence.clone()).unwrap();
        file.hardware = serde_json::to_value(merge(&evidence)).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(&file).unwrap() + "\n").unwrap();
    }
}

/// Runs `acolyte doctor` as the user "filomena" and returns the report's path.
fn doctor_report(home: &Path) -> PathBuf {
    let file = home.join("report.json");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_acolyte"))
        .args(["doctor", "--home"])
        .arg(home.join(".acolyte"))
        .arg("--output")
        .arg(&file)
        .stdin(std::process::Stdio::null())
        .env("HOME", home)
        .env("USER", "filomena")
        .env("OLLAMA_MODELS", home.join("models of filomena"))
        .status()
        .unwrap();
    assert!(status.success());
    file
}

/// A report becomes a fixture by adding its machine and its source.
#[test]
fn a_report_is_anonymous_and_can_be_a_hardware_file_or_a_fixture() {
    let home = tempfile::tempdir().unwrap();
    let file = doctor_report(home.path());
    let report = std::fs::read_to_string(&file).unwrap();
    assert!(!report.contains("filomena"), "{report}");
    assert!(report.contains("~/models of USER"), "{report}");
    let hardware = Hardware::from_file(&file).unwrap();
    assert!(hardware.memory.total_bytes > 256 << 20, "{report}");
    assert!(hardware.disks.iter().all(|disk| disk.free_bytes.is_some()), "{report}");

    let mut fixture: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&report).unwrap();
    fixture.insert("machine".to_owned(), "This one".into());
    fixture.insert("source".to_owned(), serde_json::json!(["https://example.org/its-report"]));
    let fixture: Fixture = serde_json::from_value(fixture.into()).unwrap();
    assert_eq!(fixture.hardware, hardware);
    assert_eq!(mistakes(&fixture, &file), None);
    assert!(fixture.evidence.timings_ms["all"].to > 0, "{report}");
}

#[test]
fn the_result_is_a_document_that_can_be_parsed_again() {
    for (path, fixture) in fixtures() {
        let mut found = merge(&fixture.evidence);
        // Reports of graphics cards rarely contain the machine's main memory.
        found.memory.total_bytes = found.memory.total_bytes.max(1 << 30);
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(Hardware::from_json(&json, &path).unwrap(), found);
    }
}

#[test]
fn every_note_has_text_in_every_language() {
    for (path, fixture) in fixtures() {
        for note in merge(&fixture.evidence).notes {
            let said: Vec<String> =
                Language::ALL.into_iter().map(|language| note.explain(Text::new(language))).collect();
            for sentence in &said {
                let place = path.display();
                assert!(!sentence.contains("{$") && !sentence.contains("hardware-"), "{place}: {sentence}");
            }
            assert_ne!(said[0], said[1], "{note:?}");
        }
    }
}

/// Sources list adapters in any order; the result must not depend on it.
#[test]
fn the_order_of_answers_does_not_matter() {
    for (path, fixture) in fixtures() {
        let forwards = merge(&fixture.evidence);
        let mut evidence = fixture.evidence;
        if let SourceAnswer::Answered(adapters) = &mut evidence.wgpu {
            adapters.reverse();
        }
        if let SourceAnswer::Answered(adapters) = &mut evidence.dxgi {
            adapters.reverse();
        }
        if let SourceAnswer::Answered(nvml) = &mut evidence.nvml {
            nvml.devices.reverse();
        }
        let backwards = merge(&evidence);
        assert_eq!(backwards.gpus, forwards.gpus, "{}", path.display());
    }
}
