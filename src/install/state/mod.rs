//! What is kept on disk under our home: documents, the journal of changes, the lock, and where each of them lies.

pub mod documents;
pub mod journal;
mod lock;
mod paths;
mod saved_request;
pub mod snapshot;

pub use documents::{Installed, ProfileFile};
pub use lock::{Lock, LockError};
pub use paths::Paths;
pub use saved_request::SavedRequest;
