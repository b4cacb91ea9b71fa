//! The private server of a home: starting, stopping and recognising it, and its state file `server.json`.
//!
//! Where the system's service manager supervises it, it is started and stopped through the manager, so that there are
//! never two.

use crate::install::blocking::blocking;
use crate::install::login_entry;
use crate::install::state::documents::{ServerFile, to_json};
use crate::install::{InstallError, Paths};
use crate::ollama::client::Client;
use crate::ollama::own_server::OwnServer;
use crate::ollama::release::is_same_version;
use crate::ollama::server::{self, Launch, READY_LIMIT, Ready, ServerError};
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
    /// Whether the system confirms that it is ours.
    pub is_confirmed: bool,
}

impl Server {
    fn new(client: Client, launch: &Launch, ready: Ready) -> Self {
        let Ready { version, is_confirmed } = ready;
        Self { client, launch: launch.clone(), version, is_confirmed }
    }

    /// Refuses a server of another version than its engine has: it is not what was installed.
    ///
    /// # Errors
    /// [`ServerError::OtherVersion`].
    pub fn require_version(&self, expected: &str) -> Result<(), ServerError> {
        if is_same_version(&self.version, expected) {
            return Ok(());
        }
        let (port, found) = (self.launch.port, self.version.clone());
        Err(ServerError::OtherVersion { port, found, expected: expected.into() })
    }
}

/// Whether a server of this home runs, whether it answers or not.
pub fn is_running(paths: &Paths) -> bool {
    !own(paths).processes().is_empty()
}

/// Who listens on the port of this home's server.
pub fn listener(paths: &Paths, port: u16) -> Listener {
    own(paths).listener(port)
}

/// A client of this home's server, which talks to nobody else on its port.
///
/// # Errors
/// When no HTTP client can be made.
pub fn client(paths: &Paths, port: u16) -> Result<Client, InstallError> {
    let own = own(paths);
    Ok(Client::of_own_server(port, move |port| own.listener(port))?)
}

fn own(paths: &Paths) -> OwnServer {
    OwnServer::of(&paths.engines())
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
    let is_confirmed = match listener(paths, launch.port) {
        Listener::Ours => true,
        Listener::Unknown => false,
        Listener::Other(_) | Listener::Nobody => return Ok(None),
    };
    let client = client(paths, launch.port)?;
    // A server that does not respond is replaced, like one with other settings.
    let version = client.version().await.ok();
    Ok(version.map(|version| Server::new(client, launch, Ready { version, is_confirmed })))
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
    let asking = Client::new(launch.port)?;
    let log_from = files::length(&launch.log);
    let mut child = server::start(launch)?;
    write_state(paths, launch, process::identify(child.id()))?;
    let ready = server::wait_until_ready(&asking, Some(&mut child), launch, log_from, READY_LIMIT).await?;
    Ok(Server::new(client(paths, launch.port)?, launch, ready))
}

/// Waits for a server that the service manager starts with these settings.
///
/// # Errors
/// When it does not answer in time or the state file cannot be written.
pub async fn adopt(paths: &Paths, launch: &Launch) -> Result<Server, InstallError> {
    let asking = Client::new(launch.port)?;
    let log_from = files::length(&launch.log);
    let ready = server::wait_until_ready(&asking, None, launch, log_from, READY_LIMIT).await?;
    write_state(paths, launch, None)?;
    Ok(Server::new(client(paths, launch.port)?, launch, ready))
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
            runner: Default::default(),
            home: paths.engine_home(),
            log: paths.server_log(),
            network: Default::default(),
        };
        let error = write_state(&paths, &launch, None).unwrap_err();
        assert!(matches!(&error, InstallError::File(file) if file.path == paths.server_state()), "{error}");
        assert!(!error.to_string().contains("log"), "{error}");
    }
}
