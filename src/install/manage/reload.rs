//! Unloading the model and loading it again, which puts back onto the card what has left it.

use std::path::Path;
use std::time::Duration;

use super::installation::client;
use crate::install::InstallError;
use crate::install::blocking::runtime;
use crate::install::state::documents::SERVED_MODEL;

/// Timeout for loading the model.
const LOAD_LIMIT: Duration = Duration::from_secs(300);

/// Unloads the served model and loads it again with the setting that is installed. Blocks until it is loaded.
///
/// # Errors
/// When nothing is installed, the server does not answer, or the model cannot be loaded.
pub fn reload(home: &Path) -> Result<(), InstallError> {
    let client = client(home)?;
    runtime()?.block_on(async {
        client.unload(&SERVED_MODEL).await?;
        client.load(&SERVED_MODEL, LOAD_LIMIT).await?;
        Ok(())
    })
}
