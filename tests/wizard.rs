//! The window, driven through its accessibility tree with a scripted backend.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "wizard/afterwards.rs"]
mod afterwards;
#[path = "wizard/announcements.rs"]
mod announcements;
#[path = "wizard/errors.rs"]
mod errors;
#[path = "wizard/fetching.rs"]
mod fetching;
#[path = "wizard/frames.rs"]
mod frames;
#[path = "wizard/journeys.rs"]
mod journeys;
#[path = "wizard/keeping.rs"]
mod keeping;
#[path = "wizard/live.rs"]
mod live;
#[path = "wizard/moved_file.rs"]
mod moved_file;
#[path = "wizard/own_file.rs"]
mod own_file;
#[path = "wizard/pictures.rs"]
mod pictures;
#[path = "wizard/reach.rs"]
mod reach;
#[path = "wizard/resuming.rs"]
mod resuming;
#[path = "wizard/scripted.rs"]
mod scripted;
#[path = "wizard/settings.rs"]
mod settings;
#[path = "wizard/snapshots.rs"]
mod snapshots;
#[path = "wizard/stage.rs"]
mod stage;
#[path = "wizard/structure.rs"]
mod structure;
#[path = "wizard/summary.rs"]
mod summary;
#[path = "wizard/tips.rs"]
mod tips;
#[path = "wizard/tuning.rs"]
mod tuning;
#[path = "wizard/updates.rs"]
mod updates;
