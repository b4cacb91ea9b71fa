//! The snapshot of known vulnerabilities (`.ci/advisory-db`), and that the check which uses it can fail.

use std::path::Path;
use std::process::Command;

use crate::process::output;
use crate::{at, text_of};

/// Every advisory is of a crate that the snapshot was made for, and source, commit and date are stated.
#[test]
fn the_snapshot_of_advisories_is_dated_and_whole() {
    let stated = text_of(".ci/advisory-db/snapshot.toml");
    let value = |key: &str| {
        let line = stated.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
        line.and_then(|rest| rest.strip_suffix('"')).unwrap_or_else(|| panic!("no {key} in {stated}"))
    };
    assert_eq!(value("source"), "https://github.com/RustSec/advisory-db");
    assert!(
        value("commit").len() == 40 && value("commit").bytes().all(|b| b.is_ascii_hexdigit()),
        "{stated}"
    );
    let date: Vec<u32> = value("date").split('-').map(|part| part.parse().unwrap()).collect();
    assert!(date.len() == 3 && date[0] >= 2026, "{stated}");

    let covered = text_of(".ci/advisory-db/crates-covered.txt");
    let lock = text_of("Cargo.lock");
    let mut advisories = 0;
    for folder in entries(&at(".ci/advisory-db/crates")) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(covered.lines().any(|line| line == name), "{name} is not among the crates covered");
        for path in entries(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("```toml\n[advisory]\n"), "{}", path.display());
            assert!(text.contains(&format!("package = \"{name}\"\n")), "{}", path.display());
            advisories += 1;
        }
    }
    assert!(advisories >= 50, "only {advisories} advisories");
    // Most of what is used today was asked about; what came in since is named by `.ci/deny`.
    let used: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")).collect();
    let known = used.iter().filter(|name| covered.lines().any(|line| line == name.trim_end_matches('"')));
    assert!(known.count() * 10 >= used.len() * 9, "renew the snapshot: bash .ci/advisories");
}

/// `.ci/deny` runs cargo-deny on a package that uses a vulnerable release, with the snapshot.
#[test]
fn a_crate_known_to_be_vulnerable_is_found() {
    let deny = output(Command::new("bash").arg(at(".ci/deny")).arg("--prove").env_remove("CI"));
    let said = String::from_utf8_lossy(&deny.stdout);
    if said.contains("skipped:") {
        eprintln!("skipped: cargo-deny is not installed (bash .ci/tools installs it)");
        return;
    }
    assert!(deny.status.success() && said.contains("a vulnerable crate is found"), "{said}");
}

/// With a snapshot of a date long ago and one of today.
#[test]
fn an_old_snapshot_is_reported() {
    let today = String::from_utf8(output(Command::new("date").args(["-u", "+%F"])).stdout).unwrap();
    for (date, is_old) in [("2024-02-29", true), (today.trim(), false)] {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = folder.path().join(".ci/advisory-db");
        std::fs::create_dir_all(&snapshot).unwrap();
        std::fs::copy(at(".ci/deny"), folder.path().join(".ci/deny")).unwrap();
        std::fs::write(snapshot.join("snapshot.toml"), format!("date = \"{date}\"\n")).unwrap();
        let mut deny = Command::new("bash");
        deny.arg(folder.path().join(".ci/deny")).arg("--prove");
        // Without cargo-deny it has only the age to report.
        deny.env("PATH", "/usr/bin:/bin").env_remove("CI").env_remove("GITHUB_ACTIONS");
        let said = String::from_utf8(output(deny).stdout).unwrap();
        assert!(said.contains(&format!("advisories: snapshot of {date} (")), "{said}");
        assert_eq!(said.contains("renew them with: bash .ci/advisories"), is_old, "{said}");
    }
}

/// The current database is asked every day, where the project is hosted.
#[test]
fn a_scheduled_job_asks_the_current_database() {
    let job = text_of(".github/workflows/advisories.yml");
    for part in ["  schedule:\n    - cron: ", "cargo-deny --locked fetch db", "run: bash .ci/deny"] {
        assert!(job.contains(part), "{part}");
    }
    assert!(text_of(".ci/run").contains("bash .ci/deny"));
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
