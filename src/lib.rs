//! The ACOLYTE installer as a library, used by two thin programs: the window (`acolyte-installer`) and the terminal
//! (`acolyte`).
//!
//! [`hardware`] detects the machine ([`machine::Hardware`]); [`plan::make_plan`] decides what is possible, with figures
//! estimated by [`estimate`] from the sizes in [`models`]; the user chooses a [`plan::Plan`]; [`install`] carries it
//! out and ends with a receipt that compares prediction and measurement. [`sentences`] puts everything into words.
//! `docs/architecture.md` shows the structure.

// What reaches a terminal goes through `cli::output`, which escapes what could act on it.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr))]

mod built_in;
pub mod checksum;
pub mod cli;
pub mod control;
pub mod doctor;
pub mod estimate;
pub mod figures;
pub mod hardware;
pub mod install;
pub mod machine;
pub mod models;
pub mod monitor;
pub mod ollama;
pub mod plan;
pub mod platform;
pub mod sentences;
#[cfg(test)]
mod testing;
pub mod text;
pub mod untrusted;
pub mod wizard;

/// The smallest context ACOLYTE works with, in tokens. Never reduced.
pub const MIN_CONTEXT_TOKENS: u32 = 32_768;

/// Bytes in a mebibyte.
pub const MIB: u64 = 1 << 20;
/// Bytes in a gibibyte, the unit in which memory is sold ("8 GB" of VRAM are 8 GiB).
pub const GIB: u64 = 1 << 30;
/// Version of every JSON document we write and read.
pub const SCHEMA: u32 = 1;
