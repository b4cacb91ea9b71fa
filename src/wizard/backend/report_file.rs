//! The report that the window saves: the one of `acolyte doctor`, with what is on the page.

use std::path::PathBuf;
use std::sync::Arc;

use super::command::ReportContents;
use super::error::WorkerError;
use crate::doctor::{self, ReportSubject};
use crate::hardware::{DetectOptions, collect};
use crate::platform::files;
use crate::sentences::document::{DoctorDocument, indented};
use crate::text::messages;

/// Name of the page's log in a report.
const PAGE_LOG: &str = "installation (window)";

/// Builds the report; returns its text. Reads logs, and detects the machine if it is not in `contents`: call it on a
/// worker thread.
///
/// # Errors
/// When an answer cannot be serialised, which would be a bug.
pub(super) fn build(contents: &ReportContents, options: &DetectOptions) -> Result<Arc<str>, WorkerError> {
    let built = json(contents, options).map(Arc::from);
    built.map_err(|error| WorkerError::ReportNotBuilt { cause: error.to_string() })
}

/// Writes a report as it was shown; returns its path.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(report: &str, path: PathBuf) -> Result<PathBuf, WorkerError> {
    match files::write_named(&path, report.as_bytes()) {
        Ok(()) => Ok(path),
        Err(error) => Err(WorkerError::ReportNotWritten { path, cause: error.source.to_string() }),
    }
}

fn json(contents: &ReportContents, options: &DetectOptions) -> Result<String, serde_json::Error> {
    let machine = match contents.detected.as_deref() {
        Some(detected) => match &detected.evidence {
            Some(evidence) => ReportSubject::Detected(Box::new(evidence.clone())),
            None => ReportSubject::Saved(Box::new(detected.hardware.clone())),
        },
        None => ReportSubject::Detected(Box::new(collect(options))),
    };
    let mut report = doctor::report(&machine, options)?;
    if let Some(log) = &contents.log {
        report.add_log(PAGE_LOG, log, &messages::sources());
    }
    report.receipt = contents.receipt.clone();
    indented(&DoctorDocument::from(&report))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::doctor::DoctorReport;
    use crate::hardware::engines::Places;
    use crate::machine::Hardware;
    use crate::say;
    use crate::text::{Language, Text};

    #[test]
    fn a_report_of_the_window_has_the_format_of_the_doctor() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("report.json");
        let options = DetectOptions {
            probe_program: Some(home.path().join("no-such-program")),
            measure_memory: false,
            engines: Places::default(),
            ..DetectOptions::new(home.path().to_owned())
        };
        let said = say!(Text::new(Language::Spanish), "wizard-install-failed-lead");
        let contents = ReportContents {
            log: Some(format!("pulled with token=abc\n{said}")),
            ..ReportContents::default()
        };
        let built = build(&contents, &options).unwrap();
        assert_eq!(write(&built, path.clone()).unwrap(), path);
        let json = std::fs::read_to_string(&path).unwrap();
        assert_eq!(json, *built, "what was shown is what is saved");
        let report: DoctorReport = serde_json::from_str(&json).unwrap();
        assert_eq!(report.logs[PAGE_LOG], ["[left out]", said.as_str()]);
        assert!(report.evidence.is_some());
        assert_eq!(Hardware::from_file(&path).unwrap(), report.hardware);

        #[cfg(unix)]
        {
            let link = home.path().join("planted.json");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            write("another report", link.clone()).unwrap();
            assert!(!link.is_symlink() && std::fs::read_to_string(&path).unwrap() == *built);
        }

        let nowhere = home.path().join("no/such/folder/report.json");
        let error = write(&built, nowhere.clone()).unwrap_err();
        assert!(matches!(error, WorkerError::ReportNotWritten { path, .. } if path == nowhere));
    }
}
