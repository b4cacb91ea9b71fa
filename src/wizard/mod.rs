//! The window. It draws what is in memory and sends commands; it never waits for the system, the disk or the network.
//!
//! [`start`] opens it in its own process, or returns why that is not possible. [`Wizard`] is its content without the
//! window. One frame:
//!
//! 1. `messages` handles the answers of the [`backend`].
//! 2. `frame` draws the sidebar, the page ([`pages`], one file each) and the footer; `answers` draws the open question.
//!    What the user does becomes a list of intents.
//! 3. `intents` carries them out: it changes the page ([`flow`]) or sends a command to the backend.
//!
//! A frame is drawn only after an event.

mod answers;
mod app;
pub mod backend;
pub mod flow;
mod frame;
mod intents;
mod messages;
mod navigation;
mod notice;
mod options;
pub mod pages;
mod question;
mod reference_table;
mod report_panel;
mod resume;
mod settings;
mod show;
mod sidebar_tools;
mod start;
pub mod steps;
pub mod theme;
pub mod typed_path;
pub mod widgets;

pub use app::Wizard;
pub use options::WizardOptions;
pub use settings::Settings;
pub use start::{
    APP_ID, FIRST_FRAME_LIMIT, OPENS_IN_CHILD, RendererChoice, StartError, WindowChild, start, start_here,
};
