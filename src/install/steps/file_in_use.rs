//! Retries what the engine could not do because another program, such as a virus scanner, has one of its files open
//! (Windows). The engine itself does not retry.

use std::sync::Arc;
use std::time::Duration;

use crate::control::Cancelled;
use crate::install::InstallError;
use crate::install::event::Activity;
use crate::install::run_context::Run;
use crate::ollama::client::ClientError;
use crate::ollama::failure::EngineFailure;
use crate::platform::files::{HELD_LIMIT, HELD_REPORT_AFTER};

/// The first pause; each is twice as long as the one before, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long all pauses of a call may take, whichever files they wait for.
const TOTAL_LIMIT: Duration = Duration::from_secs(60);

/// The pauses of one call, which may meet several files.
#[derive(Debug, Default)]
pub(super) struct FileWaits {
    /// Pauses for the file of the last error.
    pauses: Pauses,
    /// The engine's message about it.
    message: String,
    total: Duration,
}

/// Pauses for one file.
#[derive(Clone, Copy, Debug, Default)]
struct Pauses {
    waited: Duration,
    next: Duration,
}

impl FileWaits {
    /// Waits, if this error is one that passes; `None` afterwards. Returns any other error, and this one after
    /// [`HELD_LIMIT`] for one file.
    ///
    /// # Errors
    /// When the user cancels.
    pub async fn wait(
        &mut self,
        run: &Run<'_>,
        error: ClientError,
    ) -> Result<Option<ClientError>, Cancelled> {
        let Some(pause) = self.pause_after(&error) else { return Ok(Some(error)) };
        tracing::info!(%error, ?pause, "the engine is asked again");
        if self.pauses.waited >= HELD_REPORT_AFTER {
            run.reporter.waiting(Activity::RetryingEngine { cause: Arc::new(error) });
        }
        run.control.or_cancelled(tokio::time::sleep(pause)).await?;
        Ok(None)
    }

    /// How long to wait before the next try; `None` when there must not be another.
    fn pause_after(&mut self, error: &ClientError) -> Option<Duration> {
        let message = error.server_message().filter(|_| error.failure() == Some(EngineFailure::FileInUse))?;
        if message != self.message {
            self.pauses = Pauses { waited: Duration::ZERO, next: FIRST_PAUSE };
            self.message = message.to_owned();
        }
        let Pauses { waited, next } = self.pauses;
        if waited >= HELD_LIMIT || self.total >= TOTAL_LIMIT {
            return None;
        }
        self.pauses = Pauses { waited: waited + next, next: (next * 2).min(LONGEST_PAUSE) };
        self.total += next;
        Some(next)
    }
}

/// Calls the engine, again while another program has one of its files open.
///
/// # Errors
/// Those of the call, or when the user cancels.
pub(super) async fn while_in_use<T, F>(run: &Run<'_>, call: impl Fn() -> F) -> Result<T, InstallError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let mut waits = FileWaits::default();
    loop {
        let error = match run.control.or_cancelled(call()).await? {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if let Some(error) = waits.wait(run, error).await? {
            return Err(error.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_use(file: &str) -> ClientError {
        let message = format!("rename {file}: The file is being used by another process.");
        ClientError::Refused {
            path: "/api/pull",
            status: 200,
            message: message.as_str().into(),
            failure: EngineFailure::FileInUse,
        }
    }

    #[test]
    fn each_file_is_waited_for_and_no_call_is_repeated_for_ever() {
        let mut waits = FileWaits::default();
        let pauses = |waits: &mut FileWaits, file: &str| {
            std::iter::from_fn(|| waits.pause_after(&in_use(file))).sum::<Duration>()
        };
        let first = pauses(&mut waits, "a");
        assert!(first >= HELD_LIMIT && first <= HELD_LIMIT + LONGEST_PAUSE, "{first:?}");
        assert_eq!(pauses(&mut waits, "b"), first, "another file has its own time");
        assert_eq!(waits.pause_after(&in_use("b")), None);
        let rest: Duration = (0..100).map(|file| pauses(&mut waits, &file.to_string())).sum();
        assert!(first * 2 + rest <= TOTAL_LIMIT + LONGEST_PAUSE, "{rest:?}");
    }

    #[test]
    fn other_errors_are_not_waited_for() {
        let error = ClientError::EndedEarly { path: "/api/pull" };
        assert_eq!(FileWaits::default().pause_after(&error), None);
    }
}
