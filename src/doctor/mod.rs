//! A support report about this machine: raw answers of all sources, the merged hardware, settings and the last lines of
//! the logs, with personal data redacted.
//!
//! `hardware` is merged from the redacted `evidence`, so that the report can be replayed: it loads with `--hardware`
//! and works as a test fixture.

pub mod redact;

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::doctor::redact::{Secrets, is_secret_name};
use crate::hardware::DetectOptions;
use crate::hardware::evidence::Evidence;
use crate::hardware::merge::merge;
use crate::install::state::home::require_ours;
use crate::install::{Paths, Receipt};
use crate::machine::Hardware;
use crate::platform::environment::Environment;
use crate::platform::regular;

/// Lines of each log that are kept.
const LOG_LINES: usize = 80;
/// Bytes that are read from the end of a log to find them.
const LOG_BYTES: u64 = 64 * 1024;
/// Prefixes of environment variables of the engine and GPU drivers.
const VARIABLES: [&str; 9] =
    ["OLLAMA_", "ACOLYTE_", "CUDA_", "HIP_", "ROCR_", "HSA_", "GGML_", "VK_", "GPU_DEVICE_ORDINAL"];

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoctorReport {
    /// Version of this document's format.
    pub schema: u32,
    /// Version of the program that wrote it.
    pub program_version: String,
    /// The merged hardware.
    pub hardware: Hardware,
    /// The raw answers of all sources; absent if the hardware was read from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Environment variables that affect the engine and the drivers.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The last lines of logs, by path.
    #[serde(default)]
    pub logs: BTreeMap<String, Vec<String>>,
    /// Receipt of the installation, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// The machine of a report.
#[derive(Clone, Debug)]
pub enum ReportSubject {
    /// This machine: the answers of its sources.
    Detected(Box<Evidence>),
    /// A machine read from a file.
    Saved(Box<Hardware>),
}

/// Builds the redacted report of a machine, with environment variables and logs of this computer.
///
/// # Errors
/// If the answers cannot be serialised, which would be a bug.
pub fn report(machine: &ReportSubject, options: &DetectOptions) -> Result<DoctorReport, serde_json::Error> {
    report_without(&Secrets::of_this_machine(), machine, options, &Environment::of_process())
}

fn report_without(
    secrets: &Secrets,
    machine: &ReportSubject,
    options: &DetectOptions,
    environment: &Environment,
) -> Result<DoctorReport, serde_json::Error> {
    let (hardware, evidence) = match machine {
        ReportSubject::Detected(evidence) => {
            let evidence: Evidence = cleaned(evidence.as_ref(), secrets)?;
            (merge(&evidence), Some(evidence))
        }
        ReportSubject::Saved(hardware) => (cleaned(hardware.as_ref(), secrets)?, None),
    };
    Ok(DoctorReport {
        schema: SCHEMA,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        hardware,
        evidence,
        environment: settings(environment, secrets),
        logs: logs(options, environment, secrets),
        receipt: None,
    })
}

impl DoctorReport {
    /// Adds the window's log. Only lines that consist of words from `texts` are kept.
    pub fn add_log(&mut self, name: &str, lines: &str, texts: &[&str]) {
        let secrets = Secrets::of_this_machine();
        self.logs.insert(name.to_owned(), secrets.own_lines(lines.lines(), texts));
    }
}

/// Redacts all texts of a document. Names of graphics hardware are kept, even if the user is called "nvidia".
fn cleaned<T: Serialize + DeserializeOwned>(document: &T, secrets: &Secrets) -> Result<T, serde_json::Error> {
    let mut tree = serde_json::to_value(document)?;
    clean(&mut tree, secrets, false);
    serde_json::from_value(tree)
}

/// Keys whose texts are names of hardware.
const ABOUT_HARDWARE: [&str; 13] = [
    "nvml",
    "sysinfo",
    "wgpu",
    "dxgi",
    "sysfs",
    "pci_names",
    "registry",
    "gpus",
    "notes",
    "os",
    "cpu",
    "board",
    "ram_modules",
];
/// Keys of free text from drivers, systems and users.
const FREE_TEXT: [&str; 2] = ["message", "text"];
/// Keys below [`ABOUT_HARDWARE`] whose texts are not names of hardware.
const NOT_HARDWARE: [&str; 6] = ["failed", "processes", "gpu_clients", "program", "why", "message"];

fn clean(tree: &mut serde_json::Value, secrets: &Secrets, hardware: bool) {
    match tree {
        serde_json::Value::String(text) if hardware => *text = secrets.path(text),
        serde_json::Value::String(text) => *text = secrets.line(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| clean(item, secrets, hardware)),
        serde_json::Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if FREE_TEXT.contains(&key.as_str())
                    && let serde_json::Value::String(text) = value
                {
                    *text = secrets.error(text);
                    continue;
                }
                let inside = (hardware || ABOUT_HARDWARE.contains(&key.as_str()))
                    && !NOT_HARDWARE.contains(&key.as_str());
                clean(value, secrets, inside);
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn settings(environment: &Environment, secrets: &Secrets) -> BTreeMap<String, String> {
    let variables = environment.variables().into_iter();
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| VARIABLES.iter().any(|start| name.starts_with(start)))
        .map(|(name, value)| {
            let value = if is_secret_name(&name) { "SECRET".to_owned() } else { secrets.line(&value) };
            (name, value)
        })
        .collect()
}

/// The last lines of our logs and Ollama's, by path.
fn logs(
    options: &DetectOptions,
    environment: &Environment,
    secrets: &Secrets,
) -> BTreeMap<String, Vec<String>> {
    // Of a home that others can change, a log may be a link to what only this user can read.
    let is_ours = require_ours(&Paths::new(&options.home)).is_ok();
    let mut files: Vec<PathBuf> = std::fs::read_dir(options.home.join("logs"))
        .into_iter()
        .filter(|_| is_ours)
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files.extend(options.engines.user_home.as_deref().map(|home| home.join(".ollama/logs/server.log")));
    files.extend(environment.path("LOCALAPPDATA").map(|local| local.join("Ollama").join("server.log")));
    files
        .iter()
        .filter_map(|path| Some((secrets.path(&path.to_string_lossy()), tail(path)?)))
        .map(|(path, lines)| (path, secrets.log(lines.iter().map(String::as_str))))
        .collect()
}

/// The last lines of a file; `None` if it cannot be read.
fn tail(path: &Path) -> Option<Vec<String>> {
    let mut file = regular::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let begin = length.saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut end = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut end).ok()?;
    let text = String::from_utf8_lossy(&end);
    // If the file is longer, the first line is incomplete.
    let whole = text.lines().skip(usize::from(begin > 0)).map(str::to_owned).collect::<Vec<_>>();
    Some(whole[whole.len().saturating_sub(LOG_LINES)..].to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::hardware::engines::Places;

    fn options(home: &Path) -> DetectOptions {
        DetectOptions {
            probe_program: Some(home.join("no-such-program")),
            measure_memory: false,
            engines: Places { user_home: Some(home.to_owned()), ..Places::default() },
            ..DetectOptions::new(home.to_owned())
        }
    }

    #[test]
    fn a_report_is_a_hardware_file_and_replays() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("logs")).unwrap();
        let line = "load_tensors: offloaded 25/29 layers to GPU\n";
        std::fs::write(home.path().join("logs/server.log"), line.repeat(500)).unwrap();
        let options = options(home.path());
        let machine = ReportSubject::Detected(Box::new(crate::hardware::collect(&options)));
        let report = report(&machine, &options).unwrap();
        assert_eq!(merge(report.evidence.as_ref().unwrap()), report.hardware);
        let lines = report.logs.values().next().unwrap();
        assert_eq!(lines.len(), LOG_LINES);
        assert!(lines.iter().all(|shown| shown == line.trim_end()), "{lines:?}");

        let json = serde_json::to_string_pretty(&report).unwrap();
        assert_eq!(serde_json::from_str::<DoctorReport>(&json).unwrap(), report);
        assert_eq!(Hardware::from_json(&json, home.path()).unwrap(), report.hardware);
    }

    #[test]
    fn a_machine_from_a_file_is_reported_without_evidence() {
        let home = tempfile::tempdir().unwrap();
        let saved = r#"{"schema": 1, "memory": {"total_bytes": 8589934592},
            "gpus": [{"name": "maria's card", "kind": "discrete", "vram_total_bytes": null}],
            "disks": [{"path": "/home/maria/.acolyte"}]}"#;
        let saved = Hardware::from_json(saved, Path::new("saved.json")).unwrap();
        let secrets = Secrets::new(Some(Path::new("/home/maria")), &["maria"], &[]);
        let machine = ReportSubject::Saved(Box::new(saved));
        let report =
            report_without(&secrets, &machine, &options(home.path()), &Environment::given([("X", "y")]))
                .unwrap();
        assert_eq!(report.evidence, None);
        assert_eq!(report.hardware.disks[0].path, Path::new("~/.acolyte"));
        assert_eq!(report.hardware.gpus[0].name, "maria's card");
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(Hardware::from_json(&json, home.path()).unwrap(), report.hardware);
    }

    /// Secrets in every source of a report.
    #[test]
    fn a_report_contains_no_personal_data() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("logs")).unwrap();
        std::fs::create_dir_all(home.path().join(".ollama/logs")).unwrap();
        let log = "filomena@atalaya.example.net 203.0.113.9 serial: PF2XQ9 Authorization: Bearer x1.y2/z3\n\
                   token=hf_qwertyuiopasdfgh id GPU-73e45cbc-47ea-f9a2-27e5-24963b4577bb 0c:9d:92:c6:1a:2b\n\
                   ssh 2001:db8::7 filo@example.com https://filomena:tulip@example.com/x /home/filomena/x\n";
        std::fs::write(home.path().join("logs/install.log"), log).unwrap();
        std::fs::write(home.path().join(".ollama/logs/server.log"), log).unwrap();
        let engine = crate::machine::FoundEngine {
            kind: crate::machine::EngineKind::Server,
            path: Some("/home/filomena/bin/ollama".into()),
            loaded: vec![crate::machine::LoadedModel {
                name: "filomena/diary:1".into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let evidence = Evidence {
            nvml: crate::hardware::evidence::SourceAnswer::Failed(crate::machine::SourceFailure::Other {
                message: "no /home/filomena/nvml.so on atalaya".into(),
            }),
            engines: vec![engine],
            disks: vec![crate::machine::Disk {
                path: "/run/media/filomena/stick".into(),
                ..Default::default()
            }],
            model_folders: vec![crate::machine::ModelFolder {
                path: "/home/filomena/models".into(),
                models: vec![crate::machine::StoredModel {
                    name: "atalaya:5000/filomena/m:1".into(),
                    size_bytes: None,
                }],
                ..Default::default()
            }],
            ..Evidence::default()
        };
        let variables = [
            ("OLLAMA_MODELS", "/home/filomena/models"),
            ("OLLAMA_HOST", "atalaya.example.net:11434"),
            ("OLLAMA_API_KEY", "sk-tulip"),
            ("ACOLYTE_NVML_PATH", "/media/filomena/lib.so"),
            ("HF_TOKEN", "hf_tulip"),
        ];
        let secrets =
            Secrets::new(Some(Path::new("/home/filomena")), &["filomena", "filo"], &["atalaya.example.net"]);
        let machine = ReportSubject::Detected(Box::new(evidence));
        let report =
            report_without(&secrets, &machine, &options(home.path()), &Environment::given(variables))
                .unwrap();
        let json = serde_json::to_string_pretty(&report).unwrap();
        for secret in [
            "filo",
            "atalaya",
            "203.0.113.9",
            "PF2XQ9",
            "x1",
            "y2",
            "z3",
            "hf_",
            "73e45cbc",
            "0c:9d",
            "2001:db8",
            "tulip",
            "example.com",
        ] {
            assert!(!json.contains(secret), "{secret} is left in\n{json}");
        }
        // Useful information is kept.
        assert!(
            json.contains("USER/diary:1") && json.contains("~/models") && json.contains("server.log"),
            "{json}"
        );
    }

    #[test]
    fn values_of_secret_variables_are_replaced() {
        let variables = [("OLLAMA_HOST", "0.0.0.0"), ("OLLAMA_API_KEY", "abc"), ("HOME", "/home/x")];
        let settings = settings(&Environment::given(variables), &Secrets::default());
        assert_eq!(settings["OLLAMA_API_KEY"], "SECRET");
        assert_eq!(settings["OLLAMA_HOST"], "0.0.0.0");
        assert_eq!(settings.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn logs_in_a_home_that_others_can_change_are_not_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("logs")).unwrap();
        let log = "time=2026-11-23T10:00:00Z level=INFO msg=\"Listening on 127.0.0.1:11434\"\n";
        std::fs::write(home.path().join("logs/server.log"), log).unwrap();
        let found = || {
            let environment = Environment::given::<&str, &str>([]);
            logs(&options(home.path()), &environment, &Secrets::default()).len()
        };
        assert_eq!(found(), 1);
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(found(), 0);
    }
}
