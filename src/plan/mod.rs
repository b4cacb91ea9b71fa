//! Decides what is recommended, allowed and refused. Profiles and policy are data (`assets/profiles.yaml`); this module
//! evaluates them on a machine. It does no I/O.
//!
//! [`Profiles`] (checked data) → [`candidates`] → [`make_plan`] for each on the [`machine()`] → [`Report`]. Beside the
//! profiles, every model of the catalogue is tried in every setting, and three of them are offered: [`find_choices`]. A
//! [`Plan`] contains figures and typed reasons; `sentences` puts them into words.

mod candidates;
mod case;
mod choice_rules;
mod choices;
mod consent;
mod disk;
mod for_file;
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
mod search;
mod setting;
#[cfg(test)]
mod tests;
mod tips;
mod types;

pub use candidates::{candidates, custom_candidate, emergency_candidate, own_candidate};
pub use choice_rules::{ChoiceRules, ChoiceWeights, RoleLimits};
pub use choices::{Choice, Choices, Why, find_choices};
pub use consent::{ConsentTerms, Limit};
pub use disk::{ArchiveFile, DiskNeeds, DriveNeeds, EngineFiles, Inventory};
pub use for_file::{fit_experts, plan_for_file};
pub use machine::{GIVEN, chosen_gpu, machine, machine_for};
pub use make::make_plan;
pub use plan::Plan;
pub use policy::{Policy, TypicalCard};
pub use profiles::{CUSTOM_ID, EMERGENCY_ID, Mistake, NUM_BATCH, Profile, Profiles, ProfilesError};
pub use reason::{Improvement, Reason};
pub use reference::{Expected, ReferenceComputer, ReferenceRow, reference_computers};
pub use report::{Report, note_disk_needs, plan_all, plan_profiles};
pub use tips::{
    DriverRule, IdleReason, PowerLimitRules, ProcessorRam, ProgramMemory, RamRules, RecommendedModel, Tip,
    TipFigures, TipGain, TipRules, better_model, tips, without_own_model,
};
pub use types::{Candidate, Grade, Layers, Role, Verdict};
