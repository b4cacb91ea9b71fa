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

/// Why typed text is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedNumberError {
    /// It has several marks, so that one may separate thousands: `1.234,5`.
    #[error("it has more than one mark")]
    SeveralMarks,
    /// It is no number.
    #[error("it is not a number")]
    NotANumber,
}

/// Parses a number with a decimal point or comma: `7.5` and `7,5` are the same. A single mark is always the decimal one,
/// whatever the language: what a computer prints can be typed on any other.
///
/// # Errors
/// For text with several marks or with separators of thousands, and for what is no number.
pub fn typed_decimal(typed: &str) -> Result<f64, TypedNumberError> {
    let is_mark = |c: char| matches!(c, '.' | ',' | '\u{66b}');
    let is_group = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’' | '_' | '\u{66c}');
    let typed = typed.trim();
    let has_digits = typed.chars().any(|c| c.is_ascii_digit());
    let marks = typed.chars().filter(|c| is_mark(*c)).count();
    let is_grouped = typed.chars().all(|c| c.is_ascii_digit() || is_mark(c) || is_group(c));
    if has_digits && is_grouped && (marks > 1 || typed.chars().any(is_group)) {
        return Err(TypedNumberError::SeveralMarks);
    }
    typed.replace(is_mark, ".").parse().map_err(|_| TypedNumberError::NotANumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_decimal_marks_are_read_in_every_language() {
        for (typed, number) in [
            ("7,5", 7.5),
            ("7.5", 7.5),
            ("8", 8.0),
            (" 0,25 ", 0.25),
            ("7٫5", 7.5),
            ("1,234", 1.234),
            ("+3,5", 3.5),
        ] {
            assert_eq!(typed_decimal(typed), Ok(number), "{typed}");
        }
        for typed in
            ["1.234,5", "1,234.5", "1.234.567", "1 234,5", "1'234.5", "1’234", "7,,5", "12\u{202f}000"]
        {
            assert_eq!(typed_decimal(typed), Err(TypedNumberError::SeveralMarks), "{typed}");
        }
        for typed in ["", ",", "siete", "7,5 GB", "0x10", "..", "-"] {
            assert_eq!(typed_decimal(typed), Err(TypedNumberError::NotANumber), "{typed}");
        }
    }
}
