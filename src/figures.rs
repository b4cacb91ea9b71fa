//! Figures that say how sure they are: a range instead of one number, a value with its source.

use serde::{Deserialize, Serialize};

/// An estimate is never one number. `low` to `high` is meant to hold the truth 8 times out of 10.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// 1 time in 10 the truth lies below.
    pub low: f64,
    /// The most likely value.
    pub mid: f64,
    /// 1 time in 10 the truth lies above.
    pub high: f64,
}

/// Where an input of an estimate came from. The less certain it is, the wider the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Measured on this machine.
    Measured,
    /// Stated by the user, and believed.
    Given,
    /// Read from a driver or the system.
    Detected,
    /// Looked up by name.
    Table,
    /// Assumed, because nothing better is known.
    Guess,
}

/// A value and how it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// How it is known.
    pub certainty: Certainty,
}
