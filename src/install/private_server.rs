//! The private server of a home: starting, stopping and recognising it, and its state file `server.json`.
//!
//! Where the system's service manager supervises it, it is started and stopped through the manager, so that there are
//! never two.

use crate::install::blocking::blocking;
use crate::install::login_entry;
use crate::install::state::documents::{ServerFile, to_json};
use crate::install::{InstallError, Paths};
use crate::ollama::client::Client;
use crate::ollama::server::{self, Launch, READY_LIMIT, ServerError};
use crate::platform::files;
use crate::platform::listening::Listener;
use crate::platform::process::{self, ProcessIdentity};
use crate::untrusted::UntrustedText;

/// A server that answers.
#[derive(Debug)]
pub struct Server {
    /// Client of its API.
    pub client: Client,
    /// How it was started.
    pub launch: Launch,
    /// Its version, as it reports itself.
    pub version: UntrustedText,
}

/// Whether a server of this home runs, whether it answers or not.
pub fn is_running(paths: &Paths) -> bool {
    !server::servers(&paths.engines()).is_empty()
}

/// Who listens on the port of this home's server.
pub fn listener(paths: &Paths, port: u16) -> Listener {
    server::listener(&paths.engines(), port)
}

/// A client of this home's server.
///
/// # Errors
/// When another process or none listens on its port.
pub fn client(paths: &Paths, port: u16) -> Result<Client, InstallError> {
    match listener(paths, port) {
        Listener::Ours | Listener::Unknown => Ok(Client::new(port)?),
        Listener::Other(owner) => Err(ServerError::PortTaken { port, by: Some(owner) }.into()),
        Listener::Nobody => Err(ServerError::NotListening { port }.into()),
    }
}

/// The server that runs with exactly these settings, if it responds and no other process has its port.
///
/// # Errors
/// When the state file cannot be read.
pub async fn running(paths: &Paths, launch: &Launch) -> Result<Option<Server>, InstallError> {
    let file = ServerFile::load(paths, &paths.server_state())?;
    if !file.is_some_and(|file| file.launch(paths) == *launch) || !is_running(paths) {
        return Ok(None);
    }
    if !matches!(listener(paths, launch.port), Listener::Ours | Listener::Unknown) {
        return Ok(None);
    }
    let client = Client::new(launch.port)?;
    // A server that does not respond is replaced, like one with other settings.
    Ok(client.version().await.ok().map(|version| Server { client, launch: launch.clone(), version }))
}

/// Stops every server of this home with its children, and returns how many there were.
///
/// # Errors
/// When one cannot be stopped.
pub async fn stop(paths: &Paths) -> Result<usize, InstallError> {
    let paths = paths.clone();
    blocking(move || {
        login_entry::stop(&paths)?;
        Ok(server::stop_all(&paths.engines())?)
    })
    .await
}

/// Starts a server and waits until it responds. Writes the state file first, so that a later run recognises the server
/// even if this program is killed while waiting.
///
/// # Errors
/// When it does not start or the state file cannot be written.
pub async fn start(paths: &Paths, launch: &Launch) -> Result<Server, InstallError> {
    let client = Client::new(launch.port)?;
    let log_from = files::length(&launch.log);
    let mut child = server::start(launch)?;
    write_state(paths, launch, process::identify(child.id()))?;
    let version = server::wait_until_ready(&client, Some(&mut child), launch, log_from, READY_LIMIT).await?;
    Ok(Server { client, launch: launch.clone(), version })
}

/// Waits for a server that the service manager starts with these settings.
///
/// # Errors
/// When it does not answer in time or the state file cannot be written.
pub async fn adopt(paths: &Paths, launch: &Launch) -> Result<Server, InstallError> {
    let client = Client::new(launch.port)?;
    let log_from = files::length(&launch.log);
    let version = server::wait_until_ready(&client, None, launch, log_from, READY_LIMIT).await?;
    write_state(paths, launch, None)?;
    Ok(Server { client, launch: launch.clone(), version })
}

/// Starts the server of what is installed, through the service manager where that supervises it.
///
/// # Errors
/// As [`start`] and [`adopt`].
pub async fn start_again(paths: &Paths, launch: &Launch) -> Result<Server, InstallError> {
    if login_entry::start(paths)? { adopt(paths, launch).await } else { start(paths, launch).await }
}

/// Writes the state file; `process` is `None` when the service manager starts the server.
///
/// # Errors
/// When it cannot be written.
pub fn write_state(
    paths: &Paths,
    launch: &Launch,
    process: Option<ProcessIdentity>,
) -> Result<(), InstallError> {
    let path = paths.server_state();
    let json = to_json(&path, &ServerFile::new(launch, process))?;
    Ok(files::write_whole(&path, &json)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::models::KvCacheType;

    #[test]
    fn an_unwritable_state_file_is_reported_by_its_own_path() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path());
        // A folder in place of the file: the rename fails, also for root.
        files::create_folders(&paths.server_state().join("occupied")).unwrap();
        let launch = Launch {
            program: "ollama".into(),
            port: 42_434,
            models_dir: paths.models(),
            kv_cache_type: KvCacheType::F16,
            home: paths.engine_home(),
            log: paths.server_log(),
            network: Default::default(),
        };
        let error = write_state(&paths, &launch, None).unwrap_err();
        assert!(matches!(&error, InstallError::File(file) if file.path == paths.server_state()), "{error}");
        assert!(!error.to_string().contains("log"), "{error}");
    }
}
