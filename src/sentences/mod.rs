//! Sentences made from facts, in the user's language. Everything below speaks in types; here they become words.

mod engine;
mod files;
pub mod json;
pub mod machine;
mod note;
mod plan;
mod reference;
pub mod report;

pub use plan::{banner, consent_text, wait};
pub use reference::ReferenceWords;
