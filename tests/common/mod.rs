//! What whole-program tests share: the doubles, the archives they come in, models to pull, and processes that end.

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

/// A machine of the proposal's table, as a hardware file.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}
