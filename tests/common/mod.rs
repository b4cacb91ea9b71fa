//! Shared code of whole-program tests: doubles, engine archives, models to pull, and processes that end with their
//! test.

#![allow(dead_code, reason = "each test program uses its own share of this")]

#[path = "../doubles/mirror.rs"]
pub mod mirror;

pub mod archive;
pub mod gguf;
pub mod process;
pub mod recordings;
pub mod server;
pub mod world;

use std::path::PathBuf;

/// A hardware file of a reference computer.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}
