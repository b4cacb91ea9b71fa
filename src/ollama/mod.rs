//! How do we talk to the engine?

pub mod client;
mod client_error;
pub mod evidence;
pub mod failure;
pub mod http;
pub mod lookup;
pub mod manifest;
pub mod model_file;
pub mod ndjson;
pub mod own_server;
pub mod registry;
pub mod release;
pub mod replies;
pub mod requests;
pub mod resolver;
pub mod running;
pub mod server;
pub mod store;
