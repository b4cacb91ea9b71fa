//! What differs per system: processes, files and their owners, the console, autostart.

pub mod awake;
pub mod clock;
pub mod detached;
pub mod encoding;
pub mod environment;
pub mod files;
pub mod installed_apps;
pub mod interruptions;
pub mod listening;
pub mod login;
pub mod notification;
pub mod ownership;
pub mod process;
pub mod processor_use;
pub mod program;
pub mod program_end;
pub mod program_file;
pub mod program_memory;
pub mod regular;
pub mod same_path;
pub mod shell_profile;
pub mod user_path;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
pub mod windows_program;
pub(crate) mod windows_quoting;

pub use ownership::others_can_write;
#[cfg(unix)]
pub use unix::{
    attach_console, hide_console, leave_terminal, let_come_to_front, open_console, prepare_console,
    release_program_pages, restrict_process, work_area,
};
#[cfg(windows)]
pub use windows::{
    attach_console, hide_console, leave_terminal, let_come_to_front, open_console, prepare_console,
    release_program_pages, restrict_process, system_folder, work_area, write_shortcut,
};
