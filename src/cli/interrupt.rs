//! Ctrl-C while a command works.

use crate::cli::Failure;
use crate::control::Control;

/// Exit code after Ctrl-C, as shells expect it.
pub const INTERRUPTED: u8 = 130;

/// From now on Ctrl-C cancels the work; a second one ends the program at once.
///
/// # Errors
/// When the system yields no runtime to listen with.
pub fn cancel_on_ctrl_c(control: &Control) -> Result<(), Failure> {
    let control = control.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(error.to_string()))?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            if interruption().await.is_ok() {
                control.cancel();
                if interruption().await.is_ok() {
                    std::process::exit(INTERRUPTED.into());
                }
            }
        });
    });
    Ok(())
}

/// Ctrl-C, and on Unix also SIGTERM, as service managers and timeouts send it: neither may leave a server behind.
async fn interruption() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
