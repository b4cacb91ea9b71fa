//! What differs per system: processes, files, the console, starting at login.

pub mod awake;
pub mod clock;
pub mod environment;
pub mod files;
pub mod listening;
pub mod login;
pub mod process;
pub mod program;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{attach_console, hide_console, open_console, others_can_write};
#[cfg(windows)]
pub use windows::{attach_console, hide_console, open_console, others_can_write};
