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
use acolyte::models::Catalogue;
use acolyte::plan::{Profiles, Tip, plan_all};
use acolyte::text::{Language, Text};
use serde::Deserialize;

const GIB: u64 = 1 << 30;

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
        .env(if cfg!(windows) { "USERPROFILE" } else { "HOME" }, home)
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
    let models = if cfg!(windows) { r"~\\models of USER" } else { "~/models of USER" };
    assert!(report.contains(models), "{report}");
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

/// The kinds of tips that a machine gets; all others get none.
const TIPS: [(&str, &[&str]); 7] = [
    ("quadro-rtx-4000-headless", &["update_driver"]),
    ("rtx-4070-desktop", &["update_driver"]),
    // A program holds memory of this laptop's card, but the model fits beside it.
    ("rtx-4070-laptop-hybrid", &["plug_in"]),
    ("rtx-4090-wsl2-container", &["close_gpu_programs", "update_driver"]),
    ("rtx-5080-wsl2", &["close_gpu_programs"]),
    // Its two cards are refused by their driver, which is a finding.
    ("two-quadro-rtx-4000", &[]),
    ("uhd-630-rtx-2060-windows-hybrid", &["update_driver"]),
];

/// The tips for a recorded machine, with 16 GiB of main memory where the report does not name it.
fn tips_of(fixture: &Fixture) -> Vec<Tip> {
    let mut hardware = merge(&fixture.evidence);
    if hardware.memory.total_bytes < GIB {
        hardware.memory.total_bytes = 16 * GIB;
    }
    plan_all(&hardware, Catalogue::built_in(), Profiles::built_in()).tips(&hardware)
}

fn named(name: &str) -> Fixture {
    let is_it = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    fixtures().into_iter().find(|(path, _)| is_it(path)).unwrap().1
}

#[test]
fn each_machine_gets_the_tips_that_are_true_on_it() {
    for (path, fixture) in fixtures() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let found = serde_json::to_value(tips_of(&fixture)).unwrap();
        let kinds: Vec<&str> =
            found.as_array().unwrap().iter().map(|tip| tip["kind"].as_str().unwrap()).collect();
        let expected = TIPS.iter().find(|(machine, _)| *machine == name).map_or(&[][..], |(_, tips)| tips);
        assert_eq!(kinds, expected, "{name}");
    }
}

#[test]
fn the_tips_of_recorded_machines_have_their_figures() {
    let tips = tips_of(&named("rtx-4090-wsl2-container"));
    // 24,564 MiB less 21,711 free ones, and 200 that a desktop needs.
    let Tip::CloseGpuPrograms { programs, frees_bytes, gain, .. } = &tips[0] else { panic!("{tips:?}") };
    assert_eq!((programs.len(), *frees_bytes >> 20), (0, 2_653));
    assert!(gain.before.n_cpu_moe > gain.after.n_cpu_moe, "{gain:?}");
    assert!(gain.after.vram_required_bytes - gain.before.vram_required_bytes <= *frees_bytes, "{gain:?}");
    let update =
        |gpu: &str, driver: &str| Tip::UpdateDriver { gpu: gpu.into(), driver: driver.into(), branch: 580 };
    assert_eq!(tips[1], update("NVIDIA GeForce RTX 4090", "555.85"));

    let tips = tips_of(&named("rtx-5080-wsl2"));
    // 16,303 − 15,165 − 200 MiB.
    let Tip::CloseGpuPrograms { frees_bytes, .. } = &tips[0] else { panic!("{tips:?}") };
    assert_eq!(*frees_bytes >> 20, 938);

    assert_eq!(tips_of(&named("quadro-rtx-4000-headless")), [update("Quadro RTX 4000", "560.35.03")]);
    assert_eq!(tips_of(&named("rtx-4070-laptop-hybrid")), [Tip::PlugIn]);
}
