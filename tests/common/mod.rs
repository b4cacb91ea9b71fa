//! Shared code of whole-program tests: doubles, engine archives, models to pull, and processes that end with their
//! test.

#![allow(dead_code, reason = "each test program uses its own share of this")]

#[path = "../doubles/mirror.rs"]
pub mod mirror;

pub mod archive;
#[cfg(target_os = "linux")]
pub mod bus;
pub mod gguf;
pub mod process;
pub mod recordings;
pub mod server;
#[cfg(target_os = "linux")]
pub mod stranger;
pub mod world;

use std::path::{Path, PathBuf};

/// The stand-in of NVIDIA's library, built by `cargo test` beside the programs.
pub fn stand_in_nvml() -> PathBuf {
    library("stand_in_nvml")
}

/// The library that makes calls fail as on other file systems.
pub fn stand_in_file_system() -> PathBuf {
    library("stand_in_file_system")
}

fn library(example: &str) -> PathBuf {
    let name = format!("{}{example}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = Path::new(env!("CARGO_BIN_EXE_acolyte")).with_file_name("examples").join(name);
    assert!(path.is_file(), "{} is missing; build it with: cargo build --examples", path.display());
    path
}

/// A hardware file of a reference computer.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}
