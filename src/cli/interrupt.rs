//! Ctrl-C, and what else asks a command to end, while it runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cli::Failure;
use crate::control::Control;
use crate::platform::interruptions::Interruptions;

/// Exit code after Ctrl-C, as shells expect it.
pub const INTERRUPTED: u8 = 130;

/// Makes Ctrl-C, a closed terminal, log-off and shutdown cancel the work; a second one ends the program at once.
///
/// # Errors
/// When the runtime or the signal handler cannot be created.
pub fn cancel_on_ctrl_c(control: &Control) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(error.to_string());
    let control = control.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    // Register the handlers before the thread starts, so that no signal is lost.
    let mut interruptions = {
        let _entered = runtime.enter();
        Interruptions::listen().map_err(failed)?
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            interruptions.next().await;
            control.cancel();
            interruptions.next().await;
            std::process::exit(INTERRUPTED.into());
        });
    });
    Ok(())
}

/// Pauses that Ctrl-C ends.
pub struct InterruptiblePause {
    control: Control,
    runtime: tokio::runtime::Runtime,
}

impl InterruptiblePause {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the runtime or the signal handler cannot be created.
    pub fn new() -> Result<Self, Failure> {
        let control = Control::new();
        cancel_on_ctrl_c(&control)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { control, runtime: runtime.map_err(|error| Failure::failed(error.to_string()))? })
    }

    /// Waits. Returns whether the user interrupted, now or before.
    pub fn wait(&self, time: Duration) -> bool {
        let waited = async { self.control.or_cancelled(tokio::time::sleep(time)).await };
        self.runtime.block_on(waited).is_err()
    }
}

/// Ctrl-C while answers are written, one after the other: it stops the answer, and ends the program between answers.
#[derive(Clone, Debug, Default)]
pub struct AnswerInterrupts(Arc<Mutex<Option<Control>>>);

impl AnswerInterrupts {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the runtime or the signal handler cannot be created.
    pub fn listen() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::failed(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let mut interruptions = {
            let _entered = runtime.enter();
            Interruptions::listen().map_err(failed)?
        };
        let this = Self::default();
        let current = this.clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    interruptions.next().await;
                    if !current.stop_answer() {
                        std::process::exit(INTERRUPTED.into());
                    }
                }
            });
        });
        Ok(this)
    }

    /// The control of the next answer.
    pub fn next(&self) -> Control {
        let control = Control::new();
        *self.current() = Some(control.clone());
        control
    }

    /// No answer is written any more.
    pub fn done(&self) {
        *self.current() = None;
    }

    /// Whether an answer was stopped; false for none, and for one that was told to stop already.
    fn stop_answer(&self) -> bool {
        self.current().take().map(|control| control.cancel()).is_some()
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Control>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
