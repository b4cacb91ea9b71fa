//! Runs packaging scripts with stand-ins for the programs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::process::output;
use crate::{PROGRAMS, at};

/// A stand-in prints by which path it was started.
const STAND_IN: &str = "#!/bin/sh\necho \"started $0\"\n";

/// Puts a stand-in for each program into `folder`.
pub fn stand_ins(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for program in PROGRAMS {
        let path = folder.join(program);
        std::fs::write(&path, STAND_IN).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// Runs a packaging script with stand-ins and returns its output.
pub fn package(script: &str, output: &Path, more: &[&str]) -> String {
    let binaries = output.join("stand ins");
    stand_ins(&binaries);
    let mut command = Command::new("bash");
    command.arg(at(script)).arg("--binaries").arg(&binaries).arg("--output").arg(output).args(more);
    // A fixed date: dates in packages must not come from the clock.
    command.env("SOURCE_DATE_EPOCH", "1767225600").current_dir(output);
    printed(&mut command)
}

/// Runs a command that must succeed and returns its output.
pub fn printed(command: &mut Command) -> String {
    let output = output(command);
    succeeded(&output);
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts success; shows the output of a failed command.
pub fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
