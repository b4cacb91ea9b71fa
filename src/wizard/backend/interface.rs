//! What a backend is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::command::BackendCommand;
use super::error::WorkerError;
use super::message::{Message, Outbox};

/// Carries out what the window asks for.
pub trait Backend {
    /// Carries out a command, or starts a thread that does. Answers through `outbox`.
    fn execute(&self, command: BackendCommand, outbox: &Outbox);
}

/// The answer to a command that could not be carried out, so that the window does not wait forever.
pub(super) struct FailureAnswer {
    message: Box<dyn FnOnce(WorkerError) -> Option<Message> + Send>,
    outbox: Outbox,
}

impl FailureAnswer {
    /// For this command, to be sent to this outbox.
    pub(super) fn new(command: &BackendCommand, outbox: &Outbox) -> Self {
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

fn message_for(command: &BackendCommand) -> Box<dyn FnOnce(WorkerError) -> Option<Message> + Send> {
    match command {
        BackendCommand::LookForInstallation => Box::new(|error| Some(Message::Installation(Err(error)))),
        BackendCommand::Detect => Box::new(|error| Some(Message::Detected(Err(error)))),
        BackendCommand::ReadModel { options, model, .. } => {
            let (options, asked) = (options.clone(), Arc::clone(model));
            Box::new(|error| Some(Message::ModelRead { options, asked, published: Err(error) }))
        }
        BackendCommand::FindNewest(_) => Box::new(|error| Some(Message::NewestFound(Err(error)))),
        BackendCommand::FindModel { reference, .. } => {
            let reference = reference.clone();
            Box::new(|error| Some(Message::ModelFound { reference, model: Err(error) }))
        }
        BackendCommand::Install { .. } => Box::new(|error| Some(Message::InstallEnded(Err(error)))),
        BackendCommand::Tune { .. } => Box::new(|error| Some(Message::TuneEnded(Err(error)))),
        BackendCommand::ReadSettings { .. } => Box::new(|error| Some(Message::SettingsRead(Err(error)))),
        BackendCommand::ChangeSetting { .. } => Box::new(|error| Some(Message::TuneEnded(Err(error)))),
        BackendCommand::ListModels { .. } => Box::new(|error| Some(Message::ModelsListed(Err(error)))),
        BackendCommand::RemoveModel { .. } => Box::new(|error| Some(Message::ModelRemoved(Err(error)))),
        BackendCommand::AskModel { .. } => Box::new(|error| Some(Message::AnswerEnded(Err(error)))),
        BackendCommand::CheckHealth { .. } => Box::new(|error| Some(Message::Health(Err(error)))),
        BackendCommand::LookForUpdates { .. } | BackendCommand::SetDailyUpdates { .. } => {
            Box::new(|error| Some(Message::Updates(Err(error))))
        }
        BackendCommand::PreviewRemoval { .. } => {
            Box::new(|error| Some(Message::RemovalPreviewed(Err(error))))
        }
        BackendCommand::Manage { action, .. } => {
            let action = *action;
            Box::new(move |error| Some(Message::Managed(action, Err(error))))
        }
        BackendCommand::PickPath { .. } | BackendCommand::OpenLink(_) | BackendCommand::OpenFolder(_) => {
            Box::new(|error| Some(Message::OpenFailed(error)))
        }
        BackendCommand::BuildReport(_) => Box::new(|error| Some(Message::ReportBuilt(Err(error)))),
        BackendCommand::SaveReportAs(_) | BackendCommand::SaveReport { .. } => {
            Box::new(|error| Some(Message::ReportSaved(Err(error))))
        }
        BackendCommand::TakeInventory { .. }
        | BackendCommand::RememberSettings(_)
        | BackendCommand::Watch { .. } => Box::new(|_| None),
    }
}
