//! The workflows of the place where the project is hosted, and that the check of them can fail.

use std::path::PathBuf;
use std::process::Command;

use crate::process::output;
use crate::{at, text_of};

/// All workflows.
fn workflows() -> Vec<(PathBuf, String)> {
    let files = std::fs::read_dir(at(".github/workflows")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// A tag or branch of an action can be moved to other code; a commit cannot.
#[test]
fn actions_are_pinned_by_commit_and_images_by_digest() {
    let mut actions = 0;
    for (path, text) in workflows() {
        let path = path.display();
        for line in text.lines().map(str::trim_start).map(|line| line.trim_start_matches("- ")) {
            if let Some(action) = line.strip_prefix("uses: ") {
                let (name, pin) = action.split_once('@').unwrap_or_else(|| panic!("{path}: {action}"));
                let (commit, version) = pin.split_once(" # v").unwrap_or_else(|| panic!("{path}: {action}"));
                assert!(name.starts_with("actions/"), "{path}: {name} is not of the host itself");
                assert!(
                    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{path}: {action}"
                );
                assert!(version.split('.').count() == 3, "{path}: {action} says which version it is");
                actions += 1;
            }
            if let Some(image) = line.strip_prefix("image: ") {
                let digest = image.split_once("@sha256:").unwrap_or_else(|| panic!("{path}: {image}")).1;
                assert!(digest.len() == 64, "{path}: {image}");
            }
        }
    }
    assert!(actions >= 5, "only {actions} uses of actions");
}

/// The default of a workflow is no permission at all; each job names what it needs, and no checkout leaves its token behind.
#[test]
fn workflows_have_the_least_permissions() {
    for (path, text) in workflows() {
        let path = path.display();
        assert!(text.contains("\npermissions: {}\n"), "{path}");
        assert!(text.contains("\nconcurrency:\n"), "{path}");
        let jobs = text.split_once("\njobs:\n").unwrap().1;
        let names = jobs
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':'));
        let (names, permissions) = (names.count(), jobs.matches("\n    permissions:\n").count());
        assert_eq!(names, permissions, "{path}: each job has its permissions");
        assert_eq!(
            jobs.matches("\n    timeout-minutes: ").count(),
            names,
            "{path}: each job has a time limit"
        );
        let checkouts = jobs.matches("uses: actions/checkout@").count();
        assert_eq!(jobs.matches("persist-credentials: false").count(), checkouts, "{path}");
    }
}

/// `.ci/workflows` requires that the faults of a faulty workflow are found, before it looks at the real ones.
#[test]
fn a_faulty_workflow_is_found() {
    let prove = output(Command::new("bash").arg(at(".ci/workflows")).arg("--prove").env_remove("CI"));
    let said = String::from_utf8_lossy(&prove.stdout);
    if said.contains("skipped:") {
        eprint!("{said}");
        return;
    }
    assert!(prove.status.success() && said.contains("faulty workflows are found"), "{said}");
    assert!(text_of(".ci/run").contains("bash .ci/workflows"));
}

/// Linux runs all checks; Windows and macOS what only they can answer.
#[test]
fn every_change_is_checked_on_three_systems() {
    let text = text_of(".github/workflows/ci.yml");
    for (system, parts) in [
        ("ubuntu-", &["run: bash .ci/run"][..]),
        ("windows-", &["cargo test --locked", "-D warnings", r"installer\windows\package.ps1"]),
        ("macos-", &["cargo test --locked", "-D warnings", "installer/macos/package.sh --universal"]),
    ] {
        let job =
            text.split("runs-on: ").find(|job| job.starts_with(system)).unwrap_or_else(|| panic!("{system}"));
        for part in parts {
            assert!(job.contains(part), "{system}: {part}");
        }
    }
}
