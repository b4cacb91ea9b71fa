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

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
