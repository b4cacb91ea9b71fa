//! Icons and package data match the programs. The packaging scripts run with stand-ins for the two programs, which
//! print how they were started.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(target_os = "linux")]
mod advisories;
#[cfg(unix)]
mod code_signature;
mod icons;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod macos;
#[cfg(unix)]
mod macos_only;
#[cfg(unix)]
mod macos_signed;
#[allow(dead_code, reason = "the module of cargo xtask, which uses all of it")]
#[path = "../../installer/xtask/src/plan.rs"]
mod plan;
#[path = "../common/process.rs"]
mod process;
#[allow(dead_code, reason = "the module of cargo xtask, which uses all of it")]
#[path = "../../installer/xtask/src/publish/mod.rs"]
mod publish;
#[cfg(target_os = "linux")]
mod publishing;
mod release;
#[cfg(unix)]
mod scripts;
mod windows;
#[cfg(target_os = "linux")]
mod workflows;

use std::path::PathBuf;
use std::process::Command;

use process::output;

#[cfg(unix)]
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The programs that are shipped, the window first.
const PROGRAMS: [&str; 2] = ["acolyte-installer", "acolyte"];

/// A file of the repository.
fn at(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether a tool is here; otherwise says that its part of a test is skipped.
#[cfg(target_os = "linux")]
fn has(tool: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(tool).is_file());
    if !found {
        eprintln!("skipped: {tool} is not installed (bash .ci/tools installs it)");
    }
    found
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_programs_are_those_of_the_package() {
    let manifest = text_of("Cargo.toml");
    let names: Vec<&str> =
        manifest.split("[[bin]]\n").skip(1).map(|table| table.split('"').nth(1).unwrap()).collect();
    assert_eq!(names, PROGRAMS);
}

/// The docs give a reason for every direct dependency and name no other.
#[test]
fn every_dependency_has_its_reason() {
    let page = text_of("docs/dependencies.md");
    let (used, _) = page.split_once("## Considered").unwrap();
    let mut explained: Vec<&str> = used
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .flat_map(|(crates, _)| crates.split('`').skip(1).step_by(2))
        .collect();
    let manifest = text_of("Cargo.toml");
    let (mut declared, mut inside) = (Vec::new(), false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| inside && !line.starts_with('#')) {
            declared.push(name);
        }
    }
    explained.sort_unstable();
    declared.sort_unstable();
    assert_eq!(explained, declared);
}

/// The program that installed is copied, and the copy is called at login, so both must support it.
#[test]
fn both_programs_start_the_server_when_called_at_login() {
    let home = tempfile::tempdir().unwrap();
    for program in [env!("CARGO_BIN_EXE_acolyte-installer"), env!("CARGO_BIN_EXE_acolyte")] {
        let output = output(
            Command::new(program)
                .args(["start-server".as_ref(), home.path().as_os_str()])
                .env("ACOLYTE_HOME", home.path()),
        );
        let said = String::from_utf8_lossy(&output.stderr);
        // Fails because nothing is installed, not because the argument is unknown.
        assert_eq!(output.status.code(), Some(1), "{program}: {said}");
        assert!(!said.contains("Usage"), "{program}: {said}");
    }
}
