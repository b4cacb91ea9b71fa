//! Model references, and what a registry tells about a model before it is pulled.

mod reference;

pub use reference::{Reference, ReferenceError};
