//! Real machines, from public reports: what their drivers said, and what must be concluded from it.
//!
//! Each file of tests/hardware_fixtures names its reports under `source`; what the reports do not hold is named under
//! `added`. The whole list of GPUs and the codes of all notes are compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use acolyte::hardware::evidence::Evidence;
use acolyte::hardware::merge::merge;
use acolyte::hardware::{Gpu, Hardware};
use acolyte::text::{Language, Text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    machine: String,
    source: Vec<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "for people who read the file")]
    added: String,
    evidence: Evidence,
    gpus: Vec<Gpu>,
    notes: Vec<String>,
}

fn fixtures() -> Vec<(PathBuf, Fixture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hardware_fixtures");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let json = std::fs::read_to_string(&path).unwrap();
            let fixture = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path, fixture)
        })
        .collect()
}

#[test]
fn every_machine_is_judged_as_it_is() {
    let mut wrong = Vec::new();
    for (path, fixture) in fixtures() {
        assert!(fixture.source.iter().all(|url| url.starts_with("https://")), "{}", path.display());
        let found = merge(&fixture.evidence);
        let codes: Vec<&str> = found.notes.iter().map(|note| note.code.as_str()).collect();
        if found.gpus != fixture.gpus || codes != fixture.notes {
            let (gpus, expected) = (json(&found.gpus), json(&fixture.gpus));
            wrong.push(format!(
                "{} ({}):\n{gpus}\nnotes {codes:?}\nbut expected\n{expected}\nnotes {:?}",
                fixture.machine,
                path.display(),
                fixture.notes
            ));
        }
    }
    assert!(wrong.is_empty(), "{} machines:\n{}", wrong.len(), wrong.join("\n\n"));
}

fn json(gpus: &[Gpu]) -> String {
    serde_json::to_string_pretty(gpus).unwrap()
}

#[test]
fn what_is_concluded_is_a_document_that_can_be_read_again() {
    for (path, fixture) in fixtures() {
        let mut found = merge(&fixture.evidence);
        // Reports of graphics cards seldom say how much main memory the machine has.
        found.memory.total_bytes = found.memory.total_bytes.max(1 << 30);
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(Hardware::from_json(&json, &path).unwrap(), found);
    }
}

#[test]
fn every_note_is_said_in_every_language() {
    for (path, fixture) in fixtures() {
        for note in merge(&fixture.evidence).notes {
            let said: Vec<String> =
                Language::ALL.into_iter().map(|language| note.say(Text::new(language))).collect();
            for sentence in &said {
                let place = path.display();
                assert!(!sentence.contains("{$") && !sentence.contains("hardware-"), "{place}: {sentence}");
            }
            assert_ne!(said[0], said[1], "{}", note.code);
        }
    }
}

/// The order in which sources list their adapters is theirs; the conclusion must not depend on it.
#[test]
fn the_order_of_answers_does_not_matter() {
    for (path, fixture) in fixtures() {
        let forwards = merge(&fixture.evidence);
        let mut evidence = fixture.evidence;
        use acolyte::hardware::evidence::Answer;
        if let Answer::Said(adapters) = &mut evidence.wgpu {
            adapters.reverse();
        }
        if let Answer::Said(adapters) = &mut evidence.dxgi {
            adapters.reverse();
        }
        if let Answer::Said(nvml) = &mut evidence.nvml {
            nvml.devices.reverse();
        }
        let backwards = merge(&evidence);
        assert_eq!(backwards.gpus, forwards.gpus, "{}", path.display());
    }
}
