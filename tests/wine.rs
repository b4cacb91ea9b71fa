//! The Windows programs under Wine: see tests/wine/README.md. `bash .ci/wine-walk` builds them, prepares Wine and runs this;
//! without it the tests are ignored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

#[path = "window/display.rs"]
#[allow(dead_code, reason = "tests/window.rs uses the rest")]
mod display;
#[path = "wine/holding.rs"]
mod holding;
#[path = "wine/homes.rs"]
mod homes;
#[path = "wine/journey.rs"]
mod journey;
#[path = "wine/programs.rs"]
mod programs;
#[path = "window/walk.rs"]
#[allow(dead_code, reason = "tests/window.rs uses the rest")]
mod walk;
#[path = "wine/window.rs"]
mod window;
