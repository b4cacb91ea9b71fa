//! Files and folders: private to the user, written atomically, never opened or created through a link.

mod cause;
mod create;
mod disk;
mod error;
mod folders;
mod held;
mod read;
mod sync;
mod write;

pub use cause::FileCause;
pub use create::{
    clone, create_anew, create_new, make_executable, open_own, open_to_append, private, set_mode,
};
pub use disk::{disk_of, free_bytes, free_entries, largest_file_bytes, length, nearest_existing};
pub use error::{FileError, FileOperation, creating, reading, removing, renaming, writing};
pub use folders::{
    create_folder, create_folders, missing_folders, remove_file, remove_folder, remove_folder_if_empty,
    remove_folder_or_link,
};
#[cfg(windows)]
pub(in crate::platform) use held::while_held;
pub use held::{HELD_LIMIT, HELD_REPORT_AFTER, HeldFile, is_held_message, on_wait, rename, rename_reporting};
pub use read::{read_pieces, read_through, sha256};
pub use sync::{sync, sync_data, sync_file, sync_folder, sync_folder_of};
pub use write::{temporary, write_named, write_named_for_all, write_whole, write_whole_unsynced};
