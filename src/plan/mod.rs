//! Decides what is recommended, allowed and refused. Profiles and policy are data (`assets/profiles.yaml`); this module
//! evaluates them on a machine. It does no I/O.
//!
//! [`Profiles`] (checked data) → [`candidates`] → [`make_plan`] for each on the [`machine()`] → [`Report`]. A [`Plan`] holds
//! figures and kinds of reasons; `sentences` puts words to them.

mod case;
mod consent;
mod disk;
mod improve;
mod machine;
mod make;
#[expect(clippy::module_inception, reason = "the type Plan has its own file")]
mod plan;
mod policy;
mod profiles;
mod reason;
mod reference;
mod report;
#[cfg(test)]
mod tests;
mod types;

pub use consent::{ConsentTerms, Limit};
pub use disk::{ArchiveFile, DiskNeeds, DriveNeeds, EngineFiles, Inventory};
pub use machine::{GIVEN, chosen_gpu, machine, machine_for};
pub use make::make_plan;
pub use plan::Plan;
pub use policy::{Policy, TypicalCard};
pub use profiles::{CUSTOM_ID, EMERGENCY_ID, Mistake, NUM_BATCH, Profile, Profiles, ProfilesError};
pub use reason::{Improvement, Reason};
pub use reference::{Expected, ReferenceComputer, ReferenceRow, reference_computers};
pub use report::{
    Report, candidates, custom_candidate, emergency_candidate, note_disk_needs, own_candidate, plan_all,
};
pub use types::{Candidate, Grade, Layers, Verdict};
