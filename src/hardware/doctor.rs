//! A report about this machine for somebody else to read: what every source said, what was concluded, the settings
//! and the last lines of the logs, with everything personal taken out.
//!
//! Its `hardware` is concluded from its own, already cleaned `evidence`, so that the report replays exactly: it loads
//! with `--hardware` and works as a test fixture.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::detect::{DetectOptions, collect};
use super::document::Hardware;
use super::evidence::Evidence;
use super::merge::merge;
use super::redact::Secrets;
use crate::SCHEMA;

/// Lines of each log that are kept.
const LOG_LINES: usize = 80;
/// Bytes that are read from the end of a log to find them.
const LOG_BYTES: u64 = 64 * 1024;
/// Settings of the engine and of GPU drivers begin with these.
const VARIABLES: [&str; 9] =
    ["OLLAMA_", "ACOLYTE_", "CUDA_", "HIP_", "ROCR_", "HSA_", "GGML_", "VK_", "GPU_DEVICE_ORDINAL"];

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this document's format.
    pub schema: u32,
    /// Version of the program that wrote it.
    pub program_version: String,
    /// What was concluded.
    pub hardware: Hardware,
    /// What every source said.
    pub evidence: Evidence,
    /// Variables that change what the engine and the drivers do.
    pub environment: BTreeMap<String, String>,
    /// The last lines of logs, by path.
    pub logs: BTreeMap<String, Vec<String>>,
}

/// Asks everything and writes down what may be shown. Blocks as [`super::detect`] does.
///
/// # Errors
/// When the answers cannot be turned into a document, which would be a mistake of ours.
pub fn report(options: &DetectOptions) -> Result<Report, serde_json::Error> {
    let secrets = Secrets::of_this_machine();
    let evidence = without_paths(&collect(options), &secrets)?;
    Ok(Report {
        schema: SCHEMA,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        hardware: merge(&evidence),
        evidence,
        environment: settings(std::env::vars_os(), &secrets),
        logs: logs(options, &secrets),
    })
}

/// The evidence with every path cleaned.
fn without_paths(evidence: &Evidence, secrets: &Secrets) -> Result<Evidence, serde_json::Error> {
    let mut tree = serde_json::to_value(evidence)?;
    clean(&mut tree, secrets);
    serde_json::from_value(tree)
}

fn clean(tree: &mut serde_json::Value, secrets: &Secrets) {
    match tree {
        serde_json::Value::String(text) => *text = secrets.path(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| clean(item, secrets)),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|value| clean(value, secrets)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn settings(
    variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    secrets: &Secrets,
) -> BTreeMap<String, String> {
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| VARIABLES.iter().any(|start| name.starts_with(start)))
        .map(|(name, value)| {
            let secret = ["TOKEN", "KEY", "SECRET", "PASSWORD"].iter().any(|word| name.contains(word));
            let value = if secret { "SECRET".to_owned() } else { secrets.line(&value) };
            (name, value)
        })
        .collect()
}

/// Our own logs and Ollama's.
fn logs(options: &DetectOptions, secrets: &Secrets) -> BTreeMap<String, Vec<String>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(options.home.join("logs"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files.extend(options.engines.user_home.as_deref().map(|home| home.join(".ollama/logs/server.log")));
    files.extend(
        std::env::var_os("LOCALAPPDATA").map(|local| PathBuf::from(local).join("Ollama").join("server.log")),
    );
    files
        .iter()
        .filter_map(|path| Some((secrets.path(&path.to_string_lossy()), tail(path)?)))
        .map(|(path, lines)| (path, lines.iter().map(|line| secrets.line(line)).collect()))
        .collect()
}

/// The last lines of a file; `None` when it cannot be read.
fn tail(path: &Path) -> Option<Vec<String>> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let begin = length.saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut end = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut end).ok()?;
    let text = String::from_utf8_lossy(&end);
    // The first line is a piece of one when the file is longer than what was read.
    let whole = text.lines().skip(usize::from(begin > 0)).map(str::to_owned).collect::<Vec<_>>();
    Some(whole[whole.len().saturating_sub(LOG_LINES)..].to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::hardware::engines::Places;

    #[test]
    fn a_report_is_a_hardware_file_and_replays() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("logs")).unwrap();
        let line = format!("loaded {}/models with token=abc\n", home.path().display());
        std::fs::write(home.path().join("logs/server.log"), line.repeat(500)).unwrap();
        let options = DetectOptions {
            probe_program: Some(home.path().join("no-such-program")),
            measure_memory: false,
            engines: Places { user_home: Some(home.path().to_owned()), ..Places::default() },
            ..DetectOptions::new(home.path().to_owned())
        };
        let report = report(&options).unwrap();
        assert_eq!(merge(&report.evidence), report.hardware);
        let lines = report.logs.values().next().unwrap();
        assert_eq!(lines.len(), LOG_LINES);
        assert!(lines.iter().all(|line| line.ends_with("token=SECRET")), "{lines:?}");

        let json = serde_json::to_string_pretty(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        assert_eq!(Hardware::from_json(&json, home.path()).unwrap(), report.hardware);
    }

    #[test]
    fn settings_that_are_secret_are_named_but_not_shown() {
        let variables = [("OLLAMA_HOST", "0.0.0.0"), ("OLLAMA_API_KEY", "abc"), ("HOME", "/home/x")];
        let said = settings(variables.into_iter().map(|(k, v)| (k.into(), v.into())), &Secrets::default());
        assert_eq!(said["OLLAMA_API_KEY"], "SECRET");
        assert_eq!(said["OLLAMA_HOST"], "0.0.0.0");
        assert_eq!(said.len(), 2);
    }
}
