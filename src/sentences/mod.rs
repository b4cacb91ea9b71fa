//! Makes sentences in the user's language from the types of the layers below, which hold figures only.

mod choices;
mod disk;
pub mod document;
mod engine;
mod fetch;
mod files;
mod finding;
mod install;
mod install_error;
mod install_progress;
pub mod json;
mod login;
pub mod machine;
mod model_file;
mod monitor;
mod network;
mod ownership;
mod plan;
mod profiles;
mod program_end;
mod published;
mod quality;
mod reference;
mod removal;
pub mod report;
mod terminal_page;
mod tuning;
mod usage;

pub use choices::{dominated_line, placement_sentence, plan_name, plan_sentence, profile_title, role_names};
pub use disk::{disk_summary, drive_short, engine_download, model_download};
pub use install_progress::{ProgressMessage, RevertFailureMessage, RollbackMessage};
pub use plan::{banner, consent_record, consent_text, wait};
pub use published::{changed_file, file_sentences, reading_file};
pub use quality::quality_line;
pub use reference::ReferenceWords;
pub use usage::{UsageHints, UsageProblem, ValueProblem};
