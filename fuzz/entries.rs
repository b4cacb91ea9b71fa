//! Parsers of untrusted input: one function for each kind of input, for the fuzz targets and for
//! `tests/hostile_inputs.rs`, which runs the same functions with every `cargo test`.
//!
//! They must not panic, and not write outside the folder they are given.

use std::path::Path;

use acolyte::checksum::Sha256;
use acolyte::control::Control;
use acolyte::install::change::journal::{Journal, changes, parse, unfinished};
use acolyte::install::unpack::{UnpackLimits, unpack_verified};
use acolyte::install::{Installed, Paths, Receipt};
use acolyte::machine::Hardware;
use acolyte::models::gguf::Header;
use acolyte::models::{Catalogue, Model, ModelName, ModelTag};
use acolyte::ollama::manifest::Manifest;
use acolyte::ollama::ndjson::NdjsonLines;
use acolyte::ollama::release::Release;
use acolyte::ollama::release::newest::parse_sums;
use acolyte::ollama::replies::StatusLine;
use acolyte::plan::{Profiles, plan_all};

/// A kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Profiles,
    Journal,
    Receipt,
    ProfileFile,
    Hardware,
    Gguf,
    Manifest,
    Reference,
    Ndjson,
    Sums,
    Release,
    Archive,
}

impl Kind {
    /// Name of its fuzz target.
    #[allow(dead_code, reason = "each fuzz target knows its own")]
    pub fn target(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Journal => "journal",
            Self::Receipt => "receipt",
            Self::ProfileFile => "profile_file",
            Self::Hardware => "hardware",
            Self::Gguf => "gguf",
            Self::Manifest => "manifest",
            Self::Reference => "reference",
            Self::Ndjson => "ndjson",
            Self::Sums => "sums",
            Self::Release => "release",
            Self::Archive => "archive",
        }
    }

    /// Feeds an input. `folder` is an empty folder that may be written to.
    pub fn feed(self, input: &[u8], folder: &Path) {
        let text = String::from_utf8_lossy(input);
        let name = Path::new("input");
        match self {
            Self::Profiles => {
                if let Ok(profiles) = Profiles::from_yaml(&text, name, Catalogue::built_in())
                    && let Ok(machine) = Hardware::from_json(MACHINE, name)
                {
                    // Plans must be possible with all accepted input.
                    plan_all(&machine, Catalogue::built_in(), &profiles);
                }
            }
            Self::Journal => {
                let entries = parse(input);
                changes(&entries);
                unfinished(&entries);
                let paths = Paths::new(folder);
                if std::fs::create_dir_all(paths.llm()).is_ok()
                    && std::fs::write(paths.journal(), input).is_ok()
                {
                    drop(Journal::read(&paths));
                }
            }
            Self::Receipt => drop(serde_json::from_slice::<Receipt>(input)),
            Self::ProfileFile => {
                let llm = folder.join("llm");
                if std::fs::create_dir_all(&llm).is_ok()
                    && std::fs::write(llm.join("profile.yaml"), input).is_ok()
                {
                    drop(Installed::load(folder));
                }
            }
            Self::Hardware => {
                if let Ok(hardware) = Hardware::from_json(&text, name) {
                    plan_all(&hardware, Catalogue::built_in(), Profiles::built_in());
                }
            }
            Self::Gguf => {
                if let Ok(header) = Header::parse(input) {
                    drop(Model::from_gguf(&header, ModelName::of("input"), input.len() as u64));
                }
            }
            Self::Manifest => {
                if let Ok(manifest) = serde_json::from_slice::<Manifest>(input) {
                    manifest.download_bytes();
                    manifest.model_layer();
                    let _ = manifest.blobs().count();
                }
            }
            Self::Reference => {
                if let Ok(reference) = ModelTag::parse(&text) {
                    // A parsed reference survives being printed and parsed again.
                    assert_eq!(ModelTag::parse(&reference.to_string()).ok(), Some(reference));
                }
            }
            Self::Ndjson => {
                let mut lines = NdjsonLines::new(64 << 10);
                for piece in input.chunks(7) {
                    lines.push(piece);
                    while let Ok(Some(line)) = lines.next_line() {
                        drop(serde_json::from_slice::<StatusLine>(&line));
                    }
                }
                lines.rest();
            }
            Self::Sums => {
                for name in parse_sums(&text).keys() {
                    assert!(!name.contains(['/', '\\']) && name != "..", "{name} becomes a part of a path");
                }
            }
            Self::Release => {
                if let Ok(release) = Release::parse(&text, name) {
                    for asset in &release.assets {
                        drop(release.url(asset, Some("http://127.0.0.1")));
                    }
                }
            }
            Self::Archive => {
                let (archive, staging) = (folder.join("archive"), folder.join("staging"));
                let limits = UnpackLimits { entries: 1000, bytes: 8 << 20, expected_bytes: 0 };
                if std::fs::write(&archive, input).is_ok() {
                    let (sha256, control) = (Sha256::of(input), Control::new());
                    drop(unpack_verified(&archive, sha256, &staging, limits, &|_| {}, &control));
                }
            }
        }
    }
}

/// A machine that runs some profiles.
const MACHINE: &str = r#"{"schema": 1, "memory": {"total_bytes": 17179869184, "available_bytes": 12884901888},
    "gpus": [{"name": "NVIDIA GeForce RTX 4060", "kind": "discrete", "vram_total_bytes": 8585740288}]}"#;
