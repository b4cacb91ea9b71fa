//! Figures with their uncertainty: ranges, and values with their certainty.

use serde::{Deserialize, Serialize};

/// An estimate: the true value is meant to be within `low` to `high` 8 times out of 10.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The true value is lower 1 time in 10.
    pub low: f64,
    /// The most likely value.
    pub mid: f64,
    /// The true value is higher 1 time in 10.
    pub high: f64,
}

/// How an input of an estimate is known. The less certain it is, the wider the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Measured on this machine.
    Measured,
    /// Stated by the user.
    Given,
    /// Read from a driver or the system.
    Detected,
    /// Looked up in the table of cards by name.
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

impl<T> Known<T> {
    /// Read from a driver or the system.
    pub const fn detected(value: T) -> Self {
        Self { value, certainty: Certainty::Detected }
    }

    /// Assumed, because nothing better is known.
    pub const fn guess(value: T) -> Self {
        Self { value, certainty: Certainty::Guess }
    }
}
