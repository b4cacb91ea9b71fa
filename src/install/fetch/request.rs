//! Request, progress and errors of a download.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;

use super::growing_file::GrowingFile;
use super::problem::TransferProblem;
use crate::checksum::Sha256;
use crate::control::{Cancelled, Control};
use crate::ollama::http::HttpPolicy;
use crate::platform::files::{self, FileError, reading, writing};

/// What to download.
#[derive(Clone, Debug)]
pub struct DownloadRequest {
    /// URLs of the same file, best first.
    pub urls: Vec<Url>,
    /// Where the finished file goes.
    pub dest: PathBuf,
    /// Its size in bytes, when known. A server that states another size is rejected.
    pub bytes: Option<u64>,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Where plain http is allowed.
    pub policy: HttpPolicy,
    /// Rate limit in bytes per second.
    pub max_bytes_per_s: Option<u64>,
    /// Most connections at once.
    pub max_connections: usize,
    /// Timeouts and retries.
    pub retry_policy: RetryPolicy,
    /// Lets a reader follow the file while it downloads.
    pub growing_file: Option<GrowingFile>,
    /// Returns the free bytes of a folder's disk. Called before and, every two seconds, during the download.
    pub free_space: fn(&Path) -> io::Result<u64>,
}

impl DownloadRequest {
    /// Up to eight connections, and plain http to this computer only.
    pub fn new(urls: Vec<Url>, dest: PathBuf, bytes: Option<u64>, sha256: Sha256) -> Self {
        Self {
            urls,
            dest,
            bytes,
            sha256,
            policy: HttpPolicy::default(),
            max_bytes_per_s: None,
            max_connections: 8,
            retry_policy: RetryPolicy::default(),
            growing_file: None,
            free_space: |folder| fs4::available_space(folder),
        }
    }

    /// Checks the free space for a file of `total` bytes, of which `there` are on the disk already. Does nothing if the
    /// file system does not report free space: a full disk then fails the write.
    ///
    /// # Errors
    /// [`DownloadError::DiskFull`] with the missing bytes.
    pub(super) fn check_space(&self, total: u64, there: u64) -> Result<(), DownloadError> {
        let folder = self.dest.parent().unwrap_or(&self.dest);
        let needed = total.saturating_sub(there);
        match (self.free_space)(folder) {
            Ok(free) if free < needed => {
                Err(DownloadError::DiskFull { path: self.dest.clone(), missing_bytes: Some(needed - free) })
            }
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::debug!(%error, "free space unknown");
                Ok(())
            }
        }
    }
}

/// Timeouts and retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// A connection without data for this long is dropped.
    pub silence: Duration,
    /// Wait before the first retry; doubled for each further one, up to 16 s.
    pub backoff: Duration,
    /// Attempts in a row without data before a mirror is given up.
    pub tries: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { silence: Duration::from_secs(20), backoff: Duration::from_millis(500), tries: 6 }
    }
}

/// Progress of a download.
#[derive(Clone, Debug, PartialEq)]
pub struct DownloadProgress {
    /// Bytes downloaded.
    pub bytes_done: u64,
    /// Size of the file, once known.
    pub bytes_total: Option<u64>,
    /// Bytes per second over the last seconds.
    pub bytes_per_s: f64,
    /// Seconds left at that rate; `None` while unknown.
    pub seconds_left: Option<f64>,
    /// Connections in use.
    pub connections: usize,
    /// Why it waits, if it does.
    pub waiting_for: Option<DownloadWait>,
}

/// Why a download waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownloadWait {
    /// Paused by the user.
    Resume,
    /// A server has not answered yet.
    Answer {
        /// Its host name.
        host: String,
        /// Seconds so far.
        seconds: u64,
    },
    /// A server has stopped sending.
    Data {
        /// Its host name.
        host: String,
        /// Seconds so far.
        seconds: u64,
    },
    /// The next retry.
    Retry {
        /// Where.
        host: String,
        /// Why the last one failed.
        problem: TransferProblem,
        /// Seconds until the retry.
        seconds: u64,
    },
    /// The checksum is being computed.
    Check,
}

/// A download failed. Unless stated otherwise, the partial file is kept and the next run resumes it.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Every mirror failed.
    #[error("no address delivered {}: {}", .file, tried_list(.tried))]
    Unavailable {
        /// Name of the file.
        file: String,
        /// Each URL with its last problem.
        tried: Vec<(Url, TransferProblem)>,
    },
    /// The file was downloaded twice with a wrong checksum. Nothing is kept.
    #[error("the SHA-256 of {address} is {actual}, expected {expected}")]
    CheckSum {
        /// Where it came from.
        address: String,
        /// Expected checksum.
        expected: Sha256,
        /// Actual checksum.
        actual: Sha256,
    },
    /// The disk is full.
    #[error("no space left for {path}, {missing_bytes:?} bytes missing")]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Bytes missing, when known.
        missing_bytes: Option<u64>,
    },
    /// A file or folder cannot be read or written.
    #[error(transparent)]
    File(FileError),
}

impl DownloadError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull => Self::DiskFull { path: path.to_owned(), missing_bytes: None },
            _ => Self::File(writing(path)(source)),
        }
    }
}

fn tried_list(tried: &[(Url, TransferProblem)]) -> String {
    tried.iter().map(|(url, problem)| format!("{url}: {problem}")).collect::<Vec<_>>().join("; ")
}

/// Whether a file exists with this size (if known) and checksum. Reads all of it, on its own thread.
///
/// # Errors
/// When the file cannot be read, or the user cancels.
pub async fn verifies(
    path: &Path,
    bytes: Option<u64>,
    sha256: Sha256,
    control: &Control,
) -> Result<bool, DownloadError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(DownloadError::File(reading(path)(error))),
        Ok(found) if bytes.is_some_and(|bytes| found.len() != bytes) => return Ok(false),
        Ok(_) => {}
    }
    let (owned, stop) = (path.to_owned(), control.token().clone());
    let hashing = tokio::task::spawn_blocking(move || files::sha256(&owned, &|| stop.is_cancelled()));
    let hash = hashing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    control.check()?;
    Ok(hash.map_err(|error| DownloadError::File(reading(path)(error)))? == sha256)
}
