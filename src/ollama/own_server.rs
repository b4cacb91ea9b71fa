//! Which processes are our own server, and whether one of them listens on its port.
//!
//! An answer alone proves nothing: any program can bind the port while the server does not run, and answer as it likes.

use std::path::{Path, PathBuf};

use crate::platform::listening::{self, Listener};
use crate::platform::process::{self, RunningProcess};

/// The server that runs from one folder of engines, whichever process that is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnServer {
    engines: PathBuf,
}

impl OwnServer {
    /// The server whose program lies in this folder.
    pub fn of(engines: &Path) -> Self {
        Self { engines: engines.to_owned() }
    }

    /// Its processes: one, or none while it does not run.
    pub fn processes(&self) -> Vec<RunningProcess> {
        process::find_by_exe(&self.engines).into_iter().filter(is_server).collect()
    }

    /// Who would answer on a port of 127.0.0.1 now. Reads the process list and the socket table; on macOS it runs a tool of
    /// the system for up to 5 seconds.
    pub fn listener(&self, port: u16) -> Listener {
        let pids: Vec<u32> = self.processes().iter().map(|server| server.identity.pid).collect();
        listening::listener(port, &pids)
    }
}

/// Whether a process of an engine is the server, not a runner that it started.
pub fn is_server(found: &RunningProcess) -> bool {
    found.command_line.get(1).is_some_and(|argument| argument == "serve")
}
