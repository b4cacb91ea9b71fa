//! Everything that takes time, behind one interface that cannot make the window wait.
//!
//! A frame reads memory and nothing else. Pages push intents; after the frame the window turns them into [`BackendCommand`]s;
//! a [`Backend`] carries them out and answers with [`Message`]s through an [`Outbox`], which also wakes the window.
//! In the real window a [`CommandQueue`] puts a thread between the two, so that starting a command does not delay a frame.
//! Tests use a scripted backend.

mod command;
mod detected;
mod error;
mod interface;
mod live;
mod look;
mod message;
mod queue;
mod report_file;
mod running_work;
mod system_dialogs;
mod watch;
mod work;

pub use command::{BackendCommand, ManageAction, ModelReference, PathField, ReportContents};
pub use detected::{CustomModel, Detected, SettingSource};
pub use error::WorkerError;
pub use interface::Backend;
pub use live::Live;
pub use look::{LiveLook, LiveWatch};
pub use message::{
    AnswerFigures, HealthProblem, Installation, InstallationHealth, KnownUpdates, Message, Outbox,
};
pub use queue::CommandQueue;
pub use running_work::RunningWork;
pub(super) use system_dialogs::REPORT_NAME;
pub use system_dialogs::SystemDialogs;
