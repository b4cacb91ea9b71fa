//! Lets the user cancel, pause and resume a running installation, and skip its tuning.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Cancels, pauses and skips the tuning. Clones share one state, so the window keeps one and the installation another.
#[derive(Clone, Debug)]
pub struct Control {
    cancel: CancellationToken,
    paused: watch::Sender<bool>,
    tuning_skipped: CancellationToken,
}

/// The user stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped by the user")]
pub struct Cancelled;

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// Neither cancelled nor paused.
    pub fn new() -> Self {
        Self {
            cancel: CancellationToken::new(),
            paused: watch::Sender::new(false),
            tuning_skipped: CancellationToken::new(),
        }
    }

    /// Cancels everything that runs under this control; cannot be reverted. A paused installation is cancelled too.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Pauses transfers until [`Control::resume`].
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Resumes transfers.
    pub fn resume(&self) {
        self.paused.send_replace(false);
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Ends the tuning with the best setting so far; cannot be reverted.
    pub fn skip_tuning(&self) {
        self.tuning_skipped.cancel();
    }

    /// Whether the tuning was skipped.
    pub fn is_tuning_skipped(&self) -> bool {
        self.tuning_skipped.is_cancelled()
    }

    /// Completes when the user skips the tuning.
    pub async fn tuning_skipped(&self) {
        self.tuning_skipped.cancelled().await;
    }

    /// The cancellation token, for code that passes it on.
    pub fn token(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Checks for cancellation; for code that cannot await.
    ///
    /// # Errors
    /// [`Cancelled`] once it was cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Awaits `work`, or drops it as soon as the user cancels.
    ///
    /// # Errors
    /// [`Cancelled`]; also when it was cancelled before `work` began.
    pub async fn or_cancelled<F: Future>(&self, work: F) -> Result<F::Output, Cancelled> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Cancelled),
            output = work => Ok(output),
        }
    }

    /// Completes when the user pauses.
    pub async fn paused(&self) {
        self.wait_for(true).await;
    }

    /// Completes as soon as it is not paused.
    ///
    /// # Errors
    /// [`Cancelled`] when it was cancelled instead.
    pub async fn until_resumed(&self) -> Result<(), Cancelled> {
        self.or_cancelled(self.wait_for(false)).await
    }

    /// Like [`Control::until_resumed`], for blocking code. Needs no runtime and does not poll.
    ///
    /// # Errors
    /// [`Cancelled`] when it was cancelled instead.
    pub fn until_resumed_blocking(&self) -> Result<(), Cancelled> {
        if self.is_paused() { pollster::block_on(self.until_resumed()) } else { self.check() }
    }

    async fn wait_for(&self, paused: bool) {
        let mut receiver = self.paused.subscribe();
        // The sender lives as long as `self`, so the channel cannot close while we wait.
        if receiver.wait_for(|now| *now == paused).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn cancelling_drops_the_work() {
        let control = Control::new();
        let other = control.clone();
        let result = block_on(async {
            tokio::join!(control.or_cancelled(std::future::pending::<()>()), async { other.cancel() }).0
        });
        assert_eq!(result, Err(Cancelled));
        assert_eq!(block_on(control.or_cancelled(async { 1 })), Err(Cancelled), "also work that began later");
    }

    #[test]
    fn a_pause_ends_by_resuming_or_cancelling() {
        let control = Control::new();
        assert_eq!(block_on(control.until_resumed()), Ok(()));
        control.pause();
        let other = control.clone();
        let resumed = block_on(async {
            tokio::join!(control.until_resumed(), async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                assert!(other.is_paused());
                other.resume();
            })
            .0
        });
        assert_eq!(resumed, Ok(()));
        control.pause();
        let other = control.clone();
        let cancelled = block_on(async { tokio::join!(control.until_resumed(), async { other.cancel() }).0 });
        assert_eq!(cancelled, Err(Cancelled));
    }

    #[test]
    fn blocking_work_waits_too() {
        let control = Control::new();
        assert_eq!(control.until_resumed_blocking(), Ok(()));
        control.pause();
        let (done, finished) = std::sync::mpsc::channel();
        let worker = control.clone();
        let waiting = std::thread::spawn(move || done.send(worker.until_resumed_blocking()));
        assert!(finished.recv_timeout(Duration::from_millis(50)).is_err(), "it did not wait");
        control.resume();
        assert_eq!(finished.recv(), Ok(Ok(())));
        waiting.join().unwrap().unwrap();
        control.pause();
        let worker = control.clone();
        let waiting = std::thread::spawn(move || worker.until_resumed_blocking());
        control.cancel();
        assert_eq!(waiting.join().unwrap(), Err(Cancelled));
    }
}
