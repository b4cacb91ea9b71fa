//! Model files on this computer: estimated, installed and removed again, with real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use std::path::PathBuf;

use common::gguf::{Experts, Shape};
use common::world::World;
use serde_json::{Value, json};

/// Writes a model file into the world's folder.
fn put(world: &World, name: &str, shape: &Shape) -> PathBuf {
    let path = world.path(name);
    std::fs::write(&path, shape.file()).unwrap();
    path
}

#[test]
fn an_estimate_says_that_an_architecture_is_unknown() {
    let world = World::new(&json!({}));
    let estimate = |architecture: &'static str, more: &[&str]| {
        let experts = Some(Experts { count: 4, used: 2, width: 256 });
        let file = put(&world, "model.gguf", &Shape { architecture, experts, ..Shape::tiny() });
        let given = ["estimate", "--gpu", "RTX 4060", "--model", file.to_str().unwrap()];
        let output = world.run(&[&given, more].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = estimate("laguna9", &[]);
    assert!(said.contains("architecture \"laguna9\""), "{said}");
    let codes = |json: &str| -> Vec<String> {
        let plan: Value = serde_json::from_str(json).unwrap();
        let reasons = plan["reasons"].as_array().unwrap();
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
    };
    let unknown = "architecture_unknown".to_owned();
    assert!(codes(&estimate("laguna9", &["--json"])).contains(&unknown));
    assert!(!estimate("laguna", &[]).contains("does not know how"));
    assert!(!codes(&estimate("laguna", &["--json"])).contains(&unknown));
}
