//! Keeping this program on the computer: which files that takes, where they go, and what is in them.
//!
//! Both programs are copied below the home (`bin`), never linked to the download. Around them: a menu entry with its
//! icons, our folder of programs on `PATH` by a line in the user's profile files (on Windows a value of the registry),
//! completions, manual pages, and on Windows an entry in the list of installed apps. `manage/keep.rs` writes all of it as
//! changes of the journal.

pub mod app_entry;
pub mod menu;
pub mod places;
pub mod programs;
mod record;
mod shells;

pub use programs::{OwnPrograms, ProgramKind};
pub use record::{KeptAge, KeptFile};
pub use shells::{environment_script, fish_script, shell_line};
