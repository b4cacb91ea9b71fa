//! How do we talk to the engine?
