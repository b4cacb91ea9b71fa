//! What a backend is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::command::Command;
use super::error::WorkerError;
use super::message::{Message, Outbox};

/// Carries out what the window asks for.
pub trait Backend {
    /// Carries out a command, or starts a thread that does. Answers through `outbox`.
    fn execute(&self, command: Command, outbox: &Outbox);
}

/// The answer to a command that could not be carried out, so that the window does not wait forever.
pub(super) struct FailureAnswer {
    message: Box<dyn FnOnce(WorkerError) -> Option<Message> + Send>,
    outbox: Outbox,
}

impl FailureAnswer {
    /// For this command, to be sent to this outbox.
    pub(super) fn new(command: &Command, outbox: &Outbox) -> Self {
        Self { message: message_for(command), outbox: outbox.clone() }
    }

    /// Does the work; answers when it panics.
    pub(super) fn on_panic(self, work: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.send(WorkerError::Crashed);
        }
    }

    /// Answers with this error.
    pub(super) fn send(self, error: WorkerError) {
        if let Some(message) = (self.message)(error) {
            self.outbox.send(message);
        }
    }
}

fn message_for(command: &Command) -> Box<dyn FnOnce(WorkerError) -> Option<Message> + Send> {
    match command {
        Command::LookForInstallation => Box::new(|error| Some(Message::Installation(Err(error)))),
        Command::Detect => Box::new(|error| Some(Message::Detected(Err(error)))),
        Command::FindNewest(_) => Box::new(|error| Some(Message::NewestFound(Err(error)))),
        Command::FindModel { reference, .. } => {
            let reference = reference.clone();
            Box::new(|error| Some(Message::ModelFound { reference, model: Err(error) }))
        }
        Command::Install { .. } => Box::new(|error| Some(Message::InstallEnded(Err(error)))),
        Command::AskModel { .. } => Box::new(|error| Some(Message::AnswerEnded(Err(error)))),
        Command::CheckHealth { .. } => Box::new(|error| Some(Message::Health(Err(error)))),
        Command::PreviewRemoval { .. } => Box::new(|error| Some(Message::RemovalPreviewed(Err(error)))),
        Command::Manage { action, .. } => {
            let action = *action;
            Box::new(move |error| Some(Message::Managed(action, Err(error))))
        }
        Command::PickPath { .. } | Command::OpenLink(_) | Command::OpenFolder(_) => {
            Box::new(|error| Some(Message::OpenFailed(error)))
        }
        Command::BuildReport(_) => Box::new(|error| Some(Message::ReportBuilt(Err(error)))),
        Command::SaveReportAs(_) | Command::SaveReport { .. } => {
            Box::new(|error| Some(Message::ReportSaved(Err(error))))
        }
        Command::TakeInventory { .. } | Command::RememberSettings(_) => Box::new(|_| None),
    }
}
