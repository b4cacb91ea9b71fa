//! Other programs that have our files open.

use std::process::Stdio;

use super::common::process::{Guarded, end_of};
use super::programs::Windows;

/// How often the scanner's test installs and uninstalls, and the value where it is not set.
const ROUNDS: (&str, u32) = ("ACOLYTE_SCANNER_ROUNDS", 2);

/// It has each new file open for a quarter of a second, as virus scanners and indexers do.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_virus_scanner_breaks_nothing() {
    let windows = Windows::start();
    let home = windows.home();
    let mut scanner = windows.helper("scanner");
    scanner.args([&home, "250"]).stdout(Stdio::piped());
    let scanner = scanner.spawn().unwrap();
    let rounds = std::env::var(ROUNDS.0).map_or(ROUNDS.1, |rounds| rounds.parse().unwrap());
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        windows.install(&["--profile", "light_6gb"]).receipt();
        windows.succeed(&["uninstall", "--yes"]);
        windows.assert_removed();
    }
    std::fs::write(format!("{}.stop", windows.file("").display().to_string().trim_end_matches('/')), "")
        .unwrap();
    let held: u32 = String::from_utf8(end_of(scanner).stdout)
        .unwrap()
        .lines()
        .last()
        .and_then(|line| line.trim().parse().ok())
        .expect("a number");
    assert!(held > 10, "the scanner held {held} files");
}

/// A terminal whose current folder is the home: the folder stays, and the error says why.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_terminal_in_the_home_is_named_as_the_reason() {
    let windows = Windows::start();
    windows.install(&["--profile", "light_6gb", "--no-autostart"]).receipt();
    let mut terminal = windows.wine("cmd");
    terminal.current_dir(windows.file("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = Guarded(terminal.spawn().unwrap());
    assert!(terminal.first_line().contains("Windows"), "it runs");
    let failed = windows.run(&["uninstall", "--yes"]);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && said.contains("terminal"), "{said}");
    drop(terminal);
    windows.wait_until_nothing_runs();
    std::fs::remove_dir(windows.file("")).unwrap();
}
