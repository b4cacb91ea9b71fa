//! What is kept on disk under our home: documents, their snapshot, the lock, and the path of each file and folder.

pub mod documents;
pub mod home;
mod lock;
mod paths;
pub mod snapshot;

pub use documents::{Installed, ProfileFile};
pub use lock::{Lock, LockError};
pub use paths::{Paths, REHEARSAL_FILE};
