//! `acolyte` at a terminal: what it asks there and nowhere else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, ExitStatus};

use common::world::World;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;

/// Runs a command at a terminal of its own and answers each question that it ends with. Returns all that it showed.
fn at_a_terminal(mut command: Command, answers: &[(&str, &str)]) -> (ExitStatus, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let end = || File::options().read(true).write(true).open(OsStr::from_bytes(name.to_bytes())).unwrap();
    let mut child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    // It holds our copies of the terminal, which would keep it open.
    drop(command);
    let mut master = File::from(master);
    let (mut shown, mut answers) = (String::new(), answers.iter());
    let (mut next, mut from) = (answers.next(), 0);
    let mut bytes = [0; 4096];
    // The terminal is closed with the program: an error on Linux, an end elsewhere.
    while let Ok(count @ 1..) = master.read(&mut bytes) {
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if let Some((question, answer)) = next
            && let Some(at) = shown.get(from..).and_then(|rest| rest.find(question))
        {
            from += at + question.len();
            master.write_all(format!("{answer}\n").as_bytes()).unwrap();
            next = answers.next();
        }
    }
    assert_eq!(next, None, "it did not ask: {shown}");
    (child.wait().unwrap(), shown)
}

/// The question about this computer, whatever it is: it goes on with the plan that was shown, and installs nothing without
/// the user's agreement.
#[test]
fn the_requirements_end_with_the_question_whether_to_install() {
    let world = World::new(&json!({}));
    let shown_without = world.run(&["check-requirements"]);
    let verdict = shown_without.status.code();
    let words =
        String::from_utf8(shown_without.stderr).unwrap() + &String::from_utf8(shown_without.stdout).unwrap();
    assert!(!words.contains("Continue with"), "not without a terminal: {words}");

    let (status, shown) = at_a_terminal(world.acolyte(&["check-requirements"]), &[("[y/N] ", "n")]);
    assert_eq!(status.code(), verdict);
    let (_, question) = shown.rsplit_once("Continue with ").expect("a question");
    let model = question.split_once(" and the limits").or(question.split_once('?')).unwrap().0.to_owned();
    let (status, shown) = at_a_terminal(world.acolyte(&["check-requirements", "--no-input"]), &[]);
    assert_eq!((status.code(), shown.contains("Continue with")), (verdict, false));

    let (status, shown) =
        at_a_terminal(world.acolyte(&["check-requirements"]), &[("[y/N] ", "y"), ("[y/N] ", "n")]);
    assert!(!status.success(), "{shown}");
    let summary = shown.rsplit_once("Continue with ").unwrap().1;
    assert!(summary.contains(&model) && summary.contains("Everything goes into"), "{summary}");
    assert!(!world.home().join("llm/journal").exists(), "nothing was changed");
}
