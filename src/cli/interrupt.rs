//! Ctrl-C while a command runs.

use crate::cli::Failure;
use crate::control::Control;

/// Exit code after Ctrl-C, as shells expect it.
pub const INTERRUPTED: u8 = 130;

/// Makes Ctrl-C cancel the work; a second one ends the program at once.
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

/// Ctrl-C, and on Unix also SIGTERM, which service managers and timeouts send: after both no server may keep running.
struct Interruptions {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Interruptions {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
            #[cfg(windows)]
            interrupt: tokio::signal::windows::ctrl_c()?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}
