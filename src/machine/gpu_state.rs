//! What a card does besides computing, and what slows it.

use serde::{Deserialize, Serialize};

/// State of a card at detection, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GpuState {
    /// Whether a display is connected to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<bool>,
    /// Power limit in force, in watts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_limit_w: Option<f64>,
    /// Its default power limit, in watts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_default_w: Option<f64>,
    /// The highest power limit that can be set, in watts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_max_w: Option<f64>,
    /// Temperature of the chip in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<u32>,
    /// What lowers its clocks now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slowed_by: Vec<Slowdown>,
}

/// Why a card lowers its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slowdown {
    /// It is too hot.
    Temperature,
    /// It is at its power limit.
    PowerLimit,
    /// The power supply or the board demands it.
    PowerSupply,
}
