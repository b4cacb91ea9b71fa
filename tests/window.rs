//! The real window on a virtual display, driven with the keyboard alone.
//!
//! The program runs as a user would start it, with doubles for everything it downloads. The window is observed from
//! outside through its title, which names the page. Pictures of all pages are saved in `target/tmp/window`. Needs Xvfb
//! and xdotool (Debian: `apt-get install xvfb xdotool libgl1-mesa-dri`), and ImageMagick for the pictures; without them
//! the tests are skipped with a message.
//!
//! `ACOLYTE_INSTALLER_BIN=target/release/acolyte-installer cargo test --test window` tests that program instead of the
//! one built with the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

#[path = "window/display.rs"]
mod display;
#[path = "window/journey.rs"]
mod journey;
#[path = "window/screens.rs"]
mod screens;
#[path = "window/starting.rs"]
mod starting;
#[path = "window/walk.rs"]
mod walk;
#[path = "window/wayland.rs"]
mod wayland;
