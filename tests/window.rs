//! The real window on a virtual display, driven with the keyboard alone.
//!
//! The program runs as a user would start it; what it downloads and runs are the doubles. The window is watched
//! from outside, through its title, which names the page. A picture of every page is left in
//! `target/tmp/window`. Needs Xvfb and xdotool (Debian: `apt-get install xvfb xdotool libgl1-mesa-dri`), and
//! ImageMagick for the pictures; without them it says that it was skipped.
//!
//! `ACOLYTE_INSTALLER_BIN=target/release/acolyte-installer cargo test --test window` tries that program instead of
//! the one that was built with the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

#[path = "window/display.rs"]
mod display;
#[path = "window/journey.rs"]
mod journey;
#[path = "window/starting.rs"]
mod starting;
