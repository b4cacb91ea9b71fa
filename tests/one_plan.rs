//! The summary before an installation and its first step show the same figures of the plan.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use common::world::World;
use serde_json::json;

/// The text between two parts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before:?} is not in {text:?}"));
    rest.split_once(after).unwrap_or_else(|| panic!("{after:?} is not behind {before:?} in {text:?}")).0
}

#[test]
fn the_summary_and_the_first_step_name_the_same_disk_space() {
    let world = World::new(&json!({}));
    let said = world.install(&["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let shown = between(&said.errors, "Disk space needed: ", ".\n");
    let checked =
        said.events.iter().find(|event| event["step"] == "check" && event["state"] == "done").unwrap();
    assert_eq!(checked["message"], format!("{shown} of disk space is available"));

    // Once everything is installed, neither reports a need.
    let again = world.install(&["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart"]);
    assert_eq!(again.code, Some(0), "{again:#?}");
    assert!(!again.errors.contains("Disk space needed"), "{}", again.errors);
    assert!(again.errors.contains("Ollama: already here, model: already here"), "{}", again.errors);
    let checked =
        again.events.iter().find(|event| event["step"] == "check" && event["state"] == "done").unwrap();
    assert_eq!(checked["message"], "Nothing to download");
}
