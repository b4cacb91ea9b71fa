//! The person's hand on a running installation: cancel it, pause it, let it go on.

use std::future::Future;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Cancels and pauses. Clones share one switch, so the window keeps one and the installation another.
#[derive(Clone, Debug)]
pub struct Control {
    cancel: CancellationToken,
    paused: watch::Sender<bool>,
}

/// The person stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped by the person")]
pub struct Cancelled;

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// Neither cancelled nor paused.
    pub fn new() -> Self {
        Self { cancel: CancellationToken::new(), paused: watch::Sender::new(false) }
    }

    /// Stops everything that runs under this control, for good. A paused installation stops as well.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Holds transfers until [`Control::resume`].
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Lets transfers go on.
    pub fn resume(&self) {
        self.paused.send_replace(false);
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// The token behind [`Control::cancel`], for code that hands it on.
    pub fn token(&self) -> &CancellationToken {
        &self.cancel
    }

    /// For code that cannot wait: an error once it was cancelled.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Runs `work` to its end, or drops it the moment the person cancels.
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

    /// Ends when the person pauses.
    pub async fn paused(&self) {
        self.wait_for(true).await;
    }

    /// Ends as soon as it is not paused; at once when it is not.
    ///
    /// # Errors
    /// [`Cancelled`] when it was cancelled instead.
    pub async fn until_resumed(&self) -> Result<(), Cancelled> {
        self.or_cancelled(self.wait_for(false)).await
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
}
