//! How do we talk to the engine?

pub mod http;
pub mod registry;
