//! How do we talk to the engine?

pub mod http;
pub mod registry;
pub mod client;
pub mod ndjson;
pub mod release;
pub mod replies;
