//! The report that a window saves: the same as that of `acolyte doctor`, with what is on the page.

use std::path::PathBuf;

use super::{ReportContents, WorkerError};
use crate::doctor::{self, ReportSubject};
use crate::hardware::{DetectOptions, collect};
use crate::say;
use crate::sentences::document::DoctorDocument;
use crate::text::Text;

/// What the log of the page is called in a report.
const PAGE_LOG: &str = "installation (window)";

/// Puts the report together and writes it. Reads logs, and asks the machine when nobody has: call it on a worker thread.
pub(super) fn write(
    about: &ReportContents,
    options: &DetectOptions,
    path: PathBuf,
    text: Text,
) -> Result<Option<PathBuf>, WorkerError> {
    let failed = |cause: String| {
        let path = path.display().to_string();
        WorkerError(say!(text, "wizard-report-failed", path = path, cause = cause))
    };
    let json = json(about, options).map_err(|error| failed(error.to_string()))?;
    std::fs::write(&path, json).map_err(|error| failed(error.to_string()))?;
    Ok(Some(path))
}

fn json(about: &ReportContents, options: &DetectOptions) -> Result<String, serde_json::Error> {
    let machine = match about.found.as_deref() {
        Some(found) => match &found.evidence {
            Some(evidence) => ReportSubject::Asked(Box::new(evidence.clone())),
            None => ReportSubject::Saved(Box::new(found.hardware.clone())),
        },
        None => ReportSubject::Asked(Box::new(collect(options))),
    };
    let mut report = doctor::report(&machine, options)?;
    if let Some(log) = &about.log {
        report.add_log(PAGE_LOG, log);
    }
    report.receipt = about.receipt.clone();
    let mut json = serde_json::to_string_pretty(&DoctorDocument::from(&report))?;
    json.push('\n');
    Ok(json)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::doctor::DoctorReport;
    use crate::hardware::engines::Places;
    use crate::machine::Hardware;
    use crate::text::Language;

    #[test]
    fn a_report_of_the_window_is_one_of_the_doctors() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("report.json");
        let options = DetectOptions {
            probe_program: Some(home.path().join("no-such-program")),
            measure_memory: false,
            engines: Places::default(),
            ..DetectOptions::new(home.path().to_owned())
        };
        let about = ReportContents {
            log: Some("pulled with token=abc\nended".to_owned()),
            ..ReportContents::default()
        };
        let text = Text::new(Language::English);
        assert_eq!(write(&about, &options, path.clone(), text), Ok(Some(path.clone())));
        let json = std::fs::read_to_string(&path).unwrap();
        let report: DoctorReport = serde_json::from_str(&json).unwrap();
        assert_eq!(report.logs[PAGE_LOG], ["pulled with token=SECRET", "ended"]);
        assert!(report.evidence.is_some());
        assert_eq!(Hardware::from_file(&path).unwrap(), report.hardware);

        let nowhere = home.path().join("no/such/folder/report.json");
        let Err(WorkerError(words)) = write(&about, &options, nowhere, text) else { unreachable!("written") };
        assert!(words.contains("report.json"), "{words}");
    }
}
