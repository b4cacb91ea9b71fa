//! Watches the use of graphics memory and raises an alert before the engine runs out.
//!
//! The context is never reduced to free memory, because ACOLYTE needs 32,768 tokens; an alert can only warn in time and
//! advise. [`Sampler`] measures, [`VramWatch`] decides when to raise an alert, [`SampleHistory`] keeps the last minutes for a
//! graph.

mod alerts;
mod engine_log;
mod history;
mod placement;
mod sampler;
mod vram;

pub use alerts::AlertWatch;
pub use engine_log::{AnswerTiming, loaded_share};
pub use history::{HistoryPoint, SampleHistory};
pub use placement::{MeasuredPlacement, PlacementLoss, placement_loss};
pub use sampler::{CardSample, ModelSample, Sample, Sampler};
pub use vram::{Alert, CRITICAL_SHARE, RECOVERED_SHARE, VramUse, VramWatch};
