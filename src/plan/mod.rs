//! What do we recommend, allow, refuse? Profiles and policy are data (`assets/profiles.yaml`); this module puts them
//! against a machine.

mod types;

pub use types::{Assessment, Candidate, Grade, Improvement, Layers, Reason, Report, Verdict};
