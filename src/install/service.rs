//! The server where the system's service manager looks after it.

use crate::install::InstallError;

/// Stops it there; nothing happens where there is no such service.
pub fn stop() -> Result<(), InstallError> {
    Ok(())
}

/// Starts it there; false where there is no such service.
pub fn start() -> Result<bool, InstallError> {
    Ok(false)
}

/// Removes the login entry.
pub fn remove() -> Result<(), InstallError> {
    Ok(())
}
