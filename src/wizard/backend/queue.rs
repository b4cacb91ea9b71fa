//! A thread between the window and its backend.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::command::BackendCommand;
use super::error::WorkerError;
use super::interface::{Backend, FailureAnswer};
use super::message::Outbox;

/// A backend whose calls return at once: its own thread passes the commands to the real backend, in order.
pub struct CommandQueue {
    commands: Sender<(BackendCommand, Outbox)>,
}

impl CommandQueue {
    /// Puts a thread in front of `backend`. If no thread can be started, every command is answered with an error.
    pub fn new(backend: impl Backend + Send + 'static) -> Self {
        let (commands, queue) = channel::<(BackendCommand, Outbox)>();
        let spawned = thread::Builder::new().name("commands".to_owned()).spawn(move || {
            for (command, outbox) in queue {
                FailureAnswer::new(&command, &outbox).on_panic(|| backend.execute(command, &outbox));
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "the thread for the window's commands could not be started");
        }
        Self { commands }
    }
}

impl Backend for CommandQueue {
    fn execute(&self, command: BackendCommand, outbox: &Outbox) {
        if let Err(unsent) = self.commands.send((command, outbox.clone())) {
            let cause = "no thread".to_owned();
            FailureAnswer::new(&unsent.0.0, outbox).send(WorkerError::NotStarted { cause });
        }
    }
}
