//! Sentences made from facts, in the user's language. Everything below speaks in types; here they become words.

mod disk;
pub mod document;
mod engine;
mod fetch;
mod files;
mod finding;
pub mod json;
pub mod machine;
mod plan;
mod reference;
pub mod report;

pub use disk::{disk_summary, drive_short, engine_download, model_download};
pub use plan::{banner, consent_text, wait};
pub use reference::ReferenceWords;
