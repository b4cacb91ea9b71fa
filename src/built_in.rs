//! Data files compiled into the program.

use std::fmt::Display;

/// The content of a data file compiled into the program, for use in a `LazyLock`.
///
/// # Panics
/// When it does not parse. Tests parse every such file, and the program cannot work without one.
#[allow(
    clippy::panic,
    reason = "the one policy for built-in data: a build whose data does not parse is broken"
)]
pub fn valid<T, E: Display>(file: &str, parsed: Result<T, E>) -> T {
    parsed.unwrap_or_else(|error| panic!("{file}, compiled into this program, is not valid: {error}"))
}
