//! What do we recommend, allow, refuse? Profiles and policy are data (`assets/profiles.yaml`); this module puts them
//! against a machine.
//!
//! [`Profiles`] (checked data) → [`candidates`] → [`assess`] each against the [`machine()`] → [`Report`]. The answer
//! holds figures and kinds of reasons; words are put to them in `words`.

mod improve;
mod machine;
mod make;
mod policy;
mod profiles;
mod reference;
mod report;
mod room;
#[cfg(test)]
mod tests;
mod types;

pub use machine::{GIVEN, chosen_gpu, machine, machine_for};
pub use make::make_plan;
pub use policy::{Policy, TypicalCard};
pub use profiles::{CUSTOM_ID, EMERGENCY_ID, Mistake, Profile, Profiles, ProfilesError, is_tag_form};
pub use reference::{Expected, ReferenceComputer, ReferenceRow, reference_computers};
pub use report::{candidates, custom_candidate, emergency_candidate, own_candidate, plan_all};
pub use room::survey;
pub use types::{Candidate, Grade, Improvement, Layers, Plan, Reason, Report, Verdict};
