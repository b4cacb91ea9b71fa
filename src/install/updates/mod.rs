//! Is there something newer? A newer program and a newer pinned engine, named by a signed list, and whether the model's tag
//! has moved in its registry.
//!
//! Nothing is asked unless the user said so, and at most once a day ([`UpdatesFile::is_due`]). Nothing is fetched but the
//! list and the model's manifest: what is newer is shown with its size, and installed when the user asks for it.
//!
//! The list is one static file, signed with minisign ([`list`]). Refused are a wrong signature, a list older than one that
//! was seen before, another list with the same serial number, and one whose time is over, so that nobody can hide a newer
//! one by replaying it.

mod check;
mod fetch;
mod found;
mod list;
mod source;
mod state;

pub use check::check_for_updates;
pub use fetch::UpdateError;
pub use found::{EngineUpdate, ModelUpdate, ProgramUpdate, Updates};
pub use list::{ListProblem, UpdateList, Wordings};
pub use source::{UpdateSource, UpdateSourceError};
pub use state::UpdatesFile;
