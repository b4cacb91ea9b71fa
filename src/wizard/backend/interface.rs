//! What a backend is.

use super::command::Command;
use super::error::WorkerError;
use super::message::{Message, Outbox};

/// Carries out what the window asks for.
pub trait Backend {
    /// Carries out a command, or starts a thread that does. Answers through `outbox`.
    fn execute(&self, command: Command, outbox: &Outbox);
}

/// How a command is answered when it could not be carried out at all.
pub(super) fn failure(command: &Command) -> Box<dyn FnOnce(WorkerError) -> Option<Message> + Send> {
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
        Command::Manage { action, .. } => {
            let action = *action;
            Box::new(move |error| Some(Message::Managed(action, Err(error))))
        }
        Command::PickPath { .. } | Command::OpenLink(_) | Command::OpenFolder(_) => {
            Box::new(|error| Some(Message::OpenFailed(error)))
        }
        Command::SaveReportAs(_) | Command::SaveReport { .. } => {
            Box::new(|error| Some(Message::ReportSaved(Err(error))))
        }
        Command::TakeInventory { .. } | Command::RememberSettings(_) => Box::new(|_| None),
    }
}
