//! Figures with their uncertainty: ranges, and values with their certainty.

use serde::{Deserialize, Serialize};

/// An estimate: the true value is between `low` and `high` in 8 of 10 cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Lower bound; the true value is lower in 1 of 10 cases.
    pub low: f64,
    /// The most likely value.
    pub mid: f64,
    /// Upper bound; the true value is higher in 1 of 10 cases.
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
