//! Downloads one file whose SHA-256 is known, whatever happens on the way.
//!
//! 1. A finished file that verifies is taken as it is.
//! 2. What an earlier run left is taken up: `NAME.partial` holds bytes, `NAME.partial.json` says which. What is there
//!    is hashed again, once, while the rest comes.
//! 3. The first connection asks for the rest by range (`If-Range` where a validator is known). A 206 must begin where it
//!    was asked to and name the length we know; a 200 means that ranges are ignored or the file has changed.
//! 4. While more connections make it faster, more are opened, each taking half of the longest stretch
//!    ([`transfer`]). What goes wrong takes them back: first fewer connections, then a pause, then the next mirror.
//! 5. Everything is written where it belongs and hashed in order while it comes ([`sink`]).
//!    Whoever follows it ([`Tail`]) may read as far as it is hashed.
//! 6. The hash decides. A file that is not what it must be is deleted and fetched once more, from another mirror if
//!    there is one. The right one is renamed to its place.
//!
//! The disk is watched all the while: what will not fit is said when that is known, not when the disk is full.
//! Cancelling and pausing drop the connections and keep what is there.

mod connection;
mod crew;
mod mirrors;
mod partial;
mod problem;
mod ranges;
mod rate;
mod sink;
mod tail;
mod transfer;
mod widening;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, Url};

use crate::checksum::Sha256;
use crate::control::{Cancelled, Control};
use crate::ollama::http::HttpPolicy;
use crate::platform::files;
pub use problem::Problem;
pub use rate::{Limiter, parse_rate};
pub use tail::{Round, RoundEnd, Tail, TailReader};

/// What to download.
#[derive(Clone, Debug)]
pub struct DownloadRequest {
    /// Addresses of the same file, the best first.
    pub urls: Vec<Url>,
    /// Where the finished file goes.
    pub dest: PathBuf,
    /// Its length, when known. A server that says otherwise is not believed.
    pub bytes: Option<u64>,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Where plain http may go.
    pub policy: HttpPolicy,
    /// No faster than this, in bytes a second.
    pub max_bytes_per_s: Option<u64>,
    /// No more connections than this at once.
    pub max_connections: usize,
    /// How long to wait and how often to try.
    pub patience: Patience,
    /// Somebody who reads the file while it comes.
    pub tail: Option<Tail>,
    /// Bytes free on the disk of a folder. SavedRequest before and, every two seconds, during the download.
    pub free_space: fn(&Path) -> io::Result<u64>,
}

impl DownloadRequest {
    /// With up to eight connections and plain http to this computer only.
    pub fn new(urls: Vec<Url>, dest: PathBuf, bytes: Option<u64>, sha256: Sha256) -> Self {
        Self {
            urls,
            dest,
            bytes,
            sha256,
            policy: HttpPolicy::default(),
            max_bytes_per_s: None,
            max_connections: 8,
            patience: Patience::default(),
            tail: None,
            free_space: |folder| fs4::available_space(folder),
        }
    }
}

/// How long to wait and how often to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A connection on which nothing comes for so long is dropped.
    pub silence: Duration,
    /// Wait before the second try; doubled for each further one, up to 16 s.
    pub backoff: Duration,
    /// Tries in a row that bring nothing, for each address.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { silence: Duration::from_secs(20), backoff: Duration::from_millis(500), tries: 6 }
    }
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Bytes that are there.
    pub bytes_done: u64,
    /// Bytes in all, once known.
    pub bytes_total: Option<u64>,
    /// Over the last seconds.
    pub bytes_per_s: f64,
    /// At that rate; `None` while it cannot be told.
    pub seconds_left: Option<f64>,
    /// Connections in use.
    pub connections: usize,
    /// What it waits for, when it waits.
    pub waiting_for: Option<Waiting>,
}

/// What a download waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The person, to let it go on.
    Resume,
    /// A server, to answer.
    Answer {
        /// Its name.
        host: String,
        /// For so many seconds now.
        seconds: u64,
    },
    /// A server, to send more.
    Data {
        /// Its name.
        host: String,
        /// For so many seconds now.
        seconds: u64,
    },
    /// The next try.
    Retry {
        /// Where.
        host: String,
        /// Why the last one failed.
        problem: Problem,
        /// In so many seconds.
        seconds: u64,
    },
    /// The check sum of what is there already.
    Check,
}

/// Why a download failed. Unless it says otherwise, what was fetched is kept and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The person stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Every address failed.
    #[error("no address delivered {}: {}", .file, tried_list(.tried))]
    Unavailable {
        /// Name of the file.
        file: String,
        /// Each address with its last problem.
        tried: Vec<(Url, Problem)>,
    },
    /// Everything came, twice, and is not what it must be. Nothing is kept.
    #[error("the SHA-256 of {address} is {actual}, expected {expected}")]
    CheckSum {
        /// Where it came from.
        address: String,
        /// SHA-256 it must have, in hexadecimal.
        expected: Sha256,
        /// SHA-256 it has.
        actual: Sha256,
    },
    /// The disk is full.
    #[error("no space left for {path}, {missing_bytes:?} bytes missing")]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// How many bytes are missing, when known.
        missing_bytes: Option<u64>,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot write {path}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl DownloadError {
    fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, missing_bytes: None }
            }
            _ => Self::Io { path, source },
        }
    }
}

fn tried_list(tried: &[(Url, Problem)]) -> String {
    tried.iter().map(|(url, problem)| format!("{url}: {problem}")).collect::<Vec<_>>().join("; ")
}

/// Downloads and verifies a file. The client must follow no redirects itself ([`crate::ollama::http::client`]).
/// `progress` is called a few times a second.
///
/// # Errors
/// See [`DownloadError`].
pub async fn download(
    client: &Client,
    request: &DownloadRequest,
    progress: &dyn Fn(Progress),
    control: &Control,
) -> Result<PathBuf, DownloadError> {
    transfer::run(client, request, progress, control).await
}

/// Whether a file is there and has this length (if known) and SHA-256. Reads all of it, on a thread of its own.
///
/// # Errors
/// When it cannot be read, or the person stops it.
pub async fn verifies(
    path: &Path,
    bytes: Option<u64>,
    sha256: Sha256,
    control: &Control,
) -> Result<bool, DownloadError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(DownloadError::io(path, error)),
        Ok(found) if bytes.is_some_and(|bytes| found.len() != bytes) => return Ok(false),
        Ok(_) => {}
    }
    let (owned, stop) = (path.to_owned(), control.token().clone());
    let hashing = tokio::task::spawn_blocking(move || files::sha256(&owned, &|| stop.is_cancelled()));
    let hash = hashing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    control.check()?;
    Ok(hash.map_err(|error| DownloadError::io(path, error))? == sha256)
}

#[cfg(test)]
mod tests;
