//! The async runtime, and blocking work on it.

use crate::install::InstallError;

/// A single-threaded runtime: an installation mostly waits for I/O.
///
/// # Errors
/// When the system provides no timers or sockets.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, InstallError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|source| InstallError::Runtime { source })
}

/// Runs blocking work on its own thread.
///
/// # Errors
/// The work's own error; [`InstallError::WorkerPanicked`] when it panics.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InstallError> + Send + 'static,
) -> Result<T, InstallError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|lost| Err(InstallError::WorkerPanicked { message: lost.to_string().into() }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure() {
        let outcome = runtime().unwrap().block_on(blocking::<usize>(|| panic!("a panic on purpose")));
        assert!(matches!(outcome, Err(InstallError::WorkerPanicked { .. })), "{outcome:?}");
    }
}
