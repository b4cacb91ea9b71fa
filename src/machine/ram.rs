//! Modules of main memory, and programs that use much of it.

use serde::{Deserialize, Serialize};

use crate::untrusted::UntrustedText;

/// A program that uses much main memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RamProgram {
    /// Name of the program.
    pub name: UntrustedText,
    /// Main memory of all its processes, in bytes.
    pub bytes: u64,
}

/// An installed module of main memory, as the firmware describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RamModule {
    /// Size in bytes.
    pub size_bytes: u64,
    /// Technology, for example `DDR4` or `LPDDR5`.
    pub technology: Option<UntrustedText>,
    /// Whether it is in a slot (DIMM or SO-DIMM), not soldered.
    pub in_slot: bool,
    /// Width of its data bus in bits.
    pub data_width_bits: Option<u32>,
    /// Millions of transfers per second that it runs at.
    pub mt_s: Option<u32>,
    /// Millions of transfers per second that it is made for.
    pub rated_mt_s: Option<u32>,
}

impl RamModule {
    /// Nominal bandwidth of one module in decimal GB/s.
    pub fn gb_s(&self) -> Option<f64> {
        let bytes = f64::from(self.data_width_bits.filter(|bits| *bits > 0)?) / 8.0;
        Some(bytes * f64::from(self.mt_s.filter(|mt_s| *mt_s > 0)?) / 1000.0)
    }

    /// Whether a computer has one channel for such a module: DDR3, DDR4 or DDR5 in a slot.
    pub fn fills_a_channel(&self) -> bool {
        let technology = self.technology.as_deref().unwrap_or_default();
        self.in_slot && ["DDR3", "DDR4", "DDR5"].contains(&technology)
    }
}
