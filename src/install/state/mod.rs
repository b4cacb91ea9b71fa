//! What is kept on disk under our home: documents, their snapshot, the lock, and the path of each file and folder.

pub mod documents;
mod lock;
mod paths;
mod saved_request;
pub mod snapshot;

pub use documents::{Installed, ProfileFile};
pub use lock::{Lock, LockError};
pub use paths::Paths;
pub use saved_request::SavedRequest;
