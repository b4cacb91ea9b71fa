//! What Linux and macOS have in common: what only Windows needs.

use std::process::Command;

use crate::hardware::evidence::{Answer, DxgiAdapter};

/// There is no DXGI here.
pub fn dxgi_adapters() -> Answer<Vec<DxgiAdapter>> {
    Answer::Absent
}

/// Children never open a console window here.
pub fn hide_console(_command: &mut Command) {}

/// A program writes to where it was started from; nothing has to be done for it here.
pub fn attach_console() {}
